"""When a message may go: quiet hours, best hours and repetition, in the programme's zone. Pure.

Quiet hours are read off the wall: from 20:00 to 9:00 means what the clocks in the shop show, also
in the nights in which they are put on or back.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_MINUTE = timedelta(minutes=1)
_MINUTES = 26 * 60


@dataclass(frozen=True, slots=True)
class Quiet:
    """Nothing is sent from *begins* on, until *ends* (local times); over midnight, if it has to."""

    begins: time
    ends: time

    def holds(self, local: time) -> bool:
        """Whether a local time is within."""
        if self.begins <= self.ends:
            return self.begins <= local < self.ends
        return local >= self.begins or local < self.ends


def is_quiet(moment: datetime, quiet: Quiet | None, time_zone: str) -> bool:
    """Whether nothing may be sent at that moment."""
    if quiet is None:
        return False
    return quiet.holds(moment.astimezone(ZoneInfo(time_zone)).time())


def next_allowed(moment: datetime, quiet: Quiet | None, time_zone: str) -> datetime:
    """The first moment, not before *moment*, at which something may be sent."""
    if not is_quiet(moment, quiet, time_zone):
        return moment
    # By the minute: whatever the clocks do in between, this is what they show.
    at = moment.replace(second=0, microsecond=0)
    for _ in range(_MINUTES):
        at += _MINUTE
        if not is_quiet(at, quiet, time_zone):
            return at
    return moment


def at_local(day: date, hour: int, minute: int, time_zone: str) -> datetime:
    """That local time in UTC; one that the clocks leave out is the moment at which they are put on,
    one that comes twice is the first."""
    zone = ZoneInfo(time_zone)
    wanted = datetime.combine(day, time(hour, minute), zone)
    found = wanted.astimezone(UTC)
    if found.astimezone(zone).replace(tzinfo=None) == wanted.replace(tzinfo=None):
        return found
    # A gap: back to its beginning.
    while found.astimezone(zone).date() == day and (
        (found - _MINUTE).astimezone(zone).utcoffset() == found.astimezone(zone).utcoffset()
    ):
        found -= _MINUTE
    return found


def next_hour(after: datetime, hour: int, time_zone: str) -> datetime:
    """The next beginning of a local *hour* (0 to 23), not before *after*."""
    day = after.astimezone(ZoneInfo(time_zone)).date()
    for ahead in range(3):
        found = at_local(day + timedelta(days=ahead), hour, 0, time_zone)
        if found >= after:
            return found
    raise AssertionError("an hour comes every day")


@dataclass(frozen=True, slots=True)
class Repeat:
    """Every *days* days at a local time, from *first* on; *until* is the last day, if any."""

    days: int
    at: time
    first: date
    until: date | None = None

    def next_after(self, moment: datetime, time_zone: str) -> datetime | None:
        """The first turn after *moment*; None where there is none any more."""
        day = moment.astimezone(ZoneInfo(time_zone)).date()
        gone = max((day - self.first).days, 0) // self.days
        for turn in range(gone, gone + 3):
            on = self.first + timedelta(days=turn * self.days)
            if self.until is not None and on > self.until:
                return None
            found = at_local(on, self.at.hour, self.at.minute, time_zone)
            if found > moment:
                return found
        return None
