"""Referral: who brings somebody gets something, and so does who is brought. Pure.

    {"names": {"en": "Thanks for bringing a friend"}, "at_least": "10.00", "within_days": 90,
     "referrer": {"points": 100}, "referred": {"points": 50, "gives": {"coupon": {"cake": 1}}},
     "taper": [100, 50, 25], "most_a_year": 10}

Both get theirs once the newcomer has spent *at_least* in the *within_days* after joining, and lose
it again when so much comes back that it is less. *taper*: the percent of the referrer's points for
the first, the second … of the last 365 days, the last number for all further ones. Beyond
*most_a_year* the newcomer still gets his.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from app.programmes.fields import Wrong, decimal, whole
from app.programmes.mechanics import _reading
from app.programmes.mechanics.occasions import read_gives

_MOST_STEPS = 20


@dataclass(frozen=True, slots=True)
class Thanks:
    """What one side gets: points, and things by kind, code and count."""

    points: int = 0
    gives: tuple[tuple[str, str, int], ...] = ()

    def as_json(self) -> dict[str, Any]:
        """As it is kept."""
        things: dict[str, dict[str, int]] = {}
        for kind, what, count in self.gives:
            things.setdefault(kind, {})[what] = count
        return ({"points": self.points} if self.points else {}) | (
            {"gives": things} if things else {}
        )


@dataclass(frozen=True, slots=True)
class Referral:
    """A programme's referral. *at_least* is in major units."""

    names: Mapping[str, str]
    at_least: Decimal = Decimal("0.01")
    within_days: int = 90
    referrer: Thanks = field(default_factory=Thanks)
    referred: Thanks = field(default_factory=Thanks)
    taper: tuple[int, ...] = (100,)
    most_a_year: int = 10

    def as_json(self) -> dict[str, Any]:
        """As it is kept."""
        return {
            "names": dict(self.names),
            "at_least": str(self.at_least),
            "within_days": self.within_days,
            "referrer": self.referrer.as_json(),
            "referred": self.referred.as_json(),
            "taper": list(self.taper),
            "most_a_year": self.most_a_year,
        }

    def name(self, language: str) -> str:
        """What is said of it."""
        return _reading.in_language(self.names, language, "referral")

    def referrers_points(self, earlier: int) -> int | None:
        """What the referrer gets after so many *earlier* ones in a year; None: nothing at all."""
        if earlier >= self.most_a_year:
            return None
        percent = self.taper[min(earlier, len(self.taper) - 1)]
        return self.referrer.points * percent // 100


def _thanks(value: Any) -> Thanks:
    return Thanks(**_reading.items("it", _THANKS, set(), value))


def _taper(value: Any) -> tuple[int, ...]:
    if not isinstance(value, list | tuple) or not 0 < len(value) <= _MOST_STEPS:
        raise Wrong("give percents such as [100, 50, 25].")
    return tuple(whole(0, 100)(each) for each in value)


_THANKS = {"points": whole(0, 1_000_000), "gives": read_gives}
_READERS = {
    "names": _reading.names,
    "at_least": decimal(1_000_000),
    "within_days": whole(1, 3650),
    "referrer": _thanks,
    "referred": _thanks,
    "taper": _taper,
    "most_a_year": whole(1, 10_000),
}


def read(value: Any) -> Referral | None:
    """A programme's referral, or None for none. Raises `Wrong`."""
    if value is None:
        return None
    found = Referral(**_reading.items("a referral", _READERS, {"names"}, value))
    if found.referrer == found.referred == Thanks():
        raise Wrong("say what the referrer or the referred gets.")
    return found
