"""A statement compiled once and handed to the driver as it is.

SQLAlchemy writes the statement and knows how each type is bound and read. What it does besides at
each execution takes several times as long as the database and its driver together: measured, a
lookup by key on SQLite takes 90 µs through `Connection.execute` and 12 µs so.
"""

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Dialect
from sqlalchemy.exc import DBAPIError, NoResultFound

_Process = Callable[[Any], Any]


class Rows(list[Any]):
    """The rows of a result, as named tuples."""

    def all(self) -> "Rows":
        """All of them: these."""
        return self

    def first(self) -> Any:
        """The first row, or None."""
        return self[0] if self else None

    def scalar_one(self) -> Any:
        """The first column of the only row. Raises `NoResultFound`."""
        if len(self) != 1:
            raise NoResultFound(f"{len(self)} rows instead of one")
        return self[0][0]


class Driven:
    """A statement for one dialect. Its values come by name, and every one that it binds is given.

    *names* are the columns that an INSERT fills: all others stay empty, whatever default they have
    in Python.
    """

    def __init__(self, statement: Any, dialect: Dialect, names: Sequence[str] = ()) -> None:
        compiled = statement.compile(
            dialect=dialect, column_keys=list(names) or None, for_executemany=bool(names)
        )
        unfilled = {column.key for column in getattr(compiled, "insert_prefetch", ())}
        if unfilled - set(names):
            raise ValueError(f"an INSERT has to give {', '.join(sorted(unfilled - set(names)))}")
        self._sql: str = compiled.string
        by_place = compiled.positiontup
        self._constants: dict[str, Any] = {}
        self._binders: list[tuple[str, _Process]] = []
        for bind, name in compiled.bind_names.items():
            process = bind.type.dialect_impl(dialect).bind_processor(dialect)
            if not bind.required:
                value = bind.effective_value
                self._constants[name] = process(value) if process else value
            elif process is not None:
                self._binders.append((name, process))
        columns = _columns_of(statement)
        #: None where it gives no rows.
        self._row: Any = columns and namedtuple("Row", [each.key for each in columns], rename=True)
        readers = [
            column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns
        ]
        self._read_row = _each_in_turn(list(range(len(readers))), readers)
        self._is_read_plain = not any(readers)
        # A value that stands in several places is one value, made ready once.
        binders = dict(self._binders)
        self._binders = list(binders.items())
        #: For a driver that counts its values instead of naming them.
        self._placed = None
        if by_place is not None:
            self._placed = _each_in_turn(by_place, [binders.get(each) for each in by_place])

    def __call__(self, connection: Connection, values: Mapping[str, Any]) -> Rows:
        """Run it; the rows. Raises SQLAlchemy's errors, whatever the driver raises."""
        return self._run(connection, [values])

    def many(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> Rows:
        """Run it for each of *rows*; what it returned, all together."""
        return self._run(connection, rows)

    def _run(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> Rows:
        given = [self._given(row) for row in rows]
        cursor = connection.connection.cursor()
        many = len(given) > 1 and not self._row
        found = Rows()
        try:
            for listen in connection.dispatch.before_cursor_execute:
                listen(connection, cursor, self._sql, given, None, many)
            if many:
                cursor.executemany(self._sql, given)
            else:
                for each in given:
                    cursor.execute(self._sql, each)
                    if self._row:
                        self._read(list(cursor.fetchall()), found)
        except connection.dialect.loaded_dbapi.Error as error:
            raise _told(connection, cursor, self._sql, error) from error
        finally:
            cursor.close()
        return found

    def _given(self, row: Mapping[str, Any]) -> Any:
        values = {**self._constants, **row} if self._constants else row
        if self._placed is not None:
            return self._placed(values)
        if self._binders:
            values = dict(values)
            for name, process in self._binders:
                values[name] = process(values[name])
        return values

    def _read(self, fetched: list[Any], into: Rows) -> None:
        rows = fetched if self._is_read_plain else map(self._read_row, fetched)
        into.extend(map(self._row._make, rows))


def in_one_journey(
    connection: Connection, asked: Sequence[tuple[Driven | str, Mapping[str, Any]]]
) -> list[Rows]:
    """Send a PostgreSQL server several statements before its first answer comes; the rows of each.

    Text is a statement of no values and no rows. Raises SQLAlchemy's errors; then those behind the
    one that failed have not run.
    """
    raw: Any = connection.connection.driver_connection
    cursors = []
    sql = ""
    try:
        with raw.pipeline():
            for driven, values in asked:
                sql, given = (
                    (driven, None)
                    if isinstance(driven, str)
                    else (driven._sql, driven._given(values))
                )
                cursor = raw.cursor()
                cursors.append(cursor)
                for listen in connection.dispatch.before_cursor_execute:
                    listen(connection, cursor, sql, [given], None, False)
                cursor.execute(sql, given)
        answers = []
        for (driven, _), cursor in zip(asked, cursors, strict=True):
            answers.append(Rows())
            if not isinstance(driven, str) and driven._row:
                driven._read(cursor.fetchall(), answers[-1])
    except connection.dialect.loaded_dbapi.Error as error:
        raise _told(connection, cursors[-1], sql, error) from error
    finally:
        for cursor in cursors:
            cursor.close()
    return answers


def run(connection: Connection, sql: str) -> None:
    """Run a statement of no values and no rows. Raises SQLAlchemy's errors."""
    cursor = connection.connection.cursor()
    try:
        cursor.execute(sql)
    except connection.dialect.loaded_dbapi.Error as error:
        raise _told(connection, cursor, sql, error) from error
    finally:
        cursor.close()


def _told(connection: Connection, cursor: Any, sql: str, error: Any) -> Exception:
    """The driver's error as SQLAlchemy's; a connection that broke is given up."""
    dialect = connection.dialect
    is_gone = dialect.is_disconnect(error, connection.connection, cursor)
    if is_gone:
        connection.invalidate(error)
    told: Exception = DBAPIError.instance(
        sql,
        None,
        error,
        dialect.loaded_dbapi.Error,
        hide_parameters=True,
        connection_invalidated=is_gone,
        dialect=dialect,
    )
    return told


def _each_in_turn(
    keys: Sequence[str | int], processes: Sequence[_Process | None]
) -> Callable[[Any], tuple[Any, ...]]:
    """Takes the *keys* of a row, each through its process: a loop over them took three times as
    long, and this is what a posting does most."""
    parts = []
    for place, (key, process) in enumerate(zip(keys, processes, strict=True)):
        form = "{}" if process is None else getattr(process, "form", None)
        value = f"p{place}(row[{key!r}])" if form is None else form.format(f"row[{key!r}]")
        parts.append(f"{value},")
    named = {f"p{place}": process for place, process in enumerate(processes)}
    # Made of the names of columns alone, as `namedtuple` makes its classes.
    made: Callable[[Any], tuple[Any, ...]] = eval(f"lambda row: ({''.join(parts)})", named)  # noqa: S307
    return made


def _columns_of(statement: Any) -> list[Any]:
    """The columns of the rows that it gives."""
    if statement.is_select:
        return list(statement.selected_columns)
    if statement.is_dml and statement._returning:
        return list(statement.exported_columns)
    return []
