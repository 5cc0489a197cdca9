"""Presents for a birthday, or for the day on which somebody joined. Pure.

    {"code": "birthday", "names": {"en": "Happy birthday!"}, "on": "birthday",
     "points": 50, "gives": {"coupon": {"cake": 1}}, "days_before": 3, "lasts_days": 30}

Of a birthday only day and month are known. Nobody has an occasion in the month of joining: so
nobody joins for it. Whoever was born on 29 February has the birthday on the 28th of other years.
*points* last *lasts_days* local days (0: for ever). *gives* are things, as those of rules.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from app.programmes.fields import Wrong, choice, whole
from app.programmes.mechanics import _reading

BIRTHDAY, JOINING = "birthday", "joining"
#: What may be given beside points.
_THINGS = ("stamps", "coupon", "gift", "tickets")
_MOST_THINGS = 20


@dataclass(frozen=True, slots=True)
class Occasion:
    """One occasion of a programme."""

    code: str
    names: Mapping[str, str]
    on: str
    points: int = 0
    gives: tuple[tuple[str, str, int], ...] = ()
    days_before: int = 0
    lasts_days: int = 0
    tiers: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """As it is kept."""
        kept = _reading.as_json(self)
        things: dict[str, dict[str, int]] = {}
        for kind, what, count in self.gives:
            things.setdefault(kind, {})[what] = count
        return kept | ({"gives": things} if things else {})

    def name(self, language: str) -> str:
        """What it is called."""
        return _reading.in_language(self.names, language, self.code)

    def celebrated(self, today: date) -> date:
        """The day whose birthdays are given something today."""
        return today + timedelta(days=self.days_before)


def days_of(day: date) -> list[str]:
    """Month and day of the birthdays that are celebrated on *day*, as "05-17"."""
    found = [f"{day:%m-%d}"]
    if found == ["02-28"] and (day + timedelta(days=1)).month == 3:
        found.append("02-29")
    return found


def read_gives(value: Any) -> tuple[tuple[str, str, int], ...]:
    """Things as they are written, by kind and code. Raises `Wrong`."""
    if not isinstance(value, dict):
        raise Wrong('write it as {"coupon": {"cake": 1}}.')
    found = []
    for kind, things in value.items():
        if kind not in _THINGS:
            raise Wrong(f"there is no {kind!r}; choose of {', '.join(_THINGS)}.")
        if not isinstance(things, dict) or len(things) > _MOST_THINGS:
            raise Wrong(f'{kind}: write it as {{"code": 1}}.')
        for what, count in things.items():
            found.append((kind, _reading.code(what), whole(1, 1000)(count)))
    return tuple(found)


_READERS = {
    "code": _reading.code,
    "names": _reading.names,
    "on": choice(BIRTHDAY, JOINING),
    "points": whole(0, 1_000_000),
    "gives": read_gives,
    "days_before": whole(0, 60),
    "lasts_days": whole(0, 3650),
    "tiers": _reading.codes,
}


def read(value: Any) -> tuple[Occasion, ...]:
    """The occasions of a programme. Raises `Wrong`."""
    return _reading.many("Occasion", _read_one, value, lambda each: each.code)


def _read_one(value: Any) -> Occasion:
    found = Occasion(**_reading.items("an occasion", _READERS, {"code", "names", "on"}, value))
    if not found.points and not found.gives:
        raise Wrong("say what it gives: points, or things under gives.")
    return found
