"""Rebuilds every cache of the ledger from what cannot change, and says where one differs.

The database does the adding up and answers only with differences, so that memory stays flat
however many entries there are. Each comparison is one statement and sees one state: the check
may run while postings are made. On PostgreSQL most comparisons are first looked at all together
(`_glance`), and made only where something is wrong.
"""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    CompoundSelect,
    Select,
    func,
    literal,
    select,
    union_all,
)
from sqlalchemy.orm import Session

from app.ledger import _glance
from app.ledger.models import (
    Account,
    Draw,
    EarningDay,
    Entry,
    Hold,
    HoldLot,
    HoldStatus,
    Lot,
    Receipt,
    ReceiptReturn,
)

Statement: TypeAlias = Select[*tuple[Any, ...]] | CompoundSelect[*tuple[Any, ...]]

#: Settings of PostgreSQL for the check alone: what may be used for each table of sums before it
#: goes to the disk; and that all rows are wanted, not the first ones soon.
_FOR_MANY_ROWS = {"work_mem": "128MB", "cursor_tuple_fraction": "1"}
#: Comparisons that are made if sums of another name differ.
_FOUND_BY = {
    "account of a lot": {"points"},
    "account of a drawn lot": {"taken points"},
}


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure that is not what the entries and draws say it must be."""

    programme_id: str
    account_id: str
    what: str
    id: str
    stored: int
    computed: int

    def __str__(self) -> str:
        return (
            f"account {self.account_id}: {self.what} of {self.id} is {self.stored}, "
            f"must be {self.computed}"
        )


def check(session: Session, *, watch: Callable[[str], None] | None = None) -> Iterator[Difference]:
    """Every difference in every account that the session sees. None means: the books are right.

    *watch* is told what is compared next: it takes a while. The session is one that reads: it sees
    one state throughout.
    """
    tell = watch or (lambda _what: None)
    wanted = None
    if session.get_bind().dialect.name == "postgresql":
        tell("all sums")
        for name, value in _FOR_MANY_ROWS.items():
            session.execute(select(func.set_config(name, value, True)))
        wanted = _glance.suspects(session, secrets.randbits(62))
    for what, statement, count in _statements():
        if wanted is not None and not wanted & _FOUND_BY.get(what, {what}):
            continue
        tell(what)
        # A cursor, from which differences are streamed, works on one core; counting works on all.
        if wanted is not None and not session.scalar(count):
            continue
        rows = session.execute(statement, execution_options={"yield_per": 1000})
        for programme_id, account_id, id_, stored, computed in rows:
            yield Difference(programme_id, account_id, what, str(id_), int(stored), int(computed))


@cache
def _statements() -> tuple[tuple[str, Statement, Statement], ...]:
    """Every comparison, and how many differences it finds: they say the same each time, and to
    put them together takes longer than to look through the books of a day."""
    return tuple(
        (what, statement, select(func.count()).select_from(statement.subquery()))
        for what, statement in _comparisons()
    )


def _comparisons() -> Iterator[tuple[str, Statement]]:
    no_lot = Draw.lot_id.is_(None)
    is_open = Hold.status == HoldStatus.OPEN
    account: tuple[Any, Any] = (Account.programme_id, Account.id)
    lot: tuple[Any, Any] = (Lot.programme_id, Lot.account_id)
    entry: tuple[Any, Any] = (Entry.programme_id, Entry.account_id)
    hold: tuple[Any, Any] = (Hold.programme_id, Hold.account_id)

    moved = _sum(Entry.account_id, Entry.points)
    yield "balance", _differing(account, Account.id, Account.balance, moved)
    owed = _sum(Draw.account_id, Draw.points, no_lot)
    yield "debt", _differing(account, Account.id, Account.debt, owed)
    left = _sum(Lot.account_id, Lot.remaining)
    yield "balance and debt", _differing(account, Account.id, Account.balance + Account.debt, left)
    reserved = _sum(Hold.account_id, Hold.points, is_open)
    yield "held", _differing(account, Account.id, Account.held, reserved)

    drawn = _sum(Draw.lot_id, Draw.points)
    yield "taken points", _differing(lot, Lot.id, Lot.points - Lot.remaining, drawn)
    by_lot = _grouped(
        select(HoldLot.lot_id.label("key"), func.sum(HoldLot.points).label("total"))
        .join(Hold, Hold.id == HoldLot.hold_id)
        .where(is_open),
        HoldLot.lot_id,
    )
    yield "held points", _differing(lot, Lot.id, Lot.held, by_lot)
    by_hold = _sum(HoldLot.hold_id, HoldLot.points)
    yield "reserved points", _differing(hold, Hold.id, Hold.points, by_hold)

    yield "points", _unequal_entries(entry)
    yield from _strays()
    yield (
        "captured points",
        select(*hold, Hold.id, Hold.points, -Entry.points)
        .join(Entry, Entry.id == Hold.entry_id)
        .where(Hold.points != -Entry.points),
    )
    carried = _sum(Entry.account_id, Entry.carried_micro)
    yield "carried money", _differing(account, Account.id, Account.carried_micro, carried)
    yield (
        "counted points",
        _miscounted(EarningDay.points, Entry.counted_points, without_pending=True),
    )
    yield (
        "counted money",
        _miscounted(EarningDay.spend_minor, Entry.counted_minor, without_pending=False),
    )

    came = _sum(
        ReceiptReturn.receipt_id, ReceiptReturn.amount_minor, ReceiptReturn.reversed_at.is_(None)
    )
    yield (
        "returned value",
        select(
            Receipt.programme_id,
            Receipt.account_id,
            Receipt.id,
            came.c.total,
            Receipt.amount_minor,
        )
        .join(came, came.c.key == Receipt.id)
        .where(came.c.total > Receipt.amount_minor),
    )


def _unequal_entries(entry: tuple[Any, Any]) -> Statement:
    """Entries that are not what their lots gave less what their draws took."""
    given = _sum(Lot.entry_id, Lot.points)
    taken = _sum(Draw.entry_id, Draw.points)
    computed = func.coalesce(given.c.total, 0) - func.coalesce(taken.c.total, 0)
    return (
        select(*entry, Entry.id, Entry.points, computed)
        .outerjoin(given, given.c.key == Entry.id)
        .outerjoin(taken, taken.c.key == Entry.id)
        .where(Entry.points != computed)
    )


def _miscounted(stored: Any, value: Any, *, without_pending: bool) -> Statement:
    """Days whose count is not what the entries say, less the points that are still pending.

    The entries of an account that was merged into another count there. What is stored and what it
    must be are sorted together once: no day is looked up.
    """
    owner = func.coalesce(Account.merged_into_id, Account.id)
    parts: list[Any] = [
        select(
            EarningDay.programme_id.label("programme_id"),
            EarningDay.account_id.label("account_id"),
            EarningDay.day.label("day"),
            stored.label("stored"),
            literal(0, BigInteger).label("value"),
        ),
        select(Account.programme_id, owner, Entry.day, literal(0, BigInteger), value)
        .join(Account, Account.id == Entry.account_id)
        .where(value != 0),
    ]
    if without_pending:
        parts.append(
            select(Account.programme_id, owner, Lot.counts_on, literal(0), -Lot.remaining)
            .join(Account, Account.id == Lot.account_id)
            .where(Lot.pending, Lot.counts_on.is_not(None), Lot.remaining > 0)
        )
    each = union_all(*parts).subquery()
    key = (each.c.programme_id, each.c.account_id, each.c.day)
    sums = (func.sum(each.c.stored).label("stored"), func.sum(each.c.value).label("value"))
    return select(*key, *sums).group_by(*key).having(sums[0] != sums[1])


def _strays() -> Iterator[tuple[str, Statement]]:
    """Draws and lots that name another account than what they belong to."""
    draw = select(Draw.programme_id, Draw.account_id, Draw.sequence, Draw.points, literal(0))
    elsewhere = draw.join(Entry, Entry.id == Draw.entry_id)
    yield "account of a draw", elsewhere.where(Entry.account_id != Draw.account_id)
    elsewhere = draw.join(Lot, Lot.id == Draw.lot_id)
    yield "account of a drawn lot", elsewhere.where(Lot.account_id != Draw.account_id)
    yield (
        "account of a lot",
        select(Lot.programme_id, Lot.account_id, Lot.id, Lot.points, literal(0))
        .join(Entry, Entry.id == Lot.entry_id)
        .where(Entry.account_id != Lot.account_id),
    )


def _sum(key: Any, value: Any, *where: ColumnElement[bool]) -> Any:
    statement = select(key.label("key"), func.sum(value).label("total")).where(
        key.is_not(None), *where
    )
    return _grouped(statement, key)


def _grouped(statement: Statement, key: Any) -> Any:
    return statement.group_by(key).subquery()


def _differing(of: tuple[Any, Any], id_: Any, stored: Any, sums: Any) -> Statement:
    computed = func.coalesce(sums.c.total, 0)
    return (
        select(*of, id_, stored, computed)
        .outerjoin(sums, sums.c.key == id_)
        .where(stored != computed)
    )
