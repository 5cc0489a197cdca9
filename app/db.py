"""The database: one model, two engines, and the wall between programmes.

SQLite is the embedded default, PostgreSQL serves many workers. A session is opened either for one
programme or, by name, for all of them; a session for one programme neither sees nor writes rows
of another. That is enforced here, once, and not by the callers' memory.
"""

import sqlite3
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Connection,
    DateTime,
    Dialect,
    Engine,
    ForeignKey,
    MetaData,
    String,
    TypeDecorator,
    Uuid,
    create_engine,
    event,
)
from sqlalchemy.engine import make_url
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    ORMExecuteState,
    Session,
    declared_attr,
    mapped_column,
    with_loader_criteria,
)

from app.errors import CounterfoilError

#: How long a writer waits for another before it gives up, in milliseconds.
SQLITE_BUSY_MS = 5000
_PROGRAMME = "programme_id"
_ALL = "*"


class Moment(TypeDecorator[datetime]):
    """An aware UTC datetime. SQLite has no such type, so it keeps the naive UTC reading there."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a zone was to be stored")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


#: Ids are UUIDs: native on PostgreSQL, text on SQLite, `str` in Python.
Id = Uuid(as_uuid=False)


class Base(DeclarativeBase):
    """Every table's base; constraint names are fixed so that migrations can speak of them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_N_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: Moment, str: String}  # noqa: RUF012 - SQLAlchemy's own form


class OfProgramme:
    """Mixin of every table whose rows belong to one programme."""

    @declared_attr
    def programme_id(cls) -> Mapped[str]:
        return mapped_column(Id, ForeignKey("programmes.id"), index=True)


def new_id() -> str:
    """A fresh id, random."""
    return str(uuid.uuid4())


class WallBreached(AssertionError):
    """The code touched a programme's rows in a session that is not open for that programme."""


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
            self.engine = create_engine(url, pool_size=32, max_overflow=64)
            _tune_sqlite(self.engine, busy_ms)
        else:
            self.engine = create_engine(url, pool_size=20, max_overflow=40, pool_pre_ping=True)
        # SQLite has one writer at a time, and lets the others poll. Taking turns within a process
        # costs nothing and nobody waits long; its own lock stays for the other processes.
        self._turn = threading.RLock() if self.is_sqlite else nullcontext()
        self._reading = self.engine.execution_options(counterfoil_read=True)

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
        with self._writing(_ALL) as session:
            yield session

    @contextmanager
    def read_all(self) -> Iterator[Session]:
        """The same, reading only."""
        with self._session(self._reading, _ALL) as session:
            yield session

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
        with Session(engine, expire_on_commit=False, info={_PROGRAMME: programme_id}) as session:
            yield session

    def dispose(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def enter(session: Session, programme_id: str) -> None:
    """Narrow a session that was open for all programmes to one of them, for good."""
    session.info[_PROGRAMME] = programme_id


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
            f"busy_timeout={busy_ms}",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        reading = connection.get_execution_options().get("counterfoil_read")
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def programme_of(session: Session) -> str:
    """The programme a session is open for ("*" for all of them)."""
    try:
        programme: str = session.info[_PROGRAMME]
    except KeyError:
        raise WallBreached("a session was opened without saying for which programme") from None
    return programme


@event.listens_for(Session, "do_orm_execute")
def _keep_to_programme(state: ORMExecuteState) -> None:
    programme = programme_of(state.session)
    if programme == _ALL:
        return
    if state.is_insert:
        _check_rows(state, programme)
    elif not (state.is_column_load or state.is_relationship_load):
        state.statement = state.statement.options(
            with_loader_criteria(
                OfProgramme,
                lambda table: table.programme_id == programme,
                include_aliases=True,
            )
        )


def _check_rows(state: ORMExecuteState, programme: str) -> None:
    mapper = state.bind_mapper
    if mapper is None or not issubclass(mapper.class_, OfProgramme):
        return
    given: Any = state.parameters or []
    rows = [given] if isinstance(given, dict) else given
    if not rows or any(row.get("programme_id") != programme for row in rows):
        raise WallBreached(f"a row of another programme was to be written to {mapper.local_table}")


@event.listens_for(Session, "before_flush")
def _check_flush(session: Session, _context: object, _instances: object) -> None:
    programme = programme_of(session)
    if programme == _ALL:
        return
    for row in {*session.new, *session.dirty, *session.deleted}:
        if isinstance(row, OfProgramme) and row.programme_id not in (None, programme):
            raise WallBreached(f"{row!r} belongs to another programme")
        if isinstance(row, OfProgramme) and row.programme_id is None:
            row.programme_id = programme
