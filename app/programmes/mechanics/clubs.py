"""Clubs: a membership that is bought for some months, and renewed. Pure.

    {"code": "friends", "names": {"en": "Friends of the museum"}, "items": ["MEMBER-12"],
     "months": 12, "renew_days": 30}

Each piece of one of *items* on a receipt gives *months*, from the end of those that were bought
before, or from its own day where these are over. What comes back takes its months. The last
*renew_days* are the time to renew. To discounts and prices a member's club is one more tier.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from app.ledger.postings import Given, Line
from app.ledger.rules import add_months
from app.programmes.fields import whole
from app.programmes.mechanics import _reading
from app.programmes.mechanics.buying import bought, items

KIND = "club"
_MOST_PIECES = 20


@dataclass(frozen=True, slots=True)
class Club:
    """One club of a programme."""

    code: str
    names: Mapping[str, str]
    months: int
    items: tuple[str, ...] = ()
    renew_days: int = 30

    def as_json(self) -> dict[str, Any]:
        """As it is kept."""
        return _reading.as_json(self)

    def name(self, language: str) -> str:
        """What it is called."""
        return _reading.in_language(self.names, language, self.code)


@dataclass(frozen=True, slots=True)
class Membership:
    """A membership in local days: *until* is the last one, *since* the first without a break."""

    club: Club
    since: date
    until: date

    def holds(self, today: date) -> bool:
        """Whether it holds on that day."""
        return self.since <= today <= self.until

    @property
    def renew_from(self) -> date:
        """From this day on it is time to renew."""
        return max(self.since, self.until - timedelta(days=self.club.renew_days - 1))


def membership(club: Club, moves: Iterable[tuple[date, int]]) -> Membership | None:
    """What so many memberships, bought and given back on these local days, come to.

    *moves* in the order in which they happened; None where nothing is left of them.
    """
    since = end = None
    for day, count in moves:
        if count > 0:
            if end is None or since is None or end < day:
                since = end = day
            end = add_months(end, count * club.months)
        elif end is not None and since is not None:
            end = add_months(end, count * club.months)
            if end <= since:
                since = end = None
    if since is None or end is None:
        return None
    return Membership(club, since, end - timedelta(days=1))


_READERS = {
    "code": _reading.code,
    "names": _reading.names,
    "months": whole(1, 120),
    "items": items(0),
    "renew_days": whole(1, 365),
}


def read(value: Any) -> tuple[Club, ...]:
    """The clubs of a programme. Raises `Wrong`."""
    return _reading.many("Club", _read_one, value, lambda each: each.code)


def _read_one(value: Any) -> Club:
    return Club(**_reading.items("a club", _READERS, {"code", "names", "months"}, value))


def given(clubs: Sequence[Club], lines: Sequence[Line]) -> tuple[Given, ...]:
    """The memberships that a receipt buys; each goes with the piece that it was bought with."""
    return tuple(
        given
        for each in clubs
        for given in bought(KIND, each.code, each.items, lines, each=1, most=_MOST_PIECES)
    )
