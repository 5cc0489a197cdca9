"""What a till may ask: look a card up, accrue, hold, capture, release, reverse.

Each function is one transaction of its caller. A posting that was made before gets its first
answer, whatever has changed since; so nothing is checked before that.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, delete, func, or_, select
from sqlalchemy.orm import Session

from app.cards import service as cards
from app.cards.errors import CardRefused
from app.cards.models import Card
from app.errors import Invalid
from app.keys import KeyRing
from app.ledger import service as ledger
from app.ledger.models import Hold, HoldStatus, Posting
from app.ledger.postings import (
    Accrue,
    Capture,
    Circumstances,
    HoldPoints,
    Line,
    Operation,
    Release,
    Request,
    ReturnedLine,
    Reverse,
    Terms,
)
from app.members import service as members
from app.programmes import rules
from app.programmes.earning import Sale
from app.programmes.models import Location, Programme
from app.programmes.pricing import price
from app.programmes.service import programme_by_id
from app.programmes.terms import Rulebook, rulebook_of, terms_of
from app.staff.models import Staff
from app.till import access
from app.till.access import Person, TillAt
from app.till.errors import ApprovalNeeded, NotYourPosting, PresentationOver
from app.till.models import Presentation, Till
from app.till.receipts import NumberedSale, paid_with_points
from app.till.rules import is_late
from passes.code import Kind, Outcome

PRESENTATION_LIFE = timedelta(minutes=5)
HOLD_LIFE = timedelta(minutes=15)
STATIC_WINDOW = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Counter:
    """Where and by whom a posting is made.

    *person* is empty for a till that was offline, and *cashier_id* is then whom it names, if that
    one works or worked here; *approver* is a manager who stood by.
    """

    till: Till | TillAt
    person: Staff | Person | None
    cashier_id: str | None
    offline: bool
    approver: Staff | None = None

    def circumstances(
        self,
        occurred_at: datetime,
        card_id: str | None,
        *,
        now: datetime,
        language: str = "en",
    ) -> Circumstances:
        """How the ledger writes it down; the actor is the server's word where there is one."""
        return Circumstances(
            occurred_at=occurred_at,
            late=is_late(occurred_at, now),
            actor_kind="staff" if self.person else "till",
            actor_id=self.person.id if self.person else self.cashier_id or self.till.id,
            till_id=self.till.id,
            location_id=self.till.location_id,
            card_id=card_id,
            language=language,
        )


def look_up(
    session: Session, keys: KeyRing, till: Till, text: str, *, now: datetime
) -> dict[str, Any]:
    """What the cashier sees of a scanned text; a one-time value in it is consumed.

    The outcome is always one of the closed list; nothing is raised for a code that is refused.
    """
    try:
        card, reading = cards.card_by_code(session, text, now=now)
        rotating = cards.use_step(session, keys, reading, now=now)
    except CardRefused as refused:
        return _not_accepted(refused)
    programme = programme_by_id(session, till.programme_id)
    book = rulebook_of(session, till.programme_id, now)
    settings = book.at(now).settings
    page = ledger.look(session, card.account_id, now=now, terms=book.terms(now))
    standing = page.standing()
    return {
        "outcome": str(Outcome.ACCEPTED),
        "message": "Card accepted.",
        "presentation": _begin_presentation(session, till, card, rotating, now=now),
        "card": {
            "card_id": card.id,
            "kind": Kind(card.kind).name.lower(),
            "status": card.status,
        },
        "member": {"name": members.contact_of(session, keys, card.member_id).name},
        "tier": tier_name(settings, page.account.tier.tier, card.language),
        "standing": _standing(programme, card, standing),
        "redeem": {
            "minimum": settings.redeem_minimum,
            "step": settings.redeem_step,
            "maximum": max(0, standing.available),
        },
    }


def _not_accepted(refused: CardRefused) -> dict[str, Any]:
    nothing = dict.fromkeys(("presentation", "card", "member", "tier", "standing", "redeem"), None)
    return {"outcome": str(refused.outcome), "message": refused.message, **nothing}


