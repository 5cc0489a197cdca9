"""Reads pages of the ledger under their lock and writes them: few statements, many rows each.

The statements here are walked through by every posting, so they are built once (`Prepared`), with
the wall between programmes inside them, and take any number of accounts at a time.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple, cast

from sqlalchemy import Table, bindparam, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.db import Prepared, write_all
from app.languages import _
from app.ledger import rules, tiers
from app.ledger._book import AccountState, Book, HoldState, Row
from app.ledger._operation import Item
from app.ledger._telling import events_of
from app.ledger.errors import UnknownAccount
from app.ledger.models import (
    Account,
    AccountMerge,
    Draw,
    EarningDay,
    Entry,
    Hold,
    HoldLot,
    HoldStatus,
    Lot,
    Posting,
    Receipt,
    ReceiptLine,
    ReceiptReturn,
    TierChange,
)
from app.ledger.postings import Terms
from app.ledger.rules import LotState
from app.ledger.tiers import Count, TierState
from app.webhooks.models import Event


def _table(model: Any) -> Table:
    return cast(Table, model.__table__)


_accounts, _lots, _holds, _hold_lots = (_table(model) for model in (Account, Lot, Hold, HoldLot))
_entries, _days, _postings = (_table(model) for model in (Entry, EarningDay, Posting))

_ACCOUNT = tuple(
    _accounts.c[name]
    for name in (
        "id",
        "programme_id",
        "balance",
        "held",
        "debt",
        "version",
        "changed_at",
        "created_at",
        "carried_micro",
        "rolling_expires_at",
        "kind",
        "merged_into_id",
        "tier",
        "tier_before",
        "tier_kept",
        "tier_reviewed_at",
        "tier_grace_until",
        "tier_override",
        "tier_override_until",
        "tier_review_at",
        "tier_changed_at",
    )
)
#: Where a row's facts of the tier begin, in the order of `TierState`.
_BEFORE_TIER = 12
_ids: Any = bindparam("ids", expanding=True)
_READ = select(*_ACCOUNT).where(_accounts.c.id.in_(_ids)).order_by(_accounts.c.id)
_read_accounts = Prepared(_READ)
_lock_accounts = Prepared(_READ.with_for_update())
_lock_free_accounts = Prepared(_READ.with_for_update(skip_locked=True))


# --- accounts ---------------------------------------------------------------------------------


def lock(session: Session, account_ids: Collection[str], terms: Terms) -> dict[str, AccountState]:
    """Lock accounts until the end of the transaction, in the order of their ids; by id.

    Whoever locks several locks them in this order, so that no two wait for each other.
    """
    return _states(_lock_accounts(session, {"ids": sorted(account_ids)}), terms)


def lock_one(session: Session, account_id: str, terms: Terms) -> AccountState:
    """Lock one account until the end of the transaction, or the one that it was merged into.

    Raises `UnknownAccount`.
    """
    account = _one(lock(session, [account_id], terms))
    if account.merged_into_id is not None:
        return lock_one(session, account.merged_into_id, terms)
    return account


def lock_free(
    session: Session, account_ids: Collection[str], terms: Terms
) -> dict[str, AccountState]:
    """Lock those of the accounts that nobody else has locked."""
    return _states(_lock_free_accounts(session, {"ids": sorted(account_ids)}), terms)


def peek(session: Session, account_id: str, terms: Terms) -> AccountState:
    """Read one account without a lock. Raises `UnknownAccount`."""
    return _one(_states(_read_accounts(session, {"ids": [account_id]}), terms))


def peek_many(
    session: Session, account_ids: Collection[str], terms: Terms
) -> dict[str, AccountState]:
    """Read accounts without a lock; by id."""
    return _states(_read_accounts(session, {"ids": sorted(account_ids)}), terms)


def _one(states: dict[str, AccountState]) -> AccountState:
    for state in states.values():
        return state
    raise UnknownAccount(_("There is no such account."))


def _states(rows: Iterable[Any], terms: Terms) -> dict[str, AccountState]:
    states = {}
    for row in rows:
        facts, tier = row[:_BEFORE_TIER], row[_BEFORE_TIER:]
        joined_on = rules.local_day(row.created_at, terms.time_zone)
        state = AccountState(*facts, TierState(joined_on, *tier))  # type: ignore[call-arg]
        states[state.id] = state
    return states


# --- pages ------------------------------------------------------------------------------------

_LOT = tuple(
    _lots.c[name]
    for name in (
        "account_id",
        "id",
        "entry_id",
        "sequence",
        "points",
        "remaining",
        "held",
        "pending",
        "available_from",
        "expires_at",
        "issuing_partner_id",
        "rolling",
        "counts_on",
    )
)
_OPEN = (
    select(*_LOT)
    .where(_lots.c.account_id.in_(_ids), _lots.c.remaining > 0)
    .order_by(_lots.c.account_id, _lots.c.sequence)
)
_open_lots = Prepared(_OPEN)
_stirring_lots = Prepared(
    _OPEN.where(or_(_lots.c.pending, _lots.c.expires_at <= bindparam("now"), _lots.c.held > 0))
)
_further_lots = Prepared(
    select(*_LOT)
    .where(or_(_lots.c.id.in_(_ids), _lots.c.entry_id.in_(bindparam("entries", expanding=True))))
    .order_by(_lots.c.sequence)
)
_open_holds = Prepared(
    select(
        _holds.c.account_id,
        _holds.c.id,
        _holds.c.points,
        _holds.c.expires_at,
        _hold_lots.c.lot_id,
        _hold_lots.c.points.label("reserved"),
    )
    .select_from(_holds.join(_hold_lots, _hold_lots.c.hold_id == _holds.c.id))
    .where(_holds.c.account_id.in_(_ids), _holds.c.status == HoldStatus.OPEN)
    .order_by(_holds.c.expires_at, _holds.c.id)
)
_recent_days = Prepared(
    select(_days.c.account_id, _days.c.day, _days.c.points, _days.c.spend_minor).where(
        _days.c.account_id.in_(_ids), _days.c.day >= bindparam("earliest")
    )
)
#: Whose an entry is now: its account's, or the one's that this was merged into.
_owner = func.coalesce(_accounts.c.merged_into_id, _accounts.c.id)
_bonuses_had = Prepared(
    select(_owner, _entries.c.once_key)
    .select_from(_accounts.join(_entries, _entries.c.account_id == _accounts.c.id))
    .where(
        or_(_accounts.c.id.in_(_ids), _accounts.c.merged_into_id.in_(_ids)),
        _entries.c.once_key.in_(bindparam("keys", expanding=True)),
    )
    .group_by(_owner, _entries.c.once_key)
    .having(func.sum(_entries.c.points) > 0)
)


def load(
    session: Session,
    accounts: Iterable[AccountState],
    now: Any,
    *,
    whole: bool,
    terms: Terms,
    once_keys: Collection[str] = (),
) -> dict[str, Book]:
    """The pages of *accounts*, as they were last written, by account.

    Not *whole* leaves out lots to which nothing can happen: available, not due, not held. That is
    enough for a credit, unless there is debt that such a lot might repay.
    """
    books = {
        account.id: Book(account=account, lots={}, holds={}, now=now, terms=terms)
        for account in accounts
    }
    if not books:
        return {}
    ids = list(books)
    if whole or any(_wants_all(book.account, now) for book in books.values()):
        lots = _open_lots(session, {"ids": ids})
    else:
        lots = _stirring_lots(session, {"ids": ids, "now": now})
    for account_id, *rest in lots:
        _put(books[account_id], rest)
    holding = [account_id for account_id, book in books.items() if book.account.held]
    if holding:
        _load_holds(session, books, holding)
    if terms.tiers is not None:
        _load_days(session, books, now)
    if once_keys:
        for account_id, key in _bonuses_had(session, {"ids": ids, "keys": sorted(once_keys)}):
            if account_id in books:
                books[account_id].once_keys |= {key}
    return books


def _wants_all(account: AccountState, now: Any) -> bool:
    rolling = account.rolling_expires_at
    return account.debt > 0 or (rolling is not None and rolling <= now)


def _put(book: Book, row: Sequence[Any]) -> None:
    lot = LotState(*row)
    if lot.rolling:
        lot.expires_at = book.account.rolling_expires_at
    book.lots.setdefault(lot.id, lot)


def _load_holds(session: Session, books: dict[str, Book], account_ids: list[str]) -> None:
    for account_id, hold_id, points, expires_at, lot_id, reserved in _open_holds(
        session, {"ids": account_ids}
    ):
        holds = books[account_id].holds
        hold = holds.setdefault(hold_id, HoldState(hold_id, points, expires_at))
        hold.lots[lot_id] = reserved


def _load_days(session: Session, books: dict[str, Book], now: Any) -> None:
    terms = next(iter(books.values())).terms
    if terms.tiers is None:
        return
    earliest = {
        account_id: tiers.earliest_day(terms.tiers, book.account.tier, now, terms.time_zone)
        for account_id, book in books.items()
    }
    rows = _recent_days(session, {"ids": list(books), "earliest": min(earliest.values())})
    for account_id, day, points, spend_minor in rows:
        books[account_id].days[day] = Count(points, spend_minor)


def load_lots(
    session: Session, book: Book, *, ids: Collection[str] = (), entry_ids: Collection[str] = ()
) -> None:
    """Add further lots to a page, empty ones too: by id, or by the entries that made them.

    Those of an account that was merged into this one are put `elsewhere`: their points moved on.
    """
    for account_id, *rest in _further_lots(
        session, {"ids": sorted(ids), "entries": sorted(entry_ids)}
    ):
        _put(book, rest)
        lot = book.lots[rest[0]]
        if account_id != book.account.id:
            lot.remaining, lot.held, lot.pending = 0, 0, False
            book.elsewhere.add(lot.id)


# --- postings ---------------------------------------------------------------------------------


class First(NamedTuple):
    """The first answer to a posting's id."""

    id: str
    operation: str
    fingerprint: bytes
    answer: Row


