"""What a review decides, from what was kept before it and what was counted."""

from datetime import date, datetime, timedelta
from typing import NamedTuple

from app.ledger.tiers.model import Downgrade, TierScheme
from app.ledger.tiers.windows import (
    Cycle,
    Sheet,
    a_year_to,
    counted_by,
    cycle_of,
    level,
    midnight,
    reached,
)

_DAY = timedelta(days=1)


class Verdict(NamedTuple):
    """What a review leaves: the rank that is *kept*, for now, and the end of a grace."""

    kept: int
    grace_until: datetime | None
    counted: int


def judge(
    scheme: TierScheme,
    sheet: Sheet,
    before: int,
    cycle: Cycle,
    joined_on: date,
    time_zone: str,
    at: datetime,
) -> Verdict:
    """The review at the end of *cycle*, with the rank that was kept *before*, as it is at *at*.

    Until a grace is over the tier is kept as it was held at the review. When it is over, what the
    window and the grace counted together is kept, up to that tier; never less than without grace.
    """
    counted = counted_by(scheme, sheet, cycle, cycle.end)
    there = level(scheme, counted)
    held = max(before, reached(scheme, sheet, cycle, cycle.end))
    if there >= held:
        return Verdict(there, None, counted)
    lowest = max(there, held - 1) if scheme.downgrade is Downgrade.ONE_STEP else there
    if lowest == held or scheme.grace_days == 0:
        return Verdict(lowest, None, counted)
    end = cycle.end + timedelta(days=scheme.grace_days)
    if not scheme.is_rolling:
        end = min(end, cycle_of(scheme.window, joined_on, cycle.end, time_zone).end)
    grace_until = midnight(end, time_zone)
    if at < grace_until:
        return Verdict(held, grace_until, counted)
    counted = sheet.between(counts_from(scheme, cycle), end)
    return Verdict(max(lowest, min(held, level(scheme, counted))), grace_until, counted)


def counts_from(scheme: TierScheme, cycle: Cycle) -> date:
    """The first day that the review at the end of *cycle* counts."""
    return a_year_to(cycle.end - _DAY) if scheme.is_rolling else cycle.first
