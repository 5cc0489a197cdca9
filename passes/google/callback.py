"""Verifies what Google tells us when a card is saved or deleted: ECv2SigningOnly.

Google's root key signs an intermediate key, the intermediate signs the message, both with ECDSA
on P-256 and SHA-256. The signed bytes are length-value pairs: four bytes of little-endian length
in bytes, then UTF-8.

Sources: developers.google.com/wallet/generic/use-cases/use-callbacks-for-saves-and-deletions and
the Google Pay payment data cryptography, which the scheme is taken from.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from passes.errors import CallbackError, UnknownRootKeyError

SENDER = "GooglePayPasses"
PROTOCOL = "ECv2SigningOnly"
MAX_BODY_BYTES = 32_768
_MAX_KEYS = 20
_MAX_TEXT = 1024
#: The end of the year 9999: nothing expires later.
_LAST_MOMENT_MS = 253_402_300_799_000
_ALGORITHM = ec.ECDSA(hashes.SHA256())


@dataclass(frozen=True, slots=True)
class Callback:
    """What Google says happened. `nonce` is to be accepted once, until `expires_at_ms`.

    `event_type` is "save", "del", or a newer one. `object_ids` has one id or several.
    """

    event_type: str
    class_id: str
    object_ids: tuple[str, ...]
    nonce: str
    expires_at_ms: int

    @property
    def object_id(self) -> str:
        """The first object's id."""
        return self.object_ids[0]


def root_keys(document: bytes, now: datetime) -> tuple[ec.EllipticCurvePublicKey, ...]:
    """Return the keys of Google's published list that are good at `now` (aware).

    The list is JSON: {"keys": [{"keyValue", "protocolVersion", "keyExpiration" in ms}]}.
    Raises CallbackError where it is not, or holds no key of our protocol.
    """
    return tuple(key for key, _ in _good_keys(document, now))


def first_expiry(document: bytes, now: datetime) -> datetime | None:
    """Return when the first of the keys that are good at `now` expires; None where none ever does.

    Raises CallbackError as `root_keys` does.
    """
    expiries = [expires for _, expires in _good_keys(document, now) if expires < _LAST_MOMENT_MS]
    return datetime.fromtimestamp(min(expiries) / 1000, UTC) if expiries else None


def _good_keys(document: bytes, now: datetime) -> list[tuple[ec.EllipticCurvePublicKey, int]]:
    listed = _object(document).get("keys")
    if not isinstance(listed, list) or len(listed) > _MAX_KEYS:
        raise CallbackError("Google's list of root keys has another form.")
    good = []
    for item in listed:
        if not isinstance(item, dict) or item.get("protocolVersion") != PROTOCOL:
            continue
        expires = _milliseconds(item.get("keyExpiration", str(2**62)), "keyExpiration")
        if _now(now) < expires:
            good.append((_public_key(_text(item, "keyValue")), expires))
    if not good:
        raise CallbackError(f"Google's list holds no valid root key for {PROTOCOL}.")
    return good


def verify(
    body: bytes,
    *,
    root_keys: Sequence[ec.EllipticCurvePublicKey],
    recipient: str,
    now: datetime,
) -> Callback:
    """Return the message in `body` if Google signed it for us and it has not expired.

    `recipient` is our issuer id, `now` is aware. That the nonce is new is for the caller to
    ask. Raises CallbackError, which says what is wrong, for anything else.
    """
    outer = _object(body)
    if outer.get("protocolVersion") != PROTOCOL:
        raise CallbackError(f"The callback is not of the protocol {PROTOCOL}.")
    intermediate = outer.get("intermediateSigningKey")
    if not isinstance(intermediate, dict):
        raise CallbackError("The callback has no intermediate signing key.")
    key = _intermediate_key(intermediate, root_keys, now)
    message = _text(outer, "signedMessage", MAX_BODY_BYTES)
    signed = _length_value(SENDER, recipient, PROTOCOL, message)
    if not _is_signed(key, _base64(_text(outer, "signature")), signed):
        raise CallbackError(
            f"The message is not signed by Google's intermediate key for issuer {recipient}."
        )
    return _callback(_object(message.encode()), recipient, now)


