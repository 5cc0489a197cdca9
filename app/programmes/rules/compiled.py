"""A version's rules in whole numbers. Pure.

Money is counted in millionths of the programme's minor unit ("micro"), as in
`app.programmes.earning`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from app.programmes.rules.model import Goods, Kind, Role, Rule
from app.programmes.rules.segments import Segment


@dataclass(frozen=True, slots=True)
class Wanted:
    """Goods in whole numbers: how they are found, and how much of them is wanted."""

    items: frozenset[str]
    categories: frozenset[str]
    thousandths: int
    micro: int


@dataclass(frozen=True, slots=True)
class Compiled:
    """A rule in whole numbers. *rate* is points for a micro, *factor* the multiplier's."""

    rule: Rule
    begins: datetime | None
    ends: datetime | None
    weekdays: frozenset[int]
    locations: frozenset[str]
    at_least_micro: int
    per_micro: int
    rate: tuple[int, int]
    only: frozenset[str]
    excluded: frozenset[str]
    sets: tuple[Wanted, ...]
    goods: Wanted
    per_thousandths: int
    factor: tuple[int, int]
    #: Whether it depends on the account at all, and on its other receipts.
    is_personal: bool
    asks: bool
    is_base: bool
    is_multiplier: bool
    #: Whether it holds at certain times alone, or in certain places.
    is_bound: bool

    @property
    def name(self) -> str:
        """The rule's name."""
        return self.rule.name


@dataclass(frozen=True, slots=True)
class RuleSet:
    """The rules of a version. *has_rate*: the settings' own rate is one of the base rules."""

    rules: tuple[Compiled, ...]
    segments: tuple[Segment, ...]
    all_promotions: bool
    exponent: int
    has_rate: bool
    wants_lines: bool
    wants_location: bool


def rule_set_of(
    rules: Iterable[Rule],
    segments: Iterable[Segment],
    *,
    all_promotions: bool,
    exponent: int,
    zone: ZoneInfo,
    has_rate: bool,
) -> RuleSet:
    """Work the rules out for a currency of *exponent* decimals and a zone, once a version."""
    compiled = tuple(_compiled(rule, exponent, zone) for rule in rules)
    return RuleSet(
        compiled,
        tuple(segments),
        all_promotions,
        exponent,
        has_rate,
        wants_lines=any(_looks_at_lines(each) for each in compiled),
        wants_location=any(each.locations for each in compiled),
    )


def _looks_at_lines(each: Compiled) -> bool:
    return bool(each.sets or each.only or each.excluded or each.rule.kind is Kind.ITEM)


def _compiled(rule: Rule, exponent: int, zone: ZoneInfo) -> Compiled:
    def micro(major: Decimal | None) -> int:
        return 0 if major is None else int(major.scaleb(exponent + 6))

    def wanted(goods: Goods) -> Wanted:
        pieces = 0 if goods.quantity is None else int(goods.quantity * 1000)
        return Wanted(_keys(goods.items), _keys(goods.categories), pieces, micro(goods.at_least))

    def moment(local: datetime | None) -> datetime | None:
        return None if local is None else local.replace(tzinfo=zone).astimezone(UTC)

    on = rule.conditions
    asks = bool(on.a_day or on.first_purchase or on.segments or on.streak)
    rate = (0, 1)
    if rule.points is not None and rule.per_amount is not None:
        up, down = rule.points.as_integer_ratio()
        rate = (up, down * micro(rule.per_amount))
    return Compiled(
        rule,
        moment(on.begins),
        moment(on.ends),
        frozenset(on.weekdays),
        frozenset(on.locations),
        micro(on.at_least),
        micro(rule.per_amount),
        rate,
        _keys(rule.only_categories),
        _keys(rule.excluded_categories),
        tuple(wanted(goods) for goods in on.contains),
        wanted(rule.goods),
        int(rule.per_quantity * 1000),
        (rule.factor or Decimal(1)).as_integer_ratio(),
        is_personal=bool(asks or on.tiers or on.once),
        asks=asks,
        is_base=rule.role is Role.BASE,
        is_multiplier=rule.kind is Kind.MULTIPLIER,
        is_bound=bool(on.begins or on.ends or on.weekdays or on.hours or on.locations),
    )


def _keys(names: Iterable[str]) -> frozenset[str]:
    return frozenset(key_of(name) for name in names)


@lru_cache(16_384)
def key_of(name: str) -> str:
    """Big and small letters of goods are the same."""
    return name.strip().casefold()
