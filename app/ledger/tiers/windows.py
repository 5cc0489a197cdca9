"""The time that counts: from one review to the next, and what was counted in it."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple
from zoneinfo import ZoneInfo

from app.ledger.rules import add_months, start_of_day
from app.ledger.tiers.model import Count, TierScheme, TierState, Window

_DAY = timedelta(days=1)
_INSTANT = timedelta(microseconds=1)


class Cycle(NamedTuple):
    """From one review to the next: local days from *first* to before *end*, and their moments.

    *reviewed_from* is the first day that the review at its start counted.
    """

    first: date
    end: date
    starts_at: datetime
    ends_at: datetime
    reviewed_from: date


class Rise(NamedTuple):
    """A *day* on which a tier was reached, and what it *counted*."""

    day: date
    rank: int
    counted: int


def local_day(moment: datetime, time_zone: str) -> date:
    """The local day of a moment."""
    return moment.astimezone(ZoneInfo(time_zone)).date()


def day_after(moment: datetime, time_zone: str) -> date:
    """The first local day that begins at *moment* or later."""
    return local_day(moment - _INSTANT, time_zone) + _DAY


@lru_cache(maxsize=1 << 14)
def midnight(day: date, time_zone: str) -> datetime:
    """The first instant of a local day, in UTC."""
    return start_of_day(day, time_zone)


def a_year_to(day: date) -> date:
    """The first day of the twelve months that end with *day*: the one after a year before."""
    if day.month == 2 and day.day == 29:
        return date(day.year - 1, 3, 1)
    return date(day.year - 1, day.month, day.day) + _DAY


# --- cycles -----------------------------------------------------------------------------------


def cycle_of(window: Window, joined_on: date, day: date, time_zone: str) -> Cycle:
    """The cycle that a local day is in."""
    if window is Window.CALENDAR:
        return _year(day.year, time_zone)
    if window is Window.ROLLING:
        return _months(day.replace(day=1), day, time_zone)
    years = day.year - joined_on.year
    if add_months(joined_on, 12 * years) > day:
        years -= 1
    return _anniversary(joined_on, years, time_zone)


@lru_cache(maxsize=1 << 10)
def _year(year: int, time_zone: str) -> Cycle:
    return _cycle(date(year, 1, 1), date(year + 1, 1, 1), date(year - 1, 1, 1), time_zone)


@lru_cache(maxsize=1 << 14)
def _anniversary(joined_on: date, years: int, time_zone: str) -> Cycle:
    before, first, end = (add_months(joined_on, 12 * (years + each)) for each in (-1, 0, 1))
    return _cycle(first, end, before, time_zone)


@lru_cache(maxsize=1 << 12)
def _months(first: date, last: date, time_zone: str) -> Cycle:
    """From the first of a month to the end of the month that *last* is in."""
    end = add_months(last.replace(day=1), 1)
    return _cycle(first, end, a_year_to(first - _DAY), time_zone)


def _cycle(first: date, end: date, reviewed_from: date, time_zone: str) -> Cycle:
    return Cycle(first, end, midnight(first, time_zone), midnight(end, time_zone), reviewed_from)


def standing(scheme: TierScheme, state: TierState, time_zone: str) -> Cycle:
    """The cycle that an account stands in: from its last review, or its opening, to the next."""
    joined_on, reviewed_at = state.joined_on, state.reviewed_at
    if reviewed_at is None:
        return cycle_of(scheme.window, joined_on, joined_on, time_zone)
    if scheme.window is Window.ANNIVERSARY:
        return _since(Window.ANNIVERSARY, joined_on, reviewed_at, None, time_zone)
    # Their cycles do not depend on the account: all accounts share a few.
    grace_until = state.grace_until if scheme.is_rolling else None
    return _since(scheme.window, date.min, reviewed_at, grace_until, time_zone)


@lru_cache(maxsize=1 << 14)
def _since(
    window: Window,
    joined_on: date,
    reviewed_at: datetime,
    grace_until: datetime | None,
    time_zone: str,
) -> Cycle:
    day = local_day(reviewed_at, time_zone)
    if grace_until is not None:
        return _months(day.replace(day=1), local_day(grace_until, time_zone), time_zone)
    return cycle_of(window, joined_on, day, time_zone)


def reviewed(scheme: TierScheme, state: TierState, time_zone: str) -> Cycle | None:
    """The cycle that the last review was the end of; None if there was none by these rules."""
    if state.reviewed_at is None:
        return None
    joined_on = state.joined_on if scheme.window is Window.ANNIVERSARY else date.min
    return _until(scheme.window, joined_on, state.reviewed_at, time_zone)


@lru_cache(maxsize=1 << 14)
def _until(window: Window, joined_on: date, reviewed_at: datetime, time_zone: str) -> Cycle | None:
    cycle = cycle_of(window, joined_on, local_day(reviewed_at - _INSTANT, time_zone), time_zone)
    return cycle if cycle.ends_at == reviewed_at else None


# --- counts -----------------------------------------------------------------------------------


class Sheet:
    """What was counted, by days in their order, so that the sum of any stretch is at hand."""

    __slots__ = ("_sums", "days")

    def __init__(self, scheme: TierScheme, days: Mapping[date, Count]) -> None:
        place = scheme.place
        self.days = sorted(days)
        self._sums = list(accumulate((days[day][place] for day in self.days), initial=0))

    def between(self, first: date, end: date) -> int:
        """What was counted from *first* to before *end*."""
        days = self.days
        if end <= first:
            return 0
        return self._sums[bisect_left(days, end)] - self._sums[bisect_left(days, first)]

    def next_from(self, day: date) -> date | None:
        """The first day with a count on *day* or later."""
        place = bisect_left(self.days, day)
        return self.days[place] if place < len(self.days) else None

    def stretch(self, first: date, end: date) -> list[date]:
        """The days with a count from *first* to before *end*."""
        return self.days[bisect_left(self.days, first) : bisect_left(self.days, end)]


def level(scheme: TierScheme, counted: int) -> int:
    """The rank of the highest tier that asks for no more than was *counted*."""
    return bisect_right(scheme.thresholds, counted)


def counted_by(scheme: TierScheme, sheet: Sheet, cycle: Cycle, end: date) -> int:
    """What the window counts at the end of the day before *end*."""
    if scheme.is_rolling:
        return sheet.between(a_year_to(end - _DAY), end)
    return sheet.between(cycle.first, min(end, cycle.end))


def reached(scheme: TierScheme, sheet: Sheet, cycle: Cycle, end: date) -> int:
    """The rank that was reached in *cycle* before *end*.

    Days that leave a rolling window lower its sum alone; so the highest is on a day with a count.
    """
    end = min(end, cycle.end)
    if not scheme.is_rolling:
        return level(scheme, sheet.between(cycle.first, end))
    highest = (sheet.between(a_year_to(day), day + _DAY) for day in sheet.stretch(cycle.first, end))
    return level(scheme, max(highest, default=0))


def rises(scheme: TierScheme, sheet: Sheet, cycle: Cycle, end: date, above: int) -> Iterator[Rise]:
    """The days in *cycle* before *end* on which tiers higher than *above* were reached."""
    most = reached(scheme, sheet, cycle, end)
    for day in sheet.stretch(cycle.first, min(end, cycle.end)):
        if above >= most:
            return
        counted = counted_by(scheme, sheet, cycle, day + _DAY)
        if (there := min(level(scheme, counted), most)) > above:
            above = there
            yield Rise(day, there, counted)
