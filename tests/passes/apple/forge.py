"""Builds passes the slow way, so that each can have one fault."""

from __future__ import annotations

import hashlib
import io
import json
import warnings
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from datetime import date
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from passes.apple import der, pass_json, strings
from passes.apple import signature as parts
from passes.apple.signature import PassKey
from passes.card import CardFace, CardKind, Colours, Issued, Look
from passes.image import default_images
from passes.kinds import points_card
from passes.text import counted
from tests.passes import certificates

COLOURS = Colours("#3b2314", "#fff6e8", "#e0b070")
BEANS = counted({"en": {"one": "bean", "other": "beans"}})
TOKEN = "vxwxd7J8AlNNFPS8k0a0FfUFtq0ewzFdc"


def look(kind: CardKind = CardKind.POINTS, **changes: Any) -> Look:
    """A design, with what a test is about changed."""
    given: dict[str, Any] = {
        "programme_name": "Bean & Leaf",
        "organisation": "Bean & Leaf Ltd",
        "description": "Bean & Leaf loyalty card",
        "colours": COLOURS,
        "counted": BEANS,
    }
    return Look(kind=kind, **(given | changes))


def issued(**changes: Any) -> Issued:
    """What is a card's own, with what a test is about changed."""
    given: dict[str, Any] = {
        "serial_number": "8f14e45fceea167a",
        "code": "CF1:" + "A0" * 58,
        "issued_on": date(2026, 11, 23),
    }
    return Issued(**(given | changes))


_OF_THE_LOOK = {field.name for field in fields(Look)}
_OF_THE_POINTS = {"balance", "pending", "tier", "reward", "announce_message"}


def face(**changes: Any) -> CardFace:
    """A points card; each change goes to its design, to the card's own, or to its points."""
    points = {name: changes.pop(name) for name in _OF_THE_POINTS & changes.keys()}
    shared = {name: changes.pop(name) for name in _OF_THE_LOOK & changes.keys()}
    return points_card(look(**shared), issued(**changes), **({"balance": 120} | points))


def content(card: CardFace | None = None) -> dict[str, Any]:
    """The pass.json of a good pass."""
    return pass_json.build(
        card or face(),
        pass_type_identifier=certificates.PASS_TYPE,
        team_identifier=certificates.TEAM,
        web_service_url="https://cards.example.com/apple",
        authentication_token=TOKEN,
    )


@cache
def images() -> Mapping[str, bytes]:
    """The files of the design: the default images of the brand, and its texts."""
    return {**default_images(COLOURS, "Bean & Leaf"), **strings.files(look())}


def sha1(data: bytes) -> str:
    """The hash a manifest lists."""
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()


def sign(manifest: bytes) -> bytes:
    """The signature of a good pass."""
    return certificates.signer().sign(manifest, certificates.NOW)


def pkpass(
    described: Mapping[str, Any] | bytes | None = None,
    *,
    files: Mapping[str, bytes] | None = None,
    hashed: Callable[[bytes], str] = sha1,
    manifest: Callable[[dict[str, str]], object] = lambda listed: listed,
    signature: Callable[[bytes], bytes] = sign,
    archive: Callable[[dict[str, bytes]], Iterable[tuple[str, bytes]]] = dict.items,
) -> bytes:
    """A pass; each step can be replaced to put a fault into it.

    `manifest` sees the listed hashes, `signature` the manifest's bytes, `archive` all the files
    just before they are written.
    """
    if not isinstance(described, bytes):
        described = pass_json.to_bytes(dict(content() if described is None else described))
    held = {**(images() if files is None else files), "pass.json": described}
    listed = manifest({name: hashed(data) for name, data in held.items()})
    held["manifest.json"] = json.dumps(listed).encode()
    held["signature"] = signature(held["manifest.json"])
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as written, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a name written twice, on purpose
        for name, data in archive(held):
            written.writestr(name, data)
    return out.getvalue()


def attribute(identifier: bytes, value: bytes) -> bytes:
    """A signed attribute of one value."""
    return der.value(der.SEQUENCE, identifier, der.value(der.SET, value))


def attributes(manifest: bytes) -> list[bytes]:
    """The three attributes of a good signature: content type, signing time, digest."""
    digest = hashlib.sha256(manifest).digest()
    return [
        attribute(parts.OID_CONTENT_TYPE, parts.OID_DATA),
        attribute(parts.OID_SIGNING_TIME, der.value(der.UTC_TIME, b"261123093015Z")),
        attribute(parts.OID_MESSAGE_DIGEST, der.value(der.OCTET_STRING, digest)),
    ]


def cms(
    signed: list[bytes],
    *,
    certificate: x509.Certificate | None = None,
    key: PassKey | None = None,
    included: Iterable[x509.Certificate] | None = None,
    digest_algorithm: bytes = parts.OID_SHA256,
    attached: bytes | None = None,
) -> bytes:
    """A CMS over the attributes `signed`, put together by hand and in the order given."""
    key = key or certificates.rsa_key()
    certificate = certificate or certificates.pass_certificate(certificates.rsa_key())
    if included is None:
        included = [certificate, certificates.intermediate().certificate]
    to_be_signed = der.value(der.SET, *signed)
    if isinstance(key, rsa.RSAPrivateKey):
        made = key.sign(to_be_signed, padding.PKCS1v15(), hashes.SHA256())
        algorithm = der.value(der.SEQUENCE, parts.OID_RSA, der.value(der.NULL))
    else:
        made = key.sign(to_be_signed, ec.ECDSA(hashes.SHA256()))
        algorithm = der.value(der.SEQUENCE, parts.OID_ECDSA_SHA256)
    serial = certificate.serial_number
    number = serial.to_bytes(serial.bit_length() // 8 + 1, "big")
    version = der.value(der.INTEGER, b"\x01")
    hashing = der.value(der.SEQUENCE, digest_algorithm)
    named = der.value(
        der.SEQUENCE, certificate.issuer.public_bytes(), der.value(der.INTEGER, number)
    )
    carried = [] if attached is None else [
        der.value(der.CONTEXT_0, der.value(der.OCTET_STRING, attached))
    ]  # fmt: skip
    signer = der.value(
        der.SEQUENCE,
        version,
        named,
        hashing,
        der.value(der.CONTEXT_0, *signed),
        algorithm,
        der.value(der.OCTET_STRING, made),
    )
    body = der.value(
        der.SEQUENCE,
        version,
        der.value(der.SET, hashing),
        der.value(der.SEQUENCE, parts.OID_DATA, *carried),
        der.value(der.CONTEXT_0, *(item.public_bytes(Encoding.DER) for item in included)),
        der.value(der.SET, signer),
    )
    return der.value(der.SEQUENCE, parts.OID_SIGNED_DATA, der.value(der.CONTEXT_0, body))
