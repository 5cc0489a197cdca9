"""Tiers: what an account has to earn or spend for one, and what follows from what it did. Pure.

The tier that is shown is the highest of three:

* *kept*, what the last review left;
* what was *reached* since that review;
* an *override* by hand, until its end. It lifts and never lowers.

**Windows** are local days of the programme's zone. A calendar year; a year since the account was
opened (29 February is 28 February in the other years); or, at each day, the twelve months that
end with it: the days after the same day a year before (rules: `add_months`, which clamps).

**Reached** means ``>=``. An upgrade takes effect at once and stays until the next review: with
rolling windows the highest sum since the review counts, so days that leave the window lower
nothing. Only a review, the end of a grace or an override, and a return lower a tier.

**Reviews** are at local midnights: 1 January, the anniversary, or the first of each month. A
review compares what the window counted with the tier that was held by what the review before
left and by what was reached since. Recomputed, what was counted is kept; otherwise the tier falls
one step at most. With a *grace* nothing falls before the grace is over; what the reviewed window
and the grace count together is then kept, up to the tier as it was. While a grace runs there is
no further review; a year's next review ends a grace that is longer.

**Late.** A receipt or a return counts on the day of the receipt. Where that day was reviewed
already, the last review is done again. Reviews before it stand as they are: with rolling windows
and recomputed tiers the last one sees the same days anyway.

**Rules that change** take nothing away before the next review, except a tier that is no more;
what the new rules give is given at once.
"""

from app.ledger.tiers.assessment import assess, earliest_day, is_due
from app.ledger.tiers.by_hand import absorb, end_override, override
from app.ledger.tiers.model import (
    Change,
    Count,
    Downgrade,
    Level,
    Measure,
    TierReason,
    TierScheme,
    TierState,
    Window,
    rank,
)
from app.ledger.tiers.outlook import Progress, progress
from app.ledger.tiers.scheme import scheme_as_json, scheme_from_json

__all__ = [
    "Change",
    "Count",
    "Downgrade",
    "Level",
    "Measure",
    "Progress",
    "TierReason",
    "TierScheme",
    "TierState",
    "Window",
    "absorb",
    "assess",
    "earliest_day",
    "end_override",
    "is_due",
    "override",
    "progress",
    "rank",
    "scheme_as_json",
    "scheme_from_json",
]
