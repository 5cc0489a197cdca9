"""A Google account that `counterfoil certs dev` made: Google itself knows nothing of it."""

from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from app.certs import GOOGLE_PUBLIC_KEY, make_dev_chain
from app.certs.files import DEVELOPMENT_ISSUER
from app.context import Context
from app.delivery.wallets import Wallets
from app.demo.google import GoogleStandIn
from app.errors import Unavailable


def test_its_links_are_signed_but_google_is_never_asked(context: Context, shop: Any) -> None:
    make_dev_chain(context.config, context.keys, now=context.clock())
    passes = Wallets(context).google
    assert not passes.available
    card = shop.issue()
    with pytest.raises(Unavailable, match="development"):
        passes.save_link(card.id, now=context.clock())
    link = passes.promise_link(card.id, now=context.clock())
    assert link.startswith("https://pay.google.com/gp/v/save/")


def test_with_another_api_it_asks_that_one_for_its_tokens(context: Context, shop: Any) -> None:
    make_dev_chain(context.config, context.keys, now=context.clock())
    with GoogleStandIn(issuer_id=DEVELOPMENT_ISSUER) as google:
        elsewhere = replace(context.config, google_api_url=google.url)
        public = (context.config.certs_dir / GOOGLE_PUBLIC_KEY).read_bytes()
        key = load_pem_public_key(public)
        assert isinstance(key, rsa.RSAPublicKey)
        google.trust(key)
        passes = Wallets(replace(context, config=elsewhere)).google
        assert passes.available
        link = passes.save_link(shop.issue().id, now=context.clock())
        assert google.open_save_link(link)["state"] == "ACTIVE"
