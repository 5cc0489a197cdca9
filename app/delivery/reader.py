"""Reads for many who ask at once: whoever comes while a statement runs shares the next one."""

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Generic, TypeVar

from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.exc import DBAPIError

from app.db import Database

Key = TypeVar("Key")
Row = TypeVar("Row")
Read = Callable[[Connection, Sequence[Key]], Mapping[Key, Row]]

_MOST_TOGETHER = 64


class _Asked(Generic[Key, Row]):
    """One who waits for a row."""

    __slots__ = ("error", "is_answered", "key", "row")

    def __init__(self, key: Key) -> None:
        self.key = key
        self.is_answered = False
        self.row: Row | None = None
        self.error: Exception | None = None


class Reader(Generic[Key, Row]):
    """Reads rows by a key with one statement for all who ask in the meantime.

    Every answer was read after it was asked for. One statement sees one state of the database, so
    no transaction is needed around it: the connection, which stays open, commits by itself.
    """

    def __init__(self, database: Database, read: Read[Key, Row]) -> None:
        self._engine: Engine = database.engine.execution_options(
            isolation_level="AUTOCOMMIT", counterfoil_read=True
        )
        self._read = read
        self._waiting: deque[_Asked[Key, Row]] = deque()
        self._reading = threading.Lock()
        self._connection: Connection | None = None
        event.listen(database.engine, "engine_disposed", self._forget)

    def get(self, key: Key) -> Row | None:
        """The row of *key*, None where there is none. Raises what the database raises."""
        asked: _Asked[Key, Row] = _Asked(key)
        self._waiting.append(asked)
        with self._reading:
            # Often somebody else has read it while this one waited for his turn.
            while not asked.is_answered:
                self._answer()
        if asked.error is not None:
            raise asked.error
        return asked.row

    def get_many(self, keys: Sequence[Key]) -> Mapping[Key, Row]:
        """The rows of *keys*, unknown ones left out. Raises what the database raises."""
        if not keys:
            return {}
        with self._reading:
            return self._rows(keys)

    def _answer(self) -> None:
        together: list[_Asked[Key, Row]] = []
        while self._waiting and len(together) < _MOST_TOGETHER:
            together.append(self._waiting.popleft())
        try:
            rows = self._rows([asked.key for asked in together])
        except Exception as error:
            for asked in together:
                asked.error, asked.is_answered = error, True
            return
        for asked in together:
            asked.row, asked.is_answered = rows.get(asked.key), True

    def _rows(self, keys: Sequence[Key]) -> Mapping[Key, Row]:
        for is_last in (False, True):
            if self._connection is None:
                self._connection = self._connect()
            try:
                return self._read(self._connection, keys)
            except DBAPIError as error:
                self._forget()
                # The server may have closed a connection that nobody used for long.
                if is_last or not error.connection_invalidated:
                    raise
            finally:
                if self._connection is not None:
                    self._connection.rollback()
        raise AssertionError("unreachable")

    def _connect(self) -> Connection:
        connection = self._engine.connect()
        if connection.dialect.name == "postgresql":
            # Rows are looked up by their keys: planning that anew takes longer than doing it.
            for setting in ("plan_cache_mode = force_generic_plan", "enable_seqscan = off"):
                connection.execute(text(f"SET {setting}"))
        return connection

    def _forget(self, _engine: object = None) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            if not connection.invalidated:
                # Not back to the pool: that may be gone by now.
                connection.detach()
            connection.close()
