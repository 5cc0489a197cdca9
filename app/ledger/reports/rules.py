"""The arithmetic of the reports. Pure: points, dates and decimals in, whole numbers out.

Money is rounded once, half up, to minor units of the programme's currency.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, localcontext
from enum import StrEnum
from zoneinfo import ZoneInfo

from app.errors import Invalid
from app.ledger.rules import add_months, start_of_day

#: An expected share is kept to so many decimals, so that what is printed gives what is computed.
SHARE_DECIMALS = Decimal("0.000001")
#: A report has at most so many periods; what came before them is summed up in one.
MOST_PERIODS = 240
_INSTANT = timedelta(microseconds=1)


class Every(StrEnum):
    """How long a period is."""

    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


_MONTHS = {Every.MONTH: 1, Every.QUARTER: 3, Every.YEAR: 12}


# --- money ------------------------------------------------------------------------------------


def worth_minor(points: int, point_value: Decimal, exponent: int) -> int:
    """What *points* are worth in minor units; *point_value* is in major units a point.

    *exponent* is the number of decimals of the currency. A negative number of points is worth
    exactly the negative of the positive one.
    """
    with localcontext(prec=60):
        exact = points * point_value.scaleb(exponent)
        return int(exact.to_integral_value(ROUND_HALF_UP))


def recognised_to_date(allocated_minor: int, redeemed: int, expected: int) -> int:
    """Revenue to date: allocated x redeemed / expected to be redeemed, never more than allocated.

    Where nothing is expected to be redeemed nothing is recognised.
    """
    if redeemed >= expected:
        return allocated_minor if expected > 0 else 0
    return (2 * allocated_minor * max(0, redeemed) + expected) // (2 * expected)


def recognised(allocated_minor: int, redeemed: int, expected: int, before_minor: int) -> int:
    """Revenue of a period: what is recognised to date less what was *before* (rule of ASC 606).

    A changed expectation is caught up with in the period in which it changed.
    """
    return recognised_to_date(allocated_minor, redeemed, expected) - before_minor


# --- expectation ------------------------------------------------------------------------------


def share_of(redeemed: int, lapsed: int) -> Decimal | None:
    """The share that was redeemed of points whose time is over; None where there are none."""
    over = redeemed + lapsed
    if over <= 0:
        return None
    share = (Decimal(redeemed) / Decimal(over)).quantize(SHARE_DECIMALS, ROUND_HALF_UP)
    return min(Decimal(1), max(Decimal(0), share))


def expected_redeemed(issued: int, redeemed: int, lapsed: int, share: Decimal) -> int:
    """How many of the points *issued* to date will have been redeemed in the end.

    At least those that were, and at most those that have not lapsed.
    """
    with localcontext(prec=60):
        hoped = int((issued * share).to_integral_value(ROUND_HALF_UP))
    return max(redeemed, min(hoped, issued - lapsed))


# --- periods ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Period:
    """From *start* to before *end* (UTC); *first* is its first local day, *whole*: it is over."""

    first: date
    start: datetime
    end: datetime
    whole: bool = True


def begin_of(day: date, every: Every) -> date:
    """The first day of the month, quarter or year that *day* is in."""
    months = _MONTHS[every]
    return date(day.year, (day.month - 1) // months * months + 1, 1)


def periods(since: date, before: datetime, *, every: Every, time_zone: str) -> list[Period]:
    """The periods from the one with *since* in it to the one that *before* ends in or cuts off.

    Raises `Invalid` where there would be more than `MOST_PERIODS`.
    """
    found: list[Period] = []
    first = begin_of(since, every)
    start = start_of_day(first, time_zone)
    while start < before:
        if len(found) == MOST_PERIODS:
            raise Invalid(f"These are more than {MOST_PERIODS} periods: begin later.")
        following = add_months(first, _MONTHS[every])
        end = start_of_day(following, time_zone)
        found.append(Period(first, start, min(end, before), whole=end <= before))
        first, start = following, end
    return found


def last_day(expires_at: datetime, time_zone: str) -> date:
    """The last local day on which points with that expiry can be used."""
    return (expires_at - _INSTANT).astimezone(ZoneInfo(time_zone)).date()


def after(moment: datetime) -> datetime:
    """The bound that leaves *moment* itself in: reports take what is before a bound."""
    return moment.astimezone(UTC) + _INSTANT


# --- debt -------------------------------------------------------------------------------------


@dataclass(slots=True)
class OpenLot:
    """What is left of a lot at the moment of a report; *free* is what no hold reserves."""

    key: tuple[object, ...]
    sequence: int
    left: int
    free: int
    available_from: datetime | None
    expires_at: datetime | None


_NEVER = datetime.max.replace(tzinfo=UTC)


def repay(lots: Iterable[OpenLot], debt: int, before: datetime) -> list[tuple[OpenLot, int]]:
    """What *lots* repay of *debt* by the time of a report, although nobody has written it yet.

    A lot repays when it becomes available, in draw order, as the ledger will write it the next
    time that somebody looks at the account.
    """
    ready = [each for each in lots if each.available_from and each.available_from < before]
    ready.sort(key=lambda lot: (lot.expires_at or _NEVER, lot.sequence))
    moments = {each.available_from for each in ready if each.available_from is not None}
    paid: dict[int, tuple[OpenLot, int]] = {}
    for moment in sorted(moments | {before - _INSTANT}):
        for lot in ready:
            if lot.available_from is None or lot.available_from > moment:
                continue
            if lot.expires_at is not None and lot.expires_at <= moment:
                continue
            done = paid.get(lot.sequence, (lot, 0))[1]
            part = min(debt, lot.free - done)
            if part > 0:
                paid[lot.sequence] = (lot, done + part)
                debt -= part
    return list(paid.values())
