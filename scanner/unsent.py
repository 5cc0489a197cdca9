"""The till's queue: every posting is kept here, on the disk, before it is first sent.

A row is waiting, then sent (with the service's answer, kept 30 days so that it can be sent
again after a restore of the service) or set aside (with the reason). Its id was made here and
its body never changes once a service may have seen it, so sending twice is harmless.
SQLite with synchronous=FULL: `keep` returns only when the row is on the disk.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from scanner.config import state_folder
from scanner.errors import QueueError

FILE = "queue.sqlite"
KEPT_FOR = timedelta(days=30)
VERSION = 1

_SCHEMA = """
CREATE TABLE posting (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    programme_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    path TEXT NOT NULL,
    body BLOB NOT NULL,
    needs_cashier INTEGER NOT NULL,
    after_id TEXT,
    kept_at TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'sent', 'set_aside')),
    attempts INTEGER NOT NULL DEFAULT 0,
    settled_at TEXT,
    answer TEXT,
    reason TEXT
);
CREATE INDEX posting_state ON posting (state, number);
"""


class State(StrEnum):
    """Where a kept posting stands."""

    WAITING = "waiting"
    SENT = "sent"
    SET_ASIDE = "set_aside"


@dataclass(frozen=True, slots=True)
class Posting:
    """One kept posting. `path` is below the till API; `body` is what is sent, to the byte.

    `needs_cashier`: only a signed-in cashier may send it. `after_id`: a posting that has to
    be with the service before this one (the accrual that a reversal takes back).
    """

    id: str
    programme_id: str
    kind: str
    path: str
    body: bytes
    needs_cashier: bool
    kept_at: datetime
    after_id: str | None = None
    state: State = State.WAITING
    attempts: int = 0
    settled_at: datetime | None = None
    answer: dict[str, Any] | None = None
    reason: str | None = None


class Queue:
    """The postings of this till, in the order in which they were made."""

    def __init__(self, folder: Path) -> None:
        """Open or make queue.sqlite in `folder`; raises QueueError."""
        path = state_folder(folder) / FILE
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            path.chmod(0o600)
        except OSError as error:
            raise QueueError(f"{path} cannot be opened: {error.strerror}.") from None
        with _said_plainly(path):
            self._db = sqlite3.connect(path, timeout=10, isolation_level=None)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
        self._path = path
        self._upgrade()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._db.close()

    def keep(self, posting: Posting) -> None:
        """Put a new posting on the disk; raises QueueError where that is not certain."""
        with self._writing():
            self._db.execute(
                "INSERT INTO posting (id, programme_id, kind, path, body, needs_cashier, after_id,"
                " kept_at, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'waiting')",
                (
                    posting.id,
                    posting.programme_id,
                    posting.kind,
                    posting.path,
                    posting.body,
                    posting.needs_cashier,
                    posting.after_id,
                    _text(posting.kept_at),
                ),
            )

    def attempted(self, posting_id: str) -> None:
        """Note that a posting is about to be sent."""
        with self._writing():
            self._db.execute(
                "UPDATE posting SET attempts = attempts + 1 WHERE id = ?", (posting_id,)
            )

    def replace_body(self, posting_id: str, body: bytes) -> None:
        """Let a waiting posting go without a cashier, with the body that says so."""
        with self._writing():
            self._db.execute(
                "UPDATE posting SET body = ?, needs_cashier = 0 WHERE id = ? AND state = 'waiting'",
                (body, posting_id),
            )

    def sent(self, posting_id: str, answer: dict[str, Any], now: datetime) -> None:
        """Note the service's answer; a posting that was sent before keeps its first answer."""
        with self._writing():
            self._db.execute(
                "UPDATE posting SET state = 'sent', settled_at = ?, answer = ?, reason = NULL"
                " WHERE id = ? AND state <> 'sent'",
                (_text(now), json.dumps(answer), posting_id),
            )

    def set_aside(self, posting_id: str, reason: str, now: datetime) -> None:
        """Note why the service will never take a waiting posting."""
        with self._writing():
            self._db.execute(
                "UPDATE posting SET state = 'set_aside', settled_at = ?, reason = ?"
                " WHERE id = ? AND state = 'waiting'",
                (_text(now), reason, posting_id),
            )

    def get(self, posting_id: str) -> Posting | None:
        """Return one posting, whatever its state."""
        rows = self._read("WHERE id = ?", (posting_id,))
        return rows[0] if rows else None

    def all(self, *states: State) -> list[Posting]:
        """Return the postings in `states` (all of them by default), oldest first."""
        chosen = states or tuple(State)
        marks = ", ".join("?" * len(chosen))
        return self._read(f"WHERE state IN ({marks})", chosen)

    def sent_since(self, since: datetime) -> list[Posting]:
        """Return the postings kept since then that the service has answered, oldest first."""
        return self._read("WHERE state = 'sent' AND kept_at >= ?", (_text(since),))

    def count(self, state: State) -> int:
        """Return how many postings are in `state`."""
        with _said_plainly(self._path):
            row = self._db.execute("SELECT count(*) FROM posting WHERE state = ?", (state,))
            return int(row.fetchone()[0])

    def forget_old(self, now: datetime) -> int:
        """Delete what was sent more than 30 days ago; return how many that were."""
        with self._writing():
            return self._db.execute(
                "DELETE FROM posting WHERE state = 'sent' AND settled_at < ?",
                (_text(now - KEPT_FOR),),
            ).rowcount

    def _read(self, where: str, values: tuple[object, ...]) -> list[Posting]:
        with _said_plainly(self._path):
            rows = self._db.execute(
                "SELECT id, programme_id, kind, path, body, needs_cashier, kept_at, after_id,"  # noqa: S608
                f" state, attempts, settled_at, answer, reason FROM posting {where}"
                " ORDER BY number",
                values,
            ).fetchall()
        return [_posting(row) for row in rows]

    def _upgrade(self) -> None:
        """Bring the file to this program's version; raises QueueError for a later one."""
        with self._writing():
            version = self._db.execute("PRAGMA user_version").fetchone()[0]
            if version > VERSION:
                raise QueueError(f"{self._path} is of a later program: update counterfoil-scan.")
            if version < VERSION:
                for statement in _SCHEMA.split(";"):
                    self._db.execute(statement)
                self._db.execute(f"PRAGMA user_version = {VERSION}")

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """One durable change: on leaving without an exception it is on the disk."""
        with _said_plainly(self._path):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                if self._db.in_transaction:  # a full disk may have ended it already
                    self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")


@contextmanager
def _said_plainly(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise QueueError(
            f"The till cannot keep postings in {path} ({error}). "
            "Free space on the disk or restart the till; do not promise points until then."
        ) from None


def _posting(row: tuple[Any, ...]) -> Posting:
    return Posting(
        id=row[0],
        programme_id=row[1],
        kind=row[2],
        path=row[3],
        body=bytes(row[4]),
        needs_cashier=bool(row[5]),
        kept_at=datetime.fromisoformat(row[6]),
        after_id=row[7],
        state=State(row[8]),
        attempts=row[9],
        settled_at=datetime.fromisoformat(row[10]) if row[10] else None,
        answer=json.loads(row[11]) if row[11] else None,
        reason=row[12],
    )


def _text(moment: datetime) -> str:
    """UTC in one width, so that texts order as times do."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
