"""What a shop system sends and gets, as declared in the OpenAPI document."""

from typing import Any

from apiflask import Schema
from apiflask.fields import Boolean, Date, Integer, List, Nested, String
from apiflask.validators import Length
from marshmallow import RAISE, ValidationError, validates_schema

from app.api.benefit_schemas import CouponOut, RewardOut, StampsOut
from app.api.fields import Whole, moment, text, uuid
from app.api.till.posting_schemas import LineIn, PostedOut, ReturnedLineIn
from app.api.till.schemas import MOST_POINTS, CardOut, MemberOut, RedeemOut, StandingOut
from app.programmes.settings import HIGHEST_AMOUNT_MINOR

LONGEST_CARD = 200
LONGEST_PAGE = 200
MOST_LINES = 500


class Strict(Schema):
    """A body in which nothing unknown is let pass."""

    class Meta:
        """marshmallow's own settings."""

        unknown = RAISE


class BasketLineIn(LineIn):
    """One line of a basket or a receipt; *amount_minor* is for the whole *quantity*."""

    class Meta:
        """marshmallow's own settings."""

        unknown = RAISE


class BackLineIn(ReturnedLineIn):
    """A line of the receipt that comes back, by its position; without a quantity all of it."""

    class Meta:
        """marshmallow's own settings."""

        unknown = RAISE


def _card(**options: Any) -> String:
    return text(
        LONGEST_CARD,
        shortest=16,
        metadata={"description": "What was scanned, as it is; or the card's id."},
        **options,
    )


class PlacedIn(Strict):
    """What every posting may have: when it happened, and at which location."""

    occurred_at = moment(
        load_default=None,
        allow_none=True,
        metadata={"description": "When it happened at the counter; now, if not given."},
    )
    location = text(
        40,
        load_default=None,
        allow_none=True,
        metadata={"description": "The slug of a location, for a key that is for several."},
    )


class BasketIn(Strict):
    """What is being sold. *tax_minor* is contained in the amount."""

    amount_minor = Whole(1, HIGHEST_AMOUNT_MINOR, required=True)
    currency = text(3, shortest=3, required=True)
    lines = List(
        Nested(BasketLineIn), load_default=None, allow_none=True, validate=Length(0, MOST_LINES)
    )
    tax_minor = Whole(0, HIGHEST_AMOUNT_MINOR, load_default=0)
    coupons_minor = Whole(0, HIGHEST_AMOUNT_MINOR, load_default=0)


class PosAccrualIn(PlacedIn, BasketIn):
    """A receipt to give points for."""

    card = _card(required=True)
    receipt = text(64, load_default=None, allow_none=True)


class ManagerIn(Strict):
    """A manager who approves by typing name and PIN."""

    name = text(80, required=True)
    pin = text(12, required=True)


class PosHoldIn(PlacedIn):
    """Points to reserve for a redemption.

    Above the programme's limit a static code needs *member_pin* or *manager*; a fresh rotating
    code needs neither.
    """

    card = _card(required=True)
    points = Whole(1, MOST_POINTS, required=True)
    receipt = text(64, load_default=None, allow_none=True)
    amount_minor = Whole(1, HIGHEST_AMOUNT_MINOR, load_default=None, allow_none=True)
    member_pin = text(6, shortest=4, load_default=None, allow_none=True)
    manager = Nested(ManagerIn, load_default=None, allow_none=True)


class ReturnIn(PlacedIn):
    """What comes back: of a posting, or of a receipt by its number; in part by amount or lines."""

    posting_id = uuid(load_default=None, allow_none=True)
    receipt = text(64, load_default=None, allow_none=True)
    day = Date(
        load_default=None,
        allow_none=True,
        metadata={"description": "The receipt's local day, where its number comes again."},
    )
    amount_minor = Whole(1, HIGHEST_AMOUNT_MINOR, load_default=None, allow_none=True)
    lines = List(
        Nested(BackLineIn), load_default=None, allow_none=True, validate=Length(1, MOST_LINES)
    )
    reason = text(200, load_default=None, allow_none=True)

    @validates_schema
    def _name_one(self, data: dict[str, Any], **_: Any) -> None:
        if bool(data.get("posting_id")) == bool(data.get("receipt")):
            raise ValidationError("Name the posting, or the receipt, not both.", "receipt")