def _intermediate_key(
    intermediate: dict[str, Any], roots: Sequence[ec.EllipticCurvePublicKey], now: datetime
) -> ec.EllipticCurvePublicKey:
    signed_key = _text(intermediate, "signedKey", MAX_BODY_BYTES)
    signatures = intermediate.get("signatures")
    if not isinstance(signatures, list) or not 0 < len(signatures) <= _MAX_KEYS:
        raise CallbackError("The intermediate signing key carries no signatures.")
    signed = _length_value(SENDER, PROTOCOL, signed_key)
    good = False
    for signature in signatures:
        if not isinstance(signature, str):
            raise CallbackError("A signature of the intermediate key is not text.")
        decoded = _base64(signature)
        good = good or any(_is_signed(root, decoded, signed) for root in roots)
    if not good:
        raise UnknownRootKeyError(
            "The intermediate signing key is not signed by a root key of Google."
        )
    content = _object(signed_key.encode())
    if _now(now) >= _milliseconds(content.get("keyExpiration"), "keyExpiration"):
        raise CallbackError("The intermediate signing key has expired.")
    return _public_key(_text(content, "keyValue"))


def _callback(message: dict[str, Any], recipient: str, now: datetime) -> Callback:
    expires = _milliseconds(message.get("expTimeMillis"), "expTimeMillis")
    if _now(now) >= expires:
        raise CallbackError("The message has expired.")
    class_id = _text(message, "classId")
    several = message.get("objectIds")
    if several is None:
        object_ids = [_text(message, "objectId")]
    elif isinstance(several, list) and 0 < len(several) <= 100:
        object_ids = [_text({"objectIds": item}, "objectIds") for item in several]
    else:
        raise CallbackError("objectIds is not a list of ids.")
    for identifier in (class_id, *object_ids):
        if not identifier.startswith(f"{recipient}."):
            raise CallbackError(f"The message is about {identifier}, not about issuer {recipient}.")
    return Callback(
        event_type=_text(message, "eventType"),
        class_id=class_id,
        object_ids=tuple(object_ids),
        nonce=_text(message, "nonce"),
        expires_at_ms=expires,
    )


def _length_value(*texts: str) -> bytes:
    """Each text as UTF-8 after its length in bytes (not characters), little-endian."""
    out = bytearray()
    for text in texts:
        encoded = text.encode()
        out += len(encoded).to_bytes(4, "little") + encoded
    return bytes(out)


def _is_signed(key: ec.EllipticCurvePublicKey, signature: bytes, signed: bytes) -> bool:
    try:
        key.verify(signature, signed, _ALGORITHM)
    except InvalidSignature:
        return False
    return True


def _public_key(text: str) -> ec.EllipticCurvePublicKey:
    try:
        key = serialization.load_der_public_key(_base64(text))
    except ValueError:
        raise CallbackError("A key is not a public key in DER.") from None
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise CallbackError("A key is not on the curve P-256.")
    return key


def _base64(text: str) -> bytes:
    """Decode canonical Base64 only: another spelling of the same bytes is an altered message."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise CallbackError("A signature or key is not Base64.") from None
    if base64.b64encode(data).decode() != text:
        raise CallbackError("A signature or key is not in the one form Base64 has.")
    return data


def _object(data: bytes) -> dict[str, Any]:
    if len(data) > MAX_BODY_BYTES:
        raise CallbackError(f"The callback is larger than {MAX_BODY_BYTES} bytes.")
    try:
        found = json.loads(data.decode(), object_pairs_hook=_unique)
        # Lone surrogates can be written in JSON and never in UTF-8, which is what was signed.
        json.dumps(found, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise CallbackError("The callback is not JSON.") from None
    if not isinstance(found, dict):
        raise CallbackError("The callback is not a JSON object.")
    return found


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _text(container: dict[str, Any], name: str, limit: int = _MAX_TEXT) -> str:
    text = container.get(name)
    if not isinstance(text, str) or not 0 < len(text) <= limit:
        raise CallbackError(f"{name} is missing or not a text of at most {limit} characters.")
    return text


def _milliseconds(value: object, name: str) -> int:
    """Unix milliseconds, which Google writes as a number here and as a string there."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**19:
        return value
    raise CallbackError(f"{name} is not a time in milliseconds.")


def _now(now: datetime) -> int:
    return int(now.timestamp() * 1000)
