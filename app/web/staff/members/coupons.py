"""Coupons by hand: given to a member, looked up by what is scanned, taken back while unused."""

import re
import uuid
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from flask import request
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.approvals import service as approvals
from app.benefits import service as benefits
from app.benefits.errors import UnknownCoupon
from app.benefits.models import Coupon, CouponStatus, Use
from app.cards import service as cards
from app.cards.holders import cards_of
from app.cards.models import Card
from app.errors import CounterfoilError, Forbidden, Invalid, NotFound
from app.languages import Lazy, _, lazy
from app.ledger.postings import Circumstances, Request, fingerprint
from app.ledger.rules import start_of_day
from app.programmes import handing
from app.programmes.mechanics.coupons import read_one
from app.programmes.terms import rulebook_of
from app.staff.permissions import Permission
from app.web.staff.door import Visit
from app.web.staff.members.area import circumstances, pages
from passes.code import Kind, parse
from passes.errors import CodeError
from passes.image import code_svg

_CARD_ID = re.compile(r"[0-9a-f]{16}")
_STATES: dict[str, tuple[Lazy, str]] = {
    CouponStatus.OPEN: (lazy("Can be used"), "good"),
    CouponStatus.USED: (lazy("Used"), "quiet"),
    CouponStatus.WITHDRAWN: (lazy("Taken back"), "bad"),
    CouponStatus.EXPIRED: (lazy("Expired"), "warn"),
    CouponStatus.OWED: (lazy("Used and owed"), "bad"),
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A coupon as the page tells of it."""

    coupon: Coupon
    name: str
    state: tuple[Lazy, str]
    uses: list[Use]
    #: The member's own card, where the page leads to.
    card_id: str | None
    may_withdraw: bool


@pages.get("/coupons", Permission.SEE_MEMBERS)
def coupons(visit: Visit) -> Any:
    """The page, with the card that a coupon is for where one was on before."""
    return _page(visit, card=request.args.get("card", "")[:100])


@pages.post("/coupons/find", Permission.SEE_MEMBERS)
def find_coupon(visit: Visit) -> Any:
    """By POST: a code in an address would stand in the browser's history."""
    return _page(visit, text=visit.form.get("q", "").strip()[:500])


@pages.post("/coupons/give", Permission.ADJUST_POINTS)
def give_coupon(visit: Visit) -> Any:
    """Give a coupon; the link to its pass is shown this once."""
    form = visit.form
    try:
        deed_id = approvals.check_id(form.get("deed_id", ""))
        reason = approvals.check_reason(form.get("reason", ""))
        until = _end(form.get("until", ""), visit.programme.time_zone)
        with visit.write() as session:
            card = _member_card(session, form.get("card", "").strip())
            body: dict[str, Any] = {
                "account": card.account_id,
                "code": form.get("code", ""),
                "reason": reason,
            }
            body["until"] = None if until is None else until.isoformat()
            posted = handing.give(
                session,
                rulebook_of(session, visit.programme.id, visit.now),
                _request(visit, deed_id, "present", body),
                body["code"],
                card.account_id,
                count=1,
                reason=reason,
                until=until,
                where=circumstances(visit, card.id),
                now=visit.now,
            )
            session.flush()
            coupon = session.scalars(select(Coupon).where(Coupon.source_id == deed_id)).one()
            own = benefits.issue_card(
                session,
                visit.context.keys,
                coupon.id,
                now=visit.now,
                language=card.language,
                member_id=card.member_id,
            )
            link = cards.create_link(session, own, now=visit.now)
            if not posted.repeated:
                detail = {"id": deed_id, "coupon": coupon.id, "kind": coupon.what}
                visit.note(session, "coupon.give", card.id, detail)
            card_id, coupon_id = card.id, coupon.id
    except (Forbidden, NotFound):
        raise
    except CounterfoilError as error:
        return _page(visit, error=error, card=form.get("card", "")[:100])
    address = f"{visit.context.config.url}/card/{link}"
    return visit.show(
        "staff/members/coupon_given.html",
        card_id=card_id,
        coupon_id=coupon_id,
        address=address,
        picture=code_svg(address),
    )


@pages.post("/coupons/<uuid:coupon_id>/withdraw", Permission.ADJUST_POINTS)
def withdraw_coupon(visit: Visit, coupon_id: Any) -> Any:
    """Take an unused coupon back; its pass is void from then on."""
    form = visit.form
    try:
        deed_id = approvals.check_id(form.get("deed_id", ""))
        reason = approvals.check_reason(form.get("reason", ""))
        with visit.write() as session:
            coupon = benefits.coupon_by_id(session, str(coupon_id))
            posted = handing.withdraw(
                session,
                rulebook_of(session, visit.programme.id, visit.now),
                _request(visit, deed_id, "reversal", {"coupon": coupon.id, "reason": reason}),
                coupon,
                reason=reason,
                where=Circumstances(visit.now, actor_kind="staff", actor_id=visit.person.id),
                now=visit.now,
            )
            if not posted.repeated:
                visit.note(session, "coupon.withdraw", str(coupon_id), {"id": deed_id})
    except (Forbidden, NotFound):
        raise
    except CounterfoilError as error:
        return _page(visit, error=error, text=str(coupon_id))
    return _page(visit, text=str(coupon_id), said=_("The coupon is taken back."))


# --- what is shown ----------------------------------------------------------------------------


def _page(
    visit: Visit,
    *,
    text: str = "",
    card: str = "",
    said: str = "",
    error: CounterfoilError | None = None,
) -> Any:
    shown = None
    with visit.read() as session:
        if text:
            with suppress(UnknownCoupon):
                shown = _shown(session, visit, _coupon(session, text))
        settings = rulebook_of(session, visit.programme.id, visit.now).at(visit.now).settings
    status = 200
    if error is not None:
        status = 422 if isinstance(error, Invalid) else 409
    return visit.show(
        "staff/members/coupons.html",
        status,
        text=text,
        shown=shown,
        done=said,
        card=card,
        kinds=[(each.code, each.name(visit.language)) for each in settings.coupons],
        deed_id=str(uuid.uuid4()),
        problem="" if error is None else error.message,
        wrong=error.fields if isinstance(error, Invalid) else {},
        typed=request.form,
    )


def _shown(session: Session, visit: Visit, coupon: Coupon) -> Shown:
    is_over = coupon.expires_at is not None and coupon.expires_at <= visit.now
    is_open = coupon.status == CouponStatus.OPEN
    status = CouponStatus.EXPIRED if is_open and is_over else CouponStatus(coupon.status)
    uses = session.scalars(select(Use).where(Use.coupon_id == coupon.id).order_by(Use.used_at))
    mine = [each for each in cards_of(session, coupon.account_id) if each.kind != Kind.COUPON]
    return Shown(
        coupon=coupon,
        name=read_one(coupon.offer).name(visit.language),
        state=_STATES[status],
        uses=list(uses),
        card_id=mine[-1].id if mine else None,
        may_withdraw=is_open
        and not is_over
        and visit.may(Permission.ADJUST_POINTS)
        and handing.is_by_hand(session, coupon),
    )


def _coupon(session: Session, text: str) -> Coupon:
    """By its own code, its pass's id or its own. Raises `UnknownCoupon`."""
    with suppress(ValueError):
        return benefits.coupon_by_id(session, str(uuid.UUID(text)))
    found = benefits.coupon_by_card(session, _card_id(text))
    if found is None:
        raise UnknownCoupon(_("There is no such coupon in this programme."))
    return found


def _member_card(session: Session, text: str) -> Card:
    card_id = _card_id(text)
    try:
        card = cards.card_by_id(session, card_id)
    except NotFound:
        card = None
    if card is None or card.kind == Kind.COUPON:
        words = _("There is no such card. Scan it, or copy its id from the member's page.")
        raise Invalid(words, {"card": [words]})
    return card


def _card_id(text: str) -> str:
    with suppress(CodeError):
        return parse(text).card.card_id_hex
    return text.lower() if _CARD_ID.fullmatch(text.lower()) else ""


def _end(text: str, time_zone: str) -> datetime | None:
    """The first moment after the last day that was chosen; None for none."""
    if not text.strip():
        return None
    try:
        last = date.fromisoformat(text.strip())
        if not 2000 <= last.year <= 2200:
            raise ValueError(text)
    except ValueError:
        words = _("Choose a day.")
        raise Invalid(words, {"until": [words]}) from None
    return start_of_day(last + timedelta(days=1), time_zone)


def _request(visit: Visit, deed_id: str, operation: str, body: dict[str, Any]) -> Request:
    return Request(deed_id, operation, fingerprint(visit.programme.id, None, operation, body))
