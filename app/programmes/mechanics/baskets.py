"""What a basket costs a member: member prices first, then the discount on the rest. Pure.

A line at a member price is not discounted again. Of several discounts the one that takes off most
counts. Nothing ever costs more than on its label, and the discount is rounded once a basket.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from app.ledger.postings import Line
from app.programmes.mechanics import scales
from app.programmes.mechanics.discounts import Discount
from app.programmes.mechanics.prices import MemberPrice, cheapest
from app.programmes.mechanics.scales import Part


@dataclass(frozen=True, slots=True)
class Buyer:
    """Who buys: *groups* are the tier and the clubs, *spent_minor* is what was spent before, by
    the code of the discount that asks for it."""

    groups: frozenset[str]
    account_kind: str
    spent_minor: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Priced:
    """One line: what it costs a member and why."""

    position: int
    label_minor: int
    price_minor: int
    member_price: MemberPrice | None


@dataclass(frozen=True, slots=True)
class Basket:
    """What a basket costs on its labels and costs a member, in minor units.

    *discount* took *discount_minor* off, at the percents of *parts*.
    """

    label_minor: int
    to_pay_minor: int
    lines: tuple[Priced, ...]
    discount: Discount | None
    discount_minor: int
    parts: tuple[Part, ...]

    @property
    def saved_minor(self) -> int:
        """What the member saves."""
        return self.label_minor - self.to_pay_minor


def price_basket(
    amount_minor: int,
    lines: Sequence[Line],
    buyer: Buyer,
    *,
    prices: Sequence[MemberPrice],
    discounts: Sequence[Discount],
    day: date,
    exponent: int,
) -> Basket:
    """Price a basket of *lines*, or one that is only known by its *amount_minor*."""
    priced = tuple(
        _line(position, line, buyer.groups, prices, day, exponent)
        for position, line in enumerate(lines, 1)
    )
    off, chosen, parts = 0, None, tuple[Part, ...]()
    for discount in discounts:
        if not discount.is_for(buyer.groups, buyer.account_kind):
            continue
        rest = amount_minor
        if lines:
            rest = sum(
                each.price_minor
                for each, line in zip(priced, lines, strict=True)
                if each.member_price is None and discount.takes_off(line.category)
            )
        found = discount.parts(buyer.spent_minor.get(discount.code, 0), rest, exponent)
        if (worth := scales.worth_minor(found)) > off:
            off, chosen, parts = worth, discount, tuple(found)
    shown = sum(each.price_minor for each in priced) if lines else amount_minor
    return Basket(amount_minor, shown - off, priced, chosen, off, parts)


def _line(
    position: int,
    line: Line,
    groups: frozenset[str],
    prices: Sequence[MemberPrice],
    day: date,
    exponent: int,
) -> Priced:
    found = cheapest(prices, line.item, groups, day)
    if found is not None:
        exact = found.price.scaleb(exponent) * Decimal(line.quantity)
        minor = int(exact.to_integral_value(ROUND_HALF_UP))
        if minor < line.amount_minor:
            return Priced(position, line.amount_minor, minor, found)
    return Priced(position, line.amount_minor, line.amount_minor, None)
