"""What the holder of a card may do with an account that several share. Pure."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from app.errors import Invalid
from app.ledger.rules import local_day, start_of_day

#: No limit is higher: beyond this it limits nothing.
HIGHEST_LIMIT = 1_000_000_000


class Role(StrEnum):
    """What a card is good for."""

    #: Everything, and giving the others their roles.
    OWNER = "owner"
    #: Earns, and redeems within its limit.
    SPENDER = "spender"
    #: Earns only.
    COLLECTOR = "collector"


class Period(StrEnum):
    """The local time that a limit is for; a week begins on Monday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Holder:
    """A card's role; a spender may have a limit of so many points a period (None: none)."""

    role: Role = Role.OWNER
    limit: int | None = None
    period: Period | None = None


def read_holder(role: str, limit: int | None = None, period: str | None = None) -> Holder:
    """Check what was asked for. Raises `Invalid` that names the fields."""
    wrong: dict[str, list[str]] = {}
    if role not in list(Role):
        wrong["role"] = [f"Choose one of: {', '.join(Role)}."]
    if period is not None and period not in list(Period):
        wrong["period"] = [f"Choose one of: {', '.join(Period)}."]
    if limit is not None and (type(limit) is not int or not 1 <= limit <= HIGHEST_LIMIT):
        wrong["limit"] = [f"Give a whole number of points from 1 to {HIGHEST_LIMIT}."]
    elif (limit is None) != (period is None):
        wrong["period" if period is None else "limit"] = [
            "A limit is so many points a day, week or month: give both, or neither."
        ]
    elif limit is not None and role != Role.SPENDER:
        wrong["limit"] = ["Only a spender has a limit: an owner has none, a collector spends none."]
    if wrong:
        raise Invalid("A card cannot have this role like this.", wrong)
    return Holder(Role(role), limit, None if period is None else Period(period))


def window(period: Period, now: datetime, time_zone: str) -> tuple[datetime, datetime]:
    """The period that *now* is in: its first instant, and the first of the next, in UTC."""
    day = local_day(now, time_zone)
    first = {
        Period.DAY: day,
        Period.WEEK: day - timedelta(days=day.weekday()),
        Period.MONTH: day.replace(day=1),
    }[period]
    return start_of_day(first, time_zone), start_of_day(_next(period, first), time_zone)


def _next(period: Period, first: date) -> date:
    if period is Period.MONTH:
        return (first + timedelta(days=31)).replace(day=1)
    return first + timedelta(days=1 if period is Period.DAY else 7)
