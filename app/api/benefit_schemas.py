"""Stamps, rewards and coupons, as tills and shop systems are shown them."""

from apiflask import Schema
from apiflask.fields import Boolean, Integer, Nested, String


class StampsOut(Schema):
    """A stamp card: *count* of *size* on the one begun, *full* ones beside it."""

    code = String()
    name = String(metadata={"description": "In the member's language."})
    count = Integer()
    size = Integer()
    full = Integer()
    owed = Integer()


class StampPriceOut(Schema):
    """So many stamps of a card."""

    code = String()
    count = Integer()


class RewardOut(Schema):
    """A reward as a tile: what it costs, and why it cannot be taken, if so."""

    code = String()
    name = String(metadata={"description": "In the member's language."})
    kind = String(metadata={"enum": ["goods", "gift", "amount_off", "percent_off", "entry"]})
    points = Integer(allow_none=True)
    points_from = Integer(
        allow_none=True, metadata={"description": "The cashier chooses how many points."}
    )
    points_step = Integer(allow_none=True)
    points_to = Integer(allow_none=True)
    stamps = Nested(StampPriceOut, allow_none=True)
    left = Integer(allow_none=True, metadata={"description": "How many there are still."})
    missing_points = Integer()
    missing_stamps = Integer()
    can_take = Boolean()
    why_not = String(allow_none=True)


class CouponOut(Schema):
    """A coupon: what it is worth, from which amount on and until when (exclusive)."""

    id = String()
    code = String()
    name = String(metadata={"description": "In the member's language."})
    kind = String(metadata={"enum": ["goods", "gift", "amount_off", "percent_off"]})
    status = String()
    amount_minor = Integer(allow_none=True)
    percent = String(allow_none=True)
    at_least_minor = Integer(allow_none=True)
    valid_from = String()
    expires_at = String(allow_none=True)
    can_use = Boolean()


class BenefitOut(Schema):
    """What was redeemed. *amount_minor* is what to take off the receipt, where that is known."""

    kind = String(metadata={"enum": ["reward", "coupon"]})
    what = String()
    name = String(metadata={"description": "In the member's language."})
    gives = String(metadata={"enum": ["goods", "gift", "amount_off", "percent_off"]})
    amount_minor = Integer(allow_none=True)
    currency = String(allow_none=True)
    percent = String(allow_none=True)
