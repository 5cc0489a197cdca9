"""Receipts of a range of accounts as they were, an account after the other, a page at a time.

The pages go along the index of entries (account, sequence), so that memory does not grow with what
is read, nor time with what was read before.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, Text, bindparam, cast, func, select, tuple_
from sqlalchemy.orm import Session

from app.db import EVERYWHERE, Id, Prepared
from app.ledger.models import (
    Account,
    Entry,
    EntryKind,
    Receipt,
    ReceiptLine,
    ReceiptReturn,
    TierChange,
)
from app.ledger.postings import Line
from app.programmes.earning import Exchange, Sale
from app.programmes.simulation.replay import Back, Past, TierThen

PAGE = 2000


class Range(NamedTuple):
    """Accounts from one id on, up to another (exclusive; None: to the end)."""

    begins: str
    ends: str | None


@dataclass(frozen=True, slots=True)
class Wants:
    """What has to be read beside the receipts since *since*; *context* is where visits begin."""

    programme_id: str
    since: datetime
    context: datetime | None
    now: datetime
    lines: bool
    tiers: bool
    carried: bool
    once_keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Holder:
    """An account, with what it had when the receipts begin."""

    id: str
    kind: str
    joined_on: date
    tiers: tuple[TierThen, ...]
    carried_micro: int
    once: frozenset[str]


_entries: Any = Entry.__table__
_receipts: Any = Receipt.__table__
_sold: Any = ReceiptLine.__table__
_came: Any = ReceiptReturn.__table__
_ids: Any = bindparam("ids", expanding=True)
#: Ids as the database writes them: making them one way or another costs more than all the rest.
_page = Prepared(
    select(
        cast(_entries.c.account_id, Text).label("account_id"),
        _entries.c.sequence,
        cast(_entries.c.posting_id, Text).label("posting_id"),
        _entries.c.occurred_at,
        _entries.c.recorded_at,
        _entries.c.counted_minor,
        cast(_receipts.c.id, Text).label("id"),
        cast(_receipts.c.location_id, Text).label("location_id"),
        _receipts.c.amount_minor,
        _receipts.c.currency,
        _receipts.c.earning_minor,
        _receipts.c.tax_minor,
        _receipts.c.coupons_minor,
        _receipts.c.paid_points,
        _receipts.c.exchange_rate,
        _receipts.c.exchange_source,
    )
    .select_from(_entries.join(_receipts, _receipts.c.id == _entries.c.receipt_id))
    .where(
        tuple_(_entries.c.account_id, _entries.c.sequence)
        > tuple_(bindparam("account", type_=Id), bindparam("sequence", type_=BigInteger)),
        _entries.c.account_id < bindparam("ends"),
        # As text, so that no index of programmes is taken for the way: SQLite would read and sort
        # all of the programme for each page.
        cast(_entries.c.programme_id, Text) == cast(bindparam("programme", type_=Id), Text),
        _entries.c.kind == EntryKind.ACCRUAL,
        _entries.c.occurred_at >= bindparam("context"),
        _entries.c.recorded_at <= bindparam("now"),
    )
    .order_by(_entries.c.account_id, _entries.c.sequence)
    .limit(PAGE)
)
_lines_of = Prepared(
    select(
        cast(_sold.c.receipt_id, Text).label("receipt"),
        _sold.c.item,
        _sold.c.category,
        _sold.c.quantity_thousandths,
        _sold.c.amount_minor,
    )
    .where(_sold.c.receipt_id.in_(_ids))
    .order_by(_sold.c.receipt_id, _sold.c.position)
)
_returns_of = Prepared(
    select(
        cast(_came.c.receipt_id, Text).label("receipt"),
        _came.c.recorded_at,
        _came.c.amount_minor,
        _came.c.earning_minor,
        _came.c.counted_minor_due,
        _came.c.lines,
    ).where(
        _came.c.receipt_id.in_(_ids),
        _came.c.reversed_at.is_(None),
        _came.c.recorded_at <= bindparam("now"),
    )
)
_EVER = datetime(1970, 1, 1, tzinfo=UTC)
_AFTER_ALL = "ffffffff-ffff-ffff-ffff-ffffffffffff"


def receipts(
    session: Session, which: Range, wants: Wants, places: dict[str, str], zone: ZoneInfo
) -> Iterator[tuple[Holder, Past]]:
    """The receipts of the accounts in the order in which they came, each with its holder.

    In a session that is open for all programmes.
    """
    given = {
        "account": which.begins,
        "sequence": -1,
        "ends": which.ends or _AFTER_ALL,
        "programme": wants.programme_id,
        "context": wants.context or _EVER,
        "now": wants.now,
    }
    holders: dict[str, Holder] = {}
    while True:
        rows = _page(session, given, programme_id=EVERYWHERE)
        if not rows:
            return
        given |= {"account": rows[-1].account_id, "sequence": rows[-1].sequence}
        ids = {row.account_id for row in rows}
        known = {each: holders[each] for each in ids & holders.keys()}
        holders = known | _holders(session, sorted(ids - known.keys()), wants, zone)
        sold = [row.id for row in rows]
        lines = _lines(session, sold) if wants.lines else {}
        back = _back(session, sold, wants.now)
        for row in rows:
            yield holders[row.account_id], _past(row, lines, back, places)


def _past(
    row: Any,
    lines: dict[str, tuple[Line, ...]],
    back: dict[str, tuple[Back, ...]],
    places: dict[str, str],
) -> Past:
    _, _, posting_id, occurred_at, recorded_at, counted, receipt_id, location_id, *facts = row
    amount, currency, earning, tax, coupons, paid, rate, source = facts
    exchange = None
    if rate is not None:
        exchange = Exchange(Decimal(rate), source or "", occurred_at.date())
    sold = lines.get(receipt_id, ())
    place = places.get(location_id)
    sale = Sale(amount, currency, occurred_at, tax, coupons, paid, sold, place)
    came = back.get(receipt_id, ())
    return Past(posting_id, occurred_at, recorded_at, sale, exchange, earning, counted, came)


def _lines(session: Session, ids: Sequence[str]) -> dict[str, tuple[Line, ...]]:
    found: defaultdict[str, list[Line]] = defaultdict(list)
    for receipt_id, item, category, thousandths, amount in _lines_of(
        session, {"ids": ids}, programme_id=EVERYWHERE
    ):
        quantity = Decimal(thousandths) / 1000 if thousandths % 1000 else thousandths // 1000
        found[receipt_id].append(Line(item, amount, quantity, category))
    return {receipt_id: tuple(each) for receipt_id, each in found.items()}


def _back(session: Session, ids: Sequence[str], now: datetime) -> dict[str, tuple[Back, ...]]:
    found: dict[str, list[Back]] = {}
    for receipt_id, *facts in _returns_of(
        session, {"ids": ids, "now": now}, programme_id=EVERYWHERE
    ):
        found.setdefault(receipt_id, []).append(Back(*facts))
    return {receipt_id: tuple(each) for receipt_id, each in found.items()}


# --- accounts ---------------------------------------------------------------------------------


def _holders(
    session: Session, ids: Sequence[str], wants: Wants, zone: ZoneInfo
) -> dict[str, Holder]:
    if not ids:
        return {}
    carried: dict[str, int] = {}
    if wants.carried:
        sums = session.execute(
            select(cast(Entry.account_id, Text), func.sum(Entry.carried_micro))
            .where(Entry.account_id.in_(ids), Entry.occurred_at < wants.since)
            .group_by(Entry.account_id)
        )
        carried = {account_id: int(micro or 0) for account_id, micro in sums}
    once = _once(session, ids, wants)
    tiers = _tiers(session, ids) if wants.tiers else {}
    rows = session.execute(
        select(cast(Account.id, Text), Account.kind, Account.created_at).where(Account.id.in_(ids))
    )
    return {
        account_id: Holder(
            account_id,
            kind,
            created_at.astimezone(zone).date(),
            tuple(tiers.get(account_id, ())),
            carried.get(account_id, 0),
            frozenset(once.get(account_id, ())),
        )
        for account_id, kind, created_at in rows
    }


def _once(session: Session, ids: Sequence[str], wants: Wants) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    if wants.once_keys:
        for account_id, key in session.execute(
            select(cast(Entry.account_id, Text), Entry.once_key)
            .where(
                Entry.account_id.in_(ids),
                Entry.once_key.in_(wants.once_keys),
                Entry.occurred_at < wants.since,
            )
            .group_by(Entry.account_id, Entry.once_key)
            .having(func.sum(Entry.points) > 0)
        ):
            found.setdefault(account_id, []).append(str(key))
    return found


def _tiers(session: Session, ids: Sequence[str]) -> dict[str, list[TierThen]]:
    found: dict[str, list[TierThen]] = {}
    for account_id, since, tier, posting_id in session.execute(
        select(
            cast(TierChange.account_id, Text),
            TierChange.effective_from,
            TierChange.to_tier,
            cast(TierChange.posting_id, Text),
        )
        .where(TierChange.account_id.in_(ids))
        .order_by(TierChange.effective_from, TierChange.sequence)
    ):
        found.setdefault(account_id, []).append(TierThen(since, tier, posting_id))
    return found


def ranges(session: Session, programme_id: str, count: int) -> list[Range]:
    """The programme's accounts in at most *count* ranges of about the same size."""
    total = session.scalar(
        select(func.count(Account.id)).where(Account.programme_id == programme_id)
    )
    size = max(1, -(-(total or 0) // count))
    numbered = (
        select(Account.id, func.row_number().over(order_by=Account.id).label("number"))
        .where(Account.programme_id == programme_id)
        .subquery()
    )
    begins = session.scalars(
        select(numbered.c.id).where((numbered.c.number - 1) % size == 0).order_by(numbered.c.number)
    ).all()
    return [
        Range(str(begin), None if at + 1 == len(begins) else str(begins[at + 1]))
        for at, begin in enumerate(begins)
    ]


def count_receipts(session: Session, since: datetime, now: datetime) -> int:
    """How many receipts there are to replay."""
    return int(
        session.scalar(
            select(func.count()).where(
                Entry.kind == EntryKind.ACCRUAL,
                Entry.occurred_at >= since,
                Entry.recorded_at <= now,
            )
        )
        or 0
    )
