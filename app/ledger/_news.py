"""Saying that the passes of accounts show something new though nothing was posted."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy.orm import Session

from app.ledger import _store
from app.ledger.postings import Terms


def raise_version(session: Session, account_id: str, *, now: datetime) -> None:
    """Say that the account's passes show something new that is no posting."""
    account = _store.lock_one(session, account_id, Terms())
    account.raise_version(now)
    _store.write_accounts(session, [account])


def raise_versions(session: Session, account_ids: Collection[str], *, now: datetime) -> None:
    """The same of many accounts of the programme that the session is open for."""
    accounts = _store.lock(session, account_ids, Terms())
    for account in accounts.values():
        account.raise_version(now)
    _store.write_accounts(session, accounts.values())


def mark_many_changed(
    session: Session, account_ids: Collection[str], *, now: datetime
) -> dict[str, int]:
    """As `mark_changed` for many accounts, which stay locked; their versions, by account."""
    accounts = _store.lock(session, account_ids, Terms())
    for account in accounts.values():
        account.mark_changed(now)
    _store.write_accounts(session, accounts.values())
    return {account_id: account.version for account_id, account in accounts.items()}


def mark_changed(session: Session, account_id: str, *, now: datetime) -> None:
    """Move the account's `changed_at` on: one of its cards changed, and says so by this date."""
    account = _store.lock_one(session, account_id, Terms())
    account.mark_changed(now)
    _store.write_accounts(session, [account])
