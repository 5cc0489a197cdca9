"""What a programme's tiers are and where an account stands."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType
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
    OPENING = "opening"
    MERGED = "merged"
    RULES = "rules"


@dataclass(frozen=True, slots=True)
class Level:
    """One tier: *code* stays for ever, *at_least* is in points or in minor units."""

    code: str
    at_least: int


@dataclass(frozen=True, slots=True)
class TierScheme:
    """The tiers of a programme, the lowest first; below the first there is none.

    Raises `ValueError` where thresholds do not rise or a code comes twice.
    """

    levels: tuple[Level, ...]
    measure: Measure = Measure.POINTS
    window: Window = Window.CALENDAR
    downgrade: Downgrade = Downgrade.RECOMPUTED
    grace_days: int = 0

    #: Made of the above once, since every accrual asks: 0 is no tier, 1 the lowest.
    ranks: Mapping[str | None, int] = field(init=False, repr=False, compare=False)
    thresholds: tuple[int, ...] = field(init=False, repr=False, compare=False)
    is_rolling: bool = field(init=False, repr=False, compare=False)
    #: Which number of a `Count` counts.
    place: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        thresholds = tuple(level.at_least for level in self.levels)
        ranks: dict[str | None, int] = {None: 0}
        ranks |= {level.code: number for number, level in enumerate(self.levels, 1)}
        if list(thresholds) != sorted(set(thresholds)) or len(ranks) <= len(thresholds):
            raise ValueError("the tiers of a scheme have codes of their own and rise")
        put = object.__setattr__  # It is frozen to everybody else.
        put(self, "thresholds", thresholds)
        put(self, "ranks", MappingProxyType(ranks))
        put(self, "is_rolling", self.window is Window.ROLLING)
        put(self, "place", 0 if self.measure is Measure.POINTS else 1)

    def code(self, number: int) -> str | None:
        """The tier of a rank; none for 0."""
        return self.levels[number - 1].code if number else None


class Count(NamedTuple):
    """What one local day counts: points earned, and money spent in minor units."""

    points: int
    spend_minor: int


@dataclass(slots=True)
class TierState:
    """Where an account stands. *joined_on* is the local day on which it was opened.

    *tier* is shown. The last review was at *reviewed_at*; *before* is what had been kept until it,
    *kept* what it left. *grace_until* is the end of the grace that it gave, also when that is over
    by now. *review_at* is when something is due although nobody posts; *changed_at* the moment
    from which the last change took effect.
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
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A tier that changed at *effective_from*, because of what had been *counted* by then."""

    from_tier: str | None
    to_tier: str | None
    reason: TierReason
    counted: int
    effective_from: datetime


def rank(scheme: TierScheme, code: str | None) -> int:
    """How high a tier is: 0 for none and for one that the scheme does not know, 1 the lowest."""
    return scheme.ranks.get(code, 0)
