"""Prepaid passes: so many entries, paid for at once and used one by one. Pure.

    {"code": "swim10", "names": {"en": "Ten swims"}, "items": ["SWIM-10"], "entries": 10,
     "entry_names": {"en": "A swim"}, "lasts_months": 12}

Each piece of one of *items* on a receipt gives *entries*; what comes back takes them. All entries
of a pass last *lasts_months* after the last one was bought (0: for ever).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.ledger.postings import Given, Line
from app.programmes.fields import whole
from app.programmes.mechanics import _reading
from app.programmes.mechanics.buying import bought, items

KIND = "entries"
MOST_ENTRIES = 1000
_MOST_PIECES = 1000


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


_READERS = {
    "code": _reading.code,
    "names": _reading.names,
    "items": items(1),
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
    return tuple(
        given
        for each in passes
        for given in bought(
            KIND, each.code, each.items, lines, each=each.entries, most=_MOST_PIECES
        )
    )
