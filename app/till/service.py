"""What a till may ask: look a card up, accrue, hold, capture, release, reverse.

Each function is one transaction of its caller. A posting that was made before gets its first
answer, whatever has changed since; so nothing is checked before that.
"""

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.cards import service as cards
from app.cards.errors import CardRefused
from app.cards.models import Card
from app.cards.scans import note_scan
from app.keys import KeyRing
from app.ledger import service as ledger
from app.ledger.models import Entry, Posting
from app.ledger.postings import (
    Accrue,
    Line,
    Request,
    ReturnedLine,
    Reverse,
)
from app.ledger.rules import local_day
from app.members import notes
from app.members import service as members
from app.programmes import giving, wording
from app.programmes.earning import Sale
from app.programmes.models import Programme
from app.programmes.pricelist import DiscountNow, discount_now
from app.programmes.pricing import price
from app.programmes.redeeming import most_redeemable
from app.programmes.service import programme_by_id
from app.programmes.settings import Settings
from app.programmes.terms import Rulebook, rulebook_of
from app.till import access, benefits, limits
from app.till.access import Place, TillAt
from app.till.counter import Counter, card_of, partner_of, post_about
from app.till.errors import NotYourPosting
from app.till.models import Presentation, Till
from app.till.receipts import NumberedSale, paid_with_points
from passes.code import Kind, Outcome

PRESENTATION_LIFE = timedelta(minutes=5)
#: What is posted at a counter, and may be taken back there.
AT_COUNTERS = {"accrual", "capture", "reversal", "reward", "coupon"}


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
    zone = programme_by_id(session, card.programme_id).time_zone
    note_scan(
        session,
        card,
        till_id=till.id,
        location_id=till.location_id,
        day=local_day(now, zone),
        now=now,
    )
    return {
        "outcome": str(Outcome.ACCEPTED),
        "message": "Coupon accepted." if benefits.is_coupon(card) else "Card accepted.",
        "presentation": _begin_presentation(session, till, card, rotating, now=now),
        **page_of(session, keys, card, now=now),
    }


def page_of(session: Session, keys: KeyRing, card: Card, *, now: datetime) -> dict[str, Any]:
    """What a counter may know of a card: whose it is, its tier, its points, what to redeem.

    Of a coupon's own code it knows the coupon and nothing else.
    """
    if benefits.is_coupon(card):
        return benefits.shown_by_itself(session, card, now=now)
    programme = programme_by_id(session, card.programme_id)
    book = rulebook_of(session, card.programme_id, now)
    settings = book.at(now).settings
    page = ledger.look(session, card.account_id, now=now, terms=book.terms(now))
    standing = page.standing()
    told = notes.for_counter(session, keys, card.member_id)
    redeemable = limits.most(session, card, standing.available, now=now, time_zone=book.time_zone)
    return {
        "card": {
            "card_id": card.id,
            "kind": Kind(card.kind).name.lower(),
            "status": card.status,
            "role": card.role,
        },
        "member": _called(members.contact_of(session, keys, card.member_id), told),
        "tier": tier_name(settings, page.account.tier.tier, card.language),
        "vip": told.is_vip or _is_highest(settings, page.account.tier.tier),
        "standing": _standing(programme, card, standing),
        "discount": _discount(discount_now(session, book, card.account_id, now=now), card),
        "redeem": {
            "minimum": settings.redeem_minimum,
            "step": settings.redeem_step,
            "maximum": most_redeemable(settings, redeemable, None, book.currency),
        },
        **benefits.page_part(
            session,
            card,
            benefits.Shown(book, settings, card.language, redeemable, page.account.tier.tier, now),
        ),
    }


def _called(contact: members.Contact, told: notes.ForCounter) -> dict[str, Any]:
    return {"name": contact.name, "nickname": contact.nickname, "note": told.note}


