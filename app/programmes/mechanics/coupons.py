"""Coupons: good once, issued by a rule or by hand, each with a pass of its own. Pure.

    {"code": "welcome", "names": {"en": "5 EUR off"}, "kind": "amount_off", "amount": "5.00",
     "at_least": "20", "valid_days": 30, "tiers": []}
    {"code": "cake", "names": {"en": "A slice of cake"}, "kind": "goods", "valid_to": "2026-12-31"}

A coupon can be used from *valid_from* on, if not from its issue. From then it lasts *valid_days*
local days (0: only that day; none: for ever), and to *valid_to* at the longest. *at_least* is what
the receipt has to reach. *tiers* is whom it is given to by hand; a rule has conditions of its own.
What is issued keeps what it promised, whatever becomes of the programme's settings.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from app.programmes.fields import Wrong, choice, decimal, whole
from app.programmes.mechanics import _reading
from app.programmes.mechanics.rewards import KINDS

KIND = "coupon"


@dataclass(frozen=True, slots=True)
class CouponKind:
    """One kind of coupon of a programme. Money is in major units of the programme's currency."""

    code: str
    names: Mapping[str, str]
    kind: str = "goods"
    amount: Decimal | None = None
    percent: Decimal | None = None
    at_least: Decimal | None = None
    valid_from: date | None = None
    valid_days: int | None = None
    valid_to: date | None = None
    tiers: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """As it is kept, in the settings and with each coupon."""
        return _reading.as_json(self)

    def name(self, language: str) -> str:
        """What it is called."""
        return _reading.in_language(self.names, language, self.code)


_READERS = {
    "code": _reading.code,
    "names": _reading.names,
    "kind": choice(*KINDS),
    "amount": _reading.or_none(decimal(1_000_000)),
    "percent": _reading.or_none(decimal(100, decimals=2)),
    "at_least": _reading.or_none(decimal(1_000_000)),
    "valid_from": _reading.or_none(_reading.day),
    "valid_days": _reading.or_none(whole(0, 3650)),
    "valid_to": _reading.or_none(_reading.day),
    "tiers": _reading.codes,
}


def read(value: Any) -> tuple[CouponKind, ...]:
    """The kinds of coupons of a programme. Raises `Wrong`."""
    return _reading.many("Coupon", read_one, value, lambda coupon: coupon.code)


def read_one(value: Any) -> CouponKind:
    """One kind of coupon. Raises `Wrong`."""
    coupon = CouponKind(**_reading.items("a coupon", _READERS, {"code", "names"}, value))
    if (coupon.kind == "amount_off") != (coupon.amount is not None):
        raise Wrong("amount: say how much an amount_off takes off, and nothing else does.")
    if (coupon.kind == "percent_off") != (coupon.percent is not None):
        raise Wrong("percent: say how much a percent_off takes off, and nothing else does.")
    if coupon.valid_from and coupon.valid_to and coupon.valid_to < coupon.valid_from:
        raise Wrong("valid_to: no earlier than valid_from.")
    return coupon
