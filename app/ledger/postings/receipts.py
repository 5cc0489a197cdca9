"""A receipt as the ledger gets it, what it asks of its account, and what it is worth."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import msgspec
from msgspec import Struct

from app.ledger.explain import Reason
from app.ledger.grounds import Grounds


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
