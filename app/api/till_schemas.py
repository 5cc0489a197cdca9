"""What a till sends and gets, as declared in `/openapi.json`."""

from typing import Any

from apiflask import Schema
from apiflask.fields import Boolean, Dict, Integer, List, Nested, String
from apiflask.validators import Length, OneOf
from marshmallow import ValidationError, validates_schema

from app.api.benefit_schemas import BenefitOut as BenefitOut
from app.api.benefit_schemas import CouponOut as CouponOut
from app.api.benefit_schemas import RewardOut as RewardOut
from app.api.benefit_schemas import StampsOut as StampsOut
from app.api.fields import Flag, Whole, moment, text, uuid
from app.programmes.settings import HIGHEST_AMOUNT_MINOR
from passes.code import STATIC_LENGTH, Outcome

MOST_POINTS = 1_000_000_000
LONGEST_SCAN = 200


class EnrolIn(Schema):
    """An enrolment code, as `counterfoil till add` printed it."""

    code = text(40, required=True, metadata={"example": "ABCD-EFGH-IJKL-MNOP"})
    programme_id = uuid(load_default=None, allow_none=True)


class ProgrammeOut(Schema):
    """What a till needs to know of the programme."""

    id = String()
    name = String()
    points_name = String(metadata={"description": "What many points are called."})
    points_names = Dict(
        String(),
        Dict(String(), String()),
        metadata={"description": "The same by language and CLDR plural form."},
    )
    currency = String()
    currency_exponent = Integer()
    time_zone = String()


class NamedOut(Schema):
    """An id and its name."""

    id = String()
    name = String()


class EnrolledOut(Schema):
    """The till's credential; the token is shown this once."""

    token = String()
    till = Nested(NamedOut)
    location = Nested(NamedOut)
    programme = Nested(ProgrammeOut)


class KeyOut(Schema):
    """A public key that card codes are verified with."""

    key_id = Integer()
    public_key = String(metadata={"description": "32 bytes, base64"})
    valid_until = String(allow_none=True)


class StaffChangedOut(Schema):
    """Somebody who left or got another PIN: what a till keeps of an earlier PIN is over."""

    id = String()
    at = String()


class KeysOut(Schema):
    """What a till needs to verify cards and people without a network."""

    programme = Nested(ProgrammeOut)
    now = String(metadata={"description": "The service's clock"})
    keys = List(Nested(KeyOut))
    staff_changed = List(
        Nested(StaffChangedOut), metadata={"description": "Within the last 8 days."}
    )
    service_version = String()


class SignInIn(Schema):
    """A cashier's name and PIN."""

    cashier = text(80, required=True)
    pin = text(12, required=True)


class CashierOut(Schema):
    """The person who is signed in."""

    id = String()
    name = String()
    role = String()


class SignedInOut(Schema):
    """A cashier's session; send its token as `Counterfoil-Cashier`."""

    token = String()
    expires_at = String()
    cashier = Nested(CashierOut)


class LookUpIn(Schema):
    """The scanned text, whatever it is."""

    code = text(LONGEST_SCAN, required=True)


class StandingOut(Schema):
    """An account's points: available = balance - pending - held."""

    balance = Integer()
    pending = Integer()
    held = Integer()
    available = Integer()
    debt = Integer()
    points_label = String()


class PresentationOut(Schema):
    """Quoted by what follows within five minutes."""

    token = String()
    expires_at = String()
    rotating = Boolean()


class CardOut(Schema):
    """The card that was presented."""

    card_id = String()
    kind = String()
    status = String()
    role = String(metadata={"description": "owner, spender or collector"})


class MemberOut(Schema):
    """What the cashier may know of the member."""

    name = String(allow_none=True)
    nickname = String(
        allow_none=True, metadata={"description": "What they like to be called, if they said so."}
    )
    note = String(
        allow_none=True, metadata={"description": "A line of the shop's for the cashier."}
    )


class RedeemOut(Schema):
    """How many points may be redeemed."""

    minimum = Integer()
    step = Integer()
    maximum = Integer()


class DiscountOut(Schema):
    """The discount that the card has now; how far it is to the next step of its scale."""

    code = String()
    name = String(metadata={"description": "In the member's language."})
    percent = String(metadata={"description": "Of the next purchase, an exact decimal."})
    spent_minor = Integer()
    missing_minor = Integer(allow_none=True)
    next_percent = String(allow_none=True)


class LookUpOut(Schema):
    """Who it is and what may be had; all but the outcome is null when the card is refused."""

    outcome = String(metadata={"enum": [str(outcome) for outcome in Outcome]})
    message = String()
    presentation = Nested(PresentationOut, allow_none=True)
    card = Nested(CardOut, allow_none=True)
    member = Nested(MemberOut, allow_none=True)
    tier = String(allow_none=True)
    vip = Boolean(
        allow_none=True,
        metadata={
            "description": "Whether the shop says so, or it is the highest of several tiers."
        },
    )
    standing = Nested(StandingOut, allow_none=True)
    discount = Nested(DiscountOut, allow_none=True)
    redeem = Nested(RedeemOut, allow_none=True)
    stamps = List(Nested(StampsOut), allow_none=True)
    rewards = List(Nested(RewardOut), allow_none=True)
    coupons = List(Nested(CouponOut), allow_none=True)
    coupon = Nested(
        CouponOut,
        allow_none=True,
        metadata={"description": "Where a coupon's own code was scanned."},
    )


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


class ReceiptIn(Schema):
    """The number of a receipt, as it is printed on it."""

    number = text(64, required=True)


class ReceiptOut(Schema):
    """A receipt that points were given for; *posting_id* is what a return takes back."""

    posting_id = String()
    amount_minor = Integer()
    currency = String()
    occurred_at = String()
    points = Integer()
    returned_minor = Integer()


class ReceiptsOut(Schema):
    """The latest receipts of one number, the newest first."""

    receipts = List(Nested(ReceiptOut))


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
