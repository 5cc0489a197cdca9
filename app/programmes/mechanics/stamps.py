"""Stamp cards: so many stamps, then a reward. Several in a programme. Pure.

    {"code": "coffee", "names": {"en": "Coffee card"}, "size": 10, "per": "item",
     "categories": ["coffee"], "at_least": "2.50", "at_most": 5, "lasts_months": 12}

*per* says what a stamp is for: a ``visit`` (a receipt), or an ``item`` (each piece; of *items* or
of *categories*, where any are named). ``rule`` gives none by itself: rules of the programme do.
*at_least* is what the receipt, without what came back, has to reach. *at_most* bounds the stamps
of one receipt. All stamps last *lasts_months* after the last one (0: for ever).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from app.ledger.postings import Given, Line
from app.programmes.fields import LONGEST_CATEGORY, Wrong, choice, decimal, text_of, whole
from app.programmes.mechanics import _reading
from passes.card import MAX_STAMPS

KIND = "stamps"
MOST_A_RECEIPT = 1000
_LONGEST_ITEM = 120


@dataclass(frozen=True, slots=True)
class StampCard:
    """One stamp card of a programme."""

    code: str
    names: Mapping[str, str]
    size: int
    per: str = "visit"
    items: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    at_least: Decimal = Decimal(0)
    at_most: int = 0
    lasts_months: int = 0
    #: Compared as the goods of a receipt are: big and small letters are the same.
    _wanted: frozenset[str] = field(init=False, repr=False, compare=False, default=frozenset())

    def __post_init__(self) -> None:
        wanted = frozenset(each.strip().casefold() for each in (*self.items, *self.categories))
        object.__setattr__(self, "_wanted", wanted)

    def as_json(self) -> dict[str, Any]:
        """As it is kept."""
        return _reading.as_json(self)

    def name(self, language: str) -> str:
        """What it is called."""
        return _reading.in_language(self.names, language, self.code)

    def stamps(self, kept_minor: int, exponent: int, lines: Sequence[Line]) -> int:
        """How many stamps a receipt of so much, with these lines, gives."""
        if kept_minor <= 0 or kept_minor < self.at_least.scaleb(exponent):
            return 0
        match self.per:
            case "visit":
                count = 1
            case "item":
                count = sum(int(line.quantity) for line in lines if self._is_wanted(line))
            case _:
                count = 0
        return min(count, self.at_most or MOST_A_RECEIPT)

    def _is_wanted(self, line: Line) -> bool:
        if not self._wanted:
            return True
        names = [line.item] if self.items else []
        if self.categories and line.category is not None:
            names.append(line.category)
        return any(name.strip().casefold() in self._wanted for name in names)


def _words(longest: int, what: str) -> Any:
    def read(value: Any) -> tuple[str, ...]:
        if not isinstance(value, list | tuple) or len(value) > _reading.MOST:
            raise Wrong(f"give a list of at most {_reading.MOST}.")
        return tuple(text_of(each, longest, what) for each in value)

    return read


_READERS = {
    "code": _reading.code,
    "names": _reading.names,
    "size": whole(1, MAX_STAMPS),
    "per": choice("visit", "item", "rule"),
    "items": _words(_LONGEST_ITEM, "an item"),
    "categories": _words(LONGEST_CATEGORY, "a category"),
    "at_least": decimal(1_000_000, zero=True),
    "at_most": whole(0, MOST_A_RECEIPT),
    "lasts_months": whole(0, 1200),
}


def read(value: Any) -> tuple[StampCard, ...]:
    """The stamp cards of a programme. Raises `Wrong`."""
    return _reading.many("Stamp card", _read_one, value, lambda card: card.code)


def _read_one(value: Any) -> StampCard:
    card = StampCard(**_reading.items("a stamp card", _READERS, {"code", "names", "size"}, value))
    if card.per != "item" and (card.items or card.categories):
        raise Wrong('per: choose "item" to stamp goods, or name no items and no categories.')
    return card


def given(
    cards: Sequence[StampCard], amount_minor: int, exponent: int, lines: Sequence[Line]
) -> list[Given]:
    """The stamps that a receipt gives by the cards themselves."""
    counted = ((card, card.stamps(amount_minor, exponent, lines)) for card in cards)
    return [Given(KIND, card.code, count, card.code) for card, count in counted if count]


def still_given(
    cards: Sequence[StampCard],
    kept_minor: int,
    exponent: int,
    lines: Sequence[Line],
    loose_minor: int,
) -> list[Given]:
    """The stamps that what is kept of a receipt gives.

    *loose_minor* of it came back without saying of which lines: for goods the stamps then go in
    proportion, rounded so that the member keeps what is in doubt.
    """
    found = []
    for card in cards:
        count = card.stamps(kept_minor, exponent, lines)
        if count and card.per == "item" and loose_minor:
            whole_minor = kept_minor + loose_minor
            count -= count * loose_minor // whole_minor
        if count:
            found.append(Given(KIND, card.code, count, card.code))
    return found
