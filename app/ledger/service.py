"""The ledger's public face. `post` is the one writer of points.

Postings and background steps go through the same page of an account (`_book`), read under the
account's lock and written in a few statements. An account is locked for one posting at a time,
so two postings cannot deadlock.
"""

from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any, cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.clock import whole_second
from app.errors import CounterfoilError, Invalid
from app.ledger import _credits, _holds, _returns, _store
from app.ledger._book import Book
from app.ledger._operation import Context, Outcome, canonical_id
from app.ledger.errors import PostingIdReused, UnknownAccount
from app.ledger.models import Account, Posting
from app.ledger.postings import (
    Accrue,
    Adjust,
    Capture,
    Circumstances,
    Confirm,
    HoldPoints,
    Operation,
    Posted,
    Release,
    Request,
    Reverse,
    fingerprint,
)
from app.ledger.rules import Standing
from app.ledger.steps import expire_lots, release_lapsed_holds, release_pending

__all__ = [
    "Posted",
    "Standing",
    "expire_lots",
    "fingerprint",
    "lock_account",
    "mark_changed",
    "open_account",
    "post",
    "raise_version",
    "release_lapsed_holds",
    "release_pending",
    "replayed",
    "standing",
]

_HANDLERS: dict[type, Callable[[Context, Any], Outcome]] = {
    Accrue: _credits.accrue,
    Adjust: _credits.adjust,
    Confirm: _credits.confirm,
    HoldPoints: _holds.hold,
    Capture: _holds.capture,
    Release: _holds.release,
    Reverse: _returns.reverse,
}


def open_account(session: Session, *, now: datetime) -> Account:
    """A new, empty account of the session's programme."""
    account = Account(changed_at=whole_second(now), created_at=now)
    session.add(account)
    session.flush()
    return account


def lock_account(session: Session, account_id: str) -> Account:
    """The account, locked until the transaction ends and read afresh. Raises `UnknownAccount`."""
    account = session.scalar(
        select(Account)
        .where(Account.id == account_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if account is None:
        raise UnknownAccount("There is no such account.")
    return account


def replayed(session: Session, request: Request) -> dict[str, Any] | None:
    """The first answer to this posting, or None where it is new.

    Raises `PostingIdReused` where the id was used for something else.
    """
    row = session.execute(
        select(Posting.fingerprint, Posting.answer).where(Posting.id == canonical_id(request.id))
    ).first()
    if row is None:
        return None
    if row.fingerprint != request.fingerprint:
        raise PostingIdReused(
            "This id was used before for another posting. Make a new id for a new posting."
        )
    return cast(dict[str, Any], row.answer)


def post(
    session: Session,
    request: Request,
    operation: Operation,
    circumstances: Circumstances,
    *,
    now: datetime,
) -> Posted:
    """Make one posting, once: a repeat gets the first answer and changes nothing.

    The session is one that writes, for one programme. Raises the errors of `ledger.errors` and
    `Invalid`; the caller rolls back, and nothing is stored. The posting's row is written first: of
    two that race with the same id the second waits there, has written nothing, and answers what
    the first one did.
    """
    request = _checked(request)
    try:
        book = _page(session, operation, now)
        book.settle()
        context = Context(session, book, request, circumstances)
        outcome = _HANDLERS[type(operation)](context, operation)
        book.tidy()
    except CounterfoilError:
        # The first time it went well, and that may be just why it cannot go well again.
        first = replayed(session, request)
        if first is None:
            raise
        return Posted(first, repeated=True)
    book.account.raise_version(now)
    answer = _answer(request, circumstances, book, outcome)
    if not _store.claim(session, request, book.account, answer, now):
        first = replayed(session, request)
        if first is None:
            raise AssertionError("a posting's id was taken and is free again")
        return Posted(first, repeated=True)
    _store.flush(session, [book])
    return Posted(answer, repeated=False)


def _checked(request: Request) -> Request:
    posting_id = canonical_id(request.id)
    if posting_id is None:
        raise Invalid("A posting's id is a UUID.", {"id": ["Give a UUID."]})
    if len(request.fingerprint) != 32:
        raise ValueError("a fingerprint is a SHA-256")
    return replace(request, id=posting_id)


def _page(session: Session, operation: Operation, now: datetime) -> Book:
    match operation:
        case Accrue() | Adjust() | HoldPoints():
            account_id = operation.account_id
        case Capture() | Release():
            account_id = _holds.find(session, operation.hold_posting_id).account_id
        case Reverse() | Confirm():
            account_id = _returns.account_of(session, operation.posting_id)
    account = _store.lock(session, account_id)
    return _store.load(session, [account], now, whole=not isinstance(operation, Accrue))[0]


def _answer(
    request: Request, circumstances: Circumstances, book: Book, outcome: Outcome
) -> dict[str, Any]:
    answer = {
        "posting_id": request.id,
        "kind": outcome.kind,
        "status": outcome.status,
        "points": outcome.points,
        "explain": outcome.explain,
        "standing": asdict(book.standing()),
        "late": circumstances.late,
        "recorded_at": book.now.isoformat(),
        "entry_id": outcome.entry_id,
    }
    if outcome.expires_at is not None:
        answer["expires_at"] = outcome.expires_at.isoformat()
    return answer


def standing(session: Session, account_id: str, *, now: datetime) -> Standing:
    """What the account shows at *now*, whether or not the sweep has been there. Writes nothing.

    Raises `UnknownAccount`.
    """
    account = _store.peek(session, account_id)
    book = _store.load(session, [account], now, whole=False)[0]
    book.settle()
    return book.standing()


def raise_version(session: Session, account_id: str, *, now: datetime) -> None:
    """Say that the account's passes show something new that is no posting."""
    account = _store.lock(session, account_id)
    account.raise_version(now)
    _store.write_accounts(session, [account])


def mark_changed(session: Session, account_id: str, *, now: datetime) -> None:
    """Move the account's `changed_at` on: one of its cards changed, and says so by this date."""
    account = _store.lock(session, account_id)
    account.mark_changed(now)
    _store.write_accounts(session, [account])
