"""What a campaign really did: those it reached against those it was kept from. Pure.

Two questions, one answer. Did more of them come (`of_rates`)? Did they spend more each
(`of_means`)? The answer is a difference with its standard error and its 95 % interval, and a
`Verdict` that never says more than the interval does.

*Rates*: the standard error is the unpooled one, sqrt(p(1-p)/n + q(1-q)/m). The interval is
Newcombe's hybrid score interval (Newcombe 1998, Statistics in Medicine 17:873-890, method 10): for
large groups the same as difference ± 1.96 errors, for small ones and for nobody at all still true.

*Means*: Welch's interval, whose groups may differ in spread. What people spend has a long tail, and
a few large purchases can carry a mean anywhere: where the difference of the two is still skewed by
more than `MOST_SKEW` (for one group: Cochran's rule of more than 25 times the squared skewness), no
verdict is given.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from math import isfinite, sqrt

#: The 97.5 % point of the normal distribution.
Z95 = 1.959963984540054
#: With fewer people than this in a group nothing is said of what they did.
FEWEST = 30
#: Skewness of the difference of two means beyond which its interval cannot be trusted.
MOST_SKEW = 0.2


class Verdict(StrEnum):
    """What may be said aloud."""

    #: All of the interval is above zero.
    WORKED = "worked"
    #: All of it is below: those who were reached did less.
    HARMED = "harmed"
    #: The interval spans zero.
    NOT_SHOWN = "not_shown"
    #: There are fewer than `FEWEST` in a group.
    TOO_FEW = "too_few"
    #: A few large purchases decide the mean.
    TOO_UNEVEN = "too_uneven"


@dataclass(frozen=True, slots=True)
class Rate:
    """So many *people*, of whom so many *did* it. Raises `ValueError` for what cannot be."""

    people: int
    did: int

    def __post_init__(self) -> None:
        if not 0 <= self.did <= self.people:
            raise ValueError("of some people none to all can have done something")

    @property
    def share(self) -> float:
        """The part that did, from 0 to 1; 0 of nobody."""
        return self.did / self.people if self.people else 0.0


@dataclass(frozen=True, slots=True)
class Amounts:
    """What *people* spent (minor units) or collected (points) each, those with nothing included.

    Kept as exact sums of the amounts, their squares and their cubes, which a database adds up.
    """

    people: int
    total: int
    squares: int
    cubes: int

    def __post_init__(self) -> None:
        if self.people < 0 or self.squares < 0 or (not self.people and self.total):
            raise ValueError("nobody spends nothing")
        if self.people * self.squares < self.total * self.total:
            raise ValueError("the squares are smaller than their sum allows")

    @classmethod
    def of(cls, amounts: Iterable[int]) -> "Amounts":
        """The sums of these."""
        people = total = squares = cubes = 0
        for each in amounts:
            people, total = people + 1, total + each
            squares, cubes = squares + each**2, cubes + each**3
        return cls(people, total, squares, cubes)

    @property
    def mean(self) -> float:
        """What one spent on average; 0 of nobody."""
        return self.total / self.people if self.people else 0.0

    @property
    def variance(self) -> float:
        """The unbiased variance; 0 where there are fewer than two."""
        if self.people < 2:
            return 0.0
        # In whole numbers as long as possible: the two are nearly equal, and large.
        exact = self.people * self.squares - self.total**2
        return exact / (self.people * (self.people - 1))

    @property
    def third_moment(self) -> float:
        """The mean cubed deviation from the mean."""
        n, s = self.people, self.total
        if not n:
            return 0.0
        return (n * n * self.cubes - 3 * n * s * self.squares + 2 * s**3) / n**3


@dataclass(frozen=True, slots=True)
class Lift:
    """*reached* less *held_out*: shares from 0 to 1, or means in the amounts' unit.

    *low* and *high* are the bounds of the 95 % interval of *difference*, *error* is its standard
    error. *people* is how many were reached, *controls* how many held out. All are finite.
    """

    reached: float
    held_out: float
    difference: float
    error: float
    low: float
    high: float
    people: int
    controls: int
    verdict: Verdict

    @property
    def is_shown(self) -> bool:
        """Whether a difference, of whatever sign, is more than chance."""
        return self.verdict in (Verdict.WORKED, Verdict.HARMED)

    @property
    def total(self) -> tuple[float, float, float]:
        """What it made in all among those reached: low, likely and high."""
        return self.low * self.people, self.difference * self.people, self.high * self.people


def of_rates(reached: Rate, held_out: Rate) -> Lift:
    """The difference between two shares of people."""
    p, q = reached.share, held_out.share
    n, m = reached.people, held_out.people
    error = sqrt((p * (1 - p) / n if n else 0.0) + (q * (1 - q) / m if m else 0.0))
    (l1, u1), (l2, u2) = wilson(reached), wilson(held_out)
    low = p - q - sqrt((p - l1) ** 2 + (u2 - q) ** 2)
    high = p - q + sqrt((u1 - p) ** 2 + (q - l2) ** 2)
    low, high = max(low, -1.0), min(high, 1.0)
    verdict = Verdict.TOO_FEW if min(n, m) < FEWEST else _by_interval(low, high)
    return Lift(p, q, p - q, error, low, high, n, m, verdict)


def wilson(rate: Rate) -> tuple[float, float]:
    """Wilson's 95 % score interval of a share; of nobody it may be anything."""
    n, p = rate.people, rate.share
    if not n:
        return 0.0, 1.0
    middle = (p + Z95**2 / (2 * n)) / (1 + Z95**2 / n)
    half = Z95 / (1 + Z95**2 / n) * sqrt(p * (1 - p) / n + Z95**2 / (4 * n * n))
    # Of none, or of all, one bound is exact; rounding must not move it.
    low = 0.0 if rate.did == 0 else max(0.0, middle - half)
    high = 1.0 if rate.did == n else min(1.0, middle + half)
    return low, high


