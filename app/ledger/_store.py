"""Reads pages of the ledger under their lock and writes them: few statements, many rows each.

Inserts and selects name the mapped classes, so the wall between programmes stands behind them.
Updates of many rows go past the ORM, which would build them by primary key alone; they name the
programme themselves.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Any, cast

from sqlalchemy import Table, bindparam, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.ledger._book import AccountState, Book, HoldState, Row
from app.ledger.errors import UnknownAccount
from app.ledger.models import (
    Account,
    Draw,
    Entry,
    Hold,
    HoldLot,
    HoldStatus,
    Lot,
    Posting,
    Receipt,
    ReceiptLine,
    ReceiptReturn,
)
from app.ledger.postings import Request
from app.ledger.rules import LotState

_ACCOUNT = (
    Account.id,
    Account.programme_id,
    Account.balance,
    Account.held,
    Account.debt,
    Account.version,
    Account.changed_at,
)
_LOT = (
    Lot.account_id,
    Lot.id,
    Lot.entry_id,
    Lot.sequence,
    Lot.points,
    Lot.remaining,
    Lot.held,
    Lot.pending,
    Lot.available_from,
    Lot.expires_at,
    Lot.issuing_partner_id,
)


def lock(session: Session, account_id: str) -> AccountState:
    """Lock one account until the end of the transaction. Raises `UnknownAccount`."""
    row = session.execute(
        select(*_ACCOUNT).where(Account.id == account_id).with_for_update()
    ).first()
    if row is None:
        raise UnknownAccount("There is no such account.")
    return AccountState(*row)


def lock_many(session: Session, account_ids: Collection[str]) -> list[AccountState]:
    """Lock those of the accounts that nobody else has locked, in the order of their ids."""
    rows = session.execute(
        select(*_ACCOUNT)
        .where(Account.id.in_(sorted(account_ids)))
        .order_by(Account.id)
        .with_for_update(skip_locked=True)
    )
    return [AccountState(*row) for row in rows]


def peek(session: Session, account_id: str) -> AccountState:
    """Read one account without a lock. Raises `UnknownAccount`."""
    row = session.execute(select(*_ACCOUNT).where(Account.id == account_id)).first()
    if row is None:
        raise UnknownAccount("There is no such account.")
    return AccountState(*row)


def load(
    session: Session, accounts: Sequence[AccountState], now: datetime, *, whole: bool
) -> list[Book]:
    """The pages of *accounts*, as they were last written.

    Not *whole* leaves out lots to which nothing can happen: available, not due, not held. That is
    enough for a credit, unless there is debt that such a lot might repay.
    """
    books = {account.id: Book(account=account, lots={}, holds={}, now=now) for account in accounts}
    if not books:
        return []
    found = select(*_LOT).where(_is(Lot.account_id, books), Lot.remaining > 0)
    if not whole and not any(account.debt for account in accounts):
        found = found.where(or_(Lot.pending, Lot.expires_at <= now, Lot.held > 0))
    for account_id, *rest in session.execute(found.order_by(Lot.account_id, Lot.sequence)):
        lot = LotState(*rest)
        books[account_id].lots[lot.id] = lot
    holding = [account.id for account in accounts if account.held]
    if holding:
        _load_holds(session, books, holding)
    return list(books.values())


def _load_holds(session: Session, books: dict[str, Book], account_ids: Collection[str]) -> None:
    rows = session.execute(
        select(
            Hold.account_id, Hold.id, Hold.points, Hold.expires_at, HoldLot.lot_id, HoldLot.points
        )
        .join(HoldLot, HoldLot.hold_id == Hold.id)
        .where(_is(Hold.account_id, account_ids), Hold.status == HoldStatus.OPEN)
        .order_by(Hold.expires_at, Hold.id)
    )
    for account_id, hold_id, points, expires_at, lot_id, reserved in rows:
        holds = books[account_id].holds
        hold = holds.setdefault(hold_id, HoldState(hold_id, points, expires_at))
        hold.lots[lot_id] = reserved


def load_lots(
    session: Session, book: Book, *, ids: Collection[str] = (), entry_ids: Collection[str] = ()
) -> None:
    """Add further lots to a page, empty ones too: by id, or by the entries that made them."""
    found = select(*_LOT).where(
        Lot.account_id == book.account.id, or_(Lot.id.in_(ids), Lot.entry_id.in_(entry_ids))
    )
    for _account_id, *rest in session.execute(found.order_by(Lot.sequence)):
        lot = LotState(*rest)
        book.lots.setdefault(lot.id, lot)


def _is(column: Any, values: Collection[str]) -> Any:
    if len(values) == 1:
        return column == next(iter(values))
    return column.in_(sorted(values))


def claim(
    session: Session, request: Request, account: AccountState, answer: Row, now: datetime
) -> bool:
    """Store the posting and its answer; False where its id is taken.

    Waits for another transaction that is just storing the same id.
    """
    row = {
        "programme_id": account.programme_id,
        "id": request.id,
        "operation": request.operation,
        "fingerprint": request.fingerprint,
        "account_id": account.id,
        "till_id": request.till_id,
        "answer": answer,
        "recorded_at": now,
    }
    statement = _claim_on(session.get_bind().dialect.name)
    return session.execute(statement, [row]).first() is not None


@cache
def _claim_on(dialect: str) -> Any:
    insert_into = postgresql.insert if dialect == "postgresql" else sqlite.insert
    return (
        insert_into(Posting)
        .on_conflict_do_nothing(index_elements=["programme_id", "id"])
        .returning(Posting.sequence)
    )


def flush(session: Session, books: Iterable[Book]) -> None:
    """Write what is new on the pages."""
    books = [book for book in books if book.is_changed]
    if not books:
        return
    for model, rows in (
        (Receipt, [row for book in books for row in book.receipts]),
        (ReceiptLine, [row for book in books for row in book.receipt_lines]),
        (Entry, [row for book in books for row in book.entries]),
        (Lot, [_lot_row(book, new) for book in books for new in book.new_lots]),
        (Draw, [row for book in books for row in book.draws]),
        (Hold, [row for book in books for row in book.new_holds]),
        (HoldLot, [row for book in books for row in book.hold_lots]),
        (ReceiptReturn, [row for book in books for row in book.returns]),
    ):
        if rows:
            session.execute(insert(model), rows)
    _update(session, Lot, [row for book in books for row in _changed_lots(book)])
    _update(session, Hold, [row for book in books for row in _changed(book, book.changed_holds)])
    back = {
        id_: {"reversed_at": moment}
        for book in books
        for id_, moment in book.changed_returns.items()
    }
    _update(session, ReceiptReturn, [row for book in books for row in _changed(book, back)])
    write_accounts(session, [book.account for book in books])


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
        "available_from": lot.available_from,
        "expires_at": lot.expires_at,
        "origin_lot_id": new["origin_lot_id"],
        "issuing_partner_id": lot.issuing_partner_id,
    }


def _changed_lots(book: Book) -> list[Row]:
    new = {row["lot"].id for row in book.new_lots}
    return [
        {
            "of_id": lot.id,
            "of_programme": book.account.programme_id,
            "remaining": lot.remaining,
            "held": lot.held,
            "pending": lot.pending,
            "available_from": lot.available_from,
        }
        for lot in (book.lots[lot_id] for lot_id in sorted(book.changed_lots - new))
    ]


def _changed(book: Book, changes: dict[str, Row]) -> list[Row]:
    programme_id = book.account.programme_id
    return [{"of_id": id_, "of_programme": programme_id, **row} for id_, row in changes.items()]


def write_accounts(session: Session, accounts: Iterable[AccountState]) -> None:
    """Write the caches and versions of locked accounts."""
    rows = [
        {
            "of_id": account.id,
            "of_programme": account.programme_id,
            "balance": account.balance,
            "held": account.held,
            "debt": account.debt,
            "version": account.version,
            "changed_at": account.changed_at,
        }
        for account in accounts
    ]
    _update(session, Account, rows)


def _update(session: Session, model: Any, rows: list[Row]) -> None:
    if not rows:
        return
    names = tuple(name for name in rows[0] if not name.startswith("of_"))
    session.connection().execute(_update_of(cast(Table, model.__table__), names), rows)


@cache
def _update_of(table: Table, names: tuple[str, ...]) -> Any:
    return (
        update(table)
        .where(table.c.id == bindparam("of_id"), table.c.programme_id == bindparam("of_programme"))
        .values({name: bindparam(name) for name in names})
    )
