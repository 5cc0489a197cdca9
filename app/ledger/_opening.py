"""Opening an account: empty, or with what its owner had elsewhere: points with ends, and a tier."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from app.clock import whole_second
from app.db import Prepared, new_id, programme_of
from app.errors import Invalid
from app.ledger import rules, tiers
from app.ledger._book import AccountState
from app.ledger._operation import MOST_POINTS, Context, Outcome, whole_number
from app.ledger.explain import Reason, because
from app.ledger.models import Account, AccountKind, EntryKind
from app.ledger.postings import Open, OpeningLot
from app.ledger.tiers import TierReason, TierState

#: An account has a handful; a file with more is no list of balances.
MOST_LOTS = 120
LONGEST_COMPANY_NAME = 80
_accounts: Any = Account.__table__
_COLUMNS = (
    "id programme_id balance held debt version changed_at created_at carried_micro kind"
).split()
_insert_accounts = Prepared(insert(_accounts))


def open_account(
    session: Session,
    *,
    now: datetime,
    kind: AccountKind | str = AccountKind.PERSONAL,
    company_name: str | None = None,
) -> Account:
    """A new, empty account of the session's programme.

    Raises `Invalid` for a name that is none, or of what is no company.
    """
    if company_name is not None:
        company_name = " ".join(company_name.split())
        is_name = company_name.isprintable() and 0 < len(company_name) <= LONGEST_COMPANY_NAME
        if kind != AccountKind.COMPANY or not is_name:
            text = f"A company, and nobody else, has a name of 1 to {LONGEST_COMPANY_NAME} letters."
            raise Invalid(text, {"name": [text]})
    account = Account(
        kind=str(AccountKind(kind)),
        company_name=company_name,
        changed_at=whole_second(now),
        created_at=now,
    )
    session.add(account)
    session.flush()
    return account


def open_accounts(
    session: Session, opened: Sequence[datetime], *, now: datetime, time_zone: str
) -> list[AccountState]:
    """Many new, empty, personal accounts of the session's programme, in one statement.

    *opened* is for each since when its owner has been a member: anniversaries count from there.
    """
    changed_at = whole_second(now)
    states = [
        AccountState(
            id=new_id(),
            programme_id=programme_of(session),
            balance=0,
            held=0,
            debt=0,
            version=1,
            changed_at=changed_at,
            created_at=moment,
            carried_micro=0,
            rolling_expires_at=None,
            kind=str(AccountKind.PERSONAL),
            merged_into_id=None,
            tier=TierState(rules.local_day(moment, time_zone)),
        )
        for moment in opened
    ]
    if states:
        rows = [{name: getattr(state, name) for name in _COLUMNS} for state in states]
        _insert_accounts(session, [{**row, "delivered_version": 0} for row in rows])
    return states


def open_balance(context: Context, operation: Open) -> Outcome:
    """Write the opening entry, a lot for each end that its points have. Raises `Invalid`."""
    book = context.book
    reason = operation.reason.strip()
    if not reason or len(reason) > 200 or len(operation.lots) > MOST_LOTS:
        text = f"An opening says where it is from, in 200 characters; it has {MOST_LOTS} lots."
        raise Invalid(text, {"reason": [text]})
    points = sum(whole_number(each.points, "points", 1, MOST_POINTS) for each in operation.lots)
    whole_number(points, "points", 0, MOST_POINTS)
    whole_number(operation.debt, "debt", 0, MOST_POINTS)
    if operation.debt and points:
        text = "Points and debt never stand side by side: one pays for the other."
        raise Invalid(text, {"debt": [text]})
    entry = book.enter(
        EntryKind.OPENING, context.circumstances, posting_id=context.request.id, reason=reason
    )
    explain: list[Reason] = []
    if any(each.rolling for each in operation.lots):
        book.roll(context.circumstances.occurred_at)
    for each in operation.lots:
        _check_end(each, context.now)
        lot = book.credit(
            entry,
            each.points,
            available_from=context.now,
            expires_at=each.expires_at,
            rolling=each.rolling,
        )
        explain.append(because("brought_along", points=each.points, expires_at=lot.expires_at))
    if operation.debt:
        book.owe(entry, operation.debt)
        explain.append(because("owed", points=operation.debt))
    book.tidy()
    explain += _lift(context, operation)
    return Outcome(
        "opening",
        points=points - operation.debt,
        explain=explain,
        entry_id=entry["id"],
        given=operation.given,
    )


def _check_end(lot: OpeningLot, now: datetime) -> None:
    if lot.expires_at is not None and lot.expires_at <= now:
        text = "These points have expired: leave them out, or give a later end."
        raise Invalid(text, {"expires_at": [text]})


def _lift(context: Context, operation: Open) -> list[Reason]:
    """Lift the account to the tier that it had, until its time there is over."""
    book = context.book
    if operation.tier is None:
        return []
    if book.terms.tiers is None or operation.tier_until is None:
        text = "This programme has no tiers." if book.terms.tiers is None else "Say until when."
        raise Invalid(text, {"tier": [text]})
    changes = tiers.override(
        book.terms.tiers,
        book.account.tier,
        operation.tier,
        operation.tier_until,
        book.days,
        book.now,
        book.terms.time_zone,
    )
    book.is_tier_moved = True
    told = [
        replace(each, reason=TierReason.OPENING) if each.reason is TierReason.OVERRIDE else each
        for each in changes
    ]
    return book.note_tiers(told, context.circumstances, context.request.id)
