"""Coupons that a posting gave, and what a return makes of them; see `_settling`."""

from collections.abc import Collection, Mapping
from typing import Any, Protocol

from app.benefits._page import RETURN, Page, Where, coupons_of, owed_coupons
from app.benefits.models import Coupon, CouponStatus
from app.benefits.promises import COUPON, Promises
from app.db import new_id, programme_of
from app.ledger.explain import because
from app.ledger.rules import ReturnPolicy


class _Source(Protocol):
    @property
    def posting_id(self) -> str: ...
    @property
    def account_id(self) -> str: ...
    @property
    def rule_version(self) -> int | None: ...


class _Settled(Protocol):
    @property
    def moved(self) -> int: ...
    @property
    def due(self) -> int: ...


def give_coupon(
    page: Page,
    where: Where,
    source: _Source,
    given: Mapping[str, Any],
    promises: Promises,
    told: Collection[str] = (),
) -> None:
    """A new coupon; or, where one is owed, what pays for it."""
    what = given["what"]
    name = promises.name(COUPON, what, where.language)
    owed = owed_coupons(page.session, source.account_id, what)
    if owed:
        _move(page, where, source, owed[0], 1, 1, given)
        page.set_coupon(owed[0], CouponStatus.USED)
        page.session.flush()
        page.tell(where.posting_id, because("coupon_repaid", name=name))
        return
    offer = promises.offer(what, where.occurred_at)
    coupon = Coupon(
        programme_id=programme_of(page.session),
        id=new_id(),
        account_id=source.account_id,
        what=what,
        offer=dict(offer.terms),
        status=str(CouponStatus.OPEN),
        source_id=source.posting_id,
        valid_from=offer.valid_from,
        expires_at=offer.expires_at,
        issued_at=page.now,
        changed_at=page.now,
    )
    page.session.add(coupon)
    page.session.flush()
    _move(page, where, source, coupon, 1, 1, given)
    page.tell_listeners("coupon.issued", coupon)
    if "given_coupon" not in told:
        page.tell(where.posting_id, because("coupon_given", name=name))


def settle_coupons(
    page: Page,
    where: Where,
    source: _Source,
    what: str,
    settled: Mapping[str | None, _Settled],
    difference: int,
    promises: Promises,
) -> None:
    """Take so many coupons back (below zero), or give them again."""
    coupons = coupons_of(page.session, [id_ for id_ in settled if id_ is not None])
    left = {id_: (each.moved, each.due) for id_, each in settled.items() if id_ is not None}
    if difference < 0:
        mine = [coupons[id_] for id_, (_, due) in left.items() if due > 0]
        # Open ones first: whoever returns a part keeps what was used.
        rank = {CouponStatus.OPEN: 0, CouponStatus.EXPIRED: 1}
        mine.sort(key=lambda each: (rank.get(CouponStatus(each.status), 2), each.id))
        for coupon in mine[:-difference]:
            _take(page, where, source, coupon, promises)
        return
    for _ in range(difference):
        _give_again(page, where, source, what, left, coupons, promises)


def _take(page: Page, where: Where, source: _Source, coupon: Coupon, promises: Promises) -> None:
    name = promises.name(COUPON, coupon.what, where.language)
    owes = promises.return_policy == ReturnPolicy.ALLOW_DEBT
    if coupon.status == CouponStatus.OPEN:
        _move(page, where, source, coupon, -1, -1)
        page.set_coupon(coupon, CouponStatus.WITHDRAWN)
        page.tell(where.posting_id, because("coupon_back", name=name))
    elif coupon.status == CouponStatus.USED and owes:
        _move(page, where, source, coupon, -1, -1)
        page.set_coupon(coupon, CouponStatus.OWED)
        page.tell(where.posting_id, because("coupon_owed", name=name))
    else:
        _move(page, where, source, coupon, 0, -1)
        if coupon.status == CouponStatus.USED:
            page.tell(where.posting_id, because("coupon_kept", name=name))


def _give_again(
    page: Page,
    where: Where,
    source: _Source,
    what: str,
    left: dict[str, tuple[int, int]],
    coupons: Mapping[str, Coupon],
    promises: Promises,
) -> None:
    """Undo a return: what was left with the member counts again, else the same one comes back."""
    for coupon_id, (moved, due) in left.items():
        coupon = coupons[coupon_id]
        if due > 0:
            continue
        if moved > due:
            _move(page, where, source, coupon, 0, 1)
        elif coupon.status == CouponStatus.WITHDRAWN and coupon.source_id == source.posting_id:
            _move(page, where, source, coupon, 1, 1)
            page.set_coupon(coupon, CouponStatus.OPEN)
        elif coupon.status == CouponStatus.OWED:
            _move(page, where, source, coupon, 1, 1)
            page.set_coupon(coupon, CouponStatus.USED)
        else:
            continue
        left[coupon_id] = (moved, due + 1)
        name = promises.name(COUPON, what, where.language)
        page.tell(where.posting_id, because("given_again", name=name, count=1))
        return
    give_coupon(page, where, source, {"what": what, "rule": RETURN}, promises)


def _move(
    page: Page,
    where: Where,
    source: _Source,
    coupon: Coupon,
    count: int,
    due: int,
    given: Mapping[str, Any] | None = None,
) -> None:
    page.move(
        where,
        source.account_id,
        COUPON,
        coupon.what,
        count,
        due=due,
        source_id=source.posting_id,
        coupon_id=coupon.id,
        rule=RETURN if given is None else given["rule"],
        rule_version=source.rule_version,
        grounds=None if given is None else given.get("grounds"),
    )
