"""Background work on the ledger: what falls due without anybody asking.

Each step does a bounded piece, is safe to run twice and side by side, and says how much it did.
An account that somebody else has locked is left for the next time. The steps do nothing that a
posting would not do by itself: they do it for accounts that nobody posts to.

A step is given `terms_of`, which says by what terms of its programme an account is kept.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import groupby
from typing import Any, TypeAlias

from sqlalchemy import and_, bindparam, select
from sqlalchemy.orm import Session

from app.db import EVERYWHERE, Prepared, within
from app.ledger import _store
from app.ledger._book import Book
from app.ledger._sweeping import settle_plain
from app.ledger.models import Account, EntryKind, Hold, HoldStatus, Lot
from app.ledger.postings import Terms

TermsOf: TypeAlias = Callable[[str], Terms]

_now: Any = bindparam("now")
_limit: Any = bindparam("limit")
_accounts: Any = Account.__table__
_lots: Any = Lot.__table__
_holds: Any = Hold.__table__

_expiring = Prepared(
    select(_lots.c.programme_id, _lots.c.account_id)
    .where(_lots.c.expires_at <= _now, _lots.c.remaining > _lots.c.held)
    .order_by(_lots.c.expires_at)
    .limit(_limit)
)
#: Only where points roll: else an account whose points are of another kind would be found for ever.
_rolled = Prepared(
    select(_accounts.c.programme_id, _accounts.c.id)
    .select_from(
        _accounts.join(
            _lots,
            and_(
                _lots.c.account_id == _accounts.c.id,
                _lots.c.remaining > 0,
                _lots.c.remaining > _lots.c.held,
                _lots.c.rolling,
            ),
        )
    )
    .where(_accounts.c.rolling_expires_at.is_not(None), _accounts.c.rolling_expires_at <= _now)
    .order_by(_accounts.c.rolling_expires_at)
    .limit(_limit)
)
_ripening = Prepared(
    select(_lots.c.programme_id, _lots.c.account_id)
    .where(_lots.c.pending, _lots.c.remaining > 0, _lots.c.available_from <= _now)
    .order_by(_lots.c.available_from)
    .limit(_limit)
)
_lapsed = Prepared(
    select(_holds.c.programme_id, _holds.c.account_id)
    .where(_holds.c.status == HoldStatus.OPEN, _holds.c.expires_at <= _now)
    .order_by(_holds.c.expires_at)
    .limit(_limit)
)
_to_review = Prepared(
    select(_accounts.c.programme_id, _accounts.c.id)
    .where(_accounts.c.tier_review_at.is_not(None), _accounts.c.tier_review_at <= _now)
    .order_by(_accounts.c.tier_review_at)
    .limit(_limit)
)


#: What these find is settled page by page anyway.
_SELDOM_PLAIN = (_rolled, _ripening, _lapsed)


def expire_lots(session: Session, now: datetime, limit: int, terms_of: TermsOf) -> int:
    """Expire what is due of up to *limit* lots; the number of lots that lost points.

    Points under a hold are passed over. Tiers are reviewed first where that is due too.
    """
    lots, books, _ = _settle(session, _expiring, now, limit, terms_of)
    done = lots + sum(_expired(book) for book in books)
    if done < limit:
        lots, books, _ = _settle(session, _rolled, now, limit - done, terms_of)
        done += lots + sum(_expired(book) for book in books)
    return done


def _expired(book: Book) -> int:
    entries = {entry["id"] for entry in book.entries if entry["kind"] == EntryKind.EXPIRY}
    return sum(draw["entry_id"] in entries for draw in book.draws)


def release_pending(session: Session, now: datetime, limit: int, terms_of: TermsOf) -> int:
    """Notice up to *limit* lots that have become available; the number of lots."""
    _, books, _ = _settle(session, _ripening, now, limit, terms_of)
    return sum(book.noticed for book in books)


def release_lapsed_holds(session: Session, now: datetime, limit: int, terms_of: TermsOf) -> int:
    """Release up to *limit* holds that took too long; the number of holds."""
    _, books, _ = _settle(session, _lapsed, now, limit, terms_of)
    return sum(len(book.changed_holds) for book in books)


def review_tiers(session: Session, now: datetime, limit: int, terms_of: TermsOf) -> int:
    """Review the tiers of up to *limit* accounts; the number of accounts."""
    _, books, plain = _settle(session, _to_review, now, limit, terms_of)
    return plain + len(books)


def _settle(
    session: Session, due: Prepared, now: datetime, limit: int, terms_of: TermsOf
) -> tuple[int, list[Book], int]:
    """Settle the accounts that *due* finds, those that were free.

    What is plain is done for all of them together: how many lots expired, and, at the end, how many
    accounts that was. Between them the pages of the others that changed.
    """
    found = due(session, {"now": now, "limit": limit}, programme_id=EVERYWHERE)
    books: list[Book] = []
    lots = accounts = 0
    by_programme = groupby(sorted({(row[0], row[1]) for row in found}), key=lambda row: row[0])
    for programme_id, rows in by_programme:
        with within(session, programme_id):
            ids, terms = [account_id for _, account_id in rows], terms_of(programme_id)
            given_up = due is _to_review and terms.tiers is None
            one_by_one = given_up or due in _SELDOM_PLAIN or terms.is_heard
            if one_by_one or session.get_bind().dialect.name != "postgresql":
                books += _settle_accounts(session, ids, now, terms)
                continue
            done = settle_plain(session, ids, now, terms)
            lots, accounts = lots + done.lots, accounts + done.accounts
            if done.others:
                books += _settle_accounts(session, done.others, now, terms)
    return lots, books, accounts


def _settle_accounts(
    session: Session, account_ids: Iterable[str], now: datetime, terms: Terms
) -> list[Book]:
    accounts = _store.lock_free(session, list(account_ids), terms)
    books = _store.load(session, accounts.values(), now, whole=False, terms=terms)
    changed = []
    for book in books.values():
        book.settle()
        if book.is_changed:
            book.account.raise_version(now)
            changed.append(book)
    _store.flush(session, changed)
    return changed
