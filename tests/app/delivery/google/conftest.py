"""Cards at a Google stand-in that holds bodies to Google's rules."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from app.clock import FixedClock
from app.config import Config
from app.context import Context
from app.delivery.bringing import Senders
from app.delivery.google.pace import SharedPacer
from app.delivery.google.passes import GooglePasses
from app.delivery.wallets import Wallets
from app.demo.google import GoogleStandIn
from app.keys import KeyRing, Purpose
from tests.app.delivery.google.shop import ISSUER


@pytest.fixture(scope="session")
def account_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def google() -> Iterator[GoogleStandIn]:
    with GoogleStandIn(issuer_id=ISSUER) as google:
        yield google


@pytest.fixture
def config(config: Config, google: GoogleStandIn, account_key: rsa.RSAPrivateKey) -> Config:
    account = json.dumps(google.service_account(account_key)).encode()
    KeyRing.open(config).create(Purpose.GOOGLE_SERVICE, material=account)
    return replace(config, google_issuer_id=ISSUER, google_api_url=google.url)


@pytest.fixture
def timeout_seconds() -> float:
    """How long Google is waited for: long enough for a machine that is busy."""
    return 10.0


@pytest.fixture
def wallets(context: Context, clock: FixedClock, timeout_seconds: float) -> Wallets:
    """Both wallets; the pace goes by the clock that stands still, and nobody sleeps for it."""
    wallets = Wallets(context)
    pace = SharedPacer(
        context.database, f"google {ISSUER}", clock=clock, sleep=lambda _seconds: None
    )
    wallets.google = GooglePasses(context, timeout_seconds=timeout_seconds, pace=pace)
    return wallets


@pytest.fixture
def senders(context: Context, wallets: Wallets) -> Iterator[Senders]:
    senders = Senders(context, wallets)
    yield senders
    senders.close()


@pytest.fixture
def saved(programme: Any, wallets: Wallets, clock: FixedClock) -> Any:
    """A card whose object is at Google."""
    card = programme.issue()
    wallets.google.save_link(card.id, now=clock())
    return card