def of_means(reached: Amounts, held_out: Amounts) -> Lift:
    """The difference between what two groups spent each."""
    n, m = reached.people, held_out.people
    parts = [each.variance / each.people if each.people else 0.0 for each in (reached, held_out)]
    error = sqrt(sum(parts))
    difference = reached.mean - held_out.mean
    half = _t95(_freedom(parts, n, m)) * error
    low, high = difference - half, difference + half
    if min(n, m) < FEWEST:
        verdict = Verdict.TOO_FEW
    elif error and abs(_skew(reached, held_out, error)) > MOST_SKEW:
        verdict = Verdict.TOO_UNEVEN
    else:
        verdict = _by_interval(low, high)
    return Lift(reached.mean, held_out.mean, difference, error, low, high, n, m, verdict)


def _by_interval(low: float, high: float) -> Verdict:
    if low > 0:
        return Verdict.WORKED
    return Verdict.HARMED if high < 0 else Verdict.NOT_SHOWN


def _skew(reached: Amounts, held_out: Amounts, error: float) -> float:
    """Skewness of the difference of the two means: third cumulants add up, one with minus."""
    third = reached.third_moment / reached.people**2 - held_out.third_moment / held_out.people**2
    return third / error**3


def _freedom(parts: list[float], n: int, m: int) -> float:
    """Welch's and Satterthwaite's degrees of freedom."""
    below = sum(
        part**2 / (people - 1) for part, people in zip(parts, (n, m), strict=True) if people > 1
    )
    found = sum(parts) ** 2 / below if below else 0.0
    # No spread at all, or so little that its square is nothing: as many as there can be.
    return found if found >= 1 and isfinite(found) else float(max(1, n + m - 2))


def _t95(freedom: float) -> float:
    """The 97.5 % point of Student's distribution (Fisher's expansion, Abramowitz & Stegun 26.7.5).

    Right to 0.001 from 10 degrees of freedom on; a verdict is given from 29 on.
    """
    z, v = Z95, freedom
    terms = (
        (z**3 + z) / (4 * v),
        (5 * z**5 + 16 * z**3 + 3 * z) / (96 * v**2),
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * v**3),
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / (92160 * v**4),
    )
    return z + sum(terms)
