"""Coupons for a shop system: found by their own code or id, and those of an account."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.benefits import service as benefits
from app.benefits.errors import UnknownCoupon
from app.benefits.models import Coupon
from app.cards import service as cards
from app.errors import NotFound
from app.ledger.models import Account
from app.pos import listing
from app.programmes.terms import rulebook_of
from app.till.benefits import Shown, coupon_shown


def by_id(session: Session, coupon_id: str, *, now: datetime) -> dict[str, Any]:
    """A coupon as it stands. Raises `UnknownCoupon`."""
    return _told(session, [benefits.coupon_by_id(session, coupon_id)], now)[0]


def by_code(session: Session, code: str, *, now: datetime) -> dict[str, Any]:
    """The coupon whose own code was scanned. Raises `CardRefused`, `UnknownCoupon`.

    One that was used is refused by what became of its card.
    """
    card, _ = cards.card_by_code(session, code, now=now)
    coupon = benefits.coupon_by_card(session, card.id)
    if coupon is None:
        raise UnknownCoupon("This is not a coupon's code. Look it up among the members.")
    return _told(session, [coupon], now)[0]


def of_account(
    session: Session,
    account_id: str,
    *,
    open_only: bool,
    limit: int,
    cursor: str | None,
    now: datetime,
) -> dict[str, Any]:
    """A piece of an account's coupons, those that end first before the others.

    Raises `NotFound`, and `Invalid` for a cursor that is none of this list.
    """
    if session.scalar(select(Account.id).where(Account.id == account_id)) is None:
        raise NotFound("There is no such account.")
    after = None
    if (last := listing.read_id_cursor(cursor)) is not None:
        try:
            after = benefits.coupon_by_id(session, last)
        except UnknownCoupon:
            raise listing.wrong_cursor() from None
        if after.account_id != account_id:
            raise listing.wrong_cursor()
    found = benefits.coupons(
        session, account_id, now=now, open_only=open_only, after=after, limit=limit + 1
    )
    more = listing.cursor_of_id(found[limit - 1].id) if len(found) > limit else None
    return {"items": _told(session, found[:limit], now), "next_cursor": more}


def _told(session: Session, found: list[Coupon], now: datetime) -> list[dict[str, Any]]:
    if not found:
        return []
    book = rulebook_of(session, found[0].programme_id, now)
    shown = Shown(book, book.at(now).settings, "en", 0, None, now)
    return [
        coupon_shown(coupon, shown) | {"account_id": coupon.account_id, "card_id": coupon.card_id}
        for coupon in found
    ]
