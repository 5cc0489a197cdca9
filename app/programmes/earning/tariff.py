"""A version's settings in whole numbers, made once. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from math import gcd
from zoneinfo import ZoneInfo

from app.ledger.rules import RoundUp
from app.programmes import rules
from app.programmes.fields import BonusRule
from app.programmes.rules import RuleSet
from app.programmes.settings import Settings
from app.programmes.wording import currency_exponent

#: Micro in a minor unit.
MICRO = 1_000_000


@dataclass(frozen=True, slots=True)
class Tariff:
    """A version's settings in whole numbers, for one currency and zone; made once a version.

    A weighted micro earns *per_micro* points (numerator, denominator). *lattice* is the step, in
    micro, of all that can be left over (see `_exact_carry`). Multipliers are in units of
    1 ÷ *one*.
    """

    settings: Settings
    currency: str
    exponent: int
    time_zone: str
    zone: ZoneInfo
    per_micro: tuple[int, int]
    lattice: tuple[int, int]
    one: int
    multipliers: Mapping[str, int]
    point_micro: int
    excluded: frozenset[str]
    bonuses: tuple[tuple[BonusRule, int], ...]
    round_up: RoundUp | None
    pending: timedelta
    #: For the explanation: the rate as people write it, and the money it is for.
    rate_text: str
    per_minor: str
    #: The rules beside the rate, where there are any.
    rules: RuleSet | None = None


def tariff_of(settings: Settings, currency: str, time_zone: str) -> Tariff:
    """Work a version's settings out for a programme's currency and zone."""
    exponent = currency_exponent(currency)

    def micro(major: Decimal) -> int:
        return int(major.scaleb(exponent + 6))

    zone = ZoneInfo(time_zone)
    has_rules = bool(settings.rules) or settings.stacking == "best"
    multipliers = dict(settings.tiers.multipliers) if settings.tiers else {}
    one = max((10 ** max(0, -_power(each)) for each in multipliers.values()), default=1)
    up, down = settings.points.as_integer_ratio()
    numerator, denominator = up, down * micro(settings.per_amount)
    common = gcd(numerator, denominator)
    numerator, denominator = numerator // common, denominator // common
    # Receipts count in minor units, multiplied: what is left over is a multiple of this ÷ one.
    step = MICRO * gcd(one, *(int(each * one) for each in multipliers.values()))
    if any(rule.factor is not None for rule in settings.rules):
        step = 1  # Multiplied by no one knows how many of them at once.
    return Tariff(
        settings=settings,
        currency=currency,
        exponent=exponent,
        time_zone=time_zone,
        zone=zone,
        per_micro=(numerator, denominator),
        lattice=(gcd(step * numerator, denominator * one), one * numerator),
        one=one,
        multipliers={tier: int(each * one) for tier, each in multipliers.items()},
        point_micro=micro(settings.point_value),
        excluded=frozenset(each.strip().casefold() for each in settings.excluded_categories),
        bonuses=()
        if settings.stacking == "best"
        else tuple((bonus, micro(bonus.at_least)) for bonus in settings.bonuses),
        round_up=None
        if settings.expires_round_up == "none"
        else RoundUp(settings.expires_round_up),
        pending=timedelta(hours=24 * settings.pending_days),
        rate_text=f"{settings.points.normalize():f}",
        per_minor=f"{settings.per_amount.scaleb(exponent).normalize():f}",
        rules=_rule_set(settings, exponent, zone) if has_rules else None,
    )


def _rule_set(settings: Settings, exponent: int, zone: ZoneInfo) -> RuleSet:
    """The rules; where only the best promotion counts, the bonuses are promotions like others."""
    is_best = settings.stacking == "best"
    bonuses = (rules.bonus_as_rule(each) for each in settings.bonuses) if is_best else ()
    return rules.rule_set_of(
        (*settings.rules, *bonuses),
        settings.segments,
        all_promotions=not is_best,
        exponent=exponent,
        zone=zone,
        has_rate=settings.points > 0,
    )


def _power(number: Decimal) -> int:
    return int(number.normalize().as_tuple().exponent)