def _begin_presentation(
    session: Session, till: Till, card: Card, rotating: bool, *, now: datetime
) -> dict[str, Any]:
    session.execute(delete(Presentation).where(Presentation.expires_at <= now))
    token = secrets.token_hex(cards.LINK_BYTES)
    session.add(
        Presentation(
            programme_id=till.programme_id,
            till_id=till.id,
            card_id=card.id,
            token_hash=cards.hash_token(token),
            rotating=rotating,
            expires_at=now + PRESENTATION_LIFE,
        )
    )
    session.flush()
    return {
        "token": token,
        "expires_at": (now + PRESENTATION_LIFE).isoformat(),
        "rotating": rotating,
    }


def _standing(programme: Programme, card: Card, standing: ledger.Standing) -> dict[str, Any]:
    return {
        "balance": standing.balance,
        "pending": standing.pending,
        "held": standing.held,
        "available": standing.available,
        "debt": standing.debt,
        "points_label": rules.points_label(programme.points_names, standing.balance, card.language),
    }


def accrue(
    session: Session, counter: Counter, request: Request, body: dict[str, Any], *, now: datetime
) -> dict[str, Any]:
    """Value one receipt by the rules of its day and give the points; `accruals` does many."""
    card = _card(session, counter, body["code"], body["occurred_at"], now=now)
    book = rulebook_of(session, counter.till.programme_id, now)
    sale = None
    if body.get("receipt"):
        sale = NumberedSale(card.account_id, body["receipt"], counter.till.id, body["occurred_at"])
    accrual = accrual_of(
        session,
        book,
        card.account_id,
        body,
        partner_id=_partner_of(session, counter),
        paid_with_points=paid_with_points(session, [sale] if sale else []).get(sale, 0),
        now=now,
    )
    where = counter.circumstances(body["occurred_at"], card.id, now=now, language=card.language)
    return ledger.post(session, request, accrual, where, now=now, terms=book.terms(now)).answer


def accrual_of(
    session: Session,
    book: Rulebook,
    account_id: str,
    body: Mapping[str, Any],
    *,
    partner_id: str | None,
    paid_with_points: int,
    now: datetime,
) -> Accrue:
    """What the ledger is asked for a receipt of the till API."""
    sale = Sale(
        amount_minor=body["amount_minor"],
        currency=body["currency"],
        occurred_at=body["occurred_at"],
        tax_minor=body.get("tax_minor") or 0,
        coupons_minor=body.get("coupons_minor") or 0,
        paid_with_points=paid_with_points,
        lines=tuple(Line(**line) for line in body.get("lines") or ()),
    )
    return Accrue(
        account_id=account_id,
        amount_minor=sale.amount_minor,
        currency=sale.currency,
        receipt_number=body.get("receipt"),
        issuing_partner_id=partner_id,
        **price(session, book, sale, now=now).fields(),
    )


def _partner_of(session: Session, counter: Counter) -> str | None:
    """The partner of a coalition whose location the till stands in."""
    return session.scalar(
        select(Location.partner_id).where(Location.id == counter.till.location_id)
    )


def hold(
    session: Session, counter: Counter, request: Request, body: dict[str, Any], *, now: datetime
) -> dict[str, Any]:
    """Reserve points for a redemption. Raises `ApprovalNeeded` where a static code is too weak."""
    card = _card(session, counter, body["code"], now, now=now)
    book = rulebook_of(session, counter.till.programme_id, now)
    settings = book.at(now).settings
    points: int = body["points"]
    if points < settings.redeem_minimum or points % settings.redeem_step:
        raise Invalid(
            f"Redeem at least {settings.redeem_minimum} points, "
            f"in steps of {settings.redeem_step}.",
            {"points": [f"At least {settings.redeem_minimum}, steps of {settings.redeem_step}."]},
        )
    _check_share(settings, points, body.get("amount_minor"), book.currency)
    terms = book.terms(now)
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


