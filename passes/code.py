"""The card code: the short signed text in the barcode of every card.

    "CF1:" + base45 (RFC 9285) of 77 bytes, big-endian:
      1 byte   high nibble: version (1); low nibble: kind
      2 bytes  key id
      8 bytes  card id, random
      2 bytes  day of issue (days since 2020-01-01)
     64 bytes  Ed25519 signature (RFC 8032) over b"counterfoil card code v1\\0" + the 13 above

That is 120 characters, an alphanumeric QR code of version 5 at level M. A rotating code adds
"/", ten digits of Unix seconds and an eight-digit TOTP: 139 characters, version 6.

The code identifies a card and is not a secret: anyone at the counter can photograph it.
Service and till use this codec and no other.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import IntEnum, StrEnum

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from passes import base45
from passes.errors import CodeError

PREFIX = "CF1:"
STATIC_LENGTH = 120
ROTATING_LENGTH = 139
SECONDS_DIGITS = 10
TOTP_DIGITS = 8

_VERSION = 1
_CONTEXT = b"counterfoil card code v1\0"
_CLAIMS = struct.Struct(">BH8sH")
#: So many letters tell all claims, and the first byte of the signature.
_CLAIMS_LETTERS = 21
_FIRST_DAY = date(2020, 1, 1)
_LAST_DAY = _FIRST_DAY + timedelta(days=0xFFFF)
_DIGITS = frozenset("0123456789")


class Kind(IntEnum):
    """What the code is printed or shown on."""

    MEMBER = 0
    COUPON = 1
    PRINTED = 2
    TEST = 3


class Outcome(StrEnum):
    """Everything a scan can end in, spoken by service and till alike. The list is closed."""

    ACCEPTED = "accepted"
    NOT_A_CARD = "not_a_card"
    MALFORMED = "malformed"
    UNKNOWN_VERSION = "unknown_version"
    UNKNOWN_KEY = "unknown_key"
    BAD_SIGNATURE = "bad_signature"
    OTHER_PROGRAMME = "other_programme"
    BLOCKED = "blocked"
    REPLACED = "replaced"
    EXPIRED = "expired"
    STEP_USED = "step_used"
    STEP_OUT_OF_WINDOW = "step_out_of_window"
    UNVERIFIED = "unverified"


@dataclass(frozen=True, slots=True)
class CardCode:
    """What a code says: which key signed it, which card it is, when it was issued, on what.

    Raises ValueError where a value does not fit its bytes.
    """

    key_id: int
    card_id: bytes
    issued_on: date
    kind: Kind = Kind.MEMBER

    def __post_init__(self) -> None:
        if not 0 <= self.key_id <= 0xFFFF:
            raise ValueError(f"a key id is between 0 and 65535, not {self.key_id}")
        if len(self.card_id) != 8:
            raise ValueError(f"a card id has 8 bytes, not {len(self.card_id)}")
        if not _FIRST_DAY <= self.issued_on <= _LAST_DAY:
            raise ValueError(f"a card is issued between {_FIRST_DAY} and {_LAST_DAY}")

    @property
    def card_id_hex(self) -> str:
        """The card id as 16 lower-case hexadecimal digits."""
        return self.card_id.hex()


@dataclass(frozen=True, slots=True)
class Rotation:
    """The changing end of a rotating code: Unix seconds when drawn, and the TOTP shown."""

    seconds: int
    totp: str


@dataclass(frozen=True, slots=True)
class Reading:
    """A code as read: its card, its 120 static characters, its rotation if it has one."""

    card: CardCode
    static: str
    rotation: Rotation | None


def encode(card: CardCode, key: Ed25519PrivateKey) -> str:
    """Return the 120 characters of `card`, signed with `key`."""
    claims = _CLAIMS.pack(
        _VERSION << 4 | card.kind,
        card.key_id,
        card.card_id,
        (card.issued_on - _FIRST_DAY).days,
    )
    return PREFIX + base45.encode(claims + key.sign(_CONTEXT + claims))


def parse(text: str) -> Reading:
    """Read the structure of a scanned text, without looking at the signature.

    Raises CodeError with the outcome not_a_card, unknown_version or malformed.
    """
    return _parse(text)[0]


def card_id_told(text: str) -> str | None:
    """The card's id in hexadecimal that a static code tells, or None where it tells none.

    A tenth of the work of `parse`, and no judgement: whoever uses it has the card's own code at
    hand and compares the whole of it.
    """
    if len(text) != STATIC_LENGTH or not text.startswith(PREFIX):
        return None
    try:
        data = base45.decode(text[len(PREFIX) : len(PREFIX) + _CLAIMS_LETTERS])
    except ValueError:
        return None
    card_id: bytes = _CLAIMS.unpack_from(data)[2]
    return card_id.hex()


def verify(text: str, keys: Mapping[int, Ed25519PublicKey]) -> Reading:
    """Read a scanned text and check its signature against `keys` (key id to public key).

    The TOTP of a rotating code is not checked here: only the service can.
    Raises CodeError: as `parse`, and unverified (no keys at all), unknown_key, bad_signature.
    """
    reading, claims, signature = _parse(text)
    if not keys:
        raise CodeError(
            Outcome.UNVERIFIED, "This till has no keys yet: connect it to the service once."
        )
    key = keys.get(reading.card.key_id)
    if key is None:
        raise CodeError(
            Outcome.UNKNOWN_KEY,
            f"The card was signed with key {reading.card.key_id}, which is not known here.",
        )
    try:
        key.verify(signature, _CONTEXT + claims)
    except InvalidSignature:
        raise CodeError(
            Outcome.BAD_SIGNATURE, "The signature of this card is false: it was not issued by us."
        ) from None
    return reading


def rotating_text(static: str, seconds: int, totp: str) -> str:
    """Return the 139 characters of a rotating code drawn at Unix `seconds`.

    Raises ValueError where a part does not have its length.
    """
    if len(static) != STATIC_LENGTH:
        raise ValueError(f"the static part has {STATIC_LENGTH} characters, not {len(static)}")
    if not 0 <= seconds < 10**SECONDS_DIGITS:
        raise ValueError(f"Unix seconds have at most {SECONDS_DIGITS} digits: {seconds}")
    if len(totp) != TOTP_DIGITS or not _DIGITS.issuperset(totp):
        raise ValueError(f"a TOTP here has {TOTP_DIGITS} digits")
    return f"{static}/{seconds:0{SECONDS_DIGITS}d}{totp}"


def _parse(text: str) -> tuple[Reading, bytes, bytes]:
    """Return the reading, the 13 bytes of claims and the 64 bytes of signature."""
    if not text.startswith(PREFIX):
        raise _foreign(text)
    if len(text) not in (STATIC_LENGTH, ROTATING_LENGTH):
        raise _malformed(f"it has {len(text)} characters")
    static = text[:STATIC_LENGTH]
    rotation = _rotation(text[STATIC_LENGTH:])
    try:
        data = base45.decode(static[len(PREFIX) :])
    except ValueError as error:
        raise _malformed(str(error)) from None
    claims, signature = data[: _CLAIMS.size], data[_CLAIMS.size :]
    head, key_id, card_id, day = _CLAIMS.unpack(claims)
    if head >> 4 != _VERSION:
        raise _unknown_version()
    try:
        kind = Kind(head & 0x0F)
    except ValueError:
        raise _malformed(f"its kind {head & 0x0F} does not exist") from None
    card = CardCode(key_id, card_id, _FIRST_DAY + timedelta(days=day), kind)
    return Reading(card, static, rotation), claims, signature


def _rotation(tail: str) -> Rotation | None:
    if not tail:
        return None
    digits = tail[1:]
    # str.isdigit would accept digits of every script.
    if tail[0] != "/" or not _DIGITS.issuperset(digits):
        raise _malformed("its rotating end is not a slash and digits")
    return Rotation(int(digits[:SECONDS_DIGITS]), digits[SECONDS_DIGITS:])


def _foreign(text: str) -> CodeError:
    """The error for a text without our prefix: a later version of ours, or no card at all."""
    if len(text) >= len(PREFIX) and text[:2] == "CF" and text[2] in _DIGITS and text[3] == ":":
        return _unknown_version()
    return CodeError(Outcome.NOT_A_CARD, "This is not a loyalty card.")


def _malformed(why: str) -> CodeError:
    return CodeError(Outcome.MALFORMED, f"This card code is damaged: {why}.")


def _unknown_version() -> CodeError:
    return CodeError(
        Outcome.UNKNOWN_VERSION, "This card code is of a newer kind: update the till program."
    )
