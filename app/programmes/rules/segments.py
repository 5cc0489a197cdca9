"""Segments: named predicates over what is known of an account. Pure.

A segment holds who meets all that it says. Days are local; a window of N days ends with the day
that is asked about, and a receipt's own money and visit are not in it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from typing import Any

from app.ledger.postings import AccountFacts, Activity
from app.programmes.fields import (
    LONGEST_NAME,
    Reader,
    Wrong,
    decimal,
    listed,
    option,
    text_of,
    whole,
)

MOST_SEGMENTS = 50
LONGEST_WINDOW_DAYS = 3660
#: Those of `app.ledger.models.AccountKind`.
ACCOUNT_KINDS = ("personal", "household", "company")
_NOTHING = Activity()


@dataclass(frozen=True, slots=True)
class Segment:
    """Who is in it. Money is in major units of the programme's currency; empty: any.

    *joined_within_days*: since so many days at most (joined today is day 1). *within_days* is the
    window of the visits and the money. A visit is a receipt of which something is kept.
    """

    name: str
    joined_within_days: int | None = None
    kinds: tuple[str, ...] = ()
    tiers: tuple[str, ...] = ()
    within_days: int | None = None
    visits_at_least: int | None = None
    visits_at_most: int | None = None
    spend_at_least: Decimal | None = None
    spend_at_most: Decimal | None = None

    def as_json(self) -> dict[str, Any]:
        """As it is kept, under its name: what is empty is left out."""
        kept: dict[str, Any] = {}
        for each in fields(self):
            value = getattr(self, each.name)
            if each.name == "name" or value in (None, ()):
                continue
            if isinstance(value, Decimal):
                value = str(value)
            kept[each.name] = list(value) if isinstance(value, tuple) else value
        return kept


def in_segments(
    segments: Iterable[Segment], facts: AccountFacts, day: date, exponent: int
) -> frozenset[str]:
    """The names of those of *segments* that the account is in on that local *day*.

    *exponent*: the decimals of the programme's currency.
    """
    return frozenset(each.name for each in segments if _holds(each, facts, day, exponent))


def _holds(segment: Segment, facts: AccountFacts, day: date, exponent: int) -> bool:
    if segment.kinds and facts.kind not in segment.kinds:
        return False
    if segment.tiers and facts.tier not in segment.tiers:
        return False
    if segment.joined_within_days is not None and (
        facts.joined_on is None or (day - facts.joined_on).days >= segment.joined_within_days
    ):
        return False
    if segment.within_days is None:
        return True
    did = facts.windows.get(segment.within_days, _NOTHING)
    least, most = segment.visits_at_least, segment.visits_at_most
    if (least is not None and did.visits < least) or (most is not None and did.visits > most):
        return False
    low, high = (
        None if bound is None else int(bound.scaleb(exponent))
        for bound in (segment.spend_at_least, segment.spend_at_most)
    )
    return (low is None or did.spend_minor >= low) and (high is None or did.spend_minor <= high)


_MONEY = decimal(Decimal(1_000_000_000), zero=True)
_COUNT = whole(0, 1_000_000)


def _kind(value: Any) -> str:
    if value not in ACCOUNT_KINDS:
        raise Wrong(f"an account is {', '.join(ACCOUNT_KINDS[:-1])} or {ACCOUNT_KINDS[-1]}.")
    return str(value)


def tier_code(value: Any) -> str:
    """A tier, by its code."""
    return text_of(value, 40, "a tier's code")


_READERS: dict[str, Reader] = {
    "joined_within_days": whole(1, LONGEST_WINDOW_DAYS),
    "kinds": listed(_kind, 3),
    "tiers": listed(tier_code, 20),
    "within_days": whole(1, LONGEST_WINDOW_DAYS),
    "visits_at_least": _COUNT,
    "visits_at_most": _COUNT,
    "spend_at_least": _MONEY,
    "spend_at_most": _MONEY,
}
_OF_WINDOW = ("visits_at_least", "visits_at_most", "spend_at_least", "spend_at_most")


def read_segments(value: Any) -> tuple[Segment, ...]:
    """Segments by name. Raises `Wrong` that names the segment and says what to write instead."""
    if not isinstance(value, Mapping) or len(value) > MOST_SEGMENTS:
        raise Wrong(
            f'Give at most {MOST_SEGMENTS} segments by name, such as {{"new": '
            '{"joined_within_days": 30}}.'
        )
    found = []
    for name, said in value.items():
        text_of(name, LONGEST_NAME, "A segment's name")
        try:
            found.append(_segment(name, said))
        except Wrong as wrong:
            raise Wrong(f"Segment {name!r}: {wrong}") from wrong
    return tuple(found)


def _segment(name: str, said: Any) -> Segment:
    if not isinstance(said, Mapping) or not said:
        raise Wrong('say who is in it, such as {"joined_within_days": 30}.')
    for unknown in said.keys() - _READERS.keys():
        raise Wrong(f"there is no {unknown!r}; it may have {', '.join(_READERS)}.")
    segment = Segment(name, **{each: option(each, _READERS[each], said) for each in said})
    bounded = any(getattr(segment, each) is not None for each in _OF_WINDOW)
    if bounded and segment.within_days is None:
        raise Wrong("within_days is missing: in how many days the visits and the money count.")
    if segment.within_days is not None and not bounded:
        raise Wrong(f"within_days needs one of {', '.join(_OF_WINDOW)}.")
    return segment
