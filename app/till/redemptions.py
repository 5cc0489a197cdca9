"""Redemption at a till: hold, then capture or release."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from app.cards import service as cards
from app.cards.models import Card
from app.ledger import service as ledger
from app.ledger.models import Hold, HoldStatus
from app.ledger.postings import Capture, HoldPoints, Release, Request, Terms
from app.programmes.redeeming import check_points
from app.programmes.terms import rulebook_of
from app.till import access, limits
from app.till.access import TillAt
from app.till.counter import Counter, card_of, partner_of, post_about
from app.till.errors import ApprovalNeeded, PresentationOver
from app.till.models import Presentation, Till

HOLD_LIFE = timedelta(minutes=15)
STATIC_WINDOW = timedelta(hours=24)


def hold(
    session: Session, counter: Counter, request: Request, body: dict[str, Any], *, now: datetime
) -> dict[str, Any]:
    """Reserve points for a redemption.

    Raises `ApprovalNeeded` where a static code is too weak, `CardOnlyCollects` and `LimitReached`
    where the card's holder may not redeem so many.
    """
    card = card_of(session, counter, body["code"], now, now=now)
    book = rulebook_of(session, counter.till.programme_id, now)
    settings = book.at(now).settings
    points: int = body["points"]
    check_points(settings, points, body.get("amount_minor"), book.currency)
    terms = book.terms(now)
    limits.lock(session, card)
    limits.check(session, card, points, now=now, time_zone=book.time_zone)
    _check_strength(session, counter, card, body, settings.static_redeem_limit, terms, now=now)
    return ledger.post(
        session,
        request,
        HoldPoints(
            account_id=card.account_id,
            points=points,
            receipt_number=body.get("receipt"),
            expires_at=now + HOLD_LIFE,
        ),
        counter.circumstances(body["occurred_at"], card.id, now=now, language=card.language),
        now=now,
        terms=terms,
    ).answer


def capture(
    session: Session, counter: Counter, request: Request, body: dict[str, Any], *, now: datetime
) -> dict[str, Any]:
    """Complete a redemption: the points held under `hold_id` are spent."""
    operation = Capture(
        hold_posting_id=body["hold_id"], redeeming_partner_id=partner_of(session, counter)
    )
    return post_about(session, counter, request, operation, body, body["hold_id"], now=now)


def release(
    session: Session, counter: Counter, request: Request, body: dict[str, Any], *, now: datetime
) -> dict[str, Any]:
    """Give the points held under `hold_id` back to the lots they came from."""
    operation = Release(hold_posting_id=body["hold_id"])
    return post_about(session, counter, request, operation, body, body["hold_id"], now=now)


def _check_strength(
    session: Session,
    counter: Counter,
    card: Card,
    body: dict[str, Any],
    limit: int,
    terms: Terms,
    *,
    now: datetime,
) -> None:
    """A photographed code may not empty an account: above *limit* a day it takes more.

    The account is locked: two holds at once would each see the other's points unspent.
    """
    standing = ledger.standing(session, card.account_id, now=now, terms=terms)
    if standing.available < body["points"]:
        return  # The ledger refuses it for the better reason.
    token = body.get("presentation_token")
    if token is not None and _presentation(session, counter.till, card, token, now=now).rotating:
        return
    spent = session.scalar(
        select(func.coalesce(func.sum(Hold.points), 0)).where(
            Hold.account_id == card.account_id,
            Hold.created_at > now - STATIC_WINDOW,
            or_(
                Hold.status == HoldStatus.CAPTURED,
                and_(Hold.status == HoldStatus.OPEN, Hold.expires_at > now),
            ),
        )
    )
    if int(spent or 0) + body["points"] <= limit:
        return
    if counter.approver is not None and access.is_manager(counter.approver):
        return
    raise ApprovalNeeded(
        f"With this code at most {limit} points a day can be redeemed. Ask the customer to open "
        "the card on the phone so that the code changes, or ask a manager to approve.",
        static_redeem_limit=limit,
    )


def _presentation(
    session: Session, till: Till | TillAt, card: Card, token: str, *, now: datetime
) -> Presentation:
    found = session.scalar(
        select(Presentation).where(
            Presentation.token_hash == cards.hash_token(token),
            Presentation.till_id == till.id,
            Presentation.card_id == card.id,
            Presentation.expires_at > now,
        )
    )
    if found is None:
        raise PresentationOver("That was too long ago. Scan the card again.")
    return found
