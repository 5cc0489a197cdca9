"""What can be asked of the ledger, and in which circumstances it happened. No database here."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import Struct

from app.ledger.explain import Reason
from app.ledger.grounds import Grounds
from app.ledger.rules import ReturnPolicy
from app.ledger.tiers import TierScheme

ActorKind = Literal["staff", "till", "api", "system"]


@dataclass(frozen=True, slots=True)
class Request:
    """Who made the posting's id, and the fingerprint that a repeat has to match."""

    id: str
    operation: str
    fingerprint: bytes
    till_id: str | None = None


def fingerprint(
    programme_id: str, till_id: str | None, operation: str, body: Mapping[str, Any]
) -> bytes:
    """SHA-256 over programme, till, operation and body; the order of names does not matter."""
    parts = [programme_id, till_id, operation, body]
    try:
        text = _sorted.encode(parts)
    except (TypeError, ValueError):
        # What it is strict about: half a surrogate pair, names that are no text.
        text = json.dumps(parts, sort_keys=True, separators=(",", ":"), default=str).encode()
    return hashlib.sha256(text).digest()


_sorted = msgspec.json.Encoder(order="sorted", enc_hook=str)


@dataclass(frozen=True, slots=True)
class Circumstances:
    """When, where and by whom. *late*: it reached us later than it happened.

    *language* is the member's: what the answer is explained in.
    """

    occurred_at: datetime
    late: bool = False
    actor_kind: ActorKind = "system"
    actor_id: str | None = None
    till_id: str | None = None
    location_id: str | None = None
    card_id: str | None = None
    language: str = "en"


@dataclass(frozen=True, slots=True)
class Terms:
    """What the ledger itself has to keep of a programme's rules as they are now.

    Days are local days of *time_zone*. *inactivity_months*: how long after an accrual or a
    redemption the points expire that roll (0: there are none). *is_heard*: somebody is to be told
    what happens (`app.webhooks`).
    """

    time_zone: str = "UTC"
    tiers: TierScheme | None = None
    inactivity_months: int = 0
    is_heard: bool = False


class Line(Struct, frozen=True):
    """One line of a receipt; *amount_minor* is for the whole *quantity*.

    *earns*: whether it is of a kind that earns points at all.
    """

    item: str
    amount_minor: int
    quantity: Decimal | int = 1
    category: str | None = None
    earns: bool = True


@dataclass(frozen=True, slots=True)
class ReturnedLine:
    """What comes back of the line at *position* (the first is 1); no quantity means all of it."""

    position: int
    quantity: Decimal | int | None = None


class Activity(Struct, frozen=True):
    """What an account did in some days: receipts of which something is kept, money spent, and the
    local days of those receipts."""

    visits: int = 0
    spend_minor: int = 0
    days: frozenset[date] = frozenset()


class Asked(Struct, frozen=True):
    """What a receipt of *day* (local) has to know of its account's other receipts.

    *today*: those of the day. *first*: whether there is any. *windows*: what it did in the so many
    days that end with the day.
    """

    day: date
    today: bool = False
    first: bool = False
    windows: tuple[int, ...] = ()


class AccountFacts(Struct, frozen=True):
    """What a receipt's value may depend on, read under the account's lock.

    *tier*: the one that was held when the receipt happened. *carried_micro*: money of earlier
    receipts that was too little for a point, in millionths of a minor unit. *once_keys*: the
    bonuses that the account had and may not have again. *kind* of account, and the local day
    *joined_on*. The rest as far as it was `Asked`: *visits_today* without this one,
    *is_first*: there is no other receipt, and *windows* by their days.
    """

    tier: str | None = None
    carried_micro: int = 0
    once_keys: frozenset[str] = frozenset()
    kind: str = "personal"
    joined_on: date | None = None
    visits_today: int = 0
    is_first: bool = False
    windows: Mapping[int, Activity] = msgspec.field(default_factory=dict)


class Bonus(Struct, frozen=True):
    """Points beside those of the receipt, an entry of their own.

    With *grounds* a return takes what these no longer carry. Else, with *at_least_minor*, they go
    when what is kept of the receipt falls below it, or in proportion. *once_key*: an account gets
    them once.
    """

    points: int
    name: str
    at_least_minor: int | None = None
    once_key: str | None = None
    grounds: Grounds | None = None


class Given(Struct, frozen=True):
    """What a receipt gives beside points: *count* of *what*, which is of a *kind*, by a *rule*.

    The ledger only writes it into its answer; `app.benefits` keeps it. Kinds are those of
    `app.programmes.rules`: "stamps", "coupon", "gift", "tickets", "visits". What stays of it when
    a part of the receipt comes back is `grounds.count_left(count, grounds, kept)`, where *kept* is
    what `ledger.facts.kept_of` says of the receipt.
    """

    kind: str
    what: str
    count: int
    rule: str
    grounds: Grounds = Grounds()

    def as_json(self) -> dict[str, Any]:
        """As it stands in the answer to a posting."""
        return {
            "kind": self.kind,
            "what": self.what,
            "count": self.count,
            "rule": self.rule,
            "grounds": self.grounds.as_json(),
        }


class Value(Struct, frozen=True):
    """What a receipt is worth: points, and how they came about.

    *earning_minor* is the part of the receipt's amount that earned, in the receipt's currency;
    *spend_minor* the same in the programme's (what counts towards a tier that is measured in
    money). *carried_micro* is what the account then carries to the next receipt (None: this
    programme carries nothing, and what is carried stays), and *weighted_micro* what this receipt
    weighed in for points: its money times the tier's multiplier. *available_from* empty: pending
    until a `Confirm`. With *rolling* the points expire by the account's rolling date.
    """

    points: int
    available_from: datetime | None
    expires_at: datetime | None = None
    rolling: bool = False
    earning_minor: int | None = None
    spend_minor: int | None = None
    carried_micro: int | None = None
    weighted_micro: int = 0
    bonuses: tuple[Bonus, ...] = ()
    given: tuple[Given, ...] = ()
    explain: tuple[Reason, ...] = ()
    rule_version: int | None = None
    lines: tuple[Line, ...] | None = None


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


@dataclass(frozen=True, slots=True)
class Posted:
    """The answer to a posting; *repeated*: it was given before and nothing happened now."""

    answer: dict[str, Any]
    repeated: bool
