"""What a till posts and what that did, as declared in `/openapi.json`."""

from typing import Any

from apiflask import Schema
from apiflask.fields import Boolean, Dict, Integer, List, Nested, String
from apiflask.validators import Length, OneOf
from marshmallow import ValidationError, validates_schema

from app.api.benefit_schemas import BenefitOut
from app.api.fields import Flag, Whole, moment, text, uuid
from app.api.till.schemas import MOST_POINTS, StandingOut
from app.programmes.settings import HIGHEST_AMOUNT_MINOR
from passes.code import STATIC_LENGTH


class LineIn(Schema):
    """One line of a receipt."""

    item = text(120, required=True)
    category = text(64, load_default=None, allow_none=True)
    quantity = Whole(1, 1_000_000, required=True)
    amount_minor = Whole(0, HIGHEST_AMOUNT_MINOR, required=True)


class PostingIn(Schema):
    """What every posting has: an id that its till made and stored before sending it."""

    id = uuid(required=True)
    occurred_at = moment(required=True)
    cashier_id = uuid(required=True)


class AccrualIn(PostingIn):
    """A receipt to give points for. *code*: the 120 static characters of the card code."""

    code = text(STATIC_LENGTH, shortest=STATIC_LENGTH, required=True)
    amount_minor = Whole(
        0,
        HIGHEST_AMOUNT_MINOR,
        required=True,
        metadata={
            "description": "0 is a visit without money: it gives what coming gives (stamps, rules "
            "for a visit), and is counted among visits, not among receipts."
        },
    )
    currency = text(3, shortest=3, required=True)
    offline = Flag(load_default=False)
    receipt = text(64, load_default=None, allow_none=True)
    lines = List(Nested(LineIn), load_default=None, allow_none=True, validate=Length(0, 500))
    tax_minor = Whole(
        0,
        HIGHEST_AMOUNT_MINOR,
        load_default=0,
        metadata={"description": "Tax that is contained in the amount."},
    )
    coupons_minor = Whole(
        0,
        HIGHEST_AMOUNT_MINOR,
        load_default=0,
        metadata={"description": "How much of the amount was paid with coupons."},
    )

    @validates_schema
    def _check_visit(self, data: dict[str, Any], **_: Any) -> None:
        if data["amount_minor"] == 0 and data["lines"]:
            raise ValidationError({"lines": ["A visit without money has no goods: give no lines."]})


class QuoteIn(Schema):
    """A receipt to say the points of, before it is posted."""

    code = text(STATIC_LENGTH, shortest=STATIC_LENGTH, required=True)
    amount_minor = Whole(1, HIGHEST_AMOUNT_MINOR, required=True)
    currency = text(3, shortest=3, required=True)
    receipt = text(64, load_default=None, allow_none=True)
    lines = List(Nested(LineIn), load_default=None, allow_none=True, validate=Length(0, 500))


class ThingsOut(Schema):
    """Something that an amount would give besides points."""

    kind = String()
    count = Integer()


class QuoteOut(Schema):
    """What an amount would give."""

    points = Integer()
    given = List(Nested(ThingsOut))


class HoldIn(PostingIn):
    """Points to reserve for a redemption."""

    code = text(STATIC_LENGTH, shortest=STATIC_LENGTH, required=True)
    points = Whole(1, MOST_POINTS, required=True)
    presentation_token = text(100, load_default=None, allow_none=True)
    member_pin = text(
        6,
        shortest=4,
        load_default=None,
        allow_none=True,
        metadata={"description": "The PIN of the card's holder, who types it."},
    )
    receipt = text(64, load_default=None, allow_none=True)
    amount_minor = Whole(
        1,
        HIGHEST_AMOUNT_MINOR,
        load_default=None,
        allow_none=True,
        metadata={"description": "The receipt's amount: points may pay for a share of it only."},
    )


class RewardIn(PostingIn):
    """A reward to redeem, for the points or the stamps that it costs."""

    code = text(STATIC_LENGTH, shortest=STATIC_LENGTH, required=True)
    reward = text(40, required=True)
    points = Whole(
        1,
        MOST_POINTS,
        load_default=None,
        allow_none=True,
        metadata={"description": "Where the cashier chooses how many."},
    )
    presentation_token = text(100, load_default=None, allow_none=True)
    member_pin = text(
        6,
        shortest=4,
        load_default=None,
        allow_none=True,
        metadata={"description": "The PIN of the card's holder, who types it."},
    )
    receipt = text(64, load_default=None, allow_none=True)
    amount_minor = Whole(1, HIGHEST_AMOUNT_MINOR, load_default=None, allow_none=True)


class CouponIn(PostingIn):
    """A coupon to redeem: by its own *code*, or by *coupon_id* on the member's card."""

    code = text(STATIC_LENGTH, shortest=STATIC_LENGTH, required=True)
    coupon_id = uuid(load_default=None, allow_none=True)
    receipt = text(64, load_default=None, allow_none=True)
    amount_minor = Whole(
        1,
        HIGHEST_AMOUNT_MINOR,
        load_default=None,
        allow_none=True,
        metadata={"description": "The receipt's amount before the coupon."},
    )


class ReturnedLineIn(Schema):
    """A line of the receipt that comes back; without a quantity all of it."""

    position = Whole(1, 500, required=True)
    quantity = Whole(1, 1_000_000, load_default=None, allow_none=True)


class ReversalIn(PostingIn):
    """A posting to take back: *amount_minor* or *lines* for a part of its receipt, else all."""

    posting_id = uuid(required=True)
    offline = Flag(load_default=False)
    reason = text(200, load_default=None, allow_none=True)
    amount_minor = Whole(1, HIGHEST_AMOUNT_MINOR, load_default=None, allow_none=True)
    lines = List(
        Nested(ReturnedLineIn),
        load_default=None,
        allow_none=True,
        validate=Length(1, 500),
    )


class HandOverIn(Schema):
    """A posting that was refused, for a manager to decide on: as it was sent, under its id."""

    id = uuid(required=True)
    kind = String(required=True, validate=OneOf(["accrual", "reversal"]))
    posting = Dict(required=True, metadata={"description": "Its body, unchanged."})
    reason = text(200, required=True)


class PostedOut(Schema):
    """What a posting did. A repeat of its id with the same body gets the same answer."""

    posting_id = String()
    kind = String()
    status = String(metadata={"enum": ["posted", "held", "released", "waiting_for_manager"]})
    points = Integer()
    explain = List(String(), metadata={"description": "In the member's language."})
    tier = String(allow_none=True)
    language = String(metadata={"description": "The member's."})
    benefit = Nested(BenefitOut)
    standing = Nested(StandingOut, allow_none=True)
    late = Boolean()
    recorded_at = String()
    expires_at = String(allow_none=True)
    entry_id = String(allow_none=True)
