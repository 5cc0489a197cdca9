"""The file of the till's queue: opened, brought up to date, written durably, and never in doubt."""

from __future__ import annotations

import os
import shutil
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from scanner.clock import ClockNotes, Moment
from scanner.config import state_folder
from scanner.errors import QueueError
from scanner.queue_records import as_text
from scanner.queue_versions import VERSIONS, bring_up_to_date

FILE = "queue.sqlite"
# With less room than this on the disk nothing more is promised: an accrual takes under 2 kB, but
# the write-ahead log, the answers and other programs take some, too.
ROOM_BYTES = 4_000_000


class QueueFile:
    """queue.sqlite: one connection, shared by threads; other processes may have it open, too."""

    def __init__(self, folder: Path) -> None:
        """Open or make queue.sqlite in `folder`; raises QueueError."""
        path = state_folder(folder) / FILE
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            path.chmod(0o600)
        except OSError as error:
            raise QueueError(f"{path} cannot be opened: {error.strerror}.") from None
        self._lock = threading.RLock()
        self._path = path
        with _said_plainly(path):
            self._db = sqlite3.connect(
                path, timeout=10, isolation_level=None, check_same_thread=False
            )
        try:
            with _said_plainly(path):
                self._db.execute("PRAGMA journal_mode=WAL")
                self._db.execute("PRAGMA synchronous=FULL")
            self._upgrade()
        except BaseException:
            self._db.close()
            raise

    @property
    def folder(self) -> Path:
        """The till's state folder."""
        return self._path.parent

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._lock:
            self._db.close()

    def check_room(self) -> None:
        """Raise QueueError unless a posting can be kept: asked before anything is promised."""
        self.check_space()
        with self._writing():
            self._db.execute("UPDATE clock SET one = 1")

    def check_space(self) -> None:
        """Raise QueueError where the disk is nearly full."""
        try:
            free = shutil.disk_usage(self._path.parent).free
        except OSError as error:
            raise QueueError(f"{self._path} cannot be reached: {error.strerror}.") from None
        if free < ROOM_BYTES:
            raise QueueError(
                f"The disk is nearly full ({free // 1000} kB left): this till can note no more "
                "points. Free some space first; do not promise points until then."
            )

    # -- the clock ----------------------------------------------------------------------------

    def clock_notes(self) -> ClockNotes:
        """Return what is known of this machine's clock."""
        row = self._fetch(
            "SELECT service_at, boot, boot_seconds, ahead_seconds, latest FROM clock", ()
        )[0]
        return ClockNotes(
            service_at=datetime.fromisoformat(row[0]) if row[0] else None,
            moment=Moment(row[1], row[2]) if row[1] else None,
            ahead=timedelta(seconds=row[3] or 0),
            latest=datetime.fromisoformat(row[4]) if row[4] else None,
        )

    def note_clock(self, notes: ClockNotes) -> None:
        """Keep what is known of this machine's clock."""
        with self._writing():
            self._db.execute(
                "UPDATE clock SET service_at = ?, boot = ?, boot_seconds = ?, ahead_seconds = ?,"
                " latest = ?",
                (
                    as_text(notes.service_at) if notes.service_at else None,
                    notes.moment.boot if notes.moment else None,
                    notes.moment.seconds if notes.moment else None,
                    notes.ahead.total_seconds(),
                    as_text(notes.latest) if notes.latest else None,
                ),
            )

    def _fetch(self, statement: str, values: Iterable[object]) -> list[tuple[Any, ...]]:
        with self._lock, _said_plainly(self._path):
            return self._db.execute(statement, tuple(values)).fetchall()

    def _upgrade(self) -> None:
        """Bring the file to this program's version; raises QueueError for a later one."""
        with self._writing():
            version = self._db.execute("PRAGMA user_version").fetchone()[0]
            if version > len(VERSIONS):
                raise QueueError(f"{self._path} is of a later program: update counterfoil-scan.")
            if version < len(VERSIONS):
                bring_up_to_date(self._db, version)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """One durable change: on leaving without an exception it is on the disk."""
        with self._lock, _said_plainly(self._path):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:  # a full disk may have ended it already
                    self._db.execute("ROLLBACK")
                raise


@contextmanager
def _said_plainly(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise QueueError(
            f"The till cannot keep postings in {path} ({error}). "
            "Free space on the disk or restart the till; do not promise points until then."
        ) from None
