"""Background work on the ledger: what falls due without anybody asking.

Each step does a bounded piece, is safe to run twice and side by side, and says how much it did.
An account that somebody else has locked is left for the next time. The steps do nothing that a
posting would not do by itself: they do it for accounts that nobody posts to.
"""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.ledger import _store
from app.ledger._book import Book
from app.ledger.models import EntryKind, Hold, HoldStatus, Lot


def expire_lots(session: Session, now: datetime, limit: int) -> int:
    """Expire what is due of up to *limit* lots; the number of lots that lost points."""
    due = session.scalars(
        select(Lot.account_id)
        .where(Lot.expires_at <= now, Lot.remaining > Lot.held)
        .order_by(Lot.expires_at)
        .limit(limit)
    )
    return sum(_expired(book) for book in _settle(session, due, now))


def _expired(book: Book) -> int:
    entries = {entry["id"] for entry in book.entries if entry["kind"] == EntryKind.EXPIRY}
    return sum(draw["entry_id"] in entries for draw in book.draws)


def release_pending(session: Session, now: datetime, limit: int) -> int:
    """Notice up to *limit* lots that have become available; the number of lots."""
    due = session.scalars(
        select(Lot.account_id)
        .where(Lot.pending, Lot.remaining > 0, Lot.available_from <= now)
        .order_by(Lot.available_from)
        .limit(limit)
    )
    return sum(book.noticed for book in _settle(session, due, now))


def release_lapsed_holds(session: Session, now: datetime, limit: int) -> int:
    """Release up to *limit* holds that took too long; the number of holds."""
    due = session.scalars(
        select(Hold.account_id)
        .where(Hold.status == HoldStatus.OPEN, Hold.expires_at <= now)
        .order_by(Hold.expires_at)
        .limit(limit)
    )
    return sum(len(book.changed_holds) for book in _settle(session, due, now))


def _settle(session: Session, account_ids: Iterable[str], now: datetime) -> list[Book]:
    accounts = _store.lock_many(session, set(account_ids))
    books = _store.load(session, accounts, now, whole=False)
    for book in books:
        book.settle()
        if book.is_changed:
            book.account.raise_version(now)
    _store.flush(session, books)
    return books
