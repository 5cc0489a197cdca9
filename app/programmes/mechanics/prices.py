"""Prices for members alone, closed deals among them. Pure.

    {"item": "beans-1kg", "price": "17.90", "names": {"en": "Beans for members"},
     "tiers": ["gold"], "from": "2026-06-01", "until": "2026-06-30"}

With *tiers* it is a closed deal: other members do not see it. Days are local, the last included.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from app.programmes.fields import Wrong, decimal, text_of
from app.programmes.mechanics import _reading

_LONGEST_ITEM = 120
MOST_PRICES = 2000


@dataclass(frozen=True, slots=True)
class MemberPrice:
    """What a piece of *item* costs members, in major units of the programme's currency."""

    item: str
    price: Decimal
    names: Mapping[str, str]
    tiers: tuple[str, ...] = ()
    valid_from: date | None = None
    valid_until: date | None = None

    def as_json(self) -> dict[str, Any]:
        """As it is kept."""
        kept = _reading.as_json(self)
        for ours, theirs in (("valid_from", "from"), ("valid_until", "until")):
            if ours in kept:
                kept[theirs] = kept.pop(ours)
        return kept

    def name(self, language: str) -> str:
        """What it is called."""
        return _reading.in_language(self.names, language, self.item)

    def is_for(self, groups: frozenset[str], day: date) -> bool:
        """Whether a member gets it on this local day; *groups* are the tier and the clubs."""
        return (
            (not self.tiers or not groups.isdisjoint(self.tiers))
            and (self.valid_from is None or day >= self.valid_from)
            and (self.valid_until is None or day <= self.valid_until)
        )


def key_of(item: str) -> str:
    """How items are compared: big and small letters are the same."""
    return item.strip().casefold()


_READERS = {
    "item": lambda value: text_of(value, _LONGEST_ITEM, "an item"),
    "price": decimal(1_000_000, zero=True),
    "names": _reading.names,
    "tiers": _reading.codes,
    "from": _reading.or_none(_reading.day),
    "until": _reading.or_none(_reading.day),
}


def read(value: Any) -> tuple[MemberPrice, ...]:
    """The member prices of a programme. Raises `Wrong`."""
    if not isinstance(value, list | tuple) or len(value) > MOST_PRICES:
        raise Wrong(f"Give a list of at most {MOST_PRICES} prices.")
    found = []
    for place, each in enumerate(value, 1):
        try:
            found.append(_read_one(each))
        except Wrong as wrong:
            raise Wrong(f"Price {place}: {wrong}") from wrong
    return tuple(found)


def _read_one(value: Any) -> MemberPrice:
    parts = _reading.items("a price", _READERS, {"item", "price"}, value)
    found = MemberPrice(
        item=parts["item"],
        price=parts["price"],
        names=parts.get("names", {"en": parts["item"][:40]}),
        tiers=parts.get("tiers", ()),
        valid_from=parts.get("from"),
        valid_until=parts.get("until"),
    )
    if found.valid_from and found.valid_until and found.valid_until < found.valid_from:
        raise Wrong("until: give a day after the first one.")
    return found


def cheapest(
    prices: Sequence[MemberPrice], item: str, groups: frozenset[str], day: date
) -> MemberPrice | None:
    """The best price of an item that a member of these groups gets on this day."""
    wanted = key_of(item)
    fitting = [each for each in prices if key_of(each.item) == wanted and each.is_for(groups, day)]
    return min(fitting, key=lambda each: each.price, default=None)