def _discount(found: DiscountNow | None, card: Card) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "code": found.discount.code,
        "name": found.discount.name(card.language),
        "percent": f"{found.percent.normalize():f}",
        "spent_minor": found.spent_minor,
        "missing_minor": found.missing_minor,
        "next_percent": None
        if found.next_percent is None
        else f"{found.next_percent.normalize():f}",
    }


def _not_accepted(refused: CardRefused) -> dict[str, Any]:
    nothing = dict.fromkeys(
        (
            "presentation",
            "card",
            "member",
            "tier",
            "vip",
            "standing",
            "discount",
            "redeem",
            "stamps",
            "rewards",
            "coupons",
            "coupon",
        ),
        None,
    )
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
        "points_label": wording.points_label(
            programme.points_names, standing.balance, card.language
        ),
    }


def accrue(
    session: Session, counter: Counter, request: Request, body: dict[str, Any], *, now: datetime
) -> dict[str, Any]:
    """Value one receipt by the rules of its day and give the points; `accruals` does many."""
    card = card_of(session, counter, body["code"], body["occurred_at"], now=now)
    book = rulebook_of(session, counter.till.programme_id, now)
    sale = None
    if body.get("receipt"):
        sale = NumberedSale(card.account_id, body["receipt"], counter.till.id, body["occurred_at"])
    accrual = accrual_of(
        session,
        book,
        card.account_id,
        body,
        partner_id=partner_of(session, counter),
        paid_with_points=paid_with_points(session, [sale] if sale else []).get(sale, 0),
        now=now,
        location_id=counter.till.location_id,
    )
    where = counter.circumstances(body["occurred_at"], card.id, now=now, language=card.language)
    return giving.post(session, book, request, accrual, where, now=now).answer


def accrual_of(
    session: Session,
    book: Rulebook,
    account_id: str,
    body: Mapping[str, Any],
    *,
    partner_id: str | None,
    paid_with_points: int,
    now: datetime,
    location_id: str | None = None,
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
        **price(session, book, sale, now=now, location_id=location_id).fields(),
    )


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
    return post_about(session, counter, request, operation, body, body["posting_id"], now=now)


def _check_may_reverse(session: Session, counter: Counter, posting_id: str) -> None:
    row = session.execute(
        select(Posting.till_id, Posting.operation).where(Posting.id == posting_id)
    ).first()
    if row is None:
        return  # The ledger says that there is no such posting.
    if counter.api_key_id is not None:
        _check_is_of_place(session, counter.till, posting_id, row.operation)
        return
    if counter.person is not None and access.is_manager(counter.person):
        return
    if counter.approver is not None and access.is_manager(counter.approver):
        return
    own = row.till_id == counter.till.id
    if not own or (counter.offline and row.operation != "accrual"):
        raise NotYourPosting(
            "A till takes back only what it posted itself. Ask a manager for anything else."
        )


def _check_is_of_place(
    session: Session, place: Till | TillAt | Place, posting_id: str, operation: str
) -> None:
    """A shop system takes back what was posted at a counter of its location, whichever it was."""
    where = session.scalars(
        select(Entry.location_id).where(Entry.posting_id == posting_id).limit(1)
    ).all()
    elsewhere = place.location_id is not None and any(each != place.location_id for each in where)
    if operation not in AT_COUNTERS or elsewhere:
        raise NotYourPosting(
            "A shop system takes back receipts, redemptions and returns of its own location. "
            "Ask a manager for anything else."
        )


def _is_highest(settings: Settings, tier: str | None) -> bool:
    """Whether this is the highest tier that one can have."""
    if tier is None or settings.tiers is None or len(settings.tiers.scheme.levels) < 2:
        return False
    return tier == settings.tiers.scheme.levels[-1].code


def tier_name(settings: Settings, tier: str | None, language: str) -> str | None:
    """What a tier is called in *language*."""
    if tier is None or settings.tiers is None:
        return tier
    names = settings.tiers.names.get(tier, {})
    return names.get(language) or names.get("en") or tier
