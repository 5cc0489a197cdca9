"""What one account adds to the sums, by the receipts that it kept. Pure.

The sums of many accounts are those of each, added up. So when an account's receipts change, what
it added before is taken off and what it adds now is put on, whatever the change was: one receipt
more, one that came late and belongs between two others, one that was brought back.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

#: In the place of a location: at none that is known, and in all of them together.
NOWHERE = "00000000-0000-0000-0000-000000000000"
ALL_LOCATIONS = "ffffffff-ffff-ffff-ffff-ffffffffffff"
#: In the place of the day of an earlier visit: there was none.
NEVER = date.min
#: Who comes within so many days after a message or a coupon came because of it.
ASKED_DAYS = 14


class Part(NamedTuple):
    """One entry about the money of a receipt: the sale itself, or what came back of it."""

    sequence: int
    is_sale: bool
    amount_minor: int
    #: It took back, or put back, all that was left of what it names.
    is_whole: bool


class Visit(NamedTuple):
    """A receipt of which something was kept; *spend_minor* in the programme's money."""

    day: date
    occurred_at: datetime
    location_id: str
    spend_minor: int


class Cell(NamedTuple):
    """A row of `models.InsightReturn`."""

    location_id: str
    day: date
    before: date


class Returned(NamedTuple):
    """What stands in such a row."""

    one: int = 0
    two: int = 0
    own_one: int = 0
    own_two: int = 0


class Cohort(NamedTuple):
    """A row of `models.InsightCohort`."""

    location_id: str
    first_month: date
    month: date


class Place(NamedTuple):
    """A row of `models.InsightDay`."""

    day: date
    location_id: str


class Brought(NamedTuple):
    """What `models.InsightDay` has of visits."""

    visits: int = 0
    receipts: int = 0
    spend_minor: int = 0


@dataclass(slots=True)
class Shares:
    """What accounts add to the sums; with minus what they no longer do."""

    days: dict[Place, Brought] = field(default_factory=dict)
    #: By name of the column.
    returns: dict[str, Counter[Cell]] = field(
        default_factory=lambda: {name: Counter() for name in Returned._fields}
    )
    cohorts: Counter[Cohort] = field(default_factory=Counter)

    def add(self, visits: Collection[Visit], asked: Collection[date], sign: int) -> None:
        """Put on (*sign* 1) or take off (-1) what an account adds by these visits.

        *asked* are the days on which it came because somebody had asked it to.
        """
        for visit in visits:
            place = Place(visit.day, visit.location_id)
            had = self.days.get(place, Brought())
            self.days[place] = Brought(
                had.visits + sign,
                had.receipts + sign * (visit.spend_minor > 0),
                had.spend_minor + sign * visit.spend_minor,
            )
        everywhere = sorted({visit.day for visit in visits})
        self._chain(ALL_LOCATIONS, everywhere, ("one", "two"), sign)
        own = [day for day in everywhere if day not in asked]
        self._chain(ALL_LOCATIONS, own, ("own_one", "own_two"), sign)
        self._months(ALL_LOCATIONS, everywhere, sign)
        locations = {visit.location_id for visit in visits}
        for location_id in locations - {NOWHERE}:
            days = everywhere
            if len(locations) > 1:
                days = sorted({each.day for each in visits if each.location_id == location_id})
            self._chain(location_id, days, ("one", "two"), sign)
            self._months(location_id, days, sign)

    def _chain(
        self, location_id: str, days: list[date], columns: tuple[str, str], sign: int
    ) -> None:
        ones, twos = (self.returns[name] for name in columns)
        one = two = NEVER
        for day in days:
            ones[Cell(location_id, day, one)] += sign
            twos[Cell(location_id, day, two)] += sign
            one, two = day, one

    def cells(self) -> dict[Cell, Returned]:
        """The rows of `models.InsightReturn` in which something changes."""
        changed = {
            cell for counts in self.returns.values() for cell, members in counts.items() if members
        }
        return {
            cell: Returned(*(self.returns[name][cell] for name in Returned._fields))
            for cell in changed
        }

    def _months(self, location_id: str, days: list[date], sign: int) -> None:
        if days:
            first = days[0].replace(day=1)
            for month in {day.replace(day=1) for day in days}:
                self.cohorts[Cohort(location_id, first, month)] += sign


def is_kept(parts: Iterable[Part]) -> bool:
    """Whether something of a receipt was kept.

    Of a receipt for nothing there is no money to tell by: it is gone while what took all of it
    back has not been put back itself.
    """
    parts = list(parts)
    sale = next((part for part in parts if part.is_sale), None)
    if sale is None:
        return False
    if sale.amount_minor > 0:
        return sum(part.amount_minor for part in parts) > 0
    return sum(part.is_whole for part in parts) % 2 == 0


def in_own_money(minor: int, rate: str | None, exponent: int, own_exponent: int) -> int:
    """Minor units of a foreign currency in the programme's, at the receipt's rate, to the nearest.

    *rate* is what one whole unit is worth (an exact decimal as text); empty: it is the same money.
    """
    if rate is None:
        return minor
    worth = Decimal(minor) * Decimal(rate) * Decimal(10) ** (own_exponent - exponent)
    return int(worth.quantize(Decimal(1), ROUND_HALF_UP))


def first_moments(visits: Iterable[Visit]) -> dict[date, datetime]:
    """When an account came on each day, the first time."""
    found: dict[date, datetime] = {}
    for visit in visits:
        if visit.day not in found or visit.occurred_at < found[visit.day]:
            found[visit.day] = visit.occurred_at
    return found


def asked_days(came: Mapping[date, datetime], nudges: Iterable[datetime]) -> set[date]:
    """Of the days on which an account came, those that follow a nudge within `ASKED_DAYS`."""
    moments = sorted(nudges)
    within = timedelta(days=ASKED_DAYS)
    return {
        day
        for day, moment in came.items()
        if any(nudge < moment <= nudge + within for nudge in moments)
    }
