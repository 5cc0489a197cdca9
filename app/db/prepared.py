"""Statements that are built once, with the wall between programmes inside them.

For the paths that are walked thousands of times a second: the ORM builds a statement anew each
time, wall included, and that costs more than the database does.

On PostgreSQL many values travel as one text, whatever their number: ``= ANY(array)`` instead of a
list, the rows of a JSON array instead of a statement for each. So the server knows a handful of
statements, has them planned already, and does each once for all rows.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cache, partial
from typing import Any

import msgspec
from sqlalchemy import (
    JSON,
    Alias,
    BinaryExpression,
    BindParameter,
    Connection,
    Dialect,
    FromClause,
    Join,
    Table,
    Text,
    TypeDecorator,
    any_,
    bindparam,
    cast,
    func,
    select,
)
from sqlalchemy import column as column_named
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.sql import operators, visitors

from app.db.columns import PROGRAMME, Id
from app.db.driven import Driven, Rows
from app.db.wall import EVERYWHERE, READING, WallBreached, connection_of, programme_of

_OF_PROGRAMME = "of_programme"
_ROWS = "rows"


#: Answers that were fetched before somebody asked, by the statement and the programme.
ASKED_AHEAD = "asked_ahead"


class Prepared:
    """A statement that is built once, with the wall between programmes inside it.

    *statement* is built of the tables (``Model.__table__``); every table of it whose rows belong to
    a programme is narrowed to the session's. A session that is open for all programmes has to name
    one, or say `EVERYWHERE`. Raises `WallBreached` where it must not run. Columns of bytes that may
    be empty are to be named as *binary* if many rows are inserted.
    """

    def __init__(self, statement: Any, *, binary: Collection[str] = ()) -> None:
        self._binary = frozenset(binary)
        self._inserts = bool(statement.is_insert)
        self._writes = bool(statement.is_dml)
        #: The same without the wall, for finding out who asks.
        self._open = statement
        self._walled = statement if self._inserts else _narrowed(statement)
        #: As PostgreSQL gets them, by whether they are walled and by the names in many rows.
        self._for_many: dict[tuple[bool, tuple[str, ...], str], Any] = {}
        self._driven: dict[Any, Driven] = {}

    def __call__(
        self, session: Session, values: Any = None, *, programme_id: str | None = None
    ) -> Rows:
        """Run it with *values*, a dict, or for many rows a list of them; the result's rows."""
        programme = _programme(session, programme_id)
        rows = values if isinstance(values, list) else [values or {}]
        walled = self._check(session, programme, rows)
        ahead = session.info.get(ASKED_AHEAD)
        if ahead:
            # Whatever it was asked, it is asked once: afterwards something may have changed.
            known = ahead.pop((self, programme), None)
            if known is not None and known[0] == values:
                rows_ahead: Rows = known[1]
                return rows_ahead
        connection = connection_of(session)
        if connection.dialect.name != "postgresql":
            names = tuple(rows[0]) if isinstance(values, list) else ()
            return self._run_one_by_one(connection, programme if walled else None, names, rows)
        driven, given = self._ready(connection, programme, values, rows, walled)
        return driven(connection, given)

    def _ready(
        self,
        connection: Connection,
        programme: str,
        values: Any,
        rows: list[dict[str, Any]],
        walled: bool,
    ) -> tuple[Driven, dict[str, Any]]:
        """What PostgreSQL is asked, and the values that it is given."""
        names = tuple(rows[0]) if isinstance(values, list) else ()
        given: dict[str, Any] = {_ROWS: _as_json(rows, self._binary)} if names else dict(rows[0])
        if walled:
            given[_OF_PROGRAMME] = programme
        driven = self._driven.get((walled, names))
        if driven is None:
            made = self._statement_for(walled, names)
            driven = self._driven[walled, names] = Driven(made, connection.dialect)
        return driven, given

    def _run_one_by_one(
        self,
        connection: Connection,
        programme: str | None,
        names: tuple[str, ...],
        rows: list[dict[str, Any]],
    ) -> Rows:
        """For a database that is part of the process: there a statement costs no journey."""
        if programme is not None:
            rows = [{**row, _OF_PROGRAMME: programme} for row in rows]
        sizes: tuple[tuple[str, int], ...] = ()
        if not names:
            [row] = rows
            lists = {name: _filled(each) for name, each in row.items() if isinstance(each, list)}
            if lists:
                sizes = tuple((name, len(each)) for name, each in lists.items())
                rows = [{**row, **_placed(lists)}]
        key = ("sqlite", programme is not None, names, sizes)
        driven = self._driven.get(key)
        if driven is None:
            made = self._open if programme is None else self._walled
            made = visitors.replacement_traverse(made, {}, partial(_in_places, dict(sizes)))
            driven = self._driven[key] = Driven(made, connection.dialect, names)
        return driven.many(connection, rows)

    def _check(self, session: Session, programme: str, rows: list[dict[str, Any]]) -> bool:
        """Whether it runs behind the wall; raises `WallBreached` where it must not run at all."""
        if self._writes and session.info.get(READING):
            raise WallBreached("a session that was opened for reading was to write")
        if not self._inserts or programme == EVERYWHERE:
            return programme != EVERYWHERE
        if any(row[PROGRAMME] != programme for row in rows):
            raise WallBreached("a row of another programme was to be written")
        return False

    def _statement_for(self, walled: bool, names: tuple[str, ...], key: str = _ROWS) -> Any:
        made = self._for_many.get((walled, names, key))
        if made is None:
            made = visitors.replacement_traverse(
                self._walled if walled else self._open, {}, _any_of_list
            )
            if names and self._inserts:
                made = _insert_many(made, names, key)
            elif names:
                made = _change_many(made, names, key)
            self._for_many[walled, names, key] = made
        return made


