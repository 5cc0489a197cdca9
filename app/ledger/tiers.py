"""Tiers: what an account has to earn or spend for one, and what follows from what it did. Pure.

A tier follows from three things: what was kept at the last review, what was reached since, and an
override by hand that lifts it until a date. Each may change by itself; the tier is the highest.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple


class Measure(StrEnum):
    """What counts towards a tier; never the balance."""

    POINTS = "points"
    SPEND = "spend"


class Window(StrEnum):
    """The time that counts, and when tiers are reviewed."""

    #: The local calendar year; reviewed when it ends.
    CALENDAR = "calendar"
    #: The year since the account was opened, and each one after it; reviewed when it ends.
    ANNIVERSARY = "anniversary"
    #: The twelve months before any moment; reviewed on the first of each month.
    ROLLING = "rolling"


class Downgrade(StrEnum):
    """How far a review may lower a tier."""

    ONE_STEP = "one_step"
    RECOMPUTED = "recomputed"


class TierReason(StrEnum):
    """Why a tier changed."""

    EARNED = "earned"
    LATE_RECEIPT = "late_receipt"
    RETURNED = "returned"
    REVIEW = "review"
    GRACE_OVER = "grace_over"
    OVERRIDE = "override"
    OVERRIDE_OVER = "override_over"
    MERGED = "merged"
    RULES = "rules"


@dataclass(frozen=True, slots=True)
class Level:
    """One tier: *code* stays for ever, *at_least* is in points or in minor units."""

    code: str
    at_least: int


@dataclass(frozen=True, slots=True)
class TierScheme:
    """The tiers of a programme, the lowest first; below the first there is none."""

    levels: tuple[Level, ...]
    measure: Measure = Measure.POINTS
    window: Window = Window.CALENDAR
    downgrade: Downgrade = Downgrade.RECOMPUTED
    grace_days: int = 0


class Count(NamedTuple):
    """What one local day counts: points earned, and money spent in minor units."""

    points: int
    spend_minor: int


@dataclass(slots=True)
class TierState:
    """Where an account stands. *joined_on* is the local day on which it was opened.

    *before* is the tier as it was when the last review began, *kept* what that review left,
    *reviewed_at* its moment; *review_at* is when something is due although nobody posts.
    """

    joined_on: date
    tier: str | None = None
    before: str | None = None
    kept: str | None = None
    reviewed_at: datetime | None = None
    grace_until: datetime | None = None
    override: str | None = None
    override_until: datetime | None = None
    review_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A tier that changed at *effective_from*, because of what had been *counted* by then."""

    from_tier: str | None
    to_tier: str | None
    reason: TierReason
    counted: int
    effective_from: datetime


def earliest_day(scheme: TierScheme, state: TierState, now: datetime, time_zone: str) -> date:
    """The first day whose count `assess` may need."""
    raise NotImplementedError


def assess(
    scheme: TierScheme,
    state: TierState,
    days: Mapping[date, Count],
    now: datetime,
    time_zone: str,
    *,
    because: TierReason = TierReason.EARNED,
    happened_at: datetime | None = None,
) -> Sequence[Change]:
    """Bring *state* up to *now* and say what changed, in its order."""
    raise NotImplementedError
