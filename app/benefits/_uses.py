"""Redeeming a reward or a coupon: once, however many ask at once; and taking that back.

What is redeemed is checked and taken under the account's lock; of a reward's stock the database
counts in one statement. A use counts until its posting is reversed, or all of the receipt that it
was for has come back; then everything that it took is given back, in the very same amount.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.benefits._page import USE, Page, Where, coupons_of
from app.benefits.errors import CouponNotOpen, NotEnough, OutOfStock
from app.benefits.models import Coupon, CouponStatus, RewardStock, Use
from app.benefits.promises import COUPON, Promises
from app.db import new_id, programme_of
from app.ledger import rules, writing
from app.ledger.explain import because
from app.ledger.kept import KeptReceipt
from app.ledger.rules import ReturnPolicy

#: A use belongs to a receipt of its number no further apart than this: numbers come again.
SAME_SALE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Price:
    """So many of a thing that a reward costs besides points; usually stamps."""

    kind: str
    what: str
    count: int


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be redeemed: a reward, or the coupon of *coupon_id*.

    *name* is what it is called in the member's language. *worth* is JSON for the till: what it
    takes off, or what is handed over. *stock* is how many there are of a reward in all (None: any
    number), of which this takes *pieces*.
    """

    kind: str
    what: str
    name: str
    worth: dict[str, Any]
    points: int = 0
    price: Price | None = None
    coupon_id: str | None = None
    stock: int | None = None
    pieces: int = 1
    receipt_number: str | None = None


def check(page: Page, account_id: str, order: Order, *, time_zone: str) -> Coupon | None:
    """The coupon that is to be redeemed, or None for a reward.

    Raises `CouponNotOpen` or `NotEnough`. The account is locked.
    """
    if order.price is not None:
        has = page.count(account_id, order.price.kind, order.price.what)
        if has < order.price.count:
            raise NotEnough(
                f"“{order.name}” costs {order.price.count}; there are {max(0, has)}. "
                "Choose something else, or wait until there are enough.",
                needed=order.price.count,
                available=max(0, has),
            )
    if order.coupon_id is None:
        return None
    coupon = coupons_of(page.session, [order.coupon_id])[order.coupon_id]
    check_open(page.session, coupon, now=page.now, time_zone=time_zone)
    return coupon


def check_open(session: Session, coupon: Coupon, *, now: datetime, time_zone: str) -> None:
    """Raise `CouponNotOpen`, which says what became of it, unless the coupon is good now."""
    status = CouponStatus(coupon.status)
    if status is CouponStatus.OPEN and coupon.expires_at is not None and coupon.expires_at <= now:
        status = CouponStatus.EXPIRED
    text = None
    match status:
        case CouponStatus.USED | CouponStatus.OWED:
            use = session.scalar(
                select(Use).where(
                    Use.coupon_id == coupon.id,
                    Use.reversed_at.is_(None),
                    Use.returned_at.is_(None),
                )
            )
            when = writing.moment(use.used_at, time_zone, "en") if use is not None else "before"
            text = f"This coupon was used already, {when}. It is good once."
        case CouponStatus.WITHDRAWN:
            text = "This coupon was taken back: what it was given for was returned."
        case CouponStatus.EXPIRED:
            last = writing.last_day(coupon.expires_at or now, time_zone, "en")
            text = f"This coupon was good until the end of {last}."
        case _ if coupon.valid_from > now:
            first = writing.moment(coupon.valid_from, time_zone, "en")
            text = f"This coupon is good from {first} on. Come again then."
    if text is not None:
        raise CouponNotOpen(text, status=str(status))


def take(page: Page, where: Where, account_id: str, order: Order, coupon: Coupon | None) -> None:
    """Take what the order costs, and note what it took. Raises `OutOfStock`."""
    if order.kind != COUPON:
        _take_from_stock(page.session, order.what, order.pieces, order.stock, order.name)
    if order.price is not None:
        _pay(page, where, account_id, order.price.kind, order.price.what, -order.price.count)
    if coupon is not None:
        _use_coupon(page, where, account_id, coupon)


