"""A rule, as a programme's settings say it. Money is in major units, times are local."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from app.programmes.rules.streaks import Streak


class Kind(StrEnum):
    """What a rule looks at."""

    AMOUNT = "amount"
    VISIT = "visit"
    ITEM = "item"
    BASKET = "basket"
    MULTIPLIER = "multiplier"


class Role(StrEnum):
    """How a rule stands beside others."""

    BASE = "base"
    PROMOTION = "promotion"
    ALWAYS = "always"


#: What a rule may give beside points: a `Given` of each kind.
THINGS = ("stamps", "coupon", "gift", "tickets", "visits")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class Goods:
    """Goods of a receipt: of these *items* or *categories*, so many pieces, for so much money."""

    items: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    quantity: Decimal | None = None
    at_least: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Conditions:
    """When, where and for whom a rule holds, and what the receipt has to hold. Empty: any.

    *begins* and *ends* are local moments, the end exclusive; *hours* are local minutes of the day,
    the end exclusive, and may run past midnight. *at_least* is money that earns. *a_day*: of an
    account's visits of a local day only the first so many count. *once*: the account gets what
    gives this key a single time. *streak*: the visit completes one.
    """

    begins: datetime | None = None
    ends: datetime | None = None
    weekdays: tuple[int, ...] = ()
    hours: tuple[tuple[int, int], ...] = ()
    locations: tuple[str, ...] = ()
    tiers: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    first_purchase: bool = False
    at_least: Decimal | None = None
    contains: tuple[Goods, ...] = ()
    a_day: int | None = None
    once: str | None = None
    streak: Streak | None = None


@dataclass(frozen=True, slots=True)
class Gives:
    """What a rule gives each time: points, and things by kind and what they are of."""

    points: int = 0
    things: tuple[tuple[str, str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. What is of no use to its *kind* stays empty.

    *amount*: *points* for each *per_amount*, *on* gross or net (None: as the programme),
    of *only_categories* or of all but *excluded_categories*. *item*: *gives* for each
    *per_quantity* of *goods*. *basket*: *gives* once, or for *each* complete set of goods, or for
    each *per_amount* of money; at *most* so many times. *multiplier*: *factor* times the base.
    *worth* is what things are taken to be worth, in points, where the best promotion is chosen.
    """

    name: str
    kind: Kind
    role: Role
    conditions: Conditions = field(default_factory=Conditions)
    gives: Gives = field(default_factory=Gives)
    points: Decimal | None = None
    per_amount: Decimal | None = None
    on: str | None = None
    only_categories: tuple[str, ...] = ()
    excluded_categories: tuple[str, ...] = ()
    goods: Goods = field(default_factory=Goods)
    per_quantity: Decimal = Decimal(1)
    each: bool = False
    most: int | None = None
    factor: Decimal | None = None
    worth: int = 0

    def as_json(self) -> dict[str, Any]:
        """As it is kept: what is empty is left out."""
        kept: dict[str, Any] = {
            "name": self.name,
            "kind": str(self.kind),
            "role": str(self.role),
        }
        kept |= _conditions_as_json(self.conditions)
        for name in ("points", "per_amount", "factor"):
            value = getattr(self, name)
            if value is not None:
                kept[name] = str(value)
        for name in ("on", "most"):
            if getattr(self, name) is not None:
                kept[name] = getattr(self, name)
        for name in ("only_categories", "excluded_categories"):
            if getattr(self, name):
                kept[name] = list(getattr(self, name))
        if self.kind is Kind.ITEM:
            kept |= goods_as_json(self.goods) | {"per_quantity": str(self.per_quantity)}
        if self.each:
            kept["each"] = True
        if self.worth:
            kept["worth"] = self.worth
        if self.gives != Gives():
            kept["gives"] = _gives_as_json(self.gives)
        return kept


def goods_as_json(goods: Goods) -> dict[str, Any]:
    """Goods as they are kept."""
    kept: dict[str, Any] = {}
    for name in ("items", "categories"):
        if getattr(goods, name):
            kept[name] = list(getattr(goods, name))
    for name in ("quantity", "at_least"):
        if getattr(goods, name) is not None:
            kept[name] = str(getattr(goods, name))
    return kept


def _gives_as_json(gives: Gives) -> dict[str, Any]:
    kept: dict[str, Any] = {"points": gives.points} if gives.points else {}
    for kind, what, count in gives.things:
        kept.setdefault(kind, {})[what] = count
    return kept


def _conditions_as_json(conditions: Conditions) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for each in fields(conditions):
        value = getattr(conditions, each.name)
        if value not in (None, (), False):
            kept[each.name] = _WRITTEN.get(each.name, _plain)(value)
    return {_SPOKEN.get(name, name): value for name, value in kept.items()}


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _moment(value: datetime) -> str:
    return value.isoformat(timespec="minutes")


def clock_time(minutes: int) -> str:
    """Minutes of the day as "08:30"."""
    return f"{minutes // 60:02}:{minutes % 60:02}"


#: What "from" is called where it may not be called so.
_SPOKEN: Mapping[str, str] = {"begins": "from", "ends": "until"}
_WRITTEN: Mapping[str, Any] = {
    "begins": _moment,
    "ends": _moment,
    "weekdays": lambda days: [WEEKDAYS[day] for day in days],
    "hours": lambda hours: [f"{clock_time(start)}-{clock_time(end)}" for start, end in hours],
    "at_least": str,
    "streak": Streak.as_json,
    "contains": lambda sets: [goods_as_json(goods) for goods in sets],
}
