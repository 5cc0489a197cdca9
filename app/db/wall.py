"""The wall between programmes: a session for one neither sees nor writes rows of another."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from sqlalchemy import Column, Connection, Table, TextClause, event
from sqlalchemy.orm import ORMExecuteState, Session, with_loader_criteria
from sqlalchemy.sql import visitors

from app.db.columns import PROGRAMME, Base, OfProgramme

#: What a session knows of itself: which programme it is open for, and whether only to read.
SESSION_OF = "programme_id"
READING = "reading"
#: A session for every programme; also said to a prepared statement that means all their rows.
EVERYWHERE = "*"


#: The connection of the transaction that a session is in, with that transaction.
_CONNECTION = "connection"


class WallBreached(AssertionError):
    """The code touched a programme's rows in a session that is not open for that programme."""


class WalledSession(Session):
    """A session without the older bulk methods, which no event sees and so no wall stops."""

    def _bulk_save_mappings(self, *_arguments: Any, **_named: Any) -> None:
        raise WallBreached("rows are added with session.add or insert()")


def enter(session: Session, programme_id: str) -> None:
    """Narrow a session that was open for all programmes to one of them, for good."""
    session.info[SESSION_OF] = programme_id
    for row in list(session.identity_map.values()):
        if isinstance(row, OfProgramme) and row.programme_id != programme_id:
            session.expunge(row)


@contextmanager
def within(session: Session, programme_id: str) -> Iterator[None]:
    """Narrow a session that is open for all programmes to one of them, for the block.

    For work that goes through many programmes with prepared statements; what the ORM has loaded
    stays loaded.
    """
    before = programme_of(session)
    if before not in (EVERYWHERE, programme_id):
        raise WallBreached("a session for one programme was to be opened for another")
    session.info[SESSION_OF] = programme_id
    try:
        yield
    finally:
        session.info[SESSION_OF] = before


def programme_of(session: Session) -> str:
    """The programme a session is open for ("*" for all of them)."""
    try:
        programme: str = session.info[SESSION_OF]
    except KeyError:
        raise WallBreached("a session was opened without saying for which programme") from None
    return programme


def connection_of(session: Session) -> Connection:
    """The session's connection. The session itself takes longer to say so than most statements
    take to run."""
    transaction = session.get_transaction()
    known = session.info.get(_CONNECTION)
    if known is not None and known[0] is transaction and transaction.is_active:
        connection: Connection = known[1]
        return connection
    connection = session.connection()
    session.info[_CONNECTION] = (session.get_transaction(), connection)
    return connection


@event.listens_for(Session, "do_orm_execute")
def _keep_to_programme(state: ORMExecuteState) -> None:
    programme = programme_of(state.session)
    writing = state.is_insert or state.is_update or state.is_delete
    if writing and state.session.info.get(READING):
        raise WallBreached("a session that was opened for reading was to write")
    if programme == EVERYWHERE or state.is_column_load or state.is_relationship_load:
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
    given_ids = [row[PROGRAMME] for row in named if PROGRAMME in row]
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
    if session.info.get(READING) and (session.new or session.dirty or session.deleted):
        raise WallBreached("a session that was opened for reading was to write")
    if programme == EVERYWHERE:
        return
    for row in {*session.new, *session.dirty, *session.deleted}:
        if isinstance(row, OfProgramme) and row.programme_id not in (None, programme):
            raise WallBreached(f"{row!r} belongs to another programme")
        if isinstance(row, OfProgramme) and row.programme_id is None:
            row.programme_id = programme
