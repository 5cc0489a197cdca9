"""Redemption at a till: hold, then capture or release."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from app.attempts import note_attempt, refuse_if_too_many
from app.cards import pins
from app.cards import service as cards
from app.cards.models import Card
from app.cards.pins import WrongMemberPin
from app.ledger import service as ledger
from app.ledger.models import Hold, HoldStatus
from app.ledger.postings import Capture, HoldPoints, Release, Request, Terms
from app.programmes.redeeming import check_points
from app.programmes.terms import rulebook_of
from app.till import access, limits
from app.till.counter import Counter, card_of, partner_of, post_about
from app.till.errors import ApprovalNeeded, PresentationOver, ScanTheCard
from app.till.models import Presentation
from passes.code import Kind

HOLD_LIFE = timedelta(minutes=15)
STATIC_WINDOW = timedelta(hours=24)
#: Wrong PINs of members at one till or from one shop system, whoever they were for.
WRONG_PINS = 30
WRONG_PINS_WINDOW = timedelta(minutes=5)


def hold(
    session: Session, counter: Counter, request: Request, body: dict[str, Any], *, now: datetime
) -> dict[str, Any]:
    """Reserve points for a redemption.

    Raises `ApprovalNeeded` where a static code is too weak, `WrongMemberPin` and `MemberPinLocked`
    for a PIN that is not the holder's, `CardOnlyCollects` and `LimitReached` where the card's
    holder may not redeem so many.
    """
    card = card_of(session, counter, body["code"], now, now=now)
    if card.kind == Kind.COUPON:
        raise ScanTheCard("This is a coupon. Scan the customer's card to redeem points.")
    has_pin = has_right_pin(session, counter, card, body.get("member_pin"), now=now)
    book = rulebook_of(session, counter.till.programme_id, now)
    settings = book.at(now).settings
    points: int = body["points"]
    check_points(settings, points, body.get("amount_minor"), book.currency)
    terms = book.terms(now)
    limits.lock(session, card)
    limits.check(session, card, points, now=now, time_zone=book.time_zone)
    if not has_pin and not counter.has_fresh_code:
        check_strength(session, counter, card, body, settings.static_redeem_limit, terms, now=now)
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


def has_right_pin(
    session: Session, counter: Counter, card: Card, pin: str | None, *, now: datetime
) -> bool:
    """Whether the holder's PIN was given. A wrong one is refused, whatever else would do."""
    if pin is None:
        return False
    who = counter.till.id or counter.api_key_id or ""
    refuse_if_too_many(
        session, "member_pin", who, now=now, limit=WRONG_PINS, window=WRONG_PINS_WINDOW
    )
    try:
        pins.check_pin(session, card, pin, now=now)
    except WrongMemberPin:
        note_attempt(session, "member_pin", who, now=now)
        raise
    return True


def check_strength(
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
    if token is not None and _presentation(session, counter, card, token, now=now).rotating:
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
        "the card on the phone so that the code changes, or for the card's PIN, or ask a manager "
        "to approve.",
        static_redeem_limit=limit,
    )


def _presentation(
    session: Session, counter: Counter, card: Card, token: str, *, now: datetime
) -> Presentation:
    found = session.scalar(
        select(Presentation).where(
            Presentation.token_hash == cards.hash_token(token),
            Presentation.till_id == counter.till.id,
            Presentation.card_id == card.id,
            Presentation.expires_at > now,
        )
    )
    if found is None:
        raise PresentationOver("That was too long ago. Scan the card again.")
    return found
