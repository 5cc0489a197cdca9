"""What a receipt's value may depend on, read without a lock; and what is kept of a receipt."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy.orm import Session

from app.ledger import _credits, _others, _receipts, _store
from app.ledger.grounds import Kept
from app.ledger.postings import AccountFacts, Asked, Terms


def facts_of(
    session: Session,
    account_id: str,
    *,
    now: datetime,
    terms: Terms,
    occurred_at: datetime | None = None,
    once_keys: Collection[str] = (),
    asked: Asked | None = None,
) -> AccountFacts:
    """What the value of a receipt may depend on, without a lock: to say what it would be worth.

    The tier is that of *occurred_at*, where given. Raises `UnknownAccount`.
    """
    account = _store.peek(session, account_id, terms)
    if account.merged_into_id is not None:
        account = _store.peek(session, account.merged_into_id, terms)
    books = _store.load(session, [account], now, whole=False, terms=terms, once_keys=once_keys)
    book = books[account.id]
    book.settle()
    if asked is not None:
        _others.load(session, [(book, asked)])
    tier = None
    if terms.tiers is not None:
        is_past = occurred_at is not None and occurred_at < now
        tier = account.tier.tier
        if is_past and occurred_at is not None:
            tier = _credits.tier_at(session, account.id, occurred_at)
    return _credits.facts_on(book, tier)


def kept_of(session: Session, receipt_id: str) -> Kept:
    """What is kept of a receipt after all its returns; for `ledger.grounds`."""
    receipt = _receipts.sold_on(session, receipt_id)
    came = [each for each in _receipts.returns_of(session, receipt_id) if not each.reversed_at]
    return _receipts.kept_after(session, receipt, _receipts.parts_of(came))
