"""Coupons of an account, and their passes: a card with a code, a serial and a wallet of its own."""

import secrets
from collections.abc import Collection
from datetime import datetime

from sqlalchemy import and_, bindparam, or_, select, tuple_
from sqlalchemy.orm import Session

from app.benefits._page import coupons_of
from app.benefits.errors import CouponNotOpen, UnknownCoupon
from app.benefits.models import Coupon, CouponStatus
from app.cards import service as cards
from app.cards.models import Card
from app.cards.service import RandomBytes
from app.keys import KeyRing
from app.ledger import service as ledger
from passes.code import Kind


def coupons(
    session: Session,
    account_id: str,
    *,
    now: datetime,
    open_only: bool = True,
    after: Coupon | None = None,
    limit: int | None = None,
) -> list[Coupon]:
    """The account's coupons, those that end first before the others; *limit* of those *after*."""
    ends = Coupon.expires_at
    found = select(Coupon).where(Coupon.account_id == account_id)
    if open_only:
        found = found.where(Coupon.status == CouponStatus.OPEN, or_(ends.is_(None), ends > now))
    if after is not None:
        later = tuple_(Coupon.issued_at, Coupon.id) > tuple_(
            bindparam("issued_at", after.issued_at, Coupon.issued_at.type),
            bindparam("after_id", after.id, Coupon.id.type),
        )
        if after.expires_at is None:
            found = found.where(ends.is_(None), later)
        else:
            same = and_(ends == after.expires_at, later)
            found = found.where(or_(ends.is_(None), ends > after.expires_at, same))
    found = found.order_by(ends.is_(None), ends, Coupon.issued_at, Coupon.id)
    return list(session.scalars(found if limit is None else found.limit(limit)))


def coupon_by_card(session: Session, card_id: str) -> Coupon | None:
    """The coupon whose pass a card is; None for any other card."""
    return session.scalar(select(Coupon).where(Coupon.card_id == card_id))


def coupon_by_id(session: Session, coupon_id: str) -> Coupon:
    """The coupon of that id in the session's programme. Raises `UnknownCoupon`."""
    found = session.scalar(select(Coupon).where(Coupon.id == coupon_id))
    if found is None:
        raise UnknownCoupon("There is no such coupon in this programme.")
    return found


def issue_card(
    session: Session,
    keys: KeyRing,
    coupon_id: str,
    *,
    now: datetime,
    language: str = "en",
    member_id: str | None = None,
    random_bytes: RandomBytes = secrets.token_bytes,
) -> Card:
    """The coupon's own card; made the first time that somebody wants the pass.

    Raises `UnknownCoupon`, and `CouponNotOpen` for a new card of a coupon that is over.
    """
    coupon = coupon_by_id(session, coupon_id)
    ledger.lock_account(session, coupon.account_id)
    coupon = coupons_of(session, [coupon_id])[coupon_id]
    if coupon.card_id is not None:
        return cards.card_by_id(session, coupon.card_id)
    if coupon.status != CouponStatus.OPEN:
        raise CouponNotOpen("This coupon is over: no pass is made of it.", status=coupon.status)
    card = cards.issue_card(
        session,
        keys,
        coupon.programme_id,
        account_id=coupon.account_id,
        now=now,
        member_id=member_id,
        kind=Kind.COUPON,
        language=language,
        source="coupon",
        random_bytes=random_bytes,
    )
    coupon.card_id = card.id
    session.flush()
    return card


def of_cards(session: Session, card_ids: Collection[str]) -> dict[str, Coupon]:
    """The coupons of these cards, by card."""
    found = session.scalars(select(Coupon).where(Coupon.card_id.in_(card_ids)))
    return {each.card_id: each for each in found if each.card_id is not None}
