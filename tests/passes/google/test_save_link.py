import json
from base64 import urlsafe_b64decode
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth import crypt, jwt

from passes.errors import LinkError
from passes.google.save_link import ADDRESS, SaveLinkSigner
from tests.passes.certificates import rsa_key

SHORT_BITS = 1024
EMAIL = "counterfoil@beans-and-leaf.iam.gserviceaccount.com"
OBJECT_ID = "3388000000022000000.8f14e45fceea167a9a5a5e4a5e0d4a3b"
CLASS_ID = "3388000000022000000.beans"
SIGNER = SaveLinkSigner(EMAIL, rsa_key())
NOW = 1_795_000_000
ORIGINS = ("https://cards.example.com",)


def part(token: str, number: int) -> Any:
    text = token.split(".")[number]
    return json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def token() -> str:
    link = SIGNER.link(OBJECT_ID, CLASS_ID, NOW, ORIGINS)
    assert link.startswith("https://pay.google.com/gp/v/save/")
    return link.removeprefix(ADDRESS)


def test_googles_own_library_verifies_the_token() -> None:
    public = rsa_key().public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )  # fmt: skip
    text = token()
    claims = jwt.decode(text, certs=public, verify=False)
    assert claims == part(text, 1)
    signed, _, signature = text.rpartition(".")
    verifier = crypt.RSAVerifier.from_string(public)
    decoded = urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
    assert verifier.verify(signed.encode(), decoded)
    assert not verifier.verify(signed.encode() + b"x", decoded)


def test_the_token_says_what_google_asks_for_and_no_more() -> None:
    assert part(token(), 0) == {"alg": "RS256", "typ": "JWT"}
    assert part(token(), 1) == {
        "iss": EMAIL,
        "aud": "google",
        "typ": "savetowallet",
        "iat": NOW,
        "origins": ["https://cards.example.com"],
        "payload": {"loyaltyObjects": [{"id": OBJECT_ID, "classId": CLASS_ID}]},
    }
    assert isinstance(part(token(), 1)["iat"], int)


def test_a_coupon_is_saved_as_an_offer() -> None:
    link = SIGNER.link(OBJECT_ID, CLASS_ID, NOW, is_offer=True)
    payload = part(link.removeprefix(ADDRESS), 1)["payload"]
    assert payload == {"offerObjects": [{"id": OBJECT_ID, "classId": CLASS_ID}]}


def test_the_token_is_thin() -> None:
    assert len(token()) < 1800
    assert len(token()) < 900


def test_a_token_that_browsers_would_cut_is_not_made() -> None:
    with pytest.raises(LinkError, match="fewer than 1800"):
        SIGNER.link(OBJECT_ID, CLASS_ID, NOW, [f"https://shop{n}.example.com" for n in range(60)])


def test_an_id_that_google_does_not_take_is_refused() -> None:
    with pytest.raises(ValueError, match="Google id"):
        SIGNER.link("beans", CLASS_ID, NOW)


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="2048"):
        SaveLinkSigner(EMAIL, rsa.generate_private_key(65537, key_size=SHORT_BITS))
