"""The rows of accounts: locked, read and written."""

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from app.db import Prepared, Question
from app.languages import _
from app.ledger import rules
from app.ledger._book import AccountState, Row
from app.ledger._store._statements import table_of, update_rows
from app.ledger.errors import UnknownAccount
from app.ledger.models import Account
from app.ledger.postings import Terms
from app.ledger.tiers import TierState

_accounts = table_of(Account)
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


def lock(session: Session, account_ids: Collection[str], terms: Terms) -> dict[str, AccountState]:
    """Lock accounts until the end of the transaction, in the order of their ids; by id.

    Whoever locks several locks them in this order, so that no two wait for each other.
    """
    return _states(_lock_accounts(session, {"ids": sorted(account_ids)}), terms)


def locks_asked(programme_id: str, account_ids: Collection[str]) -> Question:
    """What `lock` asks, for `app.db.asked_ahead`."""
    return Question(_lock_accounts, {"ids": sorted(account_ids)}, programme_id)


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


def write_accounts(session: Session, accounts: Iterable[AccountState]) -> None:
    """Write the caches and versions of locked accounts."""
    update_rows(session, Account, [account_row(account) for account in accounts])


def account_row(account: AccountState) -> Row:
    """What of an account changes, for an update by its id."""
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
