"""Passes built and signed on one core ÷ raw RSA-2048 signatures by the same key, in one run.

A pass here is everything that a change of a card costs: pass.json rendered from a card face
(balance and serial number different each time), manifest, CMS signature, archive of ~250 kB
with six images.
"""

from __future__ import annotations

import io
import platform
import random
import statistics
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from time import perf_counter
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID
from PIL import Image

from passes.apple import pass_json
from passes.apple.bundle import PassTemplate
from passes.apple.signature import PassSigner
from passes.card import CardFace, Colours

ROUNDS = 15
PER_ROUND = 120
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
# Six images of noise, which is what a photograph looks like to a compressor.
SIZES = {
    "icon.png": (38, 38),
    "icon@2x.png": (76, 76),
    "logo.png": (160, 50),
    "logo@2x.png": (160, 130),
    "strip.png": (150, 125),
    "strip@2x.png": (170, 130),
}


def measure() -> dict[str, Any]:
    """Return the figure. Both sides alternate in short rounds, so that noise hits both alike."""
    key = rsa.generate_private_key(65537, 2048)
    signer = _signer(key)
    images = {name: _noise(size, seed) for seed, (name, size) in enumerate(SIZES.items())}
    template = PassTemplate(images)
    pkcs1, sha256 = padding.PKCS1v15(), hashes.SHA256()
    message = b"x" * 200
    faces = [
        replace(_FACE, serial_number=f"{number:032x}", balance=number)
        for number in range(PER_ROUND)
    ]

    def sign(face: CardFace) -> object:
        return key.sign(message, pkcs1, sha256)

    def build(face: CardFace) -> bytes:
        content = pass_json.render(
            face,
            pass_type_identifier=signer.pass_type_identifier,
            team_identifier=signer.team_identifier,
            web_service_url="https://cards.example.com/api/apple",
            authentication_token=face.serial_number,
        )
        return template.build(content, signer, NOW)

    def seconds(action: Callable[[CardFace], object]) -> float:
        start = perf_counter()
        for face in faces:
            action(face)
        return perf_counter() - start

    size = len(build(faces[0]))
    raw, built = [], []
    for _ in range(ROUNDS):
        raw.append(PER_ROUND / seconds(sign))
        built.append(PER_ROUND / seconds(build))
    numerator, denominator = statistics.median(built), statistics.median(raw)
    return {
        "name": "pass_build_vs_rsa",
        "value": round(numerator / denominator, 4),
        "unit": "ratio",
        "at_least": 0.90,
        "detail": {
            "numerator": round(numerator, 1),
            "numerator_is": "passes built and signed a second, one core",
            "denominator": round(denominator, 1),
            "denominator_is": "raw RSA-2048 signatures a second by the same key",
            "rounds": ROUNDS,
            "images": len(images),
            "images_kb": round(sum(map(len, images.values())) / 1000, 1),
            "pass_kb": round(size / 1000, 1),
            "machine": f"{platform.machine()}, Python {platform.python_version()}",
        },
    }


_FACE = CardFace(
    programme_name="Bean & Leaf",
    organisation="Bean & Leaf Ltd",
    description="Bean & Leaf loyalty card",
    serial_number="",
    code="CF1:" + "A0" * 58,
    balance=0,
    points_label="beans",
    colours=Colours("#3b2314", "#fff6e8", "#e0b070"),
    issued_on=date(2026, 11, 23),
    member_name="Ada Lovelace",
    tier="Gold",
)


def _noise(size: tuple[int, int], seed: int) -> bytes:
    pixels = random.Random(seed).randbytes(size[0] * size[1] * 3)
    out = io.BytesIO()
    Image.frombytes("RGB", size, pixels).save(out, "PNG")
    return out.getvalue()


def _signer(key: rsa.RSAPrivateKey) -> PassSigner:
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
            .sign(authority, hashes.SHA256())
        )

    return PassSigner(
        certificate(subject, key.public_key()),
        key,
        [certificate(issuer, authority.public_key())],
    )
