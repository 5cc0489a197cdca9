"""Days, shares and values on the command line, and what they mean in a programme's zone."""

from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

import click

from app.errors import Invalid
from app.ledger import writing
from app.ledger.reports.rules import after
from app.ledger.rules import start_of_day
from app.programmes.models import Programme

_DAY = timedelta(days=1)


class Day(click.ParamType[date]):
    """A day as YYYY-MM-DD."""

    name = "YYYY-MM-DD"

    def convert(self, value: Any, param: Any, ctx: Any) -> date:
        """Read it."""
        try:
            return value if isinstance(value, date) else date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no day: write one such as 2026-06-30.", param, ctx)


class Number(click.ParamType[Decimal]):
    """An exact decimal from 0 to *highest*, with six decimals at most."""

    name = "NUMBER"

    def __init__(self, highest: int) -> None:
        self.highest = highest

    def convert(self, value: Any, param: Any, ctx: Any) -> Decimal:
        """Read it."""
        try:
            read = Decimal(value)
            if 0 <= read <= self.highest and read == round(read, 6):
                return read
        except InvalidOperation:
            pass
        text = f"{value!r}: write a number from 0 to {self.highest}, six decimals at most."
        self.fail(text, param, ctx)


since_option = click.option("--since", type=Day(), help="From this day on.")
until_option = click.option("--until", type=Day(), help="To the end of this day.")


def bounds(
    programme: Programme, since: date | None, until: date | None, now: datetime
) -> tuple[datetime | None, datetime]:
    """From the first instant of *since* to the first after *until*, or after *now*."""
    if since is not None and until is not None and until < since:
        raise Invalid("The time would end before it begins.")
    before = after(now)
    if until is not None:
        before = min(before, start_of_day(until + _DAY, programme.time_zone))
    begin = None if since is None else start_of_day(since, programme.time_zone)
    if begin is not None and begin >= before:
        raise Invalid("That time has not begun yet.")
    return begin, before


def spoken(programme: Programme, since: date | None, before: datetime, now: datetime) -> str:
    """The time of a report in words."""
    zone = programme.time_zone
    if before > now:
        end = "to " + writing.moment(now, zone, "en")
    else:
        end = "to the end of " + writing.last_day(before, zone, "en")
    begin = "" if since is None else f"from {writing.day(since, 'en')} "
    return f"{begin}{end} ({zone})"
