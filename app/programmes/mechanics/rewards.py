"""Rewards: what points or a full stamp card are good for. Pure.

    {"code": "latte", "names": {"en": "A latte"}, "kind": "goods", "points": 100}
    {"code": "tenth", "names": {"en": "The tenth is free"}, "kind": "goods", "stamps": "coffee"}
    {"code": "off", "names": {"en": "Money off"}, "kind": "amount_off", "points_from": 100,
     "points_step": 50, "points_to": 1000}
    {"code": "fifth", "names": {"en": "20 % off"}, "kind": "percent_off", "percent": "20",
     "points": 300, "stock": 50, "valid_from": "2026-06-01", "valid_to": "2026-08-31",
     "tiers": ["gold"]}

A reward costs *points*, or one full card of *stamps*. Money off whose points are the cashier's
choice costs from *points_from* up to *points_to* in steps of *points_step*, and takes off what so
many points are worth. *stock* is how many there are in all; days are the programme's own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from babel.dates import format_date

from app.languages import _, current_language
from app.programmes.fields import Wrong, choice, decimal, whole
from app.programmes.mechanics import _reading

KIND = "reward"
KINDS = ("goods", "gift", "amount_off", "percent_off")
_MOST_POINTS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Reward:
    """One reward of a programme. Money is in major units of the programme's currency."""

    code: str
    names: Mapping[str, str]
    kind: str = "goods"
    points: int | None = None
    points_from: int | None = None
    points_step: int = 1
    points_to: int = _MOST_POINTS
    stamps: str | None = None
    amount: Decimal | None = None
    percent: Decimal | None = None
    stock: int | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    tiers: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """As it is kept."""
        return _reading.as_json(self)

    @property
    def is_open_price(self) -> bool:
        """Whether the cashier chooses how many points."""
        return self.points_from is not None

    def name(self, language: str) -> str:
        """What it is called."""
        return _reading.in_language(self.names, language, self.code)

    def why_not(self, today: date, tier: str | None) -> str | None:
        """Why it cannot be had on that local day in that tier, in the language that is spoken now
        (`app.languages.speaking`); None where it can."""
        if self.valid_from is not None and today < self.valid_from:
            return _("It can be had from %(day)s on.", day=_day(self.valid_from))
        if self.valid_to is not None and today > self.valid_to:
            return _("It could be had until %(day)s.", day=_day(self.valid_to))
        if self.tiers and tier not in self.tiers:
            return _("It is for members of %(tiers)s.", tiers=", ".join(self.tiers))
        return None

    def costs(self, chosen: int | None) -> int:
        """The points it costs. Raises `Wrong` where *chosen* is not what the cashier may choose."""
        if self.points_from is None:
            if chosen not in (None, self.points or 0):
                raise Wrong(f"It costs {self.points or 0} points: send no others.")
            return self.points or 0
        steps = 0 if chosen is None else chosen - self.points_from
        if chosen is None or steps < 0 or steps % self.points_step or chosen > self.points_to:
            raise Wrong(
                f"Choose from {self.points_from} to {self.points_to} points, "
                f"in steps of {self.points_step}."
            )
        return chosen


def _day(value: date) -> str:
    return str(format_date(value, "long", locale=current_language()))


_READERS = {
    "code": _reading.code,
    "names": _reading.names,
    "kind": choice(*KINDS),
    "points": _reading.or_none(whole(1, _MOST_POINTS)),
    "points_from": _reading.or_none(whole(1, _MOST_POINTS)),
    "points_step": whole(1, _MOST_POINTS),
    "points_to": whole(1, _MOST_POINTS),
    "stamps": _reading.or_none(_reading.code),
    "amount": _reading.or_none(decimal(1_000_000)),
    "percent": _reading.or_none(decimal(100, decimals=2)),
    "stock": _reading.or_none(whole(0, 1_000_000_000)),
    "valid_from": _reading.or_none(_reading.day),
    "valid_to": _reading.or_none(_reading.day),
    "tiers": _reading.codes,
}


def read(value: Any) -> tuple[Reward, ...]:
    """The rewards of a programme. Raises `Wrong`."""
    return _reading.many("Reward", _read_one, value, lambda reward: reward.code)


def _read_one(value: Any) -> Reward:
    reward = Reward(**_reading.items("a reward", _READERS, {"code", "names"}, value))
    prices = [reward.points, reward.points_from, reward.stamps]
    if sum(price is not None for price in prices) != 1:
        raise Wrong("say what it costs: points, points_from, or a full card of stamps.")
    if reward.is_open_price:
        if reward.kind != "amount_off" or reward.amount is not None:
            raise Wrong("points_from: for amount_off without an amount only.")
        if reward.points_to < (reward.points_from or 0):
            raise Wrong("points_to: at least as many as points_from.")
    elif (reward.kind == "amount_off") != (reward.amount is not None):
        raise Wrong("amount: say how much an amount_off takes off, and nothing else does.")
    if (reward.kind == "percent_off") != (reward.percent is not None):
        raise Wrong("percent: say how much a percent_off takes off, and nothing else does.")
    if reward.valid_from and reward.valid_to and reward.valid_to < reward.valid_from:
        raise Wrong("valid_to: no earlier than valid_from.")
    return reward
