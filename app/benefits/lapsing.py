"""What is over by date: coupons past their last day, stamps of somebody who has not come back.

A step of the background work: bounded, idempotent, safe to run twice and side by side.
"""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.benefits._page import EXPIRY, Page, Where, lock_coupon_cards
from app.benefits.models import Coupon, CouponStatus, Tally
from app.benefits.promises import COUPON
from app.db import within
from app.ledger import service as ledger


def lapse(session: Session, now: datetime, limit: int, _terms: object = None) -> int:
    """End up to *limit* accounts' things that are over; how many accounts were looked through."""
    coupons = (
        select(Coupon.programme_id, Coupon.account_id)
        .where(
            Coupon.status == CouponStatus.OPEN,
            Coupon.expires_at.is_not(None),
            Coupon.expires_at <= now,
        )
        .order_by(Coupon.expires_at)
        .limit(limit)
    )
    tallies = (
        select(Tally.programme_id, Tally.account_id)
        .where(Tally.expires_at.is_not(None), Tally.expires_at <= now)
        .order_by(Tally.expires_at)
        .limit(limit)
    )
    due = {tuple(row) for wanted in (coupons, tallies) for row in session.execute(wanted)}
    for programme_id, account_id in sorted(due)[:limit]:
        with within(session, programme_id):
            _end(session, account_id, now)
    return min(len(due), limit)


def _end(session: Session, account_id: str, now: datetime) -> None:
    # Cards before accounts, accounts in one order: whoever locks several goes that way.
    lock_coupon_cards(session, [account_id])
    ledger.lock_account(session, account_id)
    page = Page(session, now)
    page.load([account_id])
    where = Where(None, now)
    for tally in page.tallies(account_id):
        if tally.expires_at is not None and tally.expires_at <= now:
            if tally.kind != COUPON and tally.count > 0:
                page.move(where, account_id, tally.kind, tally.what, -tally.count, rule=EXPIRY)
            tally.expires_at = None
    for coupon in _over(session, account_id, now):
        page.move(where, account_id, COUPON, coupon.what, -1, rule=EXPIRY, coupon_id=coupon.id)
        page.set_coupon(coupon, CouponStatus.EXPIRED)
    page.flush()
    ledger.raise_version(session, account_id, now=now)


def _over(session: Session, account_id: str, now: datetime) -> Collection[Coupon]:
    found = select(Coupon).where(
        Coupon.account_id == account_id,
        Coupon.status == CouponStatus.OPEN,
        Coupon.expires_at.is_not(None),
        Coupon.expires_at <= now,
    )
    return session.scalars(found.execution_options(populate_existing=True)).all()
