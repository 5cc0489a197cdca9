"""What this till remembers of the cards it has seen, for when the network is down.

Name or nickname, tier, balance and stamps as the service last told them, with the moment: no
contact data, nothing that is not on the cashier's screen anyway. Bounded in number and age; a
card that the service blocked, replaced or erased is forgotten, and all of them with the till's
revocation. What is deleted is overwritten in the file (secure_delete).

Losing this file costs nothing but a name on the screen: no trouble with it ever stops a sale.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from scanner.config import state_folder

FILE = "cards.sqlite"
MOST_CARDS = 10_000
KEPT_FOR = timedelta(days=90)
LONGEST_TEXT = 80
LONGEST_STAMPS = 2_000  # letters of JSON
_VERSION = 1

_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS card (
    id TEXT PRIMARY KEY, name TEXT, tier TEXT, balance INTEGER, points_label TEXT, stamps TEXT,
    seen_at TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS card_seen ON card (seen_at);
PRAGMA user_version = {_VERSION};
"""


@dataclass(frozen=True, slots=True)
class LastKnown:
    """A card as the service last told of it, at `seen_at`."""

    name: str | None
    tier: str | None
    balance: int | None
    points_label: str | None
    stamps: list[Any] | None
    seen_at: datetime

    def age(self, now: datetime) -> timedelta:
        """How old this is, never less than nothing."""
        return max(timedelta(), now - self.seen_at)


class KnownCards:
    """cards.sqlite in the till's folder. Safe to share between threads."""

    def __init__(self, folder: Path) -> None:
        """Open or make the file; a damaged one is made anew."""
        self._path = state_folder(folder) / FILE
        self._lock = threading.RLock()
        self._db: sqlite3.Connection | None = None
        for _ in range(2):
            with suppress(OSError, sqlite3.Error):
                self._db = _open(self._path)
                return
            _remove(self._path)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._db is not None:
                self._db.close()
                self._db = None

    def note(self, card_id: str, seen: Mapping[str, Any], now: datetime) -> None:
        """Remember what the service said of an accepted card."""
        member, standing = _object(seen.get("member")), _object(seen.get("standing"))
        balance, stamps = standing.get("balance"), seen.get("stamps")
        kept = json.dumps(stamps) if isinstance(stamps, list) and stamps else None
        row = (
            card_id,
            _text(member.get("nickname")) or _text(member.get("name")),
            _text(seen.get("tier")),
            balance if _is_balance(balance) else None,
            _text(standing.get("points_label")),
            kept if kept and len(kept) <= LONGEST_STAMPS else None,
            _moment(now),
        )

        def write(database: sqlite3.Connection) -> None:
            database.execute("INSERT OR REPLACE INTO card VALUES (?, ?, ?, ?, ?, ?, ?)", row)
            _keep_bounded(database, now)

        self._do(write)

    def note_standing(self, card_id: str, standing: Any, now: datetime) -> None:
        """Remember the new balance of a card that is remembered already."""
        balance = _object(standing).get("balance")
        if _is_balance(balance):
            self._do(
                lambda database: database.execute(
                    "UPDATE card SET balance = ?, points_label = ?, seen_at = ? WHERE id = ?",
                    (balance, _text(standing.get("points_label")), _moment(now), card_id),
                )
            )

    def of(self, card_id: str) -> LastKnown | None:
        """Return what is remembered of a card, None where that is nothing."""
        found: list[tuple[Any, ...]] = []
        self._do(
            lambda database: found.extend(
                database.execute(
                    "SELECT name, tier, balance, points_label, stamps, seen_at FROM card"
                    " WHERE id = ?",
                    (card_id,),
                )
            )
        )
        if not found:
            return None
        name, tier, balance, label, stamps, seen_at = found[0]
        with suppress(ValueError, TypeError):
            read = json.loads(stamps) if stamps else None
            return LastKnown(name, tier, balance, label, read, datetime.fromisoformat(seen_at))
        return None

    def card_ids(self) -> list[str]:
        """Return the cards that are remembered."""
        found: list[str] = []
        self._do(
            lambda database: found.extend(row[0] for row in database.execute("SELECT id FROM card"))
        )
        return found

    def forget(self, card_ids: Iterable[str]) -> None:
        """Forget cards, such as those that the service refuses now."""
        self._do(
            lambda database: database.executemany(
                "DELETE FROM card WHERE id = ?", [(each,) for each in card_ids]
            )
        )

    def _do(self, work: Callable[[sqlite3.Connection], object]) -> None:
        """Work on the file in one transaction; trouble with it is nobody's trouble."""
        with self._lock:
            if self._db is None:
                return
            try:
                with _transaction(self._db):
                    work(self._db)
            except sqlite3.OperationalError:
                pass  # a full disk, another program that is at it
            except sqlite3.DatabaseError:
                self._make_anew()  # damaged: the power went while it was written

    def _make_anew(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None
        _remove(self._path)
        with suppress(OSError, sqlite3.Error):
            self._db = _open(self._path)


def wipe(folder: Path) -> None:
    """Forget every card: this till is no longer one of the shop's."""
    path = folder / FILE
    with suppress(OSError, sqlite3.Error):
        # Another process may have the file open: its rows go, and then its name.
        database = _open(path) if path.exists() else None
        if database is not None:
            with _transaction(database):
                database.execute("DELETE FROM card")
            database.close()
    _remove(path)


def _open(path: Path) -> sqlite3.Connection:
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    path.chmod(0o600)
    database = sqlite3.connect(path, timeout=2, isolation_level=None, check_same_thread=False)
    try:
        # No write-ahead log: a name that was deleted would live on in it. And no waiting for the
        # disk: the customer stands there, and what is lost here is nothing.
        for pragma in ("secure_delete=ON", "journal_mode=TRUNCATE", "synchronous=OFF"):
            database.execute(f"PRAGMA {pragma}")
        version = database.execute("PRAGMA user_version").fetchone()[0]
        if version not in (0, _VERSION):
            raise sqlite3.DatabaseError("another program's")
        if version == 0:
            database.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} COMMIT;")
        database.execute("SELECT count(*) FROM card")
    except BaseException:
        database.close()
        raise
    return database


@contextmanager
def _transaction(database: sqlite3.Connection) -> Iterator[None]:
    database.execute("BEGIN IMMEDIATE")
    try:
        yield
        database.execute("COMMIT")
    except BaseException:
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise


def _keep_bounded(database: sqlite3.Connection, now: datetime) -> None:
    database.execute("DELETE FROM card WHERE seen_at < ?", (_moment(now - KEPT_FOR),))
    too_many = database.execute("SELECT count(*) FROM card").fetchone()[0] - MOST_CARDS
    if too_many > 0:
        database.execute(
            "DELETE FROM card WHERE id IN (SELECT id FROM card ORDER BY seen_at LIMIT ?)",
            (too_many,),
        )


def _remove(path: Path) -> None:
    for name in (path, path.with_name(path.name + "-journal")):
        with suppress(OSError):
            name.unlink()


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _is_balance(value: Any) -> bool:
    return type(value) is int and abs(value) < 1 << 60  # as much as the file takes


def _text(value: Any) -> str | None:
    return value[:LONGEST_TEXT] if isinstance(value, str) and value else None


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
