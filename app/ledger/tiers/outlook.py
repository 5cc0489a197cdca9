"""How far an account is: for the card and for the cashier."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from app.ledger.tiers.assessment import assess
from app.ledger.tiers.model import Count, Level, TierScheme, TierState, rank
from app.ledger.tiers.review import counts_from
from app.ledger.tiers.windows import (
    Cycle,
    Sheet,
    a_year_to,
    counted_by,
    local_day,
    midnight,
    reached,
    reviewed,
    standing,
)

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Progress:
    """What is *counted* now, in points or minor units, and what it lacks.

    *tier* is shown; *missing* is what the next level lacks (None: there is none higher), if it
    comes before *until*: then what counts now begins to leave the window (None: nothing does).
    *keep_missing* is what the tier without an override still lacks to be kept beyond *keep_by*
    (None: there is nothing to keep). These moments are the first without.
    """

    tier: str | None
    counted: int
    next_level: Level | None
    missing: int | None
    until: datetime | None
    keep_missing: int
    keep_by: datetime | None


def progress(
    scheme: TierScheme,
    state: TierState,
    days: Mapping[date, Count],
    now: datetime,
    time_zone: str,
) -> Progress:
    """How far an account is at *now*; *days* as for `assess`. Changes nothing."""
    state = replace(state)
    assess(scheme, state, days, now, time_zone)
    sheet, cycle = Sheet(scheme, days), standing(scheme, state, time_zone)
    today = local_day(now, time_zone)
    counted = counted_by(scheme, sheet, cycle, today + _DAY if scheme.is_rolling else cycle.end)
    tier = rank(scheme, state.tier)
    next_level = scheme.levels[tier] if tier < len(scheme.levels) else None
    keep_missing, keep_by = _to_keep(scheme, state, sheet, cycle, now, time_zone)
    until: datetime | None = cycle.ends_at
    if scheme.is_rolling:
        until = _first_to_leave(sheet, today, time_zone)
    return Progress(
        tier=state.tier,
        counted=counted,
        next_level=next_level,
        missing=None if next_level is None else max(0, next_level.at_least - counted),
        until=until,
        keep_missing=keep_missing,
        keep_by=keep_by,
    )


def _first_to_leave(sheet: Sheet, today: date, time_zone: str) -> datetime | None:
    """When the first day that counts leaves the twelve months that end with *today*."""
    for day in sheet.stretch(a_year_to(today), today + _DAY):
        if sheet.between(day, day + _DAY):
            leaves = day + timedelta(days=365)
            while a_year_to(leaves) <= day:
                leaves += _DAY
            return midnight(leaves, time_zone)
    return None


def _to_keep(
    scheme: TierScheme,
    state: TierState,
    sheet: Sheet,
    cycle: Cycle,
    now: datetime,
    time_zone: str,
) -> tuple[int, datetime | None]:
    """What the tier lacks to stay, and until when it is sure to."""
    there = reached(scheme, sheet, cycle, cycle.end)
    base = max(rank(scheme, state.kept), there)
    if not base:
        return 0, None
    counted = sheet.between(counts_from(scheme, cycle), cycle.end)
    keep_by = cycle.ends_at
    if state.grace_until is not None and now < state.grace_until and there < base:
        past = reviewed(scheme, state, time_zone)
        counted = 0 if past is None else sheet.between(counts_from(scheme, past), cycle.end)
        keep_by = state.grace_until
    return max(0, scheme.thresholds[base - 1] - counted), keep_by
