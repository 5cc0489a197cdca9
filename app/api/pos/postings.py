"""`/api/pos/v1`: accruals, holds and returns."""

import re
from typing import Any

from flask import Response, request

from app.api.fields import UUID
from app.api.pos import examples, schemas
from app.api.pos.door import answered, blueprint, holder, posting_id, scoped
from app.context import current_context
from app.errors import NotFound
from app.pos import postings
from app.pos.postings import Asked
from app.pos.rules import Scope


def post(operation: str, body: dict[str, Any], about: str | None = None) -> Response:
    """Post once, under the Idempotency-Key of the request."""
    if about is not None and not re.fullmatch(UUID, about):
        # PostgreSQL would refuse anything but a UUID as a mistake of ours.
        raise NotFound("There is no such hold.")
    context = current_context()
    asked = Asked(posting_id(), operation, body, request.get_json(), about)
    with context.database.write(holder().programme_id) as session:
        done = postings.post(session, context.keys, holder(), asked, now=context.clock())
    return answered(done.answer, repeated=done.repeated)


@blueprint.post("/accruals", endpoint=scoped("accrual", Scope.ACCRUE))
@blueprint.input(schemas.PosAccrualIn, arg_name="body", example=examples.ACCRUAL)
@blueprint.output(schemas.PosPostedOut, status_code=201, example=examples.ACCRUED)
@blueprint.doc(summary="Give points for a receipt", security="pos")
def accrue(body: dict[str, Any]) -> Response:
    """The receipt is valued by the rules, the tier and the exchange rate of its day."""
    return post("accrual", body)


@blueprint.post("/holds", endpoint=scoped("hold", Scope.REDEEM))
@blueprint.input(schemas.PosHoldIn, arg_name="body", example=examples.HOLD)
@blueprint.output(schemas.PosPostedOut, status_code=201, example=examples.HELD)
@blueprint.doc(summary="Reserve points for 15 minutes", security="pos")
def hold(body: dict[str, Any]) -> Response:
    """Then capture the hold when the customer has paid, or release it."""
    return post("hold", body)


@blueprint.post("/holds/<hold_id>/capture", endpoint=scoped("capture", Scope.REDEEM))
@blueprint.input(schemas.PlacedIn, arg_name="body", example=examples.PLACED)
@blueprint.output(schemas.PosPostedOut, status_code=201, example=examples.CAPTURED)
@blueprint.doc(summary="Spend held points", security="pos")
def capture(hold_id: str, body: dict[str, Any]) -> Response:
    """`hold_id` is the `posting_id` of the hold."""
    return post("capture", body, hold_id)


@blueprint.post("/holds/<hold_id>/release", endpoint=scoped("release", Scope.REDEEM))
@blueprint.input(schemas.PlacedIn, arg_name="body", example=examples.PLACED)
@blueprint.output(schemas.PosPostedOut, status_code=201, example=examples.RELEASED)
@blueprint.doc(summary="Give held points back", security="pos")
def release(hold_id: str, body: dict[str, Any]) -> Response:
    """A hold that nobody captures releases itself."""
    return post("release", body, hold_id)


@blueprint.post("/returns", endpoint=scoped("return", Scope.RETURN))
@blueprint.input(schemas.ReturnIn, arg_name="body", example=examples.RETURN)
@blueprint.output(schemas.PosPostedOut, status_code=201, example=examples.RETURNED)
@blueprint.doc(summary="Take a receipt or a posting back, whole or in part", security="pos")
def give_back(body: dict[str, Any]) -> Response:
    """Points earned go, points redeemed on the receipt come back; parts end exactly at zero."""
    return post("reversal", body)
