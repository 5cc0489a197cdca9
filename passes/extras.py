"""What a card may have besides its fields: links, places, beacons, actions, further codes."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from urllib.parse import urlsplit

from passes.errors import FaceError
from passes.text import Words

_DIGITS = re.compile(r"[0-9]+", re.ASCII)
_CODABAR = re.compile(r"[A-D]?[0-9\-$:/.+]+[A-D]?", re.ASCII)
_CODE_39 = re.compile(r"[0-9A-Z \-.$/+%]+", re.ASCII)
_MAX_URL = 2000
_MAX_CODE = 500
#: Apple: an NFC message has at most 64 bytes.
_MAX_NFC_BYTES = 64


@dataclass(frozen=True, slots=True)
class Link:
    """An address on the back of the card, with the words that stand for it.

    Raises FaceError for anything but an address that begins with https, http, mailto or tel.
    """

    label: Words
    url: str

    def __post_init__(self) -> None:
        _check_url(self.url, ("https", "http", "mailto", "tel"))


@dataclass(frozen=True, slots=True)
class Place:
    """A place near which the phone offers the card; degrees, and what it then says.

    Raises FaceError for degrees that are not on earth.
    """

    latitude: float
    longitude: float
    said: Words | None = None

    def __post_init__(self) -> None:
        if not (abs(self.latitude) <= 90 and abs(self.longitude) <= 180):
            raise FaceError(
                f"there is no place at {self.latitude}, {self.longitude}: a latitude lies between "
                "-90 and 90 degrees, a longitude between -180 and 180"
            )


@dataclass(frozen=True, slots=True)
class Beacon:
    """A Bluetooth beacon beside which the phone offers the card.

    Raises FaceError for a UUID that is none or numbers beyond 65535.
    """

    proximity_uuid: str
    major: int | None = None
    minor: int | None = None
    said: Words | None = None

    def __post_init__(self) -> None:
        try:
            uuid.UUID(self.proximity_uuid)
        except ValueError:
            raise FaceError(f"a beacon has a UUID, not {self.proximity_uuid!r}") from None
        if any(n is not None and not 0 <= n <= 0xFFFF for n in (self.major, self.minor)):
            raise FaceError("a beacon's numbers lie between 0 and 65535")


class ActionKind(StrEnum):
    """What a featured action does; the phone writes its words, in its language."""

    CALL = "call"
    ORDER = "order"
    SHOP = "shop"
    BENEFITS = "membershipBenefits"
    OFFERS = "viewOffersRewards"
    TOP_UP = "addToBalance"
    APPOINTMENT = "bookAppointment"
    SCHEDULE = "viewSchedule"


@dataclass(frozen=True, slots=True)
class Action:
    """A button below the card (iOS 27): what it does, and the address it opens."""

    kind: ActionKind
    url: str

    def __post_init__(self) -> None:
        _check_url(self.url, ("https", "tel"))


class CodeFormat(StrEnum):
    """Barcodes besides QR that phones may show, where tills read nothing else."""

    PDF_417 = "pdf417"
    AZTEC = "aztec"
    CODE_128 = "code128"
    CODE_39 = "code39"
    CODABAR = "codabar"
    EAN_13 = "ean13"
    ITF = "itf"


@dataclass(frozen=True, slots=True)
class FurtherCode:
    """A barcode that phones which know its format show before the QR code.

    Raises FaceError for a message that the format cannot hold.
    """

    format: CodeFormat
    message: str

    def __post_init__(self) -> None:
        if not self.message or len(self.message) > _MAX_CODE or not _fits(self):
            raise FaceError(f"the message does not fit a barcode of the format {self.format}")


@dataclass(frozen=True, slots=True)
class Nfc:
    """What a phone says to an NFC reader; only under a certificate with Apple's entitlement.

    `public_key` is the reader's, X.509 SubjectPublicKeyInfo of P-256 in base64.
    """

    message: str
    public_key: str
    requires_authentication: bool = False

    def __post_init__(self) -> None:
        if not 0 < len(self.message.encode()) <= _MAX_NFC_BYTES:
            raise FaceError(f"an NFC message has 1 to {_MAX_NFC_BYTES} bytes")


@dataclass(frozen=True, slots=True)
class Moment:
    """A time in which the phone offers the card: from `start` to `end`, or just at `start`."""

    start: datetime
    end: datetime | None = None

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or (self.end is not None and self.end.tzinfo is None):
            raise FaceError("the times of a card name their zone")
        if self.end is not None and self.end < self.start:
            raise FaceError("a time ends after it begins")


@dataclass(frozen=True, slots=True)
class Extras:
    """What few cards have of their own. `codes` are in order of preference, all before the QR.

    `linked` are the wallet ids of passes that belong to the card (a member's coupons).
    """

    links: tuple[Link, ...] = ()
    moments: tuple[Moment, ...] = ()
    codes: tuple[FurtherCode, ...] = ()
    nfc: Nfc | None = None
    linked: tuple[str, ...] = ()


NOTHING_MORE = Extras()


def _check_url(url: str, schemes: tuple[str, ...]) -> None:
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = None
    whole = parts is not None and (parts.netloc or parts.path) and url.isprintable()
    if parts is None or parts.scheme not in schemes or not whole or len(url) > _MAX_URL:
        raise FaceError(
            f"a link is an address that begins with {', '.join(schemes)}, not {url[:80]!r}"
        )


def _fits(code: FurtherCode) -> bool:
    text = code.message
    match code.format:
        case CodeFormat.EAN_13:
            return bool(_DIGITS.fullmatch(text)) and len(text) == 13 and _ean_checks(text)
        case CodeFormat.ITF:
            return bool(_DIGITS.fullmatch(text)) and len(text) % 2 == 0
        case CodeFormat.CODABAR:
            return bool(_CODABAR.fullmatch(text))
        case CodeFormat.CODE_39:
            return bool(_CODE_39.fullmatch(text))
        case CodeFormat.CODE_128:
            return text.isascii() and text.isprintable()
        case CodeFormat.PDF_417 | CodeFormat.AZTEC:
            return all(ord(character) < 256 for character in text)


def _ean_checks(digits: str) -> bool:
    """Whether the last of 13 digits is the check digit of the others (GS1: 1, 3, 1, 3 …)."""
    total = sum(int(digit) * (1, 3)[place % 2] for place, digit in enumerate(digits[:12]))
    return (10 - total % 10) % 10 == int(digits[12])