class GivenOut(Schema):
    """What a receipt gave beside points."""

    kind = String()
    what = String()
    count = Integer()
    rule = String()


class PosPostedOut(PostedOut):
    """What a posting did. A repeat with the same Idempotency-Key and body gets the same answer."""

    given = List(Nested(GivenOut))


class SearchIn(Strict):
    """Whom to look for: by a scanned code, or by a whole e-mail address."""

    code = text(LONGEST_CARD, load_default=None, allow_none=True)
    email = text(254, load_default=None, allow_none=True)

    @validates_schema
    def _name_one(self, data: dict[str, Any], **_: Any) -> None:
        if bool(data.get("code")) == bool(data.get("email")):
            raise ValidationError("Look for a code, or for an e-mail address, not both.", "code")


class FoundCardOut(CardOut):
    """A card, and the account whose points it shows."""

    account_id = String()
    language = String()


class AccountOut(Schema):
    """What owns the points: personal, household or company."""

    id = String()
    kind = String()


class MemberPageOut(Schema):
    """A card with all that a counter may know of it."""

    card = Nested(FoundCardOut)
    account = Nested(AccountOut)
    member = Nested(MemberOut, allow_none=True)
    tier = String(allow_none=True)
    standing = Nested(StandingOut, allow_none=True)
    redeem = Nested(RedeemOut, allow_none=True)
    stamps = List(Nested(StampsOut))
    rewards = List(Nested(RewardOut))
    coupons = List(Nested(CouponOut))
    coupon = Nested(
        CouponOut,
        allow_none=True,
        metadata={"description": "Where the card is the pass of a coupon: that, and nothing else."},
    )


class FoundMemberOut(MemberPageOut):
    """The same, among several."""


class FoundOut(Schema):
    """The cards found, the newest first."""

    items = List(Nested(FoundMemberOut))


class PageIn(Schema):
    """Which piece of a list: *cursor* is the `next_cursor` of the piece before."""

    limit = Integer(load_default=50, strict=False, metadata={"minimum": 1, "maximum": LONGEST_PAGE})
    cursor = text(100, load_default=None)


class EntryOut(Schema):
    """One movement of points."""

    id = String()
    posting_id = String(allow_none=True)
    kind = String()
    points = Integer()
    occurred_at = String()
    recorded_at = String()
    location_id = String(allow_none=True)
    card_id = String(allow_none=True)
    amount_minor = Integer(allow_none=True)
    currency = String(allow_none=True)
    reverses_id = String(allow_none=True)
    late = Boolean()


class EntriesOut(Schema):
    """A piece of an account's entries, the newest first."""

    items = List(Nested(EntryOut))
    next_cursor = String(allow_none=True)


class PosCouponOut(CouponOut):
    """A coupon, whose it is, and the card that its pass has (made when it is first wanted)."""

    account_id = String()
    card_id = String(allow_none=True)


class CouponSearchIn(Strict):
    """The coupon's own code, as it was scanned."""

    code = text(LONGEST_CARD, required=True)


class CouponsIn(PageIn):
    """Which coupons of an account."""

    all = Boolean(load_default=False, metadata={"description": "Those that are over too."})


class ListedCouponOut(PosCouponOut):
    """The same, among several."""


class CouponsOut(Schema):
    """A piece of an account's coupons, those that end first at the head."""

    items = List(Nested(ListedCouponOut))
    next_cursor = String(allow_none=True)


class RewardRedemptionIn(PlacedIn):
    """A reward to redeem, by its code; *points* where the cashier chooses how many."""

    card = _card(required=True)
    reward = text(40, required=True)
    points = Whole(1, MOST_POINTS, load_default=None, allow_none=True)
    receipt = text(64, load_default=None, allow_none=True)
    amount_minor = Whole(1, HIGHEST_AMOUNT_MINOR, load_default=None, allow_none=True)
    member_pin = text(6, shortest=4, load_default=None, allow_none=True)
    manager = Nested(ManagerIn, load_default=None, allow_none=True)


class CouponRedemptionIn(PlacedIn):
    """A coupon to redeem: *card* is its own code, or the member's card with *coupon_id*."""

    card = _card(required=True)
    coupon_id = uuid(load_default=None, allow_none=True)
    receipt = text(64, load_default=None, allow_none=True)
    amount_minor = Whole(1, HIGHEST_AMOUNT_MINOR, load_default=None, allow_none=True)
