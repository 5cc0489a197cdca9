"""Coupons that are given by hand: issued to one account, and taken back as long as none is used."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.benefits import service as benefits
from app.benefits.models import Coupon, CouponStatus
from app.benefits.promises import COUPON
from app.errors import Conflict, Invalid
from app.languages import _
from app.ledger import service as ledger
from app.ledger.models import Posting
from app.ledger.postings import Circumstances, Given, Posted, Present, Request, Reverse
from app.programmes import giving
from app.programmes.giving import RuledPromises
from app.programmes.mechanics.coupons import CouponKind
from app.programmes.settings import Settings
from app.programmes.terms import Rulebook

#: What a posting of things given by hand is called.
_BY_HAND = "present"


def kind_of(settings: Settings, code: str) -> CouponKind:
    """The kind of coupon of that code. Raises `Invalid`."""
    found = next((each for each in settings.coupons if each.code == code), None)
    if found is None:
        known = ", ".join(each.code for each in settings.coupons) or _("none yet")
        text = _("There is no such coupon. The programme has: %(known)s.", known=known)
        raise Invalid(text)
    return found


def give(
    session: Session,
    book: Rulebook,
    request: Request,
    code: str,
    account_id: str,
    *,
    count: int,
    reason: str,
    until: datetime | None,
    where: Circumstances,
    now: datetime,
) -> Posted:
    """Give an account coupons of a kind; *until* (exclusive) instead of their own end.

    Raises `Invalid` for a kind that there is not, or not for this account's tier.
    """
    kind = kind_of(book.at(now).settings, code)
    if kind.tiers:
        tier = ledger.look(session, account_id, now=now, terms=book.terms(now)).account.tier.tier
        if tier not in kind.tiers:
            tiers = ", ".join(kind.tiers)
            text = _("This coupon is for members of %(tiers)s, not of this tier.", tiers=tiers)
            raise Invalid(text)
    if until is not None and until <= now:
        text = _("That day is over. Give a later one.")
        raise Invalid(text)
    given = Given(COUPON, code, count, reason[:60])
    return benefits.post(
        session,
        request,
        Present(account_id, (given,), reason),
        where,
        replace(RuledPromises(book, now), coupons_until=until),
        now=now,
        terms=book.terms(now),
    )


def is_by_hand(session: Session, coupon: Coupon) -> bool:
    """Whether no receipt gave it: then it can be withdrawn by itself."""
    found = session.scalar(select(Posting.operation).where(Posting.id == coupon.source_id))
    return found == _BY_HAND


def withdraw(
    session: Session,
    book: Rulebook,
    request: Request,
    coupon: Coupon,
    *,
    reason: str,
    where: Circumstances,
    now: datetime,
) -> Posted:
    """Take an unused coupon back that was given by hand. Raises `Conflict` for any other."""
    if coupon.source_id is None or not is_by_hand(session, coupon):
        raise Conflict(_("A receipt gave this coupon. It goes when the receipt is returned."))
    operation = Reverse(
        coupon.source_id,
        return_policy=book.at(now).settings.return_policy,
        reason=reason,
        account_id=coupon.account_id,
    )
    coupon_id, source_id = coupon.id, coupon.source_id
    with session.begin_nested():
        posted = giving.post(session, book, request, operation, where, now=now)
        if not posted.repeated:
            # Under the locks that the posting took: whoever used it meanwhile was first.
            session.expire_all()
            those = session.scalars(select(Coupon).where(Coupon.source_id == source_id)).all()
            if any(each.status != CouponStatus.WITHDRAWN for each in those):
                others = [each.id for each in those if each.id != coupon_id]
                raise Conflict(
                    _("This coupon was used or is over already.")
                    if not others
                    else _("It was given together with others, of which one was used or is over.")
                )
    return posted
