"""The public face of benefits.

=====================  ==========================================================================
`keep`                 what accruals gave (``answer["given"]``), in their own transaction
`post`                 a posting of the ledger with its consequences here: use it instead of
                       `ledger.post` for whatever may give or be a reversal
`redeem`               a reward or a coupon: one posting, once, reversible
`tallies`, `coupons`   what an account has now; `history`: how it came to it
`lapse`                the background step: what is over by date
=====================  ==========================================================================

A further kind of thing (tickets, visits, …) needs no table: give it through `Value.given` or
`ledger.postings.Present`, read it with `tallies`, price a reward in it with `Order.price`. Rows of
an account are written under the lock of the account; coupons' cards are locked before accounts.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.benefits import _settling, _sources, _uses
from app.benefits._page import Page, Where, lock_coupon_cards
from app.benefits._settling import Source
from app.benefits._uses import Order, Price, check_open, stock_taken
from app.benefits.coupons import coupon_by_card, coupon_by_id, coupons, issue_card
from app.benefits.lapsing import lapse
from app.benefits.merging import merge, unmerge
from app.benefits.models import Grant, Tally
from app.benefits.promises import Promises
from app.ledger import service as ledger
from app.ledger.kept import kept_receipt
from app.ledger.postings import (
    Accrue,
    Circumstances,
    Operation,
    Posted,
    Present,
    Redeem,
    Request,
    Reverse,
    Terms,
)

__all__ = [
    "Order",
    "Price",
    "check_open",
    "coupon_by_card",
    "coupon_by_id",
    "coupons",
    "history",
    "issue_card",
    "keep",
    "lapse",
    "merge",
    "post",
    "redeem",
    "stock_taken",
    "tallies",
    "unmerge",
]


def keep(
    session: Session, answers: Sequence[dict[str, Any]], promises: Promises, *, now: datetime
) -> None:
    """Keep what postings of this transaction gave beside points, and add to their answers.

    *answers* are those with ``given``; their accounts are locked. Answers are changed in place
    and written anew.
    """
    page = Page(session, now)
    sources = _sources.of_postings(session, [answer["posting_id"] for answer in answers])
    page.load({source.account_id for source, _ in sources.values()})
    for answer in answers:
        source, where = sources[answer["posting_id"]]
        where = replace(where, language=answer["language"])
        told = {reason["code"] for reason in answer["explain"]}
        _settling.give(page, where, source, answer["given"], promises, told)
    page.flush()
    _add_reasons(session, page, answers)


def _add_reasons(session: Session, page: Page, answers: Sequence[dict[str, Any]]) -> None:
    told = [answer for answer in answers if page.reasons.get(answer["posting_id"])]
    for answer in told:
        answer["explain"] = [*answer["explain"], *page.reasons[answer["posting_id"]]]
    if told:
        ledger.amend(session, told)


def post(
    session: Session,
    request: Request,
    operation: Operation,
    circumstances: Circumstances,
    promises: Promises,
    *,
    now: datetime,
    terms: Terms,
) -> Posted:
    """Make one posting of the ledger, and what follows from it here, once.

    What an accrual or a present gives is kept; a reversal settles what it is about. Merge and
    unmerge through `merge` and `unmerge`. Raises what the ledger raises, and for the reversal of a
    reversal `benefits.errors` where something is gone that would have to be taken again.
    """
    if isinstance(operation, Reverse):
        lock_coupon_cards(session, _sources.accounts_of(session, operation.posting_id))
    posted = ledger.post(session, request, operation, circumstances, now=now, terms=terms)
    if posted.repeated:
        return posted
    if isinstance(operation, Accrue | Present) and posted.answer.get("given"):
        keep(session, [posted.answer], promises, now=now)
    elif isinstance(operation, Reverse):
        _undo(session, posted.answer, circumstances, promises, now=now)
    return posted


def _undo(
    session: Session,
    answer: dict[str, Any],
    circumstances: Circumstances,
    promises: Promises,
    *,
    now: datetime,
) -> None:
    """Settle everything that a reversal is about."""
    touched = _sources.touched_by(session, answer["posting_id"])
    if not touched.has_benefits:
        return
    where = Where(
        answer["posting_id"],
        circumstances.occurred_at,
        circumstances.card_id,
        circumstances.language,
    )
    page = Page(session, now)
    page.load([touched.account_id])
    for posting_id, undone in touched.roots.items():
        for use in _uses.uses_of(session, [posting_id]):
            _uses.change(
                page,
                where,
                touched.account_id,
                use,
                promises,
                reversed_at=now if undone else None,
                returned_at=use.returned_at,
            )
        _settle_source(page, where, touched, posting_id, undone, promises)
    page.flush()
    _add_reasons(session, page, [answer])


def _settle_source(
    page: Page,
    where: Where,
    touched: _sources.Touched,
    posting_id: str,
    undone: bool,
    promises: Promises,
) -> None:
    session, account_id = page.session, touched.account_id
    source = Source(posting_id, account_id)
    first = _settling.given_first(page, source)
    receipt = kept_receipt(session, posting_id)
    if receipt is None:
        still = Counter() if undone else _settling.all_of(first)
        _settling.settle(page, where, source, still, promises)
        return
    is_back = receipt.kept_minor <= 0 and (undone or receipt.sold_minor > 0)
    if first:
        still = _settling.still_of(session, first, receipt, is_back=is_back)
        _settling.settle(page, where, source, still, promises)
    for use in _uses.uses_on(session, receipt, touched.family):
        _uses.change(
            page,
            where,
            account_id,
            use,
            promises,
            reversed_at=use.reversed_at,
            returned_at=(use.returned_at or page.now) if is_back else None,
        )


def redeem(
    session: Session,
    request: Request,
    account_id: str,
    order: Order,
    circumstances: Circumstances,
    promises: Promises,
    *,
    now: datetime,
    terms: Terms,
    partner_id: str | None = None,
) -> Posted:
    """Redeem a reward or a coupon, once: points, stamps and stock go with it.

    Raises `CouponNotOpen`, `NotEnough`, `OutOfStock`, the ledger's `InsufficientPoints`; nothing
    is stored then. A repeat of the posting's id gets the first answer.
    """
    first = ledger.replayed(session, request)
    if first is not None:
        return Posted(first, repeated=True)
    lock_coupon_cards(session, [account_id] if order.coupon_id else [])
    account = ledger.lock_account(session, account_id)
    # Another try of the same posting may have been a moment earlier: asked again under the lock.
    first = ledger.replayed(session, request)
    if first is not None:
        return Posted(first, repeated=True)
    return _redeem(
        session,
        request,
        account.id,
        order,
        circumstances,
        promises,
        now=now,
        terms=terms,
        partner_id=partner_id,
    )


def _redeem(
    session: Session,
    request: Request,
    account_id: str,
    order: Order,
    circumstances: Circumstances,
    promises: Promises,
    *,
    now: datetime,
    terms: Terms,
    partner_id: str | None,
) -> Posted:
    page = Page(session, now)
    page.load([account_id])
    coupon = _uses.check(page, account_id, order, time_zone=promises.time_zone)
    where = Where(
        request.id, circumstances.occurred_at, circumstances.card_id, circumstances.language
    )
    _uses.tell_use(page, where, order, promises)
    operation = Redeem(
        account_id=account_id,
        points=order.points,
        receipt_number=order.receipt_number,
        redeeming_partner_id=partner_id,
        reason=order.name,
        because_of=tuple(page.reasons.get(request.id, ())),
        benefit={"kind": order.kind, "what": order.what, "name": order.name, **order.worth},
    )
    posted = ledger.post(session, request, operation, circumstances, now=now, terms=terms)
    if posted.repeated:
        raise AssertionError("a posting was made twice under the lock of its account")
    page.reasons.clear()
    _uses.take(page, where, account_id, order, coupon)
    _uses.note(
        session,
        where,
        account_id,
        order,
        till_id=circumstances.till_id,
        location_id=circumstances.location_id,
        now=now,
    )
    if order.price is not None:
        _settling.tell_stamps(page, where, account_id, order.price.kind, order.price.what, promises)
    page.flush()
    _add_reasons(session, page, [posted.answer])
    return posted


@dataclass(frozen=True, slots=True)
class Moved:
    """One thing that was given (or, below zero, taken back), and when that happened."""

    what: str
    count: int
    occurred_at: datetime


def history(session: Session, account_id: str, kind: str) -> list[Moved]:
    """Everything of a kind that the account was ever given, in its order."""
    rows = session.execute(
        select(Grant.what, Grant.count, Grant.occurred_at)
        .where(Grant.account_id == account_id, Grant.kind == kind)
        .order_by(Grant.sequence)
    )
    return [Moved(*row) for row in rows]


def tallies(session: Session, account_id: str, *, now: datetime) -> list[Tally]:
    """What the account has of everything that is counted, without what is over by now."""
    found = session.scalars(
        select(Tally).where(Tally.account_id == account_id).order_by(Tally.kind, Tally.what)
    )
    return [each for each in found if each.expires_at is None or each.expires_at > now]
