"""Google's root keys, which sign what Google tells us: fetched, kept, renewed in time.

They are kept in the database, so that neither a restart nor Google being down loses them, and one
process of all fetches them. A list that cannot be read, or holds no good key, never takes the place
of one that does.
"""

import logging
import threading
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

import requests
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from app.config import GOOGLE_API_URL, Config
from app.context import Context
from app.db import Database
from app.delivery.models import GoogleRootKeys
from app.errors import Misconfigured, Unavailable
from passes.errors import CallbackError
from passes.google.callback import first_expiry, root_keys

_log = logging.getLogger(__name__)

#: Where Google publishes them.
ADDRESS = "https://pay.google.com/gp/m/issuer/keys"
TIMEOUT_SECONDS = 5.0
_LARGEST = 64 * 1024
_RENEW_AFTER = timedelta(days=1)
_SOONEST = timedelta(minutes=10)
#: Without any good key nothing can be believed: it is tried again sooner.
_SOONEST_WITHOUT = timedelta(seconds=15)

Keys = Sequence[ec.EllipticCurvePublicKey]


class RootKeys(Protocol):
    """Where the root keys come from."""

    def good(self, now: datetime) -> Keys:
        """The keys that are good at *now*. Raises `Unavailable` or `Misconfigured`."""

    def look_again(self, now: datetime) -> bool:
        """Something was signed with a key that is not among them: whether there are others now."""


def root_keys_of(context: Context) -> RootKeys:
    """The root keys as *context* is configured: a file of the operator's own, or Google's list."""
    if context.config.google_root_keys is not None:
        return RootKeysFile(context.config.google_root_keys)
    return FetchedRootKeys(context.database, address_of(context.config))


def address_of(config: Config) -> str:
    """Where the list is fetched; a server that stands in for Google has its own."""
    if config.google_api_url == GOOGLE_API_URL:
        return ADDRESS
    return f"{config.google_api_url}/root-keys"


class FetchedRootKeys:
    """The published list, kept in the database. Safe to share between threads."""

    def __init__(
        self, database: Database, address: str, *, timeout_seconds: float = TIMEOUT_SECONDS
    ) -> None:
        self._database = database
        self._address = address
        self._timeout_seconds = timeout_seconds
        self._fetching = threading.Lock()

    def good(self, now: datetime) -> Keys:
        """The keys that are good at *now*, fetched where that is due.

        Raises `Unavailable` where none was ever fetched, or all have expired, and Google is down.
        """
        row = self._row()
        if row is None or row.refresh_at <= now:
            # Whoever has good keys does not wait for somebody else's fetching.
            if self._fetching.acquire(blocking=not (row and _is_good(row.document or b"", now))):
                try:
                    self.refresh(now)
                finally:
                    self._fetching.release()
            row = self._row()
        try:
            return root_keys((row and row.document) or b"", now)
        except CallbackError as error:
            why = (row and row.last_error) or str(error)
            raise Unavailable(
                f"Google's root keys cannot be fetched from {self._address}: {why}"
            ) from error

    def look_again(self, now: datetime) -> bool:
        """Fetch the list before its time, once in ten minutes; whether it is another one now."""
        with self._fetching:
            before = self._row()
            if before is None or before.fetched_at is None or now < before.fetched_at + _SOONEST:
                return False
            self._note(refresh_at=now)
            self.refresh(now)
            after = self._row()
            return after is not None and after.document != before.document

    def refresh(self, now: datetime) -> bool:
        """Fetch the list where that is due; whether a good one came. Never raises for Google."""
        row = self._row()
        is_usable = row is not None and _is_good(row.document or b"", now)
        if not self._claim(row, now, _SOONEST if is_usable else _SOONEST_WITHOUT):
            return False
        try:
            document = _fetch(self._address, self._timeout_seconds)
            root_keys(document, now)
        except (requests.RequestException, CallbackError, OSError, ValueError) as error:
            _log.warning("Google's root keys were not renewed: %s", error)
            self._note(last_error=str(error)[:300])
            return False
        self._note(
            document=document, fetched_at=now, last_error=None, refresh_at=_next(document, now)
        )
        return True

    def _row(self) -> GoogleRootKeys | None:
        with self._database.read_all() as session:
            return session.get(GoogleRootKeys, self._address)

    def _claim(self, row: GoogleRootKeys | None, now: datetime, pause: timedelta) -> bool:
        """Whether it is due and nobody else is at it; the next try is not before *pause*."""
        if row is not None and row.refresh_at > now:
            return False
        with self._database.write_all() as session:
            if row is None:
                try:
                    with session.begin_nested():
                        session.add(GoogleRootKeys(address=self._address, refresh_at=now + pause))
                except IntegrityError:
                    return False
                return True
            taken = session.execute(
                update(GoogleRootKeys)
                .where(GoogleRootKeys.address == self._address, GoogleRootKeys.refresh_at <= now)
                .values(refresh_at=now + pause)
                .returning(GoogleRootKeys.address)
            )
            return taken.first() is not None

    def _note(self, **values: object) -> None:
        with self._database.write_all() as session:
            session.execute(
                update(GoogleRootKeys)
                .where(GoogleRootKeys.address == self._address)
                .values(**values)
            )