def note(
    session: Session,
    where: Where,
    account_id: str,
    order: Order,
    *,
    till_id: str | None,
    location_id: str | None,
    now: datetime,
) -> None:
    """Write the use of a posting."""
    price = order.price
    session.add(
        Use(
            programme_id=programme_of(session),
            id=new_id(),
            account_id=account_id,
            posting_id=where.posting_id,
            kind=order.kind,
            what=order.what,
            coupon_id=order.coupon_id,
            points=order.points,
            paid_kind=price.kind if price else None,
            paid_what=price.what if price else None,
            paid_count=price.count if price else 0,
            pieces=0 if order.kind == COUPON else order.pieces,
            worth=order.worth,
            receipt_number=order.receipt_number,
            till_id=till_id,
            location_id=location_id,
            used_at=now,
        )
    )
    session.flush()


def uses_of(session: Session, posting_ids: Collection[str]) -> list[Use]:
    """What these postings redeemed, read afresh."""
    found = session.scalars(
        select(Use)
        .where(Use.posting_id.in_(posting_ids))
        .order_by(Use.id)
        .execution_options(populate_existing=True)
    )
    return list(found)


def uses_on(session: Session, receipt: KeptReceipt, account_ids: Collection[str]) -> list[Use]:
    """What was redeemed on a receipt: at its till under its number, at about its time."""
    if receipt.number is None:
        return []
    found = session.scalars(
        select(Use)
        .where(
            Use.receipt_number == receipt.number,
            Use.account_id.in_(account_ids),
            or_(Use.till_id.is_(None), Use.till_id == receipt.till_id),
            Use.used_at >= receipt.occurred_at - SAME_SALE,
            Use.used_at <= receipt.occurred_at + SAME_SALE,
        )
        .order_by(Use.id)
        .execution_options(populate_existing=True)
    )
    return list(found)


def tell_use(page: Page, where: Where, order: Order, promises: Promises) -> None:
    """Say what is got, and what it costs besides points."""
    page.tell(where.posting_id, because("used", name=order.name))
    if order.price is not None:
        paid = promises.name(order.price.kind, order.price.what, where.language)
        page.tell(where.posting_id, because("paid_with", name=paid, count=order.price.count))


# --- taking back ------------------------------------------------------------------------------


def change(
    page: Page,
    where: Where,
    account_id: str,
    use: Use,
    promises: Promises,
    *,
    reversed_at: datetime | None,
    returned_at: datetime | None,
) -> None:
    """Let a use count, or no longer; what it took moves along.

    Raises `CouponNotOpen`, `NotEnough`, `OutOfStock` where what is to be taken again is gone.
    """
    counted = use.counts
    counts = reversed_at is None and returned_at is None
    coupon = None
    if use.coupon_id is not None:
        coupon = coupons_of(page.session, [use.coupon_id])[use.coupon_id]
    if counted and not counts:
        use.reversed_at, use.returned_at = reversed_at, returned_at
        page.session.flush()
        _give_back(page, where, account_id, use, coupon, promises)
    elif counts and not counted:
        _take_again(page, where, account_id, use, coupon, promises)
        use.reversed_at, use.returned_at = None, None
        page.session.flush()
    else:
        use.reversed_at, use.returned_at = reversed_at, returned_at


