"""Rows by their keys, for the statement that answers ten thousand phones.

SQLAlchemy writes the statement and knows how each type is read, once. What it does besides at each
execution takes twice as long as the database and its driver together.
"""

from typing import Any

from sqlalchemy import Connection, Dialect, Select
from sqlalchemy.exc import OperationalError


class Lookup:
    """A SELECT compiled for one kind of PostgreSQL driver; its values go to the driver as they are.

    For connections that commit by themselves: it begins no transaction that SQLAlchemy knows of.
    No wall stands in it, so it is for finding out who asks, across all programmes.
    """

    def __init__(self, statement: Select[Any], dialect: Dialect) -> None:
        compiled: Any = statement.compile(dialect=dialect)
        self._sql: str = compiled.string
        self._constants = {
            name: bind.effective_value
            for bind, name in compiled.bind_names.items()
            if not bind.required
        }
        readers = [
            column.type.dialect_impl(dialect).result_processor(dialect, None)
            for column in statement.selected_columns
        ]
        self._readers = [
            (number, reader) for number, reader in enumerate(readers) if reader is not None
        ]

    def __call__(self, connection: Connection, values: dict[str, Any]) -> list[list[Any]]:
        """The rows. Raises SQLAlchemy's `OperationalError`, whatever the driver raises."""
        dialect = connection.dialect
        cursor = connection.connection.cursor()
        try:
            cursor.execute(self._sql, {**self._constants, **values})
            rows = [list(row) for row in cursor.fetchall()]
        except dialect.loaded_dbapi.Error as error:
            is_gone = dialect.is_disconnect(error, connection.connection, cursor)
            raise OperationalError(
                self._sql, None, error, hide_parameters=True, connection_invalidated=is_gone
            ) from error
        finally:
            cursor.close()
        for row in rows:
            for number, reader in self._readers:
                row[number] = reader(row[number])
        return rows
