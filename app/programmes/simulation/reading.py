"""Receipts of a range of accounts as they were, an account after the other, a page at a time.

The pages go along the index of entries (account, sequence), so that memory does not grow with what
is read, nor time with what was read before.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import func, literal, select, tuple_
from sqlalchemy.orm import Session

from app.db import Id
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


_COLUMNS = (
    Entry.account_id,
    Entry.sequence,
    Entry.posting_id,
    Entry.occurred_at,
    Entry.recorded_at,
    Entry.counted_minor,
    Receipt.id,
    Receipt.location_id,
    Receipt.amount_minor,
    Receipt.currency,
    Receipt.earning_minor,
    Receipt.tax_minor,
    Receipt.coupons_minor,
    Receipt.paid_points,
    Receipt.exchange_rate,
    Receipt.exchange_source,
)


def receipts(
    session: Session, which: Range, wants: Wants, places: dict[str, str], zone: ZoneInfo
) -> Iterator[tuple[Holder, Past]]:
    """The receipts of the accounts in the order in which they came, each with its holder."""
    wanted = (
        select(*_COLUMNS)
        .join(Receipt, Receipt.id == Entry.receipt_id)
        .where(
            Entry.kind == EntryKind.ACCRUAL,
            Entry.recorded_at <= wants.now,
            Entry.account_id >= which.begins,
        )
        .order_by(Entry.account_id, Entry.sequence)
        .limit(PAGE)
    )
    if wants.context is not None:
        wanted = wanted.where(Entry.occurred_at >= wants.context)
    if which.ends is not None:
        wanted = wanted.where(Entry.account_id < which.ends)
    after: tuple[str, int] | None = None
    holders: dict[str, Holder] = {}
    while True:
        page = wanted
        if after is not None:
            page = wanted.where(
                tuple_(Entry.account_id, Entry.sequence)
                > tuple_(literal(after[0], Id), literal(after[1]))
            )
        rows: Sequence[Any] = session.execute(page).all()
        if not rows:
            return
        after = rows[-1].account_id, rows[-1].sequence
        ids = {row.account_id for row in rows}
        known = {each: holders[each] for each in ids & holders.keys()}
        holders = known | _holders(session, sorted(ids - known.keys()), wants, zone)
        lines = _lines(session, rows) if wants.lines else {}
        back = _back(session, rows, wants.now)
        for row in rows:
            yield holders[row.account_id], _past(row, lines, back, places)


def _past(
    row: Any,
    lines: dict[str, tuple[Line, ...]],
    back: dict[str, tuple[Back, ...]],
    places: dict[str, str],
) -> Past:
    exchange = None
    if row.exchange_rate is not None:
        day = row.occurred_at.date()
        exchange = Exchange(Decimal(row.exchange_rate), row.exchange_source or "", day)
    sale = Sale(
        row.amount_minor,
        row.currency,
        row.occurred_at,
        row.tax_minor,
        row.coupons_minor,
        row.paid_points,
        lines.get(row.id, ()),
        places.get(row.location_id),
    )
    return Past(
        row.posting_id,
        row.occurred_at,
        row.recorded_at,
        sale,
        exchange,
        row.earning_minor,
        row.counted_minor,
        back.get(row.id, ()),
    )


def _lines(session: Session, rows: Sequence[Any]) -> dict[str, tuple[Line, ...]]:
    found: dict[str, list[Line]] = {}
    for receipt_id, item, category, thousandths, amount, earns in session.execute(
        select(
            ReceiptLine.receipt_id,
            ReceiptLine.item,
            ReceiptLine.category,
            ReceiptLine.quantity_thousandths,
            ReceiptLine.amount_minor,
            ReceiptLine.earns,
        )
        .where(ReceiptLine.receipt_id.in_([row.id for row in rows]))
        .order_by(ReceiptLine.receipt_id, ReceiptLine.position)
    ):
        whole, rest = divmod(thousandths, 1000)
        quantity = Decimal(thousandths) / 1000 if rest else whole
        found.setdefault(receipt_id, []).append(Line(item, amount, quantity, category, earns))
    return {receipt_id: tuple(each) for receipt_id, each in found.items()}


def _back(session: Session, rows: Sequence[Any], now: datetime) -> dict[str, tuple[Back, ...]]:
    found: dict[str, list[Back]] = {}
    for receipt_id, *facts in session.execute(
        select(
            ReceiptReturn.receipt_id,
            ReceiptReturn.recorded_at,
            ReceiptReturn.amount_minor,
            ReceiptReturn.earning_minor,
            ReceiptReturn.counted_minor_due,
            ReceiptReturn.lines,
        ).where(
            ReceiptReturn.receipt_id.in_([row.id for row in rows]),
            ReceiptReturn.reversed_at.is_(None),
            ReceiptReturn.recorded_at <= now,
        )
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
            select(Entry.account_id, func.sum(Entry.carried_micro))
            .where(Entry.account_id.in_(ids), Entry.occurred_at < wants.since)
            .group_by(Entry.account_id)
        )
        carried = {account_id: int(micro or 0) for account_id, micro in sums}
    once = _once(session, ids, wants)
    tiers = _tiers(session, ids) if wants.tiers else {}
    rows = session.execute(
        select(Account.id, Account.kind, Account.created_at).where(Account.id.in_(ids))
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
            select(Entry.account_id, Entry.once_key)
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
            TierChange.account_id,
            TierChange.effective_from,
            TierChange.to_tier,
            TierChange.posting_id,
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