def _give_back(
    page: Page,
    where: Where,
    account_id: str,
    use: Use,
    coupon: Coupon | None,
    promises: Promises,
) -> None:
    name = promises.name(use.kind, use.what, where.language)
    if use.pieces:
        _move_stock(page.session, use.what, -use.pieces)
    if use.paid_count and use.paid_kind and use.paid_what:
        _pay(page, where, account_id, use.paid_kind, use.paid_what, use.paid_count)
        paid = promises.name(use.paid_kind, use.paid_what, where.language)
        page.tell(where.posting_id, because("given_again", name=paid, count=use.paid_count))
    if coupon is None:
        page.tell(where.posting_id, because("reward_back", name=name))
        return
    status = CouponStatus.OPEN if coupon.status == CouponStatus.USED else CouponStatus.WITHDRAWN
    page.move(where, account_id, COUPON, coupon.what, 1, rule=USE, coupon_id=coupon.id)
    if coupon.expires_at is not None and coupon.expires_at <= page.now:
        coupon.expires_at = rules.expiry(
            page.now, time_zone=promises.time_zone, days=promises.grace_days
        )
    page.set_coupon(coupon, status)
    page.session.flush()
    page.tell_listeners("coupon.returned", coupon)
    if status is CouponStatus.OPEN:
        page.tell(where.posting_id, because("given_again", name=name, count=1))


def _take_again(
    page: Page,
    where: Where,
    account_id: str,
    use: Use,
    coupon: Coupon | None,
    promises: Promises,
) -> None:
    name = promises.name(use.kind, use.what, where.language)
    if use.paid_count and use.paid_kind and use.paid_what:
        has = page.count(account_id, use.paid_kind, use.paid_what)
        if has < use.paid_count and promises.return_policy != ReturnPolicy.ALLOW_DEBT:
            raise NotEnough(
                f"“{name}” cost {use.paid_count}; by now there are {max(0, has)}.",
                needed=use.paid_count,
                available=max(0, has),
            )
        _pay(page, where, account_id, use.paid_kind, use.paid_what, -use.paid_count)
    if use.pieces:
        _move_stock(page.session, use.what, use.pieces)
    if coupon is not None:
        if coupon.status not in (CouponStatus.OPEN, CouponStatus.WITHDRAWN):
            raise CouponNotOpen(
                "This coupon was used again meanwhile, or is over. Take that back first.",
                status=coupon.status,
            )
        owed = coupon.status == CouponStatus.WITHDRAWN
        page.move(where, account_id, COUPON, coupon.what, -1, rule=USE, coupon_id=coupon.id)
        page.set_coupon(coupon, CouponStatus.OWED if owed else CouponStatus.USED)
        page.session.flush()
    page.tell(where.posting_id, because("used_again", name=name))


def _use_coupon(page: Page, where: Where, account_id: str, coupon: Coupon) -> None:
    page.move(where, account_id, COUPON, coupon.what, -1, rule=USE, coupon_id=coupon.id)
    page.set_coupon(coupon, CouponStatus.USED)
    page.session.flush()
    page.tell_listeners("coupon.redeemed", coupon)


def _pay(page: Page, where: Where, account_id: str, kind: str, what: str, count: int) -> None:
    page.move(where, account_id, kind, what, count, rule=USE)


# --- stock ------------------------------------------------------------------------------------


def stock_taken(session: Session) -> dict[str, int]:
    """How many of each reward of the programme were taken so far."""
    rows = session.execute(select(RewardStock.what, RewardStock.taken))
    return {row.what: row.taken for row in rows}


def _take_from_stock(
    session: Session, what: str, pieces: int, stock: int | None, name: str
) -> None:
    """Count *pieces* as taken, if there are so many. Two tills that want the last one meet here."""
    if not _move_stock(session, what, pieces, most=stock):
        raise OutOfStock(
            f"“{name}” is gone: the last one was taken. Choose another reward.", what=what
        )


def _move_stock(session: Session, what: str, pieces: int, *, most: int | None = None) -> bool:
    programme_id = programme_of(session)
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    session.execute(
        insert(RewardStock)
        .values(programme_id=programme_id, what=what, taken=0)
        .on_conflict_do_nothing()
    )
    statement = (
        update(RewardStock)
        .where(RewardStock.what == what)
        .values(taken=RewardStock.taken + pieces)
        .execution_options(synchronize_session=False)
        .returning(RewardStock.taken)
    )
    if most is not None:
        statement = statement.where(RewardStock.taken + pieces <= most)
    return session.execute(statement).first() is not None