def _check_share(
    settings: rules.Settings, points: int, amount_minor: int | None, currency: str
) -> None:
    """Points pay for no more than a share of the receipt, where the till says how much it is."""
    share = settings.redeem_maximum_share
    if amount_minor is None:
        if share < 100:
            text = f"Points pay for at most {share} % of a receipt: send its amount."
            raise Invalid(text, {"amount_minor": [text]})
        return
    value = settings.point_value.scaleb(rules.currency_exponent(currency))
    most = int(amount_minor * share // (100 * value))
    if points > most:
        text = f"Points pay for at most {share} % of this receipt: redeem {most} points or fewer."
        raise Invalid(text, {"points": [text]})


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
    """A photographed code may not empty an account: above *limit* a day it takes more."""
    # Locked first: two holds at once would each see the other's points unspent.
    ledger.lock_account(session, card.account_id)
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


def capture(
    session: Session, counter: Counter, request: Request, body: dict[str, Any], *, now: datetime
) -> dict[str, Any]:
    """Complete a redemption: the points held under `hold_id` are spent."""
    operation = Capture(
        hold_posting_id=body["hold_id"], redeeming_partner_id=_partner_of(session, counter)
    )
    return _post_about(session, counter, request, operation, body, body["hold_id"], now=now)


def release(
    session: Session, counter: Counter, request: Request, body: dict[str, Any], *, now: datetime
) -> dict[str, Any]:
    """Give the points held under `hold_id` back to the lots they came from."""
    operation = Release(hold_posting_id=body["hold_id"])
    return _post_about(session, counter, request, operation, body, body["hold_id"], now=now)


def reverse(
    session: Session, counter: Counter, request: Request, body: dict[str, Any], *, now: datetime
) -> dict[str, Any]:
    """Take a posting back, whole or in part. Offline only this till's own accruals."""
    _check_may_reverse(session, counter, body["posting_id"])
    book = rulebook_of(session, counter.till.programme_id, now)
    settings = book.at(now).settings
    operation = Reverse(
        posting_id=body["posting_id"],
        amount_minor=body.get("amount_minor"),
        lines=tuple(ReturnedLine(**line) for line in body.get("lines") or ()) or None,
        return_policy=settings.return_policy,
        debt_floor=settings.debt_floor,
        reason=body.get("reason"),
        grace_days=settings.grace_days,
        time_zone=book.time_zone,
    )
    return _post_about(session, counter, request, operation, body, body["posting_id"], now=now)


def _check_may_reverse(session: Session, counter: Counter, posting_id: str) -> None:
    row = session.execute(
        select(Posting.till_id, Posting.operation).where(Posting.id == posting_id)
    ).first()
    if row is None:
        return  # The ledger says that there is no such posting.
    if counter.person is not None and access.is_manager(counter.person):
        return
    own = row.till_id == counter.till.id
    if not own or (counter.offline and row.operation != "accrual"):
        raise NotYourPosting(
            "A till takes back only what it posted itself. Ask a manager for anything else."
        )


def _post_about(
    session: Session,
    counter: Counter,
    request: Request,
    operation: Operation,
    body: Mapping[str, Any],
    about: str,
    *,
    now: datetime,
) -> dict[str, Any]:
    """Post something about an earlier posting; its member's language is the answer's."""
    language = session.scalar(
        select(Card.language)
        .join(Posting, Posting.account_id == Card.account_id)
        .where(Posting.id == about)
        .order_by(Card.issued_at.desc())
        .limit(1)
    )
    where = counter.circumstances(body["occurred_at"], None, now=now, language=language or "en")
    terms = terms_of(session, counter.till.programme_id, now)
    return ledger.post(session, request, operation, where, now=now, terms=terms).answer


def tier_name(settings: rules.Settings, tier: str | None, language: str) -> str | None:
    """What a tier is called in *language*."""
    if tier is None or settings.tiers is None:
        return tier
    names = settings.tiers.names.get(tier, {})
    return names.get(language) or names.get("en") or tier


def _card(
    session: Session, counter: Counter, code: str, occurred_at: datetime, *, now: datetime
) -> Card:
    """The card of a posting. What happened before a card was blocked counts."""
    at = occurred_at if counter.offline else now
    card, _ = cards.card_by_code(session, code, now=now, at=at)
    return card
