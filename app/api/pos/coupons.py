"""`/api/pos/v1`: coupons and rewards."""

import re
from typing import Any

from flask import Response

from app.api.fields import UUID
from app.api.pos import examples, schemas
from app.api.pos.door import blueprint, holder, scoped
from app.api.pos.members import check_limit
from app.api.pos.postings import post
from app.context import current_context
from app.errors import NotFound
from app.pos import coupons
from app.pos.rules import Scope


@blueprint.get("/coupons/<coupon_id>", endpoint=scoped("coupon", Scope.COUPONS))
@blueprint.output(schemas.PosCouponOut, example=examples.COUPON)
@blueprint.doc(summary="A coupon as it stands", security="pos")
def coupon(coupon_id: str) -> dict[str, Any]:
    """By its id."""
    _check_id(coupon_id, "coupon")
    context = current_context()
    with context.database.read(holder().programme_id) as session:
        return coupons.by_id(session, coupon_id, now=context.clock())


@blueprint.post("/coupons/search", endpoint=scoped("coupon_search", Scope.COUPONS))
@blueprint.input(schemas.CouponSearchIn, arg_name="body", example=examples.COUPON_SEARCH)
@blueprint.output(schemas.PosCouponOut, example=examples.COUPON)
@blueprint.doc(summary="The coupon whose own code was scanned", security="pos")
def search(body: dict[str, Any]) -> dict[str, Any]:
    """A coupon has a pass of its own, with a code of its own."""
    context = current_context()
    with context.database.read(holder().programme_id) as session:
        return coupons.by_code(session, body["code"], now=context.clock())


@blueprint.get("/accounts/<account_id>/coupons", endpoint=scoped("coupons", Scope.COUPONS))
@blueprint.input(schemas.CouponsIn, location="query", arg_name="wanted")
@blueprint.output(schemas.CouponsOut, example=examples.COUPONS)
@blueprint.doc(summary="An account's coupons, those that end first at the head", security="pos")
def of_account(account_id: str, wanted: dict[str, Any]) -> dict[str, Any]:
    """Those that are good now, or with `all=true` those that are over too.

    Go on with `cursor` set to the `next_cursor` of the page before, until it is null.
    """
    check_limit(wanted)
    _check_id(account_id, "account")
    context = current_context()
    with context.database.read(holder().programme_id) as session:
        return coupons.of_account(
            session,
            account_id,
            open_only=not wanted["all"],
            limit=wanted["limit"],
            cursor=wanted["cursor"],
            now=context.clock(),
        )


@blueprint.post("/coupon-redemptions", endpoint=scoped("coupon_redemption", Scope.COUPONS))
@blueprint.input(schemas.CouponRedemptionIn, arg_name="body", example=examples.COUPON_REDEMPTION)
@blueprint.output(schemas.PosPostedOut, status_code=201, example=examples.COUPON_REDEEMED)
@blueprint.doc(summary="Redeem a coupon, once", security="pos")
def redeem_coupon(body: dict[str, Any]) -> Response:
    """However many ask at once, one gets it; a return of the receipt gives it back."""
    return post("coupon", body)


@blueprint.post("/reward-redemptions", endpoint=scoped("reward_redemption", Scope.REDEEM))
@blueprint.input(schemas.RewardRedemptionIn, arg_name="body", example=examples.REWARD_REDEMPTION)
@blueprint.output(schemas.PosPostedOut, status_code=201, example=examples.REWARD_REDEEMED)
@blueprint.doc(summary="Redeem a reward for points or a full stamp card", security="pos")
def redeem_reward(body: dict[str, Any]) -> Response:
    """The rewards of a card, and why one cannot be had, stand in the answer of a quote."""
    return post("reward", body)


def _check_id(text: str, what: str) -> None:
    """PostgreSQL would refuse anything but a UUID as a mistake of ours."""
    if not re.fullmatch(UUID, text):
        raise NotFound(f"There is no such {what}.")
