"""The ledger's public face. `post` is the one writer of points.

Postings and background steps go through the same page of an account (`_book`), read under the
account's lock and written in a few statements. An account is locked for one posting at a time,
so two postings cannot deadlock.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db import asked_ahead, programme_of
from app.errors import CounterfoilError, Invalid, Unavailable
from app.languages import _
from app.ledger import (
    _credits,
    _holds,
    _merge,
    _opening,
    _others,
    _redeem,
    _returns,
    _store,
    _unmerge,
)
from app.ledger._book import AccountState, Book
from app.ledger._news import mark_changed, mark_many_changed, raise_version, raise_versions
from app.ledger._opening import open_account, open_accounts
from app.ledger._operation import Context, Item, Outcome, canonical_id
from app.ledger._repeats import replayed, replayed_many, replays_asked
from app.ledger.errors import PostingIdReused, UnknownAccount
from app.ledger.models import Account, AccountMerge
from app.ledger.postings import (
    Accrue,
    Adjust,
    Capture,
    Circumstances,
    Confirm,
    HoldPoints,
    Merge,
    Open,
    Operation,
    Posted,
    Present,
    Redeem,
    Release,
    Request,
    Reverse,
    Terms,
    Unmerge,
    fingerprint,
)
from app.ledger.rules import Standing
from app.ledger.steps import expire_lots, release_lapsed_holds, release_pending, review_tiers
from app.ledger.tiers import TierReason

__all__ = [
    "Posted",
    "Standing",
    "amend",
    "expire_lots",
    "fingerprint",
    "lock_account",
    "look",
    "mark_changed",
    "mark_many_changed",
    "merge_of",
    "open_account",
    "open_accounts",
    "post",
    "post_accruals",
    "post_openings",
    "raise_version",
    "raise_versions",
    "release_lapsed_holds",
    "release_pending",
    "replayed",
    "replayed_many",
    "replays_asked",
    "review_tiers",
    "standing",
]

_HANDLERS: dict[type, Callable[[Context, Any], Outcome]] = {
    Accrue: _credits.accrue,
    Adjust: _credits.adjust,
    Open: _opening.open_balance,
    Confirm: _credits.confirm,
    HoldPoints: _holds.hold,
    Capture: _holds.capture,
    Release: _holds.release,
    Redeem: _redeem.redeem,
    Present: _redeem.present,
    Reverse: _returns.reverse,
    Merge: _merge.merge,
    Unmerge: _unmerge.unmerge,
}


def merge_of(session: Session, posting_id: str) -> AccountMerge:
    """The merge that a posting made, as it is stored now. Raises `UnknownPosting`."""
    return _merge.find(session, posting_id)


def lock_account(session: Session, account_id: str) -> Account:
    """The account, locked until the transaction ends and read afresh; or what it was merged into.

    Raises `UnknownAccount`.
    """
    account = session.scalar(
        select(Account)
        .where(Account.id == account_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if account is None:
        raise UnknownAccount(_("There is no such account."))
    if account.merged_into_id is not None:
        return lock_account(session, account.merged_into_id)
    return account


def post(
    session: Session,
    request: Request,
    operation: Operation,
    circumstances: Circumstances,
    *,
    now: datetime,
    terms: Terms = Terms(),  # noqa: B008 - frozen
) -> Posted:
    """Make one posting, once: a repeat gets the first answer and changes nothing.

    The session is one that writes, for one programme, whose *terms* hold now. Raises the errors of
    `ledger.errors` and `Invalid`; the caller rolls back, and nothing is stored. The posting's row
    is written first: of two that race with the same id the second waits there, has written
    nothing, and answers what the first one did.
    """
    item = Item(_checked(request), operation, circumstances)
    try:
        book = _page(session, operation, now, terms)
        answer = _work(session, book, item)
    except CounterfoilError:
        # The first time it went well, and that may be just why it cannot go well again.
        first = replayed(session, item.request)
        if first is None:
            raise
        return Posted(first, repeated=True)
    [posted] = _store_all(session, [(item, book, answer)])
    if isinstance(posted, CounterfoilError):
        raise posted
    return posted


def post_accruals(
    session: Session,
    accruals: Sequence[tuple[Request, Accrue, Circumstances]],
    *,
    now: datetime,
    terms: Terms = Terms(),  # noqa: B008 - frozen
    are_new: bool = False,
) -> list[Posted | CounterfoilError]:
    """The same for accruals of different accounts in one go; what is refused is given back.

    A few statements for all of them: the way for a service that has several to do at once.
    *are_new*: `replayed_many` found none of them in this very transaction. Raises `ValueError`
    where two are of one account, or of one id.
    """
    items = [Item(_checked(request), operation, where) for request, operation, where in accruals]
    wanted = [operation.account_id for _, operation, _ in accruals]
    ids = {item.request.id for item in items}
    if len(set(wanted)) < len(wanted) or len(ids) < len(items):
        raise ValueError("each account posts once at a time, and each id is one posting's")
    once_keys = {key for _, operation, _ in accruals for key in operation.once_keys}
    with asked_ahead(session, _store.pages_asked(programme_of(session), wanted, now, terms)):
        accounts = _store.lock(session, wanted, terms)
        books = _store.load(
            session, accounts.values(), now, whole=False, terms=terms, once_keys=once_keys
        )
    asking = [
        (books[operation.account_id], operation.asked)
        for _, operation, _ in accruals
        if operation.asked is not None and operation.account_id in books
    ]
    if asking:
        _others.load(session, asking)
    results: dict[str, Posted | CounterfoilError] = {}
    done = []
    for item, account_id in zip(items, wanted, strict=True):
        try:
            if account_id not in books:
                raise UnknownAccount(_("There is no such account."))
            if accounts[account_id].merged_into_id is not None:
                # Its card was read a moment before the merge; read again it names the other one.
                raise Unavailable(
                    _("This account was merged with another just now. Send it again.")
                )
            done.append((item, books[account_id], _work(session, books[account_id], item)))
        except CounterfoilError as error:
            results[item.request.id] = error
    for (item, _book, _worked), posted in zip(
        done, _store_accruals(session, done, are_new), strict=True
    ):
        results[item.request.id] = posted
    return [results[item.request.id] for item in items]


def post_openings(
    session: Session,
    openings: Sequence[tuple[AccountState, Request, Open, Circumstances]],
    *,
    now: datetime,
    terms: Terms = Terms(),  # noqa: B008 - frozen
) -> list[Posted]:
    """The same for what accounts bring along that `open_accounts` made in this transaction.

    Nobody else can see them, so they are neither locked nor read again. What is refused is raised.
    """
    done = []
    for account, request, operation, where in openings:
        book = Book(account=account, lots={}, holds={}, now=now, terms=terms)
        item = Item(_checked(request), operation, where)
        done.append((item, book, _work(session, book, item)))
    results = []
    for posted in _store_all(session, done):
        if isinstance(posted, CounterfoilError):
            raise posted
        results.append(posted)
    return results


def _checked(request: Request) -> Request:
    posting_id = canonical_id(request.id)
    if posting_id is None:
        raise Invalid(_("A posting's id is a UUID."), {"id": [_("Give a UUID.")]})
    if len(request.fingerprint) != 32:
        raise ValueError("a fingerprint is a SHA-256")
    return request if posting_id == request.id else replace(request, id=posting_id)


def _page(session: Session, operation: Operation, now: datetime, terms: Terms) -> Book:
    once_keys: tuple[str, ...] = ()
    match operation:
        case Accrue():
            account_id, once_keys = operation.account_id, operation.once_keys
        case Adjust() | HoldPoints() | Open() | Redeem() | Present():
            account_id = operation.account_id
        case Capture() | Release():
            account_id = _holds.find(session, operation.hold_posting_id).account_id
        case Reverse() | Confirm():
            account_id = _returns.account_of(session, operation.posting_id)
        case Merge() | Unmerge():
            return _merge.page(session, operation, now, terms)
    account = _store.lock_one(session, account_id, terms)
    whole = not isinstance(operation, Accrue)
    books = _store.load(session, [account], now, whole=whole, terms=terms, once_keys=once_keys)
    if isinstance(operation, Accrue) and operation.asked is not None:
        _others.load(session, [(books[account.id], operation.asked)])
    return books[account.id]


def _work(session: Session, book: Book, item: Item) -> dict[str, Any]:
    """Change the page as the posting asks; the answer to it."""
    book.settle()
    operation = item.operation
    outcome = _HANDLERS[type(operation)](
        Context(session, book, item.request, item.circumstances), operation
    )
    book.tidy()
    if book.terms.tiers is not None and book.changed_days:
        why = TierReason.RETURNED if isinstance(operation, Reverse) else TierReason.EARNED
        if why is TierReason.EARNED and item.circumstances.late:
            why = TierReason.LATE_RECEIPT
        told = book.assess(book.now, why, item.circumstances, item.request.id)
        outcome.explain.extend(told)
    book.account.raise_version(book.now)
    return _answer(item.request, item.circumstances, book, outcome)


def _store_accruals(
    session: Session, done: Sequence[tuple[Item, Book, dict[str, Any]]], are_new: bool
) -> list[Posted | CounterfoilError]:
    # SQLite is no journey away, and there nothing has to be written twice.
    is_far = session.get_bind().dialect.name == "postgresql"
    if done and is_far and _store.claim_and_flush(session, done):
        return [Posted(answer, repeated=False) for _, _, answer in done]
    return _store_all(session, done, are_new=are_new)


def _store_all(
    session: Session,
    done: Sequence[tuple[Item, Book, dict[str, Any]]],
    *,
    are_new: bool = False,
) -> list[Posted | CounterfoilError]:
    if not done:
        return []
    claimed = _store.claim(session, done, are_new=are_new)
    written = [book for item, book, _ in done if item.request.id in claimed]
    _store.flush(session, [page for book in written for page in book.pages])
    return [
        Posted(answer, repeated=False)
        if item.request.id in claimed
        else _first_of(session, item.request)
        for item, _, answer in done
    ]


def _first_of(session: Session, request: Request) -> Posted | CounterfoilError:
    """What another posting of this id was answered: it was a moment earlier."""
    try:
        first = replayed(session, request)
    except PostingIdReused as error:
        return error
    if first is None:
        raise AssertionError("a posting's id was taken and is free again")
    return Posted(first, repeated=True)


def _answer(
    request: Request, circumstances: Circumstances, book: Book, outcome: Outcome
) -> dict[str, Any]:
    standing = book.standing()
    answer = {
        "posting_id": request.id,
        "kind": outcome.kind,
        "status": outcome.status,
        "points": outcome.points,
        "explain": outcome.explain,
        "standing": {name: getattr(standing, name) for name in standing.__slots__},
        "tier": book.account.tier.tier,
        "language": circumstances.language,
        "late": circumstances.late,
        "recorded_at": book.now.isoformat(),
        "entry_id": outcome.entry_id,
    }
    if outcome.expires_at is not None:
        answer["expires_at"] = outcome.expires_at.isoformat()
    if outcome.given:
        answer["given"] = [each.as_json() for each in outcome.given]
    if outcome.benefit is not None:
        answer["benefit"] = dict(outcome.benefit)
    return answer


def amend(session: Session, answers: Sequence[dict[str, Any]]) -> None:
    """Write answers anew of postings that this very transaction made: there is more to tell."""
    _store.amend(session, [(answer["posting_id"], answer) for answer in answers])


def standing(
    session: Session,
    account_id: str,
    *,
    now: datetime,
    terms: Terms = Terms(),  # noqa: B008 - frozen
) -> Standing:
    """What the account shows at *now*, whether or not the sweep has been there. Writes nothing.

    Raises `UnknownAccount`.
    """
    return look(session, account_id, now=now, terms=terms).standing()


def look(session: Session, account_id: str, *, now: datetime, terms: Terms) -> Book:
    """The account's page as it is at *now*, to read from. Writes nothing.

    Raises `UnknownAccount`.
    """
    account = _store.peek(session, account_id, terms)
    book = _store.load(session, [account], now, whole=False, terms=terms)[account.id]
    book.settle()
    return book
