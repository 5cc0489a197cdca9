"""Prepaid passes: so many entries, paid for at once and used one by one. Pure.

    {"code": "swim10", "names": {"en": "Ten swims"}, "items": ["SWIM-10"], "entries": 10,
     "entry_names": {"en": "A swim"}, "lasts_months": 12}

Each piece of one of *items* on a receipt gives *entries*; what comes back takes them. All entries
of a pass last *lasts_months* after the last one was bought (0: for ever).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from app.ledger.grounds import Grounds, How, Need
from app.ledger.postings import Given, Line
from app.programmes.fields import Wrong, text_of, whole
from app.programmes.mechanics import _reading

KIND = "entries"
MOST_ENTRIES = 1000
_MOST_PIECES = 1000
_LONGEST_ITEM = 120


@dataclass(frozen=True, slots=True)
class Multipass:
    """One prepaid pass of a programme."""

    code: str
    names: Mapping[str, str]
    items: tuple[str, ...]
    entries: int
    entry_names: Mapping[str, str]
    lasts_months: int = 0

    def as_json(self) -> dict[str, Any]:
        """As it is kept."""
        return _reading.as_json(self)

    def name(self, language: str) -> str:
        """What it is called."""
        return _reading.in_language(self.names, language, self.code)

    def entry_name(self, language: str) -> str:
        """What one of its entries is called."""
        return _reading.in_language(self.entry_names, language, self.code)

    def is_for(self, line: Line) -> bool:
        """Whether a line of a receipt buys it."""
        wanted = {each.strip().casefold() for each in self.items}
        return line.amount_minor > 0 and line.item.strip().casefold() in wanted


def _items(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not 0 < len(value) <= _reading.MOST:
        raise Wrong(f"give a list of 1 to {_reading.MOST} items.")
    return tuple(text_of(each, _LONGEST_ITEM, "an item") for each in value)


_READERS = {
    "code": _reading.code,
    "names": _reading.names,
    "items": _items,
    "entries": whole(1, MOST_ENTRIES),
    "entry_names": _reading.names,
    "lasts_months": whole(0, 1200),
}


def read(value: Any) -> tuple[Multipass, ...]:
    """The prepaid passes of a programme. Raises `Wrong`."""
    return _reading.many("Multipass", _read_one, value, lambda each: each.code)


def _read_one(value: Any) -> Multipass:
    parts = _reading.items("a multipass", _READERS, {"code", "names", "items", "entries"}, value)
    return Multipass(**{"entry_names": parts["names"]} | parts)


def given(passes: Sequence[Multipass], lines: Sequence[Line]) -> tuple[Given, ...]:
    """The entries that a receipt buys; each goes with the piece that it was bought with."""
    found = []
    for each in passes:
        wanted = [(at, line) for at, line in enumerate(lines, 1) if each.is_for(line)]
        pieces = sum(int(Decimal(str(line.quantity))) for _, line in wanted)
        pieces = min(pieces, _MOST_PIECES)
        if pieces:
            need = Need(How.EACH, quantity_thousandths=1000, lines=tuple(at for at, _ in wanted))
            grounds = Grounds(pieces, (need,))
            found.append(Given(KIND, each.code, pieces * each.entries, each.code, grounds))
    return tuple(found)
