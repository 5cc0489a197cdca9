"""What is built and signed in the measurements of passes: a design, its cards, and a signer."""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID
from PIL import Image

from passes.apple import pass_json, strings
from passes.apple.bundle import PassTemplate
from passes.apple.signature import PassSigner
from passes.card import CardFace, CardKind, Colours, Issued, Look
from passes.kinds import points_card
from passes.text import counted, text

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
#: Six images of noise, which is what a photograph looks like to a compressor.
SIZES = {
    "icon.png": (38, 38),
    "icon@2x.png": (76, 76),
    "logo.png": (160, 50),
    "logo@2x.png": (160, 130),
    "strip.png": (150, 125),
    "strip@2x.png": (170, 130),
}
GOLD = text({"en": "Gold", "de": "Gold", "lv": "Zelts", "ru": "Золото"})
LOOK = Look(
    kind=CardKind.POINTS,
    programme_name="Bean & Leaf",
    organisation="Bean & Leaf Ltd",
    description=text(
        {
            "en": "Bean & Leaf loyalty card",
            "de": "Kundenkarte von Bean & Leaf",
            "lv": "Bean & Leaf lojalitātes karte",
            "ru": "Карта лояльности Bean & Leaf",
        }
    ),
    colours=Colours("#3b2314", "#fff6e8", "#e0b070"),
    counted=counted(
        {
            "en": {"one": "bean", "other": "beans"},
            "de": {"one": "Bohne", "other": "Bohnen"},
            "lv": {"zero": "pupiņu", "one": "pupiņa", "other": "pupiņas"},
            "ru": {"one": "зерно", "few": "зерна", "many": "зёрен", "other": "зерна"},
        }
    ),
    vocabulary=(GOLD,),
)
_ISSUED = Issued(
    serial_number="",
    code="CF1:" + "A0" * 58,
    issued_on=date(2026, 11, 23),
    member_name="Ada Lovelace",
)
_MESSAGE = b"x" * 200


def images() -> dict[str, bytes]:
    """Six images, about 230 kB."""
    return {name: _noise(size, seed) for seed, (name, size) in enumerate(SIZES.items())}


def template() -> PassTemplate:
    """The design's files, laid out: six images and the texts in four languages."""
    return PassTemplate({**images(), **strings.files(LOOK)})


def faces(count: int) -> list[CardFace]:
    """Cards of the design; serial number and balance differ."""
    return [
        points_card(
            LOOK, replace(_ISSUED, serial_number=f"{number:032x}"), balance=number, tier=GOLD
        )
        for number in range(count)
    ]


def raw(key: rsa.RSAPrivateKey) -> Callable[[CardFace], object]:
    """A raw signature by `key`, whatever the card."""
    pkcs1, sha256 = padding.PKCS1v15(), hashes.SHA256()

    def sign(face: CardFace) -> object:
        return key.sign(_MESSAGE, pkcs1, sha256)

    return sign


def build(key: rsa.RSAPrivateKey) -> Callable[[CardFace], bytes]:
    """A pass of the card, from its face to the signed archive."""
    signer, laid_out = signer_of(key), template()

    def make(face: CardFace) -> bytes:
        content = pass_json.render(
            face,
            pass_type_identifier=signer.pass_type_identifier,
            team_identifier=signer.team_identifier,
            web_service_url="https://cards.example.com/api/apple",
            authentication_token=face.serial_number,
        )
        return laid_out.build(content, signer, NOW)

    return make


def signer_of(key: rsa.RSAPrivateKey) -> PassSigner:
    """A pass certificate under an intermediate of its own, as Apple's chain is."""
    authority = rsa.generate_private_key(65537, 2048)
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Benchmark Intermediate")])
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.USER_ID, "pass.com.example.benchmark"),
            x509.NameAttribute(NameOID.COMMON_NAME, "Pass Type ID: pass.com.example.benchmark"),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "TEAM123456"),
        ]
    )

    def certificate(name: x509.Name, public: rsa.RSAPublicKey) -> x509.Certificate:
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(issuer)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - timedelta(days=1))
            .not_valid_after(NOW + timedelta(days=1))
            .add_extension(
                x509.BasicConstraints(ca=name == issuer, path_length=None), critical=True
            )
            .sign(authority, hashes.SHA256())
        )

    return PassSigner(
        certificate(subject, key.public_key()),
        key,
        [certificate(issuer, authority.public_key())],
    )


def _noise(size: tuple[int, int], seed: int) -> bytes:
    pixels = random.Random(seed).randbytes(size[0] * size[1] * 3)
    out = io.BytesIO()
    Image.frombytes("RGB", size, pixels).save(out, "PNG")
    return out.getvalue()
