"""RFM: how lately, how often, and for how much somebody buys, in five parts each. Pure.

The bounds are quintiles of those members of the programme who came in the last year; so a fifth of
them comes most lately, whatever the shop. Of how often and for how much the sum counts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

#: Every member is in exactly one of these.
CLASSES = ("champions", "loyal", "promising", "fading", "at_risk", "asleep", "lost")
_PARTS = 5


@dataclass(frozen=True, slots=True)
class Bounds:
    """Where a fifth ends and the next one begins, four of each, rising.

    *days* since the last visit, *visits* and *spend_minor* in the last year.
    """

    days: tuple[int, ...] = (14, 30, 60, 120)
    visits: tuple[int, ...] = (1, 2, 4, 8)
    spend_minor: tuple[int, ...] = (1000, 2500, 5000, 10000)

    def as_json(self) -> dict[str, list[int]]:
        """As they are kept."""
        return {
            "days": list(self.days),
            "visits": list(self.visits),
            "spend_minor": list(self.spend_minor),
        }

    @classmethod
    def read(cls, kept: Mapping[str, Sequence[Any]] | None) -> "Bounds":
        """As they were kept; those of a usual shop where nothing is known yet."""
        if not kept:
            return cls()
        return cls(*(tuple(int(each) for each in kept[name]) for name in cls.__slots__))


def score(value: int, bounds: Sequence[int]) -> int:
    """The fifth that *value* is in: 1 is the lowest."""
    return 1 + sum(value > each for each in bounds)


def class_of(days: int | None, visits: int, spend_minor: int, bounds: Bounds) -> str:
    """The class of somebody; *days* since the last visit (None: none), the others of a year."""
    if days is None or not visits:
        return "lost"
    lately = _PARTS + 1 - score(days, bounds.days)
    worth = score(visits, bounds.visits) + score(spend_minor, bounds.spend_minor)
    return class_by_scores(lately, worth)


def class_by_scores(lately: int, worth: int) -> str:
    """The class by how lately (1 to 5) and how often and for how much together (2 to 10)."""
    if lately >= 4:
        return "champions" if worth >= 8 else "loyal" if worth >= 6 else "promising"
    if lately == 3:
        return "loyal" if worth >= 6 else "fading"
    return "at_risk" if worth >= 6 else "asleep"
