"""The sums of a simulation: of constant size, and adding up in any order. Pure."""

import heapq
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

#: Members are told apart by how much they gain or lose: 1, 2-4, 5-9, 10-19, ...
BOUNDS: tuple[int, ...] = tuple(int(step * 10**power) for power in range(10) for step in (1, 2, 5))
#: So many of those who gain most, and of those who lose most, are named.
NAMED = 5


@dataclass(slots=True)
class Sums:
    """Of some receipts: how many, their money that counts, and points before and after."""

    receipts: int = 0
    spend_minor: int = 0
    before: int = 0
    after: int = 0

    @property
    def change(self) -> int:
        """What the change costs, in points; below zero it saves them."""
        return self.after - self.before

    def add(self, other: "Sums") -> None:
        """Take the sums of others in."""
        self.receipts += other.receipts
        self.spend_minor += other.spend_minor
        self.before += other.before
        self.after += other.after

    def as_json(self) -> dict[str, int]:
        """The sums and their difference."""
        return {
            "receipts": self.receipts,
            "spend_minor": self.spend_minor,
            "points_before": self.before,
            "points_after": self.after,
            "points_change": self.change,
        }


@dataclass(slots=True)
class Tally:
    """All that a simulation finds.

    *locations* by slug (empty: no location). *rules*: what each rule gives under the change, in
    points, and *things* that are given, by kind and name: before and after. *gains* and *losses*:
    members by the `BOUNDS` of their difference.
    """

    all: Sums = field(default_factory=Sums)
    locations: dict[str, Sums] = field(default_factory=dict)
    rules: Counter[str] = field(default_factory=Counter)
    things_before: Counter[tuple[str, str]] = field(default_factory=Counter)
    things_after: Counter[tuple[str, str]] = field(default_factory=Counter)
    members: int = 0
    winners: int = 0
    losers: int = 0
    won: int = 0
    lost: int = 0
    gains: Counter[int] = field(default_factory=Counter)
    losses: Counter[int] = field(default_factory=Counter)
    #: (points, account), the smallest of them first.
    top_winners: list[tuple[int, str]] = field(default_factory=list)
    top_losers: list[tuple[int, str]] = field(default_factory=list)

    def receipt(self, location: str, spend_minor: int, before: int, after: int) -> None:
        """Count a receipt."""
        sums = self.locations.get(location)
        if sums is None:
            sums = self.locations[location] = Sums()
        for each in (sums, self.all):
            each.receipts += 1
            each.spend_minor += spend_minor
            each.before += before
            each.after += after

    def member(self, account_id: str, change: int) -> None:
        """Count a member whose receipts were all counted."""
        self.members += 1
        if change > 0:
            self.winners += 1
            self.won += change
            self.gains[_bound(change)] += 1
            _keep(self.top_winners, (change, account_id))
        elif change < 0:
            self.losers += 1
            self.lost -= change
            self.losses[_bound(-change)] += 1
            _keep(self.top_losers, (-change, account_id))

    def add(self, other: "Tally") -> None:
        """Take in what was found among other members."""
        self.all.add(other.all)
        for location, sums in other.locations.items():
            self.locations.setdefault(location, Sums()).add(sums)
        for name in ("rules", "things_before", "things_after", "gains", "losses"):
            getattr(self, name).update(getattr(other, name))
        for name in ("members", "winners", "losers", "won", "lost"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for each in other.top_winners:
            _keep(self.top_winners, each)
        for each in other.top_losers:
            _keep(self.top_losers, each)

    def as_json(self) -> dict[str, Any]:
        """All of it, for programs; without money's worth, which `running` knows."""
        return {
            **self.all.as_json(),
            "members": self.members,
            "winners": _people(self.winners, self.won, self.gains, self.top_winners),
            "losers": _people(self.losers, self.lost, self.losses, self.top_losers),
            "locations": {name: sums.as_json() for name, sums in sorted(self.locations.items())},
            "rules": dict(self.rules.most_common()),
            "given": [
                {
                    "kind": kind,
                    "what": what,
                    "before": self.things_before[kind, what],
                    "after": self.things_after[kind, what],
                }
                for kind, what in sorted({*self.things_before, *self.things_after})
            ],
        }


def _bound(points: int) -> int:
    """The lower end of the step in which so many points are."""
    return BOUNDS[bisect_right(BOUNDS, points) - 1]


def bounds(at_least: int) -> tuple[int, int | None]:
    """A step: the least and the most points that are in it."""
    place = BOUNDS.index(at_least)
    return at_least, BOUNDS[place + 1] - 1 if place + 1 < len(BOUNDS) else None


def _keep(top: list[tuple[int, str]], each: tuple[int, str]) -> None:
    if len(top) < NAMED:
        heapq.heappush(top, each)
    else:
        heapq.heappushpop(top, each)


def _people(
    count: int, points: int, steps: Mapping[int, int], top: Iterable[tuple[int, str]]
) -> dict[str, Any]:
    return {
        "members": count,
        "points": points,
        "distribution": [
            {"at_least": low, "at_most": bounds(low)[1], "members": steps[low]}
            for low in sorted(steps)
        ],
        "largest": [
            {"account_id": account_id, "points": change}
            for change, account_id in sorted(top, reverse=True)
        ],
    }
