"""Where devices ask for their passes: who asks, what they have already, and what they get."""

import hmac
import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from functools import lru_cache

from app.cards.service import apple_token_of
from app.clock import whole_second
from app.context import Context
from app.delivery.apple_passes import ApplePasses
from app.delivery.reader import Reader
from app.keys import Purpose
from app.programmes.face_rows import FaceRow, rows_by_serial

SCHEME = "ApplePass"
SERIAL = re.compile(r"[A-Za-z0-9]{1,32}", re.ASCII)
_LONGEST_DATE = 100


@dataclass(frozen=True, slots=True)
class Fetched:
    """The pass and the date of its last change; no pass where the device has this one."""

    last_modified: str
    content: bytes | None


class PassDesk:
    """Answers devices that fetch a pass. Safe to share between threads."""

    def __init__(self, context: Context, passes: ApplePasses) -> None:
        self._context = context
        self._passes = passes
        self._rows: Reader[str, FaceRow] = Reader(
            context.database,
            lambda connection, serials: rows_by_serial(connection, serials, now=context.clock()),
        )

    def fetch(
        self, pass_type: str, serial: str, *, authorization: str, since: str
    ) -> Fetched | None:
        """The newest pass, for who shows its token; None whatever else may be wrong.

        *since* is what came as If-Modified-Since. Raises `Unavailable` where no pass can be made.
        """
        read_at = time.time()
        scheme, _, given = authorization.partition(" ")
        row = self._rows.get(serial) if self._is_ours(pass_type, serial) else None
        right = self._token(row)
        is_right = hmac.compare_digest(given.strip().encode(), right.encode())
        if row is None or not is_right or scheme != SCHEME:
            return None
        # Of the same moment as the row: a change in between makes the next answer newer.
        changed_at = whole_second(row.changed_at)
        last_modified = _http_date(changed_at)
        if since == last_modified or _has_since(since, changed_at):
            return Fetched(last_modified, None)
        now = self._context.clock()
        content = self._passes.built(row, token=right, read_at=read_at, now=now)
        return Fetched(last_modified, content)

    def _is_ours(self, pass_type: str, serial: str) -> bool:
        return (
            pass_type == self._passes.pass_type_identifier and SERIAL.fullmatch(serial) is not None
        )

    def _token(self, row: FaceRow | None) -> str:
        keys = self._context.keys
        if row is None:
            # As much work as for a serial that exists, so that time tells nothing either.
            return apple_token_of(keys, keys.current(Purpose.APPLE_TOKEN).version, "unknown")
        return apple_token_of(keys, row.token_key_version, row.serial_number)


@lru_cache(maxsize=4096)
def _http_date(moment: datetime) -> str:
    return format_datetime(moment, usegmt=True)


def _has_since(since: str, changed_at: datetime) -> bool:
    """Whether the device has the pass of *changed_at*: by its If-Modified-Since, to the second."""
    if not since or len(since) > _LONGEST_DATE:
        return False
    try:
        moment = parsedate_to_datetime(since)
    except (ValueError, TypeError, IndexError, OverflowError):
        return False
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment >= changed_at
