"""What something was given for: which part of a receipt has to be kept for it. Pure.

A rule gives points or things *times* times because of what a receipt holds. That is kept with what
was given, so that a return of a part, years later, takes back what is no longer due without asking
any rule again. A return never gives more than the receipt gave.

Where only the best of several promotions counted, those that it was better than stand beside it:
what is kept may carry one of them and no longer the best.

A share that is kept goes from 1 to 0 as more comes back, and is 0 when all of it has: so returns in
any sizes end exactly.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from msgspec import Struct


class How(StrEnum):
    """How much stays when less is kept than was sold."""

    #: All, as long as so much is kept; else nothing.
    ALL = "all"
    #: As many times as so much is kept.
    EACH = "each"
    #: In proportion to what is kept of it.
    SHARE = "share"


class Need(Struct, frozen=True):
    """So much of a receipt: money (in its minor units), pieces (in thousandths) or both.

    Of the *lines* at these positions (the first is 1); without, money of all that earns.
    """

    how: How
    amount_minor: int = 0
    quantity_thousandths: int = 0
    lines: tuple[int, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """As it is kept."""
        return {
            "how": str(self.how),
            "amount_minor": self.amount_minor,
            "quantity_thousandths": self.quantity_thousandths,
            "lines": list(self.lines),
        }


class Grounds(Struct, frozen=True):
    """Given *times* times, as far as all *needs* are met.

    Without needs it stays as long as anything of the receipt is kept. *others* would have counted
    if this had not been better.
    """

    times: int = 1
    needs: tuple[Need, ...] = ()
    others: tuple["Other", ...] = ()

    def as_json(self) -> dict[str, Any]:
        """As they are kept."""
        told: dict[str, Any] = {
            "times": self.times,
            "needs": [need.as_json() for need in self.needs],
        }
        if self.others:
            told["others"] = [other.as_json() for other in self.others]
        return told


class Other(Struct, frozen=True):
    """A promotion that was passed over: its *points*, and what has to be kept for them."""

    name: str
    points: int
    grounds: Grounds

    def as_json(self) -> dict[str, Any]:
        """As it is kept."""
        return {"name": self.name, "points": self.points, "grounds": self.grounds.as_json()}


def grounds_from_json(kept: Mapping[str, Any]) -> Grounds:
    """Grounds as they were kept."""
    return Grounds(
        kept["times"],
        tuple(
            Need(
                How(need["how"]),
                need["amount_minor"],
                need["quantity_thousandths"],
                tuple(need["lines"]),
            )
            for need in kept["needs"]
        ),
        tuple(
            Other(other["name"], other["points"], grounds_from_json(other["grounds"]))
            for other in kept.get("others", ())
        ),
    )


@dataclass(frozen=True, slots=True)
class KeptLine:
    """What is kept of a line."""

    quantity_thousandths: int
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of a receipt, in its minor units.

    *earning_minor* of what earns; *unknown_minor* came back without a word which goods it was.
    """

    amount_minor: int
    earning_minor: int
    lines: Mapping[int, KeptLine]
    unknown_minor: int = 0
    #: All of it has come back.
    is_nothing: bool = False


def share_kept(grounds: Grounds, kept: Kept) -> tuple[int, int]:
    """The share of what was given that stays: numerator and denominator, from 0 to 1."""
    if kept.is_nothing or grounds.times < 1:
        return 0, 1
    least = (grounds.times, grounds.times)
    for need in grounds.needs:
        found = _share(need, grounds.times, kept)
        if found[0] * least[1] < least[0] * found[1]:
            least = found
    return least


def points_due(points: int, grounds: Grounds, kept: Kept) -> int:
    """How many of *points* are due back: what came back of their grounds, rounded down.

    Not what the best of the *others* that still holds would give.
    """
    due = _due(points, grounds, kept)
    if due and (other := stepped_in(points, grounds, kept)) is not None:
        return max(0, points - (other.points - _due(other.points, other.grounds, kept)))
    return due


def stepped_in(points: int, grounds: Grounds, kept: Kept) -> Other | None:
    """The passed over promotion that counts now, where what is kept carries more of it."""
    best, most = None, points - _due(points, grounds, kept)
    for other in grounds.others:
        left = other.points - _due(other.points, other.grounds, kept)
        if left > most:
            best, most = other, left
    return best


def _due(points: int, grounds: Grounds, kept: Kept) -> int:
    numerator, denominator = share_kept(grounds, kept)
    return points * (denominator - numerator) // denominator


def count_left(count: int, grounds: Grounds, kept: Kept) -> int:
    """How many of *count* things stay; only whole ones."""
    numerator, denominator = share_kept(grounds, kept)
    return count * numerator // denominator


def _share(need: Need, times: int, kept: Kept) -> tuple[int, int]:
    money, pieces = _of(need, kept)
    if need.how is How.SHARE:
        if need.quantity_thousandths:
            return min(pieces, need.quantity_thousandths), need.quantity_thousandths
        return min(money, need.amount_minor), max(1, need.amount_minor)
    left = times
    for has, wanted in ((money, need.amount_minor), (pieces, need.quantity_thousandths)):
        if wanted:
            fits = has // wanted
            left = min(left, fits if need.how is How.EACH else times if fits else 0)
    return left, times


def _of(need: Need, kept: Kept) -> tuple[int, int]:
    """Money and pieces that are kept of what is needed.

    What came back unnamed is taken to be of other goods first: the member has the benefit of the
    doubt as long as there is one.
    """
    if not need.lines:
        return kept.earning_minor, 0
    lines = [kept.lines[at] for at in need.lines if at in kept.lines]
    money = sum(line.amount_minor for line in lines)
    pieces = sum(line.quantity_thousandths for line in lines)
    others = sum(line.amount_minor for line in kept.lines.values()) - money
    taken = min(money, max(0, kept.unknown_minor - others))
    if taken:
        pieces = pieces * (money - taken) // money
    return money - taken, pieces