_firsts = Prepared(
    select(*(_postings.c[name] for name in First._fields)).where(_postings.c.id.in_(_ids))
)


def firsts(session: Session, posting_ids: Collection[str]) -> dict[str, First]:
    """What was answered to these ids before, by id."""
    rows = _firsts(session, {"ids": sorted(posting_ids)})
    return {row.id: First(*row) for row in rows}


def claim(session: Session, items: Sequence[tuple[Item, Book, Row]]) -> set[str]:
    """Store postings and their answers; the ids of those that were not taken already.

    Waits for another transaction that is just storing one of the ids; in the order of the ids, so
    that no two wait for each other.
    """
    rows = [
        {
            "programme_id": book.account.programme_id,
            "id": item.request.id,
            "operation": item.request.operation,
            "fingerprint": item.request.fingerprint,
            "account_id": book.account.id,
            "till_id": item.request.till_id,
            "answer": answer,
            "recorded_at": book.now,
        }
        for item, book, answer in sorted(items, key=lambda each: each[0].request.id)
    ]
    if session.get_bind().dialect.name == "postgresql":
        return {row.id for row in _claim(session, rows)}
    # Here nobody else writes: what is not taken now is free until the end of the transaction.
    ids = [item.request.id for item, _, _ in items]
    free = set(ids) - firsts(session, ids).keys()
    new = [row for row in rows if row["id"] in free]
    if new:
        _NEW[Posting](session, new)
    return free