class RootKeysFile:
    """The root keys from a file of the operator's, read again when it has changed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._reading = threading.Lock()
        self._seen: tuple[int, int] | None = None
        self._document = b""

    def good(self, now: datetime) -> Keys:
        """The keys that are good at *now*. Raises `Misconfigured` naming the file."""
        try:
            with self._reading:
                status = self._path.stat()
                if self._seen != (status.st_mtime_ns, status.st_size):
                    with self._path.open("rb") as file:
                        self._document = file.read(_LARGEST)
                    self._seen = (status.st_mtime_ns, status.st_size)
            return root_keys(self._document, now)
        except (OSError, CallbackError) as error:
            raise Misconfigured(
                f"The file {self._path} (COUNTERFOIL_GOOGLE_ROOT_KEYS) cannot be used: {error} "
                f"Download it again from {ADDRESS}, or leave the setting out."
            ) from error

    def look_again(self, now: datetime) -> bool:
        """A file is read whenever it has changed: there is no more to see."""
        return False


def keep_fresh(context: Context) -> None:
    """Renew the keys where that is due, whether or not Google tells us anything meanwhile."""
    config = context.config
    if config.google_issuer_id is None or config.google_root_keys is not None:
        return
    if config.url.startswith("https://"):
        FetchedRootKeys(context.database, address_of(config)).refresh(context.clock())


def _is_good(document: bytes, now: datetime) -> bool:
    try:
        return bool(root_keys(document, now))
    except CallbackError:
        return False


def _next(document: bytes, now: datetime) -> datetime:
    """When to fetch again: every day, and well before the first key expires."""
    expires = first_expiry(document, now)
    left = _RENEW_AFTER if expires is None else min((expires - now) / 2, _RENEW_AFTER)
    return now + max(left, _SOONEST)


def _fetch(address: str, timeout_seconds: float) -> bytes:
    with requests.get(
        address, timeout=timeout_seconds, stream=True, allow_redirects=False
    ) as response:
        if response.status_code != 200:
            raise CallbackError(f"{address} answered {response.status_code}.")
        data = bytearray()
        for chunk in response.iter_content(8192):
            data += chunk
            if len(data) > _LARGEST:
                raise CallbackError(f"{address} has no end.")
    return bytes(data)


def state_of(database: Database, address: str) -> tuple[datetime | None, str | None]:
    """When the list was fetched last, and what went wrong at the last try."""
    with database.read_all() as session:
        row = session.scalar(select(GoogleRootKeys).where(GoogleRootKeys.address == address))
        return (row.fetched_at, row.last_error) if row else (None, None)
