"""Things that are bought on a receipt: so many for each piece, gone with the piece. Pure."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from app.ledger.grounds import Grounds, How, Need
from app.ledger.postings import Given, Line
from app.programmes.fields import Reader, Wrong, text_of
from app.programmes.mechanics import _reading

_LONGEST_ITEM = 120


def items(fewest: int) -> Reader:
    """A list of items, at least so many."""

    def read(value: Any) -> tuple[str, ...]:
        if not isinstance(value, list | tuple) or not fewest <= len(value) <= _reading.MOST:
            raise Wrong(f"give a list of {fewest} to {_reading.MOST} items.")
        return tuple(text_of(each, _LONGEST_ITEM, "an item") for each in value)

    return read


def bought(
    kind: str, code: str, wanted: Sequence[str], lines: Sequence[Line], *, each: int, most: int
) -> list[Given]:
    """What the pieces of the *wanted* items give: *each* so many, of at most *most* pieces.

    What cost nothing buys nothing.
    """
    keys = {item.strip().casefold() for item in wanted}
    found = [
        (position, line)
        for position, line in enumerate(lines, 1)
        if line.amount_minor > 0 and line.item.strip().casefold() in keys
    ]
    pieces = min(sum(int(Decimal(str(line.quantity))) for _, line in found), most)
    if not pieces:
        return []
    positions = tuple(position for position, _ in found)
    need = Need(How.EACH, quantity_thousandths=1000, lines=positions)
    return [Given(kind, code, pieces * each, code, Grounds(pieces, (need,)))]
