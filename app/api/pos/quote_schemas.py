"""What a shop system asks of a basket before it is paid, and what it gets."""

from apiflask import Schema
from apiflask.fields import Integer, List, Nested, String

from app.api.benefit_schemas import CouponOut, RewardOut, StampsOut
from app.api.fields import Whole, text
from app.api.pos.schemas import LONGEST_CARD, BasketIn, GivenOut, PlacedIn
from app.api.till.schemas import MOST_POINTS, RedeemOut


class BasketQuoteIn(PlacedIn, BasketIn):
    """A basket. *paid_with_points*: points that are going to be redeemed on it earn nothing."""

    card = text(
        LONGEST_CARD,
        shortest=16,
        load_default=None,
        allow_none=True,
        metadata={"description": "What was scanned, or the card's id; without, for nobody yet."},
    )
    paid_with_points = Whole(0, MOST_POINTS, load_default=0)


class BonusOut(Schema):
    """Points beside those of the receipt, by the name of their rule."""

    name = String()
    points = Integer()


class EarnOut(Schema):
    """What the basket would earn: *points* in all, of which the bonuses are told apart."""

    points = Integer()
    base_points = Integer()
    bonuses = List(Nested(BonusOut))
    given = List(Nested(GivenOut))
    earning_minor = Integer(allow_none=True)
    available_from = String(allow_none=True)
    expires_at = String(allow_none=True)
    rule_version = Integer()
    explain = List(String(), metadata={"description": "In the member's language."})


class RedeemPointsOut(RedeemOut):
    """How many points may be redeemed on this basket, and what one is worth.

    A static code redeems *static_limit* a day; more needs a fresh code, the PIN or a manager.
    """

    point_value = String(metadata={"description": "In the programme's currency."})
    static_limit = Integer()


class QuotedCouponOut(CouponOut):
    """A coupon, and what it takes off this basket."""

    off_minor = Integer(allow_none=True)


class RedeemableOut(Schema):
    """What may be redeemed with the basket."""

    available = Integer()
    points = Nested(RedeemPointsOut, allow_none=True)
    tier = String(allow_none=True)
    stamps = List(Nested(StampsOut))
    rewards = List(Nested(RewardOut))
    coupons = List(Nested(QuotedCouponOut))


class DiscountPartOut(Schema):
    """So much of the basket at so many percent."""

    amount_minor = Integer()
    percent = String()


class BasketDiscountOut(Schema):
    """The discount that takes most off, and how it came about."""

    code = String()
    name = String(metadata={"description": "In the member's language."})
    amount_minor = Integer()
    parts = List(Nested(DiscountPartOut))


class PricedLineOut(Schema):
    """A line: what is on its label, and what it costs the member (named where that is special)."""

    position = Integer()
    label_minor = Integer()
    price_minor = Integer()
    member_price = String(allow_none=True)


class CostOut(Schema):
    """What the basket costs the member: member prices first, the discount on the rest."""

    label_minor = Integer()
    to_pay_minor = Integer()
    saved_minor = Integer()
    discount = Nested(BasketDiscountOut, allow_none=True)
    lines = List(Nested(PricedLineOut))


class BasketQuoteOut(Schema):
    """What a basket would earn, what it costs the member (null in a foreign currency), and what
    may be redeemed with it (null without a card)."""

    earn = Nested(EarnOut)
    cost = Nested(CostOut, allow_none=True)
    redeem = Nested(RedeemableOut, allow_none=True)
    language = String()