def amend(session: Session, answers: Sequence[tuple[str, Row]]) -> None:
    """Write the answers of these postings anew."""
    _update(session, Posting, [{"of_id": id_, "answer": answer} for id_, answer in answers])


_claim = Prepared(
    postgresql.insert(_postings)
    .on_conflict_do_nothing(index_elements=["programme_id", "id"])
    .returning(_postings.c.id)
)


# --- writing ----------------------------------------------------------------------------------

_NEW = {
    model: Prepared(insert(_table(model)))
    for model in (
        Posting,
        Receipt,
        ReceiptLine,
        Entry,
        Lot,
        Draw,
        Hold,
        HoldLot,
        ReceiptReturn,
        TierChange,
        AccountMerge,
        Event,
    )
}


def flush(session: Session, books: Iterable[Book]) -> None:
    """Write what is new on the pages."""
    books = [book for book in books if book.is_changed]
    if not books:
        return
    writes: list[tuple[Prepared, list[Row]]] = []
    for model, rows in (
        (Receipt, [row for book in books for row in book.receipts]),
        (ReceiptLine, [row for book in books for row in book.receipt_lines]),
        (Entry, [row for book in books for row in book.entries]),
        (Lot, [_lot_row(book, new) for book in books for new in book.new_lots]),
        (Draw, [row for book in books for row in book.draws]),
        (Hold, [row for book in books for row in book.new_holds]),
        (HoldLot, [row for book in books for row in book.hold_lots]),
        (ReceiptReturn, [row for book in books for row in book.returns]),
        (TierChange, [row for book in books for row in book.tier_changes]),
        (AccountMerge, [row for book in books for row in book.merges]),
        (Event, events_of(books)),
    ):
        if rows:
            writes.append((_NEW[model], rows))
    back = {
        id_: {"reversed_at": moment}
        for book in books
        for id_, moment in book.changed_returns.items()
    }
    changes: tuple[tuple[Any, list[Row]], ...] = (
        (Lot, [row for book in books for row in _changed_lots(book)]),
        (Hold, [row for book in books for row in _changed(book.changed_holds)]),
        (ReceiptReturn, _changed(back)),
        (Account, [_account_row(book.account) for book in books]),
    )
    writes += [(_update_of(_table(of), tuple(rows[0])), rows) for of, rows in changes if rows]
    days = _day_rows(books)
    if days:
        writes.append((_add_days_on(session.get_bind().dialect.name), days))
    write_all(session, writes)
    for book in books:
        pointed = {id_: {"merged_into_id": to} for id_, to in book.merged_into.items()}
        _update(session, Account, _changed(pointed))
        _update(session, AccountMerge, _changed(book.changed_merges))


