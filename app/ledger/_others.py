"""What is known of an account's other receipts, for rules that ask: visits, windows, the first.

Set-based: for many accounts at once, with what was merged into them. A receipt that came back
whole is none; money is what counts towards tiers, which a return has lowered already.
"""

from collections.abc import Collection, Iterable
from datetime import date, timedelta
from typing import Any

from sqlalchemy import and_, bindparam, func, or_, select
from sqlalchemy.orm import Session

from app.db import Prepared
from app.ledger._book import Book, OtherReceipts
from app.ledger.models import Account, Entry, EntryKind, Receipt, ReceiptReturn
from app.ledger.postings import Activity, Asked

_accounts: Any = Account.__table__
_entries: Any = Entry.__table__
_receipts: Any = Receipt.__table__
_returns: Any = ReceiptReturn.__table__
_ids: Any = bindparam("ids", expanding=True)
_owner = func.coalesce(_accounts.c.merged_into_id, _accounts.c.id)
_whose = or_(_accounts.c.id.in_(_ids), _accounts.c.merged_into_id.in_(_ids))
_within = and_(_entries.c.day >= bindparam("since"), _entries.c.day <= bindparam("until"))

_back = (
    select(func.sum(_returns.c.amount_minor))
    .where(_returns.c.receipt_id == _receipts.c.id, _returns.c.reversed_at.is_(None))
    .scalar_subquery()
)
#: Each visit, with its day, its receipt's amount and what of it came back (empty: nothing).
_visits = Prepared(
    select(
        _owner.label("owner"),
        _entries.c.day,
        _receipts.c.amount_minor,
        _back.label("back"),
    )
    .select_from(
        _accounts.join(_entries, _entries.c.account_id == _accounts.c.id).join(
            _receipts, _receipts.c.id == _entries.c.receipt_id
        )
    )
    .where(_whose, _entries.c.kind == EntryKind.ACCRUAL, _within)
)
_spend = Prepared(
    select(_owner, _entries.c.day, func.sum(_entries.c.counted_minor))
    .select_from(_accounts.join(_entries, _entries.c.account_id == _accounts.c.id))
    .where(_whose, _entries.c.counted_minor != 0, _within)
    .group_by(_owner, _entries.c.day)
)
_EVER = date(1970, 1, 1)
_NO_END = date(9999, 12, 31)


def load(session: Session, books: Iterable[tuple[Book, Asked]]) -> None:
    """Put what is asked on the pages; one query or two for all that ask the same."""
    groups: dict[Asked, list[Book]] = {}
    for book, asked in books:
        groups.setdefault(asked, []).append(book)
    for asked, group in groups.items():
        found = read(session, [book.account.id for book in group], asked)
        for book in group:
            book.other_receipts = found[book.account.id]


def read(session: Session, account_ids: Collection[str], asked: Asked) -> dict[str, OtherReceipts]:
    """What is asked of the accounts' receipts, by account."""
    ids = sorted(account_ids)
    longest = max(asked.windows, default=1)
    since = _EVER if asked.first else asked.day - timedelta(days=longest - 1)
    until = _NO_END if asked.first else asked.day
    visits: dict[str, list[date]] = {each: [] for each in ids}
    for owner, day, amount, back in _visits(session, {"ids": ids, "since": since, "until": until}):
        if owner in visits and (back is None or back < amount):
            visits[owner].append(day)
    money: dict[str, list[tuple[date, int]]] = {each: [] for each in ids}
    if asked.windows:
        for owner, day, minor in _spend(
            session, {"ids": ids, "since": asked.day - timedelta(days=longest - 1), "until": until}
        ):
            if owner in money and day <= asked.day:
                money[owner].append((day, int(minor)))
    return {each: _summed(asked, visits[each], money[each]) for each in ids}


def _summed(asked: Asked, visits: list[date], money: list[tuple[date, int]]) -> OtherReceipts:
    windows = {}
    for days in asked.windows:
        since = asked.day - timedelta(days=days - 1)
        within = [day for day in visits if since <= day <= asked.day]
        windows[days] = Activity(
            len(within), sum(minor for day, minor in money if since <= day), frozenset(within)
        )
    return OtherReceipts(visits.count(asked.day), asked.first and not visits, windows)
