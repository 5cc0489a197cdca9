"""What a posting may do, an operation each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeAlias

from app.ledger.explain import Reason
from app.ledger.postings.receipts import AccountFacts, Asked, Given, Line, ReturnedLine, Value
from app.ledger.rules import ReturnPolicy


@dataclass(frozen=True, slots=True)
class Accrue:
    """Points for a receipt. *value* may be said once the account is known and locked."""

    account_id: str
    amount_minor: int
    currency: str
    value: Value | Callable[[AccountFacts], Value]
    receipt_number: str | None = None
    lines: tuple[Line, ...] = ()
    rule_version: int | None = None
    issuing_partner_id: str | None = None
    exchange_rate: Decimal | None = None
    exchange_source: str | None = None
    #: Bonuses of these keys may be given: whether the account had them has to be looked up.
    once_keys: tuple[str, ...] = ()
    #: What *value* has to know of the account's other receipts, if anything.
    asked: Asked | None = None
    #: Of the amount: tax contained in it, what was paid with coupons, and with how many points.
    tax_minor: int = 0
    coupons_minor: int = 0
    paid_points: int = 0


@dataclass(frozen=True, slots=True)
class Adjust:
    """Points given (above zero) or taken (below) by hand. Taking never makes debt."""

    account_id: str
    points: int
    reason: str
    available_from: datetime | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class OpeningLot:
    """Points that an account brings along; *rolling* ones expire by the account's rolling date."""

    points: int
    expires_at: datetime | None = None
    rolling: bool = False


@dataclass(frozen=True, slots=True)
class Open:
    """What an account had where it was kept before: points with their ends, and a tier.

    Nothing of it counts towards a tier: it was earned elsewhere. The *tier* is lifted until
    *tier_until*, the first moment without, and then is what was earned here.
    """

    account_id: str
    lots: tuple[OpeningLot, ...]
    reason: str
    tier: str | None = None
    tier_until: datetime | None = None
    #: What else: `app.benefits.service.keep` is to be told of the answer.
    given: tuple[Given, ...] = ()
    #: Points that were owed there, where no lots are.
    debt: int = 0


@dataclass(frozen=True, slots=True)
class Confirm:
    """Make the pending points of a posting available now."""

    posting_id: str


@dataclass(frozen=True, slots=True)
class HoldPoints:
    """Reserve points for a redemption until *expires_at*."""

    account_id: str
    points: int
    expires_at: datetime
    receipt_number: str | None = None


@dataclass(frozen=True, slots=True)
class Capture:
    """Spend what a hold reserves. The hold is named by the posting that made it."""

    hold_posting_id: str
    redeeming_partner_id: str | None = None


@dataclass(frozen=True, slots=True)
class Release:
    """Give back what a hold reserves."""

    hold_posting_id: str


@dataclass(frozen=True, slots=True)
class Redeem:
    """Spend points at once (or none) for something that is no money: a reward, a coupon.

    *because_of* is told first; *benefit* is what was got for it, as the till is to be told.
    """

    account_id: str
    points: int = 0
    receipt_number: str | None = None
    redeeming_partner_id: str | None = None
    reason: str | None = None
    because_of: tuple[Reason, ...] = ()
    benefit: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Present:
    """Give things other than points without a receipt: by hand, or for a birthday."""

    account_id: str
    given: tuple[Given, ...]
    reason: str
    because_of: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Reverse:
    """Undo a posting, or take back part of a receipt: by *amount_minor* or by *lines*.

    *debt_floor* is how many points may be owed at most through a return (None: any number).
    *account_id*, where given, has to be the posting's. Points that were redeemed and have expired
    since come back in a lot that lasts *grace_days* local days of *time_zone*.
    """

    posting_id: str
    amount_minor: int | None = None
    lines: tuple[ReturnedLine, ...] | None = None
    return_policy: ReturnPolicy | str = ReturnPolicy.ALLOW_DEBT
    debt_floor: int | None = None
    reason: str | None = None
    account_id: str | None = None
    grace_days: int = 30
    time_zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Merge:
    """Move all that one account has into another, which stays.

    A bonus that both had once is taken back from the later one, as *return_policy* allows.
    """

    from_account_id: str
    into_account_id: str
    reason: str | None = None
    return_policy: ReturnPolicy | str = ReturnPolicy.ALLOW_DEBT
    debt_floor: int | None = None


@dataclass(frozen=True, slots=True)
class Unmerge:
    """Undo the merge that a posting made: the account that was merged gets back what it gave."""

    posting_id: str
    reason: str | None = None


Operation: TypeAlias = (
    Accrue
    | Adjust
    | Open
    | Confirm
    | HoldPoints
    | Capture
    | Release
    | Redeem
    | Present
    | Reverse
    | Merge
    | Unmerge
)
