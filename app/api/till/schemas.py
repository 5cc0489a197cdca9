"""What a till sends and gets before it posts anything, as declared in `/openapi.json`."""

from apiflask import Schema
from apiflask.fields import Boolean, Dict, Integer, List, Nested, String

from app.api.benefit_schemas import CouponOut, RewardOut, StampsOut
from app.api.fields import text, uuid
from passes.code import Outcome

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
