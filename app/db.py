"""The database: one model, two engines, and the wall between programmes.

SQLite is the embedded default, PostgreSQL serves many workers. A session is opened either for one
programme or, by name, for all of them; a session for one programme neither sees nor writes rows
of another. That is enforced here, once, and not by the callers' memory.
"""

import re
import sqlite3
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Alias,
    Column,
    Connection,
    DateTime,
    Dialect,
    Engine,
    ForeignKey,
    FromClause,
    Join,
    MetaData,
    String,
    Table,
    TextClause,
    TypeDecorator,
    Uuid,
    bindparam,
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
from sqlalchemy.sql import visitors

from app.errors import CounterfoilError

#: How long a writer waits for another before it gives up, in milliseconds.
SQLITE_BUSY_MS = 5000
_PROGRAMME = "programme_id"
_READING = "reading"
_ALL = "*"
#: Said to a prepared statement by whoever means the rows of every programme.
EVERYWHERE = _ALL
_OF_PROGRAMME = "of_programme"


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
        # No index: there are few programmes, and one more to keep costs every posting.
        return mapped_column(Id, ForeignKey("programmes.id"))


class _Session(Session):
    """A session without the older bulk methods, which no event sees and so no wall stops."""

    def _bulk_save_mappings(self, *_arguments: Any, **_named: Any) -> None:
        raise WallBreached("rows are added with session.add or insert()")


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
            self.engine = create_engine(url, pool_size=32, max_overflow=64, hide_parameters=True)
            _tune_sqlite(self.engine, busy_ms)
        else:
            self.engine = create_engine(
                url, pool_size=20, max_overflow=40, pool_pre_ping=True, hide_parameters=True
            )
        # SQLite has one writer at a time, and lets the others poll. Taking turns within a process
        # costs nothing and nobody waits long; its own lock stays for the other processes.
        self._turn = threading.RLock() if self.is_sqlite else nullcontext()
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
        with self._writing(_ALL) as session:
            yield session

    @contextmanager
    def read_all(self) -> Iterator[Session]:
        """The same, reading only."""
        with self._session(self._reading, _ALL) as session:
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
        info = {_PROGRAMME: programme_id, _READING: engine is self._reading}
        with _Session(engine, expire_on_commit=False, info=info) as session:
            yield session

    def dispose(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def enter(session: Session, programme_id: str) -> None:
    """Narrow a session that was open for all programmes to one of them, for good."""
    session.info[_PROGRAMME] = programme_id
    for row in list(session.identity_map.values()):
        if isinstance(row, OfProgramme) and row.programme_id != programme_id:
            session.expunge(row)


class Prepared:
    """A statement that is built once, with the wall between programmes inside it.

    For the paths that are walked thousands of times a second: the ORM builds a statement anew each
    time, wall included, and that costs more than the database does. *statement* is built of the
    tables (``Model.__table__``); every table of it whose rows belong to a programme is narrowed to
    the session's. A session that is open for all programmes has to name one, or say `EVERYWHERE`.
    """

    def __init__(self, statement: Any) -> None:
        self._inserts = bool(statement.is_insert)
        self._writes = self._inserts or statement.is_update or statement.is_delete
        #: The same without the wall, for finding out who asks.
        self._open = statement
        self._walled = statement if self._inserts else _narrowed(statement)

    def __call__(
        self, session: Session, values: Any = None, *, programme_id: str | None = None
    ) -> Any:
        """Run it with *values*, a dict, or for many rows a list of them; the result's rows."""
        programme = programme_of(session)
        if programme != _ALL:
            if programme_id not in (None, programme):
                raise WallBreached("a session for one programme was to run for another")
        elif programme_id is None:
            raise WallBreached("a session for all programmes has to say for which one it runs")
        else:
            programme = programme_id
        if self._writes and session.info.get(_READING):
            raise WallBreached("a session that was opened for reading was to write")
        rows = values if isinstance(values, list) else [values or {}]
        if self._inserts:
            if programme != EVERYWHERE and any(row[_PROGRAMME] != programme for row in rows):
                raise WallBreached("a row of another programme was to be written")
            statement = self._open
        elif programme == EVERYWHERE:
            statement = self._open
        else:
            statement = self._walled
            rows = [{**row, _OF_PROGRAMME: programme} for row in rows]
        given = rows if isinstance(values, list) else rows[0]
        return session.connection().execute(statement, given)


def _narrowed(statement: Any) -> Any:
    sources = [statement.table] if statement.is_dml else statement.get_final_froms()
    for source in [leaf for each in sources for leaf in _leaves(each)]:
        if _PROGRAMME in source.c:
            statement = statement.where(source.c[_PROGRAMME] == bindparam(_OF_PROGRAMME, type_=Id))
    return statement


def _leaves(source: FromClause) -> Iterator[FromClause]:
    if isinstance(source, Join):
        yield from _leaves(source.left)
        yield from _leaves(source.right)
    elif isinstance(source, Table | Alias):
        yield source
    else:
        raise WallBreached("a prepared statement reads tables and joins of them, nothing else")


@contextmanager
def within(session: Session, programme_id: str) -> Iterator[None]:
    """Narrow a session that is open for all programmes to one of them, for the block.

    For work that goes through many programmes with prepared statements; what the ORM has loaded
    stays loaded.
    """
    before = programme_of(session)
    if before not in (_ALL, programme_id):
        raise WallBreached("a session for one programme was to be opened for another")
    session.info[_PROGRAMME] = programme_id
    try:
        yield
    finally:
        session.info[_PROGRAMME] = before


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
    writing = state.is_insert or state.is_update or state.is_delete
    if writing and state.session.info.get(_READING):
        raise WallBreached("a session that was opened for reading was to write")
    if programme == _ALL or state.is_column_load or state.is_relationship_load:
        return
    if state.is_from_statement:
        raise WallBreached("rows are not read from a statement of one's own")
    _refuse_bare_tables(state.statement)
    if state.is_insert or state.is_update:
        _check_values(state, programme)
    if not state.is_insert:
        state.statement = state.statement.options(
            with_loader_criteria(
                OfProgramme,
                lambda table: table.programme_id == programme,
                include_aliases=True,
            )
        )


def _refuse_bare_tables(statement: Any) -> None:
    """Refuse what the criteria do not reach: tables without their class, and SQL as text."""
    named: set[str] = set()
    reached: set[str] = set()
    for part in visitors.iterate(statement):
        entity = part._annotations.get("parententity") if hasattr(part, "_annotations") else None
        if entity is not None:
            reached.add(entity.mapper.local_table.name)
        elif isinstance(part, Table):
            named.add(part.name)
        elif isinstance(part, Column) and isinstance(part.table, Table):
            named.add(part.table.name)
        elif isinstance(part, TextClause):
            named |= set(re.findall(r"\w+", part.text.lower()))
    breached = _walled_tables() & (named - reached)
    if breached:
        raise WallBreached(f"{min(breached)} is read and written through its class only")


@cache
def _walled_tables() -> frozenset[str]:
    classes = (each for each in Base.registry.mappers if issubclass(each.class_, OfProgramme))
    return frozenset(str(each.class_.__tablename__) for each in classes)


def _check_values(state: ORMExecuteState, programme: str) -> None:
    """Every programme that an INSERT or UPDATE writes must be the session's."""
    mapper = state.bind_mapper
    if mapper is None or not issubclass(mapper.class_, OfProgramme):
        return
    statement: Any = state.statement
    given: Any = state.parameters or []
    rows: list[Any] = [given] if isinstance(given, dict) else list(given)
    if state.is_update and rows:
        raise WallBreached("rows are updated one by one, or by a condition")
    fixed = [statement._values, *(row for each in statement._multi_values for row in each)]
    named = [_by_name(row) for row in (*rows, *fixed) if row]
    given_ids = [row[_PROGRAMME] for row in named if _PROGRAMME in row]
    from_elsewhere = state.is_insert and (statement.select is not None or not given_ids)
    if from_elsewhere or any(not _is(each, programme) for each in given_ids):
        raise WallBreached(f"a row of another programme was to be written to {mapper.local_table}")


def _by_name(row: Any) -> dict[str, Any]:
    return {getattr(name, "key", name): value for name, value in row.items()}


def _is(value: Any, programme: str) -> bool:
    plain = getattr(value, "value", value)
    return isinstance(plain, str) and plain == programme


@event.listens_for(Session, "before_flush")
def _check_flush(session: Session, _context: object, _instances: object) -> None:
    programme = programme_of(session)
    if session.info.get(_READING) and (session.new or session.dirty or session.deleted):
        raise WallBreached("a session that was opened for reading was to write")
    if programme == _ALL:
        return
    for row in {*session.new, *session.dirty, *session.deleted}:
        if isinstance(row, OfProgramme) and row.programme_id not in (None, programme):
            raise WallBreached(f"{row!r} belongs to another programme")
        if isinstance(row, OfProgramme) and row.programme_id is None:
            row.programme_id = programme
