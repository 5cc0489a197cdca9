"""Where devices ask for their passes: who asks, what they have already, and what they get."""

import hmac
import re
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from functools import lru_cache
from typing import NamedTuple

from app.cards.service import apple_token_of
from app.clock import whole_second
from app.context import Context
from app.delivery import page_link
from app.delivery.apple_passes import ApplePasses
from app.delivery.fetches import Fetches
from app.delivery.reader import Reader
from app.keys import Purpose
from app.programmes.face_rows import FaceRow, rows_by_serial

SCHEME = "ApplePass"
SERIAL = re.compile(r"[A-Za-z0-9]{1,32}", re.ASCII)
_LONGEST_DATE = 100


class Asking(NamedTuple):
    """What a device asks for; *since* is what came as If-Modified-Since."""

    pass_type: str
    serial: str
    authorization: str
    since: str


class Fetched(NamedTuple):
    """The pass, in parts, and the date of its last change; no pass where the device has it."""

    last_modified: str
    parts: tuple[bytes, ...] | None

    @property
    def content(self) -> bytes | None:
        """The pass as one."""
        return None if self.parts is None else b"".join(self.parts)


class _Right(NamedTuple):
    """What is given to who shows the right token: the card's row, and the date of its change."""

    row: FaceRow
    token: str
    last_modified: str


class PassDesk:
    """Answers devices that fetch a pass. Safe to share between threads."""

    def __init__(self, context: Context, passes: ApplePasses) -> None:
        self._context = context
        self._passes = passes
        self.fetches = Fetches(context)
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
        asking = Asking(pass_type, serial, authorization, since)
        read_at = time.time()
        row = self._rows.get(serial) if self._is_ours(pass_type, serial) else None
        checked = self._checked(asking, row)
        now = self._context.clock()
        if checked is None or isinstance(checked, Fetched):
            if checked is not None and row is not None:
                self.fetches.note(row.programme_id, row.id, now)
            return checked
        row, token, last_modified = checked
        parts = self._passes.built(row, token=token, read_at=read_at, now=now)
        self.fetches.note(row.programme_id, row.id, now)
        return Fetched(last_modified, parts)

    def fetch_ready(self, asking: Sequence[Asking | None]) -> list[Fetched | None]:
        """The same for many at once, with one look into the database.

        None, too, for whoever has to wait for more: for a session, or for a design to be laid out.
        """
        usable, read_at = self._passes.usable(), time.time()
        ours = [
            each
            if each
            and each.pass_type == usable.signer.pass_type_identifier
            and SERIAL.fullmatch(each.serial)
            else None
            for each in asking
        ]
        rows = self._rows.get_many([each.serial for each in ours if each])
        found: list[Fetched | None] = []
        now, pages = self._context.clock(), page_link.pages(self._context)
        for each in ours:
            checked = each and self._checked(each, rows.get(each.serial))
            if checked is None or isinstance(checked, Fetched):
                if each and checked is not None:
                    self.fetches.note(rows[each.serial].programme_id, rows[each.serial].id, now)
                found.append(checked)
                continue
            row, token, last_modified = checked
            parts = self._passes.built_ready(
                row, usable, pages=pages, token=token, read_at=read_at, now=now
            )
            if parts is not None:
                self.fetches.note(row.programme_id, row.id, now)
            found.append(None if parts is None else Fetched(last_modified, parts))
        return found

    def _checked(self, asking: Asking, row: FaceRow | None) -> Fetched | _Right | None:
        """Who shows the right token: its row, or that the device has the pass already."""
        scheme, _, given = asking.authorization.partition(" ")
        right = self._token(row)
        is_right = hmac.compare_digest(given.strip().encode(), right.encode())
        if row is None or not is_right or scheme != SCHEME:
            return None
        # Of the same moment as the row: a change in between makes the next answer newer.
        changed_at = whole_second(row.changed_at)
        last_modified = _http_date(changed_at)
        if asking.since and (asking.since == last_modified or _has_since(asking.since, changed_at)):
            return Fetched(last_modified, None)
        return _Right(row, right, last_modified)

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
