"""Any period, the one before it, and the pieces that a chart is made of. Pure.

Days are local days; *until* is the first day that is no longer part of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

#: No period has more days (twenty years).
MOST_DAYS = 7_305
_DAY = timedelta(days=1)


class Named(StrEnum):
    """Periods that have a name; any other is said by its first and its last day."""

    DAYS_7 = "7-days"
    DAYS_30 = "30-days"
    DAYS_90 = "90-days"
    THIS_MONTH = "this-month"
    LAST_MONTH = "last-month"
    THIS_YEAR = "this-year"
    MONTHS_12 = "12-months"


class Grain(StrEnum):
    """What a chart is divided into."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


#: Up to how many days a period is divided into these.
_GRAINS = ((Grain.DAY, 45), (Grain.WEEK, 200), (Grain.MONTH, 1_200), (Grain.QUARTER, 3_700))


@dataclass(frozen=True, slots=True)
class Period:
    """The days from *first* to before *until*."""

    first: date
    until: date

    def __post_init__(self) -> None:
        if not 0 < (self.until - self.first).days <= MOST_DAYS:
            raise ValueError("a period has one to some thousand days")

    @property
    def last(self) -> date:
        """Its last day."""
        return self.until - _DAY

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.until - self.first).days

    @property
    def before(self) -> "Period":
        """The one before: as many whole months where it is whole months, else as many days."""
        if self.first.day == 1 and self.until.day == 1:
            return Period(_months_on(self.first, _months(self.until, self.first)), self.first)
        return Period(self.first - timedelta(days=self.days), self.first)

    @property
    def grain(self) -> Grain:
        """What a chart of it is divided into: into as many pieces as one can tell apart."""
        for grain, most_days in _GRAINS:
            if self.days <= most_days:
                return grain
        return Grain.YEAR

    def pieces(self) -> list["Period"]:
        """Its days, weeks (from Monday), months, quarters or years; cut off at both ends."""
        found = []
        first = self.first
        while first < self.until:
            until = min(_next(first, self.grain), self.until)
            found.append(Period(first, until))
            first = until
        return found


def named(name: Named, today: date) -> Period:
    """A period by its name; *today* is part of all but the last month."""
    tomorrow = today + _DAY
    month = today.replace(day=1)
    match name:
        case Named.DAYS_7 | Named.DAYS_30 | Named.DAYS_90:
            return Period(tomorrow - timedelta(days=int(name.partition("-")[0])), tomorrow)
        case Named.THIS_MONTH:
            return Period(month, tomorrow)
        case Named.LAST_MONTH:
            return Period(_months_on(month, -1), month)
        case Named.THIS_YEAR:
            return Period(today.replace(month=1, day=1), tomorrow)
        case Named.MONTHS_12:
            return Period(_months_on(month, -11), tomorrow)


def asked_for(words: Mapping[str, str], today: date) -> tuple[Period, Named | None, str | None]:
    """The period that a page was asked for (`period`, or `from` and `to`), by its name if it has
    one; and the name of the word that could not be understood. Then it is the last 30 days."""
    first, last = words.get("from", ""), words.get("to", "")
    wrong = None
    if first or last:
        try:
            begun = date.fromisoformat(first)
        except ValueError:
            wrong = "from"
        else:
            try:
                return Period(begun, date.fromisoformat(last) + _DAY), None, None
            except (ValueError, OverflowError):
                wrong = "to"
    name = words.get("period", "")
    if name and name not in list(Named) and wrong is None:
        wrong = "period"
    known = Named(name) if name in list(Named) else Named.DAYS_30
    return named(known, today), known, wrong


def _next(day: date, grain: Grain) -> date:
    match grain:
        case Grain.DAY:
            return day + _DAY
        case Grain.WEEK:
            return day + timedelta(days=7 - day.weekday())
        case Grain.MONTH:
            return _months_on(day.replace(day=1), 1)
        case Grain.QUARTER:
            return _months_on(day.replace(day=1), 3 - (day.month - 1) % 3)
        case Grain.YEAR:
            return day.replace(year=day.year + 1, month=1, day=1)


def _months(day: date, other: date) -> int:
    return (other.year - day.year) * 12 + other.month - day.month


def _months_on(first: date, months: int) -> date:
    number = first.year * 12 + first.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)


def month_after(first: date, months: int) -> date:
    """The first day of the month so many months later (or earlier)."""
    return _months_on(first, months)
