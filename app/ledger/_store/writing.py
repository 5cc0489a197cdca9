"""Writes pages: what is new on them, and what changed."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.db import Prepared, write_all
from app.ledger._book import Book, Row
from app.ledger._operation import Item
from app.ledger._store._statements import table_of, update_of, update_rows
from app.ledger._store.accounts import account_row
from app.ledger._store.answers import claim_and_write
from app.ledger._telling import events_of
from app.ledger.models import (
    Account,
    AccountMerge,
    Draw,
    EarningDay,
    Entry,
    Hold,
    HoldLot,
    Lot,
    Receipt,
    ReceiptLine,
    ReceiptReturn,
    TierChange,
)
from app.ledger.rules import LotState
from app.webhooks.models import Event

_days = table_of(EarningDay)
_NEW = {
    model: Prepared(insert(table_of(model)))
    for model in (
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
    write_all(session, _writes_of(session, books))
    for book in books:
        pointed = {id_: {"merged_into_id": to} for id_, to in book.merged_into.items()}
        update_rows(session, Account, _changed(pointed))
        update_rows(session, AccountMerge, _changed(book.changed_merges))


def claim_and_flush(session: Session, items: Sequence[tuple[Item, Book, Row]]) -> bool:
    """Store postings and write their pages, in one journey to a server, if all ids are free.

    False where nothing was stored nor written: it is to be done one after the other. For postings
    that nothing but a taken id keeps from being written, such as accruals.
    """
    books = [book for _, book, _ in items]
    if any(book.merged_into or book.changed_merges or not book.is_changed for book in books):
        return False
    return claim_and_write(session, items, _writes_of(session, books))


def _writes_of(session: Session, books: Sequence[Book]) -> list[tuple[Prepared, list[Row]]]:
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
        (Account, [account_row(book.account) for book in books]),
    )
    writes += [(update_of(table_of(of), tuple(rows[0])), rows) for of, rows in changes if rows]
    days = _day_rows(books)
    if days:
        writes.append((_add_days_on(session.get_bind().dialect.name), days))
    return writes


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
