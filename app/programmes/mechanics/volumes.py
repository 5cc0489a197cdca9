"""Volume bonuses: points for what an account bought in a whole month, quarter or year. Pure.

    {"code": "trade", "names": {"en": "Volume bonus"}, "every": "quarter", "kind": "marginal",
     "scale": [{"from": "5000", "percent": "1"}, {"from": "20000", "percent": "2"}],
     "accounts": ["company"], "after_days": 14}

The percents are of what was spent, without what came back; they are given as points, at what a
point is worth. That happens *after_days* local days after the period: until then returns count.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from app.ledger.rules import add_months
from app.programmes.fields import Wrong, choice, whole
from app.programmes.mechanics import _reading, scales
from app.programmes.mechanics.discounts import account_kinds
from app.programmes.mechanics.scales import Step

MONTHS = {"month": 1, "quarter": 3, "year": 12}


@dataclass(frozen=True, slots=True)
class Volume:
    """One volume bonus of a programme."""

    code: str
    names: Mapping[str, str]
    every: str
    scale: tuple[Step, ...]
    kind: str = scales.MARGINAL
    accounts: tuple[str, ...] = ("company",)
    after_days: int = 14

    def as_json(self) -> dict[str, Any]:
        """As it is kept."""
        return _reading.as_json(self) | {"scale": [step.as_json() for step in self.scale]}

    def name(self, language: str) -> str:
        """What it is called."""
        return _reading.in_language(self.names, language, self.code)

    def period_of(self, day: date) -> tuple[date, date]:
        """The period of a day: its first day, and the first one after it."""
        months = MONTHS[self.every]
        first = day.replace(month=(day.month - 1) // months * months + 1, day=1)
        return first, add_months(first, months)

    def points(self, spent_minor: int, point_value: Decimal, exponent: int) -> int:
        """What so much is worth; the bonus is rounded to a minor unit, then down to a point."""
        if spent_minor <= 0:
            return 0
        if self.kind == scales.SLAB:
            # The step that the whole period reached counts for all of it.
            percent = scales.share_at(self.scale, spent_minor, exponent)
            worth = scales.worth_minor([scales.Part(spent_minor, percent)])
        else:
            worth = scales.worth_minor(
                scales.parts(self.scale, scales.MARGINAL, 0, spent_minor, exponent)
            )
        return int(Decimal(worth) // point_value.scaleb(exponent))


_READERS = {
    "code": _reading.code,
    "names": _reading.names,
    "every": choice(*MONTHS),
    "scale": scales.read,
    "kind": choice(scales.SLAB, scales.MARGINAL),
    "accounts": account_kinds,
    "after_days": whole(0, 60),
}


def read(value: Any) -> tuple[Volume, ...]:
    """The volume bonuses of a programme. Raises `Wrong`."""
    return _reading.many("Volume bonus", _read_one, value, lambda each: each.code)


def _read_one(value: Any) -> Volume:
    needed = {"code", "names", "every", "scale"}
    found = Volume(**_reading.items("a volume bonus", _READERS, needed, value))
    if not found.accounts:
        raise Wrong('accounts: say whose, such as ["company"].')
    return found
