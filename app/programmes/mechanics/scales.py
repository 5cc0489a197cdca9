"""Scales that rise with what was spent: a share for each step, slab or marginal. Pure.

    [{"from": "0", "percent": "3"}, {"from": "500", "percent": "5"}]

On a *slab* scale the step that was reached before the purchase counts for all of it. On a
*marginal* one every part of the purchase counts at the step that it falls into, as with a tax:
whoever has spent 480 and buys for 50 gets 3 % of the first 20 and 5 % of the other 30, so that two
purchases are worth what one of both would be.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise
from typing import Any

from app.programmes.fields import Wrong, decimal
from app.programmes.mechanics import _reading

SLAB, MARGINAL = "slab", "marginal"
MOST_STEPS = 20
_HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class Step:
    """From *at_least* on (major units of the programme's currency) the share is *percent*."""

    at_least: Decimal
    percent: Decimal

    def as_json(self) -> dict[str, str]:
        """As it is kept."""
        return {"from": str(self.at_least), "percent": str(self.percent)}


@dataclass(frozen=True, slots=True)
class Part:
    """So much of a purchase, in minor units, at so many percent."""

    minor: int
    percent: Decimal


def parts(
    steps: Sequence[Step], kind: str, spent_minor: int, amount_minor: int, exponent: int
) -> list[Part]:
    """The purchase of *amount_minor* by whoever has spent *spent_minor* before, step by step."""
    spent_minor = max(0, spent_minor)
    if kind == SLAB:
        return [Part(amount_minor, _share(steps, spent_minor, exponent))]
    found: list[Part] = []
    at, end = spent_minor, spent_minor + amount_minor
    for bound in [*(_minor(step, exponent) for step in steps), end]:
        upto = min(bound, end)
        if upto > at:
            found.append(Part(upto - at, _share(steps, at, exponent)))
            at = upto
    if at < end:
        found.append(Part(end - at, _share(steps, at, exponent)))
    return found


def worth_minor(found: Sequence[Part]) -> int:
    """What the parts come to, rounded once, half up: the member keeps what is in doubt."""
    exact = sum((part.minor * part.percent for part in found), Decimal(0)) / _HUNDRED
    return int(exact.to_integral_value(ROUND_HALF_UP))


def share_at(steps: Sequence[Step], spent_minor: int, exponent: int) -> Decimal:
    """The percent that whoever has spent so much gets next."""
    return _share(steps, max(0, spent_minor), exponent)


def next_step(steps: Sequence[Step], spent_minor: int, exponent: int) -> tuple[int, Decimal] | None:
    """How much is missing to the next step, in minor units, and its percent; None at the top."""
    for step in steps:
        missing = _minor(step, exponent) - max(0, spent_minor)
        if missing > 0:
            return missing, step.percent
    return None


def _share(steps: Sequence[Step], spent_minor: int, exponent: int) -> Decimal:
    reached = [step.percent for step in steps if _minor(step, exponent) <= spent_minor]
    return reached[-1] if reached else Decimal(0)


def _minor(step: Step, exponent: int) -> int:
    return int(step.at_least.scaleb(exponent))


_STEP = {
    "from": decimal(Decimal(1_000_000_000), zero=True),
    "percent": decimal(100, zero=True, decimals=4),
}


def read(value: Any) -> tuple[Step, ...]:
    """The steps of a scale, rising. Raises `Wrong`."""
    if not isinstance(value, list | tuple) or not 0 < len(value) <= MOST_STEPS:
        raise Wrong(f"give a list of 1 to {MOST_STEPS} steps.")
    found = []
    for place, each in enumerate(value, 1):
        try:
            part = _reading.items("a step", _STEP, {"from", "percent"}, each)
        except Wrong as wrong:
            raise Wrong(f"step {place}: {wrong}") from wrong
        found.append(Step(part["from"], part["percent"]))
    for before, after in pairwise(found):
        if after.at_least <= before.at_least:
            raise Wrong("each step begins at more than the one before it.")
    return tuple(found)
