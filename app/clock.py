"""Time is passed in. Nothing else in the service asks the machine what time it is."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

#: A clock answers the present moment, aware, in UTC.
Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """The machine's time in UTC."""
    return datetime.now(UTC)


class FixedClock:
    """A clock that moves only when told to; for tests and simulations."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, step: timedelta) -> None:
        """Move the clock by *step* (which may be negative: clocks do go wrong)."""
        self.now += step


def whole_second(moment: datetime) -> datetime:
    """*moment* without its fraction: what HTTP dates and pass dates can say."""
    return moment.replace(microsecond=0)