def write_all(session: Session, writes: Sequence[tuple[Prepared, list[dict[str, Any]]]]) -> None:
    """Run several writes of many rows each; none of them may need what another one wrote.

    On PostgreSQL they are one statement, sent and planned once.
    """
    connection = connection_of(session)
    if connection.dialect.name != "postgresql" or len(writes) < 2:
        for prepared, rows in writes:
            prepared(session, rows)
        return
    driven, given = ready_together(session, connection, writes)
    driven(connection, given)


def ready_together(
    session: Session,
    connection: Connection,
    writes: Sequence[tuple[Prepared, list[dict[str, Any]]]],
) -> tuple[Driven, dict[str, Any]]:
    """Several writes as the one statement that PostgreSQL is asked, and its values."""
    programme = _programme(session, None)
    given: dict[str, Any] = {_OF_PROGRAMME: programme}
    parts: list[tuple[Prepared, bool, tuple[str, ...]]] = []
    for number, (prepared, rows) in enumerate(writes):
        parts.append((prepared, prepared._check(session, programme, rows), tuple(rows[0])))
        given[f"{_ROWS}_{number}"] = _as_json(rows)
    key = tuple(parts)
    driven = _driven_together.get(key)
    if driven is None:
        driven = _driven_together[key] = Driven(_together(key), connection.dialect)
    return driven, given


_driven_together: dict[Any, Driven] = {}


def _together(parts: tuple[tuple[Prepared, bool, tuple[str, ...]], ...]) -> Any:
    written = [
        prepared._statement_for(walled, names, f"{_ROWS}_{number}").cte(f"written_{number}")
        for number, (prepared, walled, names) in enumerate(parts)
    ]
    programme = bindparam(_OF_PROGRAMME, type_=Id)
    return select(programme.label("programme")).add_cte(*written)


def _programme(session: Session, programme_id: str | None) -> str:
    programme = programme_of(session)
    if programme == EVERYWHERE:
        if programme_id is None:
            raise WallBreached("a session for all programmes has to say for which one it runs")
        return programme_id
    if programme_id not in (None, programme):
        raise WallBreached("a session for one programme was to run for another")
    return programme


# --- many at once, on SQLite ------------------------------------------------------------------


def _filled(values: list[Any]) -> list[Any]:
    """A list as long as one of few lengths, so that few statements serve all of them."""
    if not values:
        return [None]
    length = 1 << (len(values) - 1).bit_length()
    return values + values[-1:] * (length - len(values))


def _placed(lists: dict[str, list[Any]]) -> dict[str, Any]:
    placed: dict[str, Any] = {}
    for name, values in lists.items():
        placed.update(zip(_places(name, len(values)), values, strict=True))
    return placed


