"""Whether the ledger's caches can be right at all, found out by looking at every row once.

Comparing row by row means to sort or hash every entry, lot and draw by what it belongs to. Adding
up is much cheaper: give each account, lot, entry and day a weight by chance, and the sum of
*cached figure times weight* over all of them equals the sum of *what it is made of times the same
weight*. Where a single figure is wrong the two sums differ, but for one choice of weights in about
10^12 (two weights of 20 bits for each key); the weights are new each time. So equal sums mean that
there is nothing to be found, and only what differs has to be compared row by row.

PostgreSQL alone: it has the hash functions, and adds up in parallel.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any, TypeAlias

from sqlalchemy import BigInteger, ColumnElement, Integer, Select, bindparam, func, literal, select
from sqlalchemy.exc import DataError
from sqlalchemy.orm import Session

from app.ledger.models import Account, Draw, EarningDay, Entry, Hold, HoldLot, HoldStatus, Lot

#: Bits of one weight. A figure times its weight has to stay within 63 bits, else all is compared.
_BITS = 20
_MASK = (1 << _BITS) - 1
#: What makes the weights others each time.
_SEED = bindparam("seed", type_=BigInteger)

#: A draw's account could be wrong in pairs that cancel out; the others compare more than sums.
_NOT_SUMS = {"account of a draw", "captured points", "returned value"}

#: Sums by the name of their comparison: (part of a side, its sign).
_Sums: TypeAlias = dict[str, list[ColumnElement[Any]]]


def suspects(session: Session, seed: int) -> set[str] | None:
    """The names of the comparisons that would find something, and of those that are no equality
    of sums and have to be made in any case; None where nothing can be said.

    *seed*: 62 random bits, new for each check.
    """
    totals: dict[str, list[int]] = {}
    try:
        with session.begin_nested():
            for names, statement in _statements():
                row = session.execute(statement, {"seed": seed}).one()
                for name, sums in zip(names, zip(row[::2], row[1::2], strict=True), strict=True):
                    for place, sum_ in enumerate(sums):
                        totals.setdefault(name, [0, 0])[place] += int(sum_ or 0)
    except DataError:
        return None
    return {name for name, total in totals.items() if any(total)} | _NOT_SUMS


@cache
def _statements() -> tuple[tuple[tuple[str, ...], Select[*tuple[Any, ...]]], ...]:
    """For each look at a table the names of its sums, and the statement that adds them up, two
    for each name: they say the same each time."""
    return tuple(
        (tuple(sums), source.with_only_columns(*(each for pair in sums.values() for each in pair)))
        for sums, source in _sources()
    )


def _sources() -> Iterator[tuple[_Sums, Select[*tuple[Any, ...]]]]:
    """What is added up of each table: what is cached with a plus, what it is made of with a minus,
    so that the sums of all tables together are 0."""

    def of(key: Any) -> ColumnElement[int]:
        return func.uuid_hash_extended(key, _SEED, type_=BigInteger)

    def within(key: Any, owner: Any) -> ColumnElement[int]:
        return func.uuid_hash_extended(key, of(owner), type_=BigInteger)

    account, is_open = of(Account.id), Hold.status == HoldStatus.OPEN
    yield (
        {
            "balance": _sum(account, Account.balance),
            "debt": _sum(account, Account.debt),
            "balance and debt": _sum(account, Account.balance + Account.debt),
            "held": _sum(account, Account.held),
            "carried money": _sum(account, Account.carried_micro),
        },
        select(Account),
    )
    owner, entry = of(Entry.account_id), within(Entry.id, Entry.account_id)
    yield (
        {
            "balance": _sum(owner, -Entry.points),
            "carried money": _sum(owner, -Entry.carried_micro),
            "points": _sum(entry, Entry.points),
        },
        select(Entry),
    )
    yield (
        {
            "balance and debt": _sum(of(Lot.account_id), -Lot.remaining),
            "taken points": _sum(within(Lot.id, Lot.account_id), Lot.points - Lot.remaining),
            "held points": _sum(of(Lot.id), Lot.held, Lot.held > 0),
            "points": _sum(within(Lot.entry_id, Lot.account_id), -Lot.points),
        },
        select(Lot),
    )
    yield (
        {
            "debt": _sum(of(Draw.account_id), -Draw.points, Draw.lot_id.is_(None)),
            "taken points": _sum(within(Draw.lot_id, Draw.account_id), -Draw.points),
            "points": _sum(within(Draw.entry_id, Draw.account_id), Draw.points),
        },
        select(Draw),
    )
    yield (
        {
            "held": _sum(of(Hold.account_id), -Hold.points, is_open),
            "reserved points": _sum(of(Hold.id), Hold.points),
        },
        select(Hold),
    )
    yield {"reserved points": _sum(of(HoldLot.hold_id), -HoldLot.points)}, select(HoldLot)
    yield (
        {"held points": _sum(of(HoldLot.lot_id), -HoldLot.points)},
        select(HoldLot).join(Hold, Hold.id == HoldLot.hold_id).where(is_open),
    )
    yield from _days()


def _days() -> Iterator[tuple[_Sums, Select[*tuple[Any, ...]]]]:
    """What the days of each account count. Of one that was merged they count for the other."""

    def on(day: Any, owner: Any) -> ColumnElement[int]:
        # A day is a number of days, so that each day of an account has a weight of its own.
        number = func.date_mi(day, func.to_date("2000-01-01", "YYYY-MM-DD"), type_=BigInteger)
        return func.uuid_hash_extended(owner, number + _SEED, type_=BigInteger)

    merged = select(Account.id, Account.merged_into_id).where(Account.merged_into_id.is_not(None))
    moved = merged.subquery()
    counted = on(EarningDay.day, EarningDay.account_id)
    yield (
        {
            "counted points": _sum(counted, EarningDay.points),
            "counted money": _sum(counted, EarningDay.spend_minor),
        },
        select(EarningDay),
    )
    counted = on(Entry.day, func.coalesce(moved.c.merged_into_id, Entry.account_id))
    yield (
        {
            "counted points": _sum(counted, -Entry.counted_points),
            "counted money": _sum(counted, -Entry.counted_minor),
        },
        select(Entry)
        .outerjoin(moved, moved.c.id == Entry.account_id)
        .where((Entry.counted_points != 0) | (Entry.counted_minor != 0)),
    )
    pending = on(Lot.counts_on, func.coalesce(moved.c.merged_into_id, Lot.account_id))
    yield (
        {"counted points": _sum(pending, Lot.remaining)},
        select(Lot)
        .outerjoin(moved, moved.c.id == Lot.account_id)
        .where(Lot.pending, Lot.counts_on.is_not(None), Lot.remaining > 0),
    )


def _sum(key: ColumnElement[int], figure: Any, *where: Any) -> list[ColumnElement[Any]]:
    """The sums of *figure* by both weights of *key*."""
    shifted = func.int8shr(key, literal(_BITS, Integer), type_=BigInteger)
    weights = (key.bitwise_and(_MASK), shifted.bitwise_and(_MASK))
    sums = [func.sum(figure * weight) for weight in weights]
    return [each.filter(*where) for each in sums] if where else list(sums)
