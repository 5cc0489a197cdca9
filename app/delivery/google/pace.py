"""Google's limit of requests a second, kept by all processes together through the database."""

import time
from collections.abc import Callable

from sqlalchemy import Connection, Table, extract, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from app.clock import Clock, system_clock
from app.db import Database
from app.delivery.models import Pace

#: Google's limit for one issuer.
REQUESTS_PER_SECOND = 20.0
#: Turns are this much further apart than the limit asks: requests that were sent evenly may arrive
#: closer together.
_SPARE = 1.04
#: A turn later than this was set by a clock that went wrong: nobody waits for it.
_LATEST_SECONDS = 120.0
_SECOND_US = 1_000_000


class SharedPacer:
    """Gives turns, one at a time, to every thread of every process on one database.

    A turn is a moment, kept as the next free one in a row of the table; whoever takes it moves the
    row on by a gap and sleeps until then. Nothing bursts after a quiet time. On PostgreSQL the time
    is the database's, so that machines whose clocks differ keep one limit; a *clock* of one's own
    takes its place. Safe to share between threads, and after a fork.
    """

    def __init__(
        self,
        database: Database,
        name: str = "google",
        *,
        rate: float = REQUESTS_PER_SECOND,
        clock: Clock | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._database = database
        self._name = name
        self._gap_us = round(_SECOND_US / rate * _SPARE)
        self._clock = clock or (system_clock if database.is_sqlite else None)
        self._sleep = sleep

    def wait(self, longest_seconds: float | None = None) -> bool:
        """Return True when it is this caller's turn; False at once where that takes too long."""
        taken = self.take(longest_seconds)
        if taken is None:
            return False
        if taken > 0:
            self._sleep(taken)
        return True

    def take(self, longest_seconds: float | None = None) -> float | None:
        """Take the next turn: in how many seconds it is. None, and no turn is taken, where that is
        more than *longest_seconds*."""
        longest_us = round((longest_seconds or _LATEST_SECONDS) * _SECOND_US)
        with self._database.write_apart() as connection:
            now, next_us = self._row(connection)
            turn = next_us if now < next_us <= now + _LATEST_SECONDS * _SECOND_US else now
            if longest_seconds is not None and turn - now > longest_us:
                return None
            self._set(connection, turn + self._gap_us)
        return (turn - now) / _SECOND_US

    def hold(self, seconds: float) -> None:
        """Give no turn for so long, at most two minutes: Google said that we ask too often."""
        seconds = min(max(seconds, 0.0), _LATEST_SECONDS - 1)
        with self._database.write_apart() as connection:
            now, next_us = self._row(connection)
            until = now + round(seconds * _SECOND_US)
            if not until <= next_us <= now + _LATEST_SECONDS * _SECOND_US:
                self._set(connection, until)

    def _row(self, connection: Connection) -> tuple[int, int]:
        """The present time and the next free turn, in microseconds; the row is locked."""
        table = _table()
        asked = select(table.c.next_us).where(table.c.name == self._name).with_for_update()
        next_us = connection.scalar(asked)
        if next_us is None:
            try:
                with connection.begin_nested():
                    connection.execute(insert(table).values(name=self._name, next_us=0))
            except IntegrityError:
                # Somebody else was first by a moment.
                pass
            next_us = connection.scalar(asked) or 0
        return self._now(connection), next_us

    def _now(self, connection: Connection) -> int:
        if self._clock is not None:
            return round(self._clock().timestamp() * _SECOND_US)
        # clock_timestamp() goes on within a transaction, which may have waited for the row.
        seconds = connection.scalar(select(extract("epoch", func.clock_timestamp())))
        return round(float(seconds or 0) * _SECOND_US)

    def _set(self, connection: Connection, next_us: int) -> None:
        table = _table()
        connection.execute(update(table).where(table.c.name == self._name).values(next_us=next_us))


def _table() -> Table:
    found = Pace.__table__
    assert isinstance(found, Table)  # noqa: S101 - for the type checker
    return found
