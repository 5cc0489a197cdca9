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

from app.ledger.grounds import Grounds, How, Need
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

    def is_for(self, line: Line) -> bool:
        """Whether a line is of the goods that it stamps; what cost nothing is not."""
        if line.amount_minor <= 0:
            return False
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
    cards: Sequence[StampCard],
    lines: Sequence[Line],
    *,
    earning_minor: int,
    thresholds: Mapping[str, int],
) -> tuple[Given, ...]:
    """The stamps that a receipt gives by the cards themselves, each with what it hangs on.

    *earning_minor* is what of the receipt earns, in its own currency, and so are *thresholds*, by
    card: what it has to reach.
    """
    found = []
    for card in cards:
        least = thresholds.get(card.code, 0)
        if earning_minor < least or card.per == "rule":
            continue
        needs = [Need(How.ALL, amount_minor=least)] if least else []
        count = 1
        if card.per == "item":
            wanted = [(at, line) for at, line in enumerate(lines, 1) if card.is_for(line)]
            pieces = sum(int(Decimal(str(line.quantity)) * 1000) for _, line in wanted)
            count = min(pieces // 1000, card.at_most or MOST_A_RECEIPT)
            positions = tuple(at for at, _ in wanted)
            needs.append(Need(How.EACH, quantity_thousandths=1000, lines=positions))
        if count:
            found.append(Given(KIND, card.code, count, card.code, Grounds(count, tuple(needs))))
    return tuple(found)