def _lot_row(book: Book, new: Row) -> Row:
    lot: LotState = new["lot"]
    return {
        "programme_id": book.account.programme_id,
        "id": lot.id,
        "account_id": book.account.id,
        "entry_id": lot.entry_id,
        "points": lot.points,
        "remaining": lot.remaining,
        "held": lot.held,
        "pending": lot.pending,
        "rolling": lot.rolling,
        "counts_on": lot.counts_on,
        "available_from": lot.available_from,
        "expires_at": None if lot.rolling else lot.expires_at,
        "origin_lot_id": new["origin_lot_id"],
        "issuing_partner_id": lot.issuing_partner_id,
    }


def _changed_lots(book: Book) -> list[Row]:
    new = {row["lot"].id for row in book.new_lots}
    return [
        {
            "of_id": lot.id,
            "remaining": lot.remaining,
            "held": lot.held,
            "pending": lot.pending,
            "available_from": lot.available_from,
        }
        for lot in (book.lots[lot_id] for lot_id in sorted(book.changed_lots - new))
    ]


def _changed(changes: Mapping[str, Row]) -> list[Row]:
    return [{"of_id": id_, **row} for id_, row in changes.items()]


def _day_rows(books: Iterable[Book]) -> list[Row]:
    return [
        {
            "programme_id": book.account.programme_id,
            "account_id": book.account.id,
            "day": day,
            "points": count.points,
            "spend_minor": count.spend_minor,
        }
        for book in books
        for day, count in book.changed_days.items()
        if count != (0, 0)
    ]


@cache
def _add_days_on(dialect: str) -> Prepared:
    statement: Any = (postgresql.insert if dialect == "postgresql" else sqlite.insert)(_days)
    return Prepared(
        statement.on_conflict_do_update(
            index_elements=["account_id", "day"],
            set_={
                name: _days.c[name] + statement.excluded[name] for name in ("points", "spend_minor")
            },
        )
    )


def write_accounts(session: Session, accounts: Iterable[AccountState]) -> None:
    """Write the caches and versions of locked accounts."""
    _update(session, Account, [_account_row(account) for account in accounts])


def _account_row(account: AccountState) -> Row:
    tier = account.tier
    return {
        "of_id": account.id,
        "balance": account.balance,
        "held": account.held,
        "debt": account.debt,
        "version": account.version,
        "changed_at": account.changed_at,
        "carried_micro": account.carried_micro,
        "rolling_expires_at": account.rolling_expires_at,
        "tier": tier.tier,
        "tier_before": tier.before,
        "tier_kept": tier.kept,
        "tier_reviewed_at": tier.reviewed_at,
        "tier_grace_until": tier.grace_until,
        "tier_override": tier.override,
        "tier_override_until": tier.override_until,
        "tier_review_at": tier.review_at,
        "tier_changed_at": tier.changed_at,
    }


def _update(session: Session, model: Any, rows: list[Row]) -> None:
    if rows:
        _update_of(_table(model), tuple(rows[0]))(session, rows)


@cache
def _update_of(table: Table, names: tuple[str, ...]) -> Prepared:
    """An UPDATE by `of_id` of what else is named."""
    return Prepared(
        update(table)
        .where(table.c.id == bindparam("of_id"))
        .values({name: bindparam(name) for name in names if name != "of_id"})
    )
