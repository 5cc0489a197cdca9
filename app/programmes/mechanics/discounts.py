"""Discount cards: a share off every purchase, fixed or rising with what was spent. Pure.

    {"code": "card", "names": {"en": "Member's discount"}, "percent": "5"}
    {"code": "card", "names": {"en": "Builder's discount"}, "kind": "marginal",
     "scale": [{"from": "0", "percent": "3"}, {"from": "500", "percent": "5"}],
     "months": 12, "tiers": ["gold"], "accounts": ["company"], "excluded_categories": ["tobacco"]}

Spending counts over the last *months* (0: ever), as it counts for tiers: without what came back.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from app.programmes.fields import Wrong, categories, choice, decimal, whole
from app.programmes.mechanics import _reading, scales
from app.programmes.mechanics.scales import Part, Step
from app.programmes.rules.segments import ACCOUNT_KINDS


@dataclass(frozen=True, slots=True)
class Discount:
    """One discount of a programme."""

    code: str
    names: Mapping[str, str]
    kind: str = "fixed"
    percent: Decimal = Decimal(0)
    scale: tuple[Step, ...] = ()
    months: int = 0
    tiers: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    excluded_categories: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """As it is kept."""
        kept = _reading.as_json(self)
        return kept | ({"scale": [step.as_json() for step in self.scale]} if self.scale else {})

    def name(self, language: str) -> str:
        """What it is called."""
        return _reading.in_language(self.names, language, self.code)

    def is_for(self, groups: frozenset[str], account_kind: str) -> bool:
        """Whether an account of this kind gets it; *groups* are its tier and its clubs."""
        return (not self.tiers or not groups.isdisjoint(self.tiers)) and (
            not self.accounts or account_kind in self.accounts
        )

    def takes_off(self, category: str | None) -> bool:
        """Whether goods of this category are cheaper by it."""
        return category is None or category.strip().casefold() not in {
            each.strip().casefold() for each in self.excluded_categories
        }

    def parts(self, spent_minor: int, amount_minor: int, exponent: int) -> list[Part]:
        """A purchase at its percents, by what was spent before it."""
        if self.kind == "fixed":
            return [Part(amount_minor, self.percent)]
        return scales.parts(self.scale, self.kind, spent_minor, amount_minor, exponent)

    def percent_at(self, spent_minor: int, exponent: int) -> Decimal:
        """What the next purchase begins with."""
        if self.kind == "fixed":
            return self.percent
        return scales.share_at(self.scale, spent_minor, exponent)

    def next_step(self, spent_minor: int, exponent: int) -> tuple[int, Decimal] | None:
        """What is missing to the next step in minor units, and its percent."""
        return scales.next_step(self.scale, spent_minor, exponent)


def account_kinds(value: Any) -> tuple[str, ...]:
    """Kinds of accounts. Raises `Wrong`."""
    found = _reading.codes(value)
    if wrong := set(found) - set(ACCOUNT_KINDS):
        raise Wrong(f"there are no {min(wrong)!r} accounts; choose of {', '.join(ACCOUNT_KINDS)}.")
    return found


_READERS = {
    "code": _reading.code,
    "names": _reading.names,
    "kind": choice("fixed", scales.SLAB, scales.MARGINAL),
    "percent": decimal(100, decimals=4),
    "scale": scales.read,
    "months": whole(0, 120),
    "tiers": _reading.codes,
    "accounts": account_kinds,
    "excluded_categories": categories,
}


def read(value: Any) -> tuple[Discount, ...]:
    """The discounts of a programme. Raises `Wrong`."""
    return _reading.many("Discount", _read_one, value, lambda each: each.code)


def _read_one(value: Any) -> Discount:
    found = Discount(**_reading.items("a discount", _READERS, {"code", "names"}, value))
    if found.kind == "fixed" and (found.scale or not found.percent):
        raise Wrong('percent: say how much; or choose the kind "slab" or "marginal" for a scale.')
    if found.kind != "fixed" and (found.percent or not found.scale):
        raise Wrong("scale: give its steps, and no percent besides.")
    return found
