"""An engine, and the ways to open a session on it."""

import json
import select
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import msgspec
import psycopg
from psycopg.types.string import TextLoader
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from app.db.driven import run
from app.db.turn import Turn
from app.db.wall import EVERYWHERE, READING, SESSION_OF, WalledSession
from app.errors import CounterfoilError

#: So long after its last use a connection is taken to be there, unless it says something.
TRUSTED_SECONDS = 5.0
_USED_AT = "counterfoil_used_at"
#: How long a writer waits for another before it gives up, in milliseconds.
SQLITE_BUSY_MS = 5000


def _to_json(value: Any) -> str:
    try:
        return msgspec.json.encode(value).decode()
    except (TypeError, ValueError):
        # What it is strict about: half a surrogate pair, names that are no text.
        return json.dumps(value)


#: Several times as fast as Python's own; each posting writes and reads such columns.
_JSON: Any = {"json_serializer": _to_json, "json_deserializer": msgspec.json.decode}


#: The connection that was used last is used next: it has every statement prepared and planned.
_POOL: Any = {"pool_use_lifo": True}


class Database:
    """An engine and the two ways to open a session on it.

    ``write`` begins a write at once (`BEGIN IMMEDIATE` on SQLite), commits when the block ends and
    rolls back when it raises (unless the error says that its changes are to be kept). ``read``
    sees one state of the database and writes nothing.
    """

    def __init__(self, url: str, *, busy_ms: int = SQLITE_BUSY_MS) -> None:
        self.url = url
        self.is_sqlite = url.startswith("sqlite")
        if self.is_sqlite:
            self.engine = create_engine(
                url, pool_size=32, max_overflow=64, hide_parameters=True, **_POOL, **_JSON
            )
            _tune_sqlite(self.engine, busy_ms)
        else:
            self.engine = create_engine(
                url,
                pool_size=20,
                max_overflow=40,
                hide_parameters=True,
                **_POOL,
                **_JSON,
            )
            event.listen(self.engine, "connect", _ids_as_text)
            _watch_connections(self.engine)
        self._turn = Turn(self.path, busy_ms) if self.is_sqlite else nullcontext()
        # A reader sees one state throughout; on SQLite every transaction that reads does.
        snapshot = {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ"}
        self._reading = self.engine.execution_options(counterfoil_read=True, **snapshot)

    @property
    def path(self) -> Path | None:
        """The SQLite file; None on PostgreSQL."""
        name = make_url(self.url).database
        return Path(name) if self.is_sqlite and name else None

    @contextmanager
    def write(self, programme_id: str) -> Iterator[Session]:
        """A session that may change rows of one programme and sees no other."""
        with self._writing(programme_id) as session:
            yield session

    @contextmanager
    def read(self, programme_id: str) -> Iterator[Session]:
        """A session that sees rows of one programme and changes nothing."""
        with self._session(self._reading, programme_id) as session:
            yield session

    @contextmanager
    def write_all(self) -> Iterator[Session]:
        """A session across all programmes: background work, administration, finding who asks."""
        with self._writing(EVERYWHERE) as session:
            yield session

    @contextmanager
    def read_all(self) -> Iterator[Session]:
        """The same, reading only."""
        with self._session(self._reading, EVERYWHERE) as session:
            yield session

    @contextmanager
    def write_apart(self) -> Iterator[Connection]:
        """A short write of its own to a table of no programme, such as a limit that processes
        share. No session is opened, so nobody is told that something may have changed."""
        with self._turn, self.engine.begin() as connection:
            yield connection

    @contextmanager
    def _writing(self, programme_id: str) -> Iterator[Session]:
        with self._turn, self._session(self.engine, programme_id) as session:
            try:
                yield session
            except CounterfoilError as error:
                if error.keeps_changes:
                    session.commit()
                raise
            session.commit()

    @contextmanager
    def _session(self, engine: Engine, programme_id: str) -> Iterator[Session]:
        info = {SESSION_OF: programme_id, READING: engine is self._reading}
        with WalledSession(engine, expire_on_commit=False, info=info) as session:
            yield session

    def analyse(self, tables: Sequence[str]) -> None:
        """Have PostgreSQL look how much is in these tables of ours: plans that were made while they
        were empty go through all of it. SQLite plans without."""
        if not self.is_sqlite:
            with self.engine.connect() as connection:
                plain = connection.execution_options(isolation_level="AUTOCOMMIT")
                quote = connection.dialect.identifier_preparer.quote
                plain.exec_driver_sql(f"ANALYZE {', '.join(map(quote, tables))}")

    def dispose(self) -> None:
        """Close every connection."""
        self.engine.dispose()
        if isinstance(self._turn, Turn):
            self._turn.close()


def _watch_connections(engine: Engine) -> None:
    """Have no one be given a connection of PostgreSQL that is over.

    One that was used a moment ago is not asked, which would be a journey more for each posting:
    a server that goes away says so, and nothing else is said to one who is not asking.
    """

    @event.listens_for(engine, "checkin")
    def checkin(_connection: object, record: ConnectionPoolEntry) -> None:
        record.info[_USED_AT] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def checkout(connection: Any, record: ConnectionPoolEntry, _proxy: object) -> None:
        used_at = record.info.get(_USED_AT)
        if used_at is not None and time.monotonic() - used_at < TRUSTED_SECONDS:
            if not _has_news(connection):
                return
        try:
            engine.dialect.do_ping(connection)
        except psycopg.Error as error:
            raise DisconnectionError("the connection is over") from error


def _has_news(connection: psycopg.Connection[Any]) -> bool:
    if connection.closed:
        return True
    poller = select.poll()
    poller.register(connection.fileno(), select.POLLIN)
    return bool(poller.poll(0))


def _ids_as_text(connection: psycopg.Connection[Any], _record: object) -> None:
    """Ids are text here: the driver need not make a `uuid.UUID` of each first."""
    connection.adapters.register_loader("uuid", TextLoader)


def _tune_sqlite(engine: Engine, busy_ms: int) -> None:
    @event.listens_for(engine, "connect")
    def connect(connection: sqlite3.Connection, _record: object) -> None:
        # The driver's own implicit BEGIN would be a deferred one: two readers that both want to
        # write then fail at once instead of waiting for each other.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            # INSERT OR REPLACE would else delete past the triggers that guard the ledger.
            "recursive_triggers=ON",
            f"busy_timeout={busy_ms}",
            # Pages that many postings change are copied back once for all of them: the log may
            # grow to 32 MB in between. What a commit makes durable is the same.
            "wal_autocheckpoint=8000",
            "cache_size=-32768",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        reading = connection.get_execution_options().get("counterfoil_read")
        run(connection, "BEGIN" if reading else "BEGIN IMMEDIATE")