@cache
def _places(name: str, count: int) -> tuple[str, ...]:
    return tuple(f"{name}_{place}" for place in range(count))


def _in_places(sizes: dict[str, int], element: Any, **_: Any) -> Any:
    """``column IN (list of any length)`` as one of a certain length."""
    if isinstance(element, BinaryExpression) and element.operator is operators.in_op:
        listed = element.right
        if isinstance(listed, BindParameter) and listed.expanding:
            column: Any = element.left
            places = _places(listed.key, sizes[listed.key])
            return column.in_([bindparam(each, type_=column.type) for each in places])
    return None


# --- many at once, on PostgreSQL --------------------------------------------------------------


class _Listed(TypeDecorator[Any]):
    """A list as PostgreSQL writes arrays; the driver would look at each element at length."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Iterable[Any] | None, dialect: Dialect) -> str:
        return "{" + ",".join(_quoted(each) for each in value or ()) + "}"


def _quoted(value: Any) -> str:
    if isinstance(value, bytes):
        return f'"\\\\x{value.hex()}"'
    text = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def _any_of_list(element: Any, **_: Any) -> Any:
    """``column IN (list of any length)`` as ``column = ANY(array)``."""
    if isinstance(element, BinaryExpression) and element.operator is operators.in_op:
        listed = element.right
        if isinstance(listed, BindParameter) and listed.expanding:
            column: Any = element.left
            array = ARRAY(column.type)
            # In a query of its own it is read once; else, where a table is read in its order, once
            # for each row: a thousand ids took a second.
            once = select(cast(bindparam(listed.key, type_=_Listed), array)).scalar_subquery()
            return column == any_(cast(once, array))
    return None


def _rows_of(types: dict[str, Any], key: str) -> Any:
    """The rows that one JSON text holds."""
    columns = [column_named(name, type_) for name, type_ in types.items()]
    text = cast(bindparam(key, type_=Text), JSON)
    return (
        func.json_to_recordset(text)
        .table_valued(*columns)
        .render_derived(name="given", with_types=True)
    )


def _as_json(rows: Sequence[dict[str, Any]], binary: Collection[str] = ()) -> str:
    if binary:
        rows = [
            row | {name: f"\\x{row[name].hex()}" for name in binary if row[name] is not None}
            for row in rows
        ]
    for name, value in rows[0].items():
        if isinstance(value, bytes):
            rows = [{**row, name: f"\\x{row[name].hex()}"} for row in rows]
    return msgspec.json.encode(rows, enc_hook=str).decode()


def _insert_many(statement: Any, names: tuple[str, ...], key: str) -> Any:
    given = _rows_of({name: statement.table.c[name].type for name in names}, key)
    return statement.from_select(names, select(*given.c), include_defaults=False)


def _change_many(statement: Any, names: tuple[str, ...], key: str) -> Any:
    """An UPDATE of rows one by one as one of all of them: its values are columns of *given*."""
    columns = statement.table.c
    types = {
        each.key: columns[each.key].type if each.key in columns else each.type
        for each in visitors.iterate(statement)
        if isinstance(each, BindParameter) and each.key in names
    }
    given = _rows_of(types, key)

    def replace(element: Any, **_: Any) -> Any:
        if isinstance(element, BindParameter) and element.key in types:
            return given.c[element.key]
        return None

    return visitors.replacement_traverse(statement, {}, replace)


# --- the wall ---------------------------------------------------------------------------------


def _narrowed(statement: Any) -> Any:
    sources = [statement.table] if statement.is_dml else statement.get_final_froms()
    for source in [leaf for each in sources for leaf in _leaves(each)]:
        if PROGRAMME in source.c:
            statement = statement.where(source.c[PROGRAMME] == bindparam(_OF_PROGRAMME, type_=Id))
    return statement


def _leaves(source: FromClause) -> Iterator[FromClause]:
    if isinstance(source, Join):
        yield from _leaves(source.left)
        yield from _leaves(source.right)
    elif isinstance(source, Table | Alias):
        yield source
    else:
        raise WallBreached("a prepared statement reads tables and joins of them, nothing else")
