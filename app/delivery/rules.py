"""Pure rules of delivery: when to try again, and the tag that tells what a device knows."""

import base64
import binascii
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

#: The longest tag; with the rest of the address it fits a request line of 8,190 bytes.
LONGEST_TAG = 4000
_LARGEST_RAW = LONGEST_TAG // 4 * 3
_FORMAT = b"\x01"
_VARINT_BYTES = 9

_FIRST_WAIT_SECONDS = 2.0
_LONGEST_WAIT_SECONDS = 15 * 60.0
_REFUSED_WAIT_SECONDS = 60 * 60.0
_UNKNOWN_WAIT_SECONDS = 7 * 24 * 60 * 60.0
#: Nobody is believed who asks to be left alone for longer.
_LONGEST_RETRY_AFTER_SECONDS = 24 * 60 * 60.0
_LONGEST_DATE = 40
#: A card that has not changed since it was issued: its version and its account's, one each.
FIRST_VERSION = 2


def wait_before_retry(
    attempts: int, *, jitter: float, retry_after_seconds: float | None = None
) -> timedelta:
    """How long to leave a wallet alone after its *attempts*-th failure in a row.

    It doubles from two seconds to a quarter of an hour. *jitter* (0 to 1) spreads the second half
    of it, so that wallets which failed together do not return together. What the other side asked
    for (Retry-After) is never undercut.
    """
    longest = min(_FIRST_WAIT_SECONDS * 2 ** min(max(attempts, 1) - 1, 20), _LONGEST_WAIT_SECONDS)
    seconds = longest * (0.5 + jitter / 2)
    if retry_after_seconds is not None:
        asked = min(max(retry_after_seconds, 0.0), _LONGEST_RETRY_AFTER_SECONDS)
        seconds = max(seconds, asked * (1 + jitter / 10))
    return timedelta(seconds=seconds)


def wait_after_refusal(*, jitter: float) -> timedelta:
    """How long to leave a wallet alone whose push will be refused until somebody intervenes."""
    return timedelta(seconds=_REFUSED_WAIT_SECONDS * (0.5 + jitter / 2))


def wait_after_unknown(attempts: int, *, jitter: float) -> timedelta:
    """How long to leave a wallet alone that the other side did not know *attempts* times in a row.

    It doubles from an hour to a week, spread by *jitter* (0 to 1) as the other waits are.
    """
    longest = _REFUSED_WAIT_SECONDS * 2 ** min(max(attempts, 1) - 1, 20)
    return timedelta(seconds=min(longest, _UNKNOWN_WAIT_SECONDS) * (0.5 + jitter / 2))


def asked_seconds(retry_after: str, *, now: datetime) -> float | None:
    """How many seconds a Retry-After header asks for; None for one that says nothing.

    Source: RFC 9110, 10.2.3: whole seconds, or the date in one of HTTP's forms from which on.
    """
    if retry_after.isascii() and retry_after.isdigit() and len(retry_after) < 9:
        return float(retry_after)
    if len(retry_after) > _LONGEST_DATE:
        return None
    try:
        moment = parsedate_to_datetime(retry_after)
        # HTTP's dates are in UTC, whether they say so or not.
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return max((aware - now).total_seconds(), 0.0)
    except (ValueError, OverflowError):
        return None


def encode_tag(versions: Mapping[int, int]) -> str:
    """The opaque tag of what a device was told: its registrations and the version of each.

    A number that counts changes would lose one: of two transactions the later number may be
    committed first, and the device told it before the other is there. This tag compares each
    registration with itself. What does not fit is left out, and so is listed again.
    """
    raw = bytearray(_FORMAT)
    before = 0
    for registration, version in sorted(versions.items()):
        pair = _varint(registration - before) + _varint(version)
        if len(raw) + len(pair) > _LARGEST_RAW:
            break
        raw += pair
        before = registration
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode_tag(tag: str | None) -> dict[int, int]:
    """What a device was told; nothing for a tag that is missing, or that we have not made."""
    if not tag or len(tag) > LONGEST_TAG or not tag.isascii():
        return {}
    try:
        raw = base64.b64decode(tag + "=" * (-len(tag) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        return {}
    if raw[:1] != _FORMAT:
        return {}
    numbers = _varints(raw[1:])
    if numbers is None or len(numbers) % 2:
        return {}
    versions: dict[int, int] = {}
    registration = 0
    for step, version in zip(numbers[::2], numbers[1::2], strict=True):
        registration += step
        versions[registration] = version
    return versions


def _varint(number: int) -> bytes:
    """Seven bits a byte, the lowest first; the high bit says that more follow."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _varints(raw: bytes) -> list[int] | None:
    numbers, number, shift = [], 0, 0
    for byte in raw:
        if shift >= 7 * _VARINT_BYTES:
            return None
        number |= (byte & 0x7F) << shift
        if byte & 0x80:
            shift += 7
        else:
            numbers.append(number)
            number, shift = 0, 0
    return None if shift else numbers
