"""Rebuilds every cache of benefits from what cannot change, and says where one differs."""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, String, case, cast, func, literal, select, union_all
from sqlalchemy.orm import Session

from app.benefits.models import Coupon, CouponStatus, Grant, RewardStock, Tally, Use
from app.ledger.check import Difference


def check(session: Session, *, watch: Callable[[str], None] | None = None) -> Iterator[Difference]:
    """Every difference in every account that the session sees, as `ledger.check`."""
    tell = watch or (lambda _what: None)
    for what, statement in _comparisons():
        tell(what)
        rows = session.execute(statement, execution_options={"yield_per": 1000})
        for programme_id, account_id, id_, stored, computed in rows:
            yield Difference(
                programme_id, account_id or "", what, str(id_), int(stored), int(computed)
            )


@cache
def _comparisons() -> tuple[tuple[str, Any], ...]:
    return (
        ("tally", _tallies()),
        ("state of a coupon", _coupons()),
        ("uses of a coupon", _coupon_uses()),
        ("settled things", _settled()),
        ("taken rewards", _stock()),
    )


def _tallies() -> Any:
    zero = literal(0, BigInteger)
    each = union_all(
        select(
            Tally.programme_id.label("programme_id"),
            Tally.account_id.label("account_id"),
            Tally.kind.label("kind"),
            Tally.what.label("what"),
            Tally.count.label("stored"),
            zero.label("computed"),
        ),
        select(Grant.programme_id, Grant.account_id, Grant.kind, Grant.what, zero, Grant.count),
    ).subquery()
    key = (each.c.programme_id, each.c.account_id, each.c.kind, each.c.what)
    stored, computed = func.sum(each.c.stored), func.sum(each.c.computed)
    return (
        select(
            each.c.programme_id,
            each.c.account_id,
            each.c.kind + " " + each.c.what,
            stored,
            computed,
        )
        .group_by(*key)
        .having(stored != computed)
    )


#: What the grants of a coupon add up to while it is in this state.
_WORTH = case(
    (Coupon.status == CouponStatus.OPEN, 1), (Coupon.status == CouponStatus.OWED, -1), else_=0
)


def _coupons() -> Any:
    sums = (
        select(Grant.coupon_id.label("id"), func.sum(Grant.count).label("total"))
        .where(Grant.coupon_id.is_not(None))
        .group_by(Grant.coupon_id)
        .subquery()
    )
    total = func.coalesce(sums.c.total, 0)
    return (
        select(Coupon.programme_id, Coupon.account_id, Coupon.id, _WORTH, total)
        .outerjoin(sums, sums.c.id == Coupon.id)
        .where(total != _WORTH)
    )


def _coupon_uses() -> Any:
    """A coupon that was used has one use that counts; any other has none."""
    uses = (
        select(Use.coupon_id.label("id"), func.count().label("total"))
        .where(Use.coupon_id.is_not(None), Use.reversed_at.is_(None), Use.returned_at.is_(None))
        .group_by(Use.coupon_id)
        .subquery()
    )
    stored = case((Coupon.status.in_((CouponStatus.USED, CouponStatus.OWED)), 1), else_=0)
    total = func.coalesce(uses.c.total, 0)
    return (
        select(Coupon.programme_id, Coupon.account_id, Coupon.id, stored, total)
        .outerjoin(uses, uses.c.id == Coupon.id)
        .where(total != stored)
    )


def _settled() -> Any:
    """Of nothing that a source gave is less than nothing, or more than it gave, settled."""
    first = func.sum(case((Grant.posting_id == Grant.source_id, Grant.due), else_=0))
    due = func.sum(Grant.due)
    return (
        select(
            Grant.programme_id,
            func.min(cast(Grant.account_id, String)),
            Grant.source_id,
            due,
            first,
        )
        .where(Grant.source_id.is_not(None))
        .group_by(Grant.programme_id, Grant.source_id, Grant.kind, Grant.what)
        .having((due < 0) | (due > first))
    )


def _stock() -> Any:
    zero = literal(0, BigInteger)
    each = union_all(
        select(
            RewardStock.programme_id.label("programme_id"),
            RewardStock.what.label("what"),
            RewardStock.taken.label("stored"),
            zero.label("computed"),
        ),
        select(Use.programme_id, Use.what, zero, Use.pieces).where(
            Use.pieces > 0, Use.reversed_at.is_(None), Use.returned_at.is_(None)
        ),
    ).subquery()
    stored, computed = func.sum(each.c.stored), func.sum(each.c.computed)
    return (
        select(each.c.programme_id, literal(""), each.c.what, stored, computed)
        .group_by(each.c.programme_id, each.c.what)
        .having(stored != computed)
    )
