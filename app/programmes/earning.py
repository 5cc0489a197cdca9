"""What a receipt is worth, rounded once. Pure, and in whole numbers from beginning to end.

Money is counted in millionths of the programme's minor unit ("micro"), as a fraction where it has
to be: a converted amount or a tax in proportion is not rounded before the points are.

    counted  = (amount - excluded goods - coupons - points spent at their value), net of tax or not
    weighted = counted × the tier's multiplier (+ what was carried over)
    points   = weighted × points ÷ per_amount, rounded down
    carried  = weighted - points × (per_amount ÷ points)

So what is carried over has been multiplied already: money of a silver day does not earn gold
points tomorrow. It is kept in whole micro; its exact fraction is found again (`_exact_carry`)
wherever a point's price has less than a million parts, else less than one micro a receipt is lost.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from math import gcd
from zoneinfo import ZoneInfo

from app.errors import Invalid
from app.ledger import rules as ledger_rules
from app.ledger.explain import Reason, because
from app.ledger.postings import AccountFacts, Bonus, Line, Value
from app.ledger.rules import RoundUp
from app.programmes.fields import BonusRule
from app.programmes.settings import Settings
from app.programmes.wording import currency_exponent

_MICRO = 1_000_000


@dataclass(frozen=True, slots=True)
class Sale:
    """A receipt as the counter tells it.

    *amount_minor* is all of it, what its lines add up to; *tax_minor* is contained in it.
    *coupons_minor* of it was paid with coupons, and *paid_with_points* points were redeemed on it.
    """

    amount_minor: int
    currency: str
    occurred_at: datetime
    tax_minor: int = 0
    coupons_minor: int = 0
    paid_with_points: int = 0
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class Exchange:
    """What one unit of a currency was worth in the programme's own, from *day* on."""

    rate: Decimal
    source: str
    day: date


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


def tariff_of(settings: Settings, currency: str, time_zone: str) -> Tariff:
    """Work a version's settings out for a programme's currency and zone."""
    exponent = currency_exponent(currency)

    def micro(major: Decimal) -> int:
        return int(major.scaleb(exponent + 6))

    multipliers = dict(settings.tiers.multipliers) if settings.tiers else {}
    one = max((10 ** max(0, -_power(each)) for each in multipliers.values()), default=1)
    up, down = settings.points.as_integer_ratio()
    numerator, denominator = up, down * micro(settings.per_amount)
    common = gcd(numerator, denominator)
    numerator, denominator = numerator // common, denominator // common
    # Receipts count in minor units, multiplied: what is left over is a multiple of this ÷ one.
    step = _MICRO * gcd(one, *(int(each * one) for each in multipliers.values()))
    return Tariff(
        settings=settings,
        currency=currency,
        exponent=exponent,
        time_zone=time_zone,
        zone=ZoneInfo(time_zone),
        per_micro=(numerator, denominator),
        lattice=(gcd(step * numerator, denominator * one), one * numerator),
        one=one,
        multipliers={tier: int(each * one) for tier, each in multipliers.items()},
        point_micro=micro(settings.point_value),
        excluded=frozenset(each.strip().casefold() for each in settings.excluded_categories),
        bonuses=tuple((bonus, micro(bonus.at_least)) for bonus in settings.bonuses),
        round_up=None
        if settings.expires_round_up == "none"
        else RoundUp(settings.expires_round_up),
        pending=timedelta(hours=24 * settings.pending_days),
        rate_text=f"{settings.points.normalize():f}",
        per_minor=f"{settings.per_amount.scaleb(exponent).normalize():f}",
    )


def _power(number: Decimal) -> int:
    return int(number.normalize().as_tuple().exponent)


# --- what counts ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Earning:
    """The part of a receipt that earns: ``counted[0] ÷ counted[1]`` micro, whoever bought it.

    *earning_minor* is the same in the receipt's currency, *spend_minor* in the programme's, both
    rounded down. *bonuses* are those that it reaches, each with its threshold in the receipt's
    currency.
    """

    occurred_at: datetime
    counted: tuple[int, int]
    earning_minor: int
    spend_minor: int
    bonuses: tuple[tuple[BonusRule, int], ...]
    explain: tuple[Reason, ...]

    @property
    def once_keys(self) -> tuple[str, ...]:
        """The keys of its bonuses that an account may have once."""
        return tuple(bonus.once for bonus, _ in self.bonuses if bonus.once)


def earns(tariff: Tariff, line: Line) -> bool:
    """Whether a line is of a kind that earns."""
    return line.category is None or line.category.strip().casefold() not in tariff.excluded


def marked(tariff: Tariff, lines: Sequence[Line]) -> tuple[Line, ...]:
    """The lines, each saying whether it earns."""
    if not tariff.excluded:
        return tuple(lines)
    return tuple(line if earns(tariff, line) else replace(line, earns=False) for line in lines)


def earning_of(tariff: Tariff, sale: Sale, exchange: Exchange | None = None) -> Earning:
    """What of a receipt counts, and why. A receipt in a foreign currency needs its *exchange*.

    Raises `Invalid` that names what cannot be: more tax or coupons than the receipt's amount.
    """
    _check(sale)
    if exchange is None and sale.currency != tariff.currency:
        raise ValueError("a receipt in a foreign currency has a rate")
    explain: list[Reason] = []
    up, down = _MICRO, 1  # Of the receipt's minor unit: up ÷ down micro.
    if exchange is not None:
        up, down = exchange.rate.as_integer_ratio()
        up *= 10 ** (tariff.exponent - currency_exponent(sale.currency) + 6)
        explain.append(_exchanged(tariff, sale, exchange, up, down))
    left = sale.amount_minor
    if tariff.excluded and sale.lines:
        excluded = sum(line.amount_minor for line in sale.lines if not earns(tariff, line))
        if excluded:
            left -= excluded
            explain.append(because("excluded", amount_minor=excluded, currency=sale.currency))
    if sale.coupons_minor:
        left -= sale.coupons_minor
        explain.append(because("coupons", amount_minor=sale.coupons_minor, currency=sale.currency))
    numerator, denominator = left * up, down
    if sale.paid_with_points:
        micro = sale.paid_with_points * tariff.point_micro
        numerator -= micro * down
        explain.append(
            because(
                "paid_with_points",
                points=sale.paid_with_points,
                amount_minor=micro // _MICRO,
                currency=tariff.currency,
            )
        )
    numerator = max(0, numerator)
    if sale.tax_minor and tariff.settings.earn_on == "net":
        # Tax of the part that counts, in proportion: of other parts none was counted.
        tax = numerator * sale.tax_minor // (denominator * sale.amount_minor * _MICRO)
        numerator *= sale.amount_minor - sale.tax_minor
        denominator *= sale.amount_minor
        explain.append(because("tax", amount_minor=tax, currency=tariff.currency))
    earning_minor = numerator * down // (denominator * up)
    return Earning(
        occurred_at=sale.occurred_at,
        counted=(numerator, denominator),
        earning_minor=earning_minor,
        spend_minor=numerator // (denominator * _MICRO),
        # A threshold is reached by the exact amount; kept no higher than what was counted.
        bonuses=tuple(
            (bonus, min(earning_minor, -(-micro * down // up)))
            for bonus, micro in tariff.bonuses
            if numerator >= micro * denominator
        ),
        explain=tuple(explain),
    )


def _check(sale: Sale) -> None:
    amount = sale.amount_minor
    wrong = {
        name: [f"Give a whole number from 0 to {most}, the receipt's amount."]
        for name, value, most in (
            ("tax_minor", sale.tax_minor, amount),
            ("coupons_minor", sale.coupons_minor, amount),
        )
        if not 0 <= value <= most
    }
    if sale.paid_with_points < 0:
        wrong["paid_with_points"] = ["Give a whole number of at least 0."]
    if wrong:
        raise Invalid("The receipt does not make sense.", wrong)


def _exchanged(tariff: Tariff, sale: Sale, exchange: Exchange, up: int, down: int) -> Reason:
    return because(
        "exchanged",
        amount_minor=sale.amount_minor,
        currency=sale.currency,
        to_minor=sale.amount_minor * up // (down * _MICRO),
        to_currency=tariff.currency,
        rate=f"{exchange.rate:f}",
        source=exchange.source,
        day=exchange.day.isoformat(),
    )


# --- what it is worth -------------------------------------------------------------------------


def value_of(
    tariff: Tariff,
    earning: Earning,
    facts: AccountFacts,
    *,
    now: datetime,
    because_of: Sequence[Reason] = (),
) -> Value:
    """What a receipt is worth to an account: points and bonuses, rounded down once.

    *facts* are those of the receipt's day; *because_of* stands before the other reasons.
    """
    settings = tariff.settings
    explain = [*because_of, *earning.explain]
    points, weighted_micro, carried_micro = _points(tariff, earning, facts, explain)
    bonuses = _bonuses(earning, facts, explain)
    available_from = None
    if not settings.pending_until_confirmed:
        # A till whose clock runs ahead a little gives points that can be spent at once.
        available_from = min(earning.occurred_at, now) + tariff.pending
    rolling = settings.expiry_mode == "inactivity"
    expires_at = None
    if settings.expires_after_months and not rolling:
        expires_at = ledger_rules.expiry(
            earning.occurred_at,
            months=settings.expires_after_months,
            time_zone=tariff.time_zone,
            round_up=tariff.round_up,
        )
        if points or bonuses:
            explain.append(because("usable_until", expires_at=expires_at))
    return Value(
        points=points,
        available_from=available_from,
        expires_at=expires_at,
        rolling=rolling,
        earning_minor=earning.earning_minor,
        spend_minor=earning.spend_minor,
        carried_micro=carried_micro,
        weighted_micro=weighted_micro,
        bonuses=bonuses,
        explain=tuple(explain),
    )


def _points(
    tariff: Tariff, earning: Earning, facts: AccountFacts, explain: list[Reason]
) -> tuple[int, int, int | None]:
    """Points, what weighed in for them, and what is left over in micro (None: nothing is carried).

    Nothing is rounded before the division at the end.
    """
    carries = tariff.settings.carry_remainder
    numerator, denominator = earning.counted
    multiplier = tariff.multipliers.get(facts.tier, tariff.one) if facts.tier else tariff.one
    numerator, denominator = numerator * multiplier, denominator * tariff.one
    if multiplier != tariff.one:
        factor = f"{(Decimal(multiplier) / tariff.one).normalize():f}"
        explain.append(because("multiplied", tier=facts.tier, factor=factor))
    weighted_micro = numerator // denominator
    if carries and facts.carried_micro:
        above, below = _exact_carry(tariff, facts.carried_micro)
        numerator, denominator = numerator * below + above * denominator, denominator * below
        _say_carried("carried_in", tariff, facts.carried_micro, explain)
    up, down = tariff.per_micro
    points, rest = divmod(numerator * up, denominator * down)
    if points < 0:  # What was carried below zero by returns is not made good yet.
        points, rest = 0, numerator * up
    explain.append(
        because(
            "earned_rounded" if rest and not carries else "earned",
            amount_minor=earning.spend_minor,
            currency=tariff.currency,
            rate=tariff.rate_text,
            per_minor=tariff.per_minor,
            points=points,
        )
    )
    if not carries:
        return points, weighted_micro, None
    carried_micro = rest // (denominator * up)
    _say_carried("carried_over", tariff, carried_micro, explain)
    return points, weighted_micro, carried_micro


def _exact_carry(tariff: Tariff, carried_micro: int) -> tuple[int, int]:
    """What was left over exactly, as a fraction of micro.

    At three points a euro a point costs a third of one, and so does what is left over; kept is the
    whole micro below. All that can be left over are multiples of one step: the one in the micro
    above what was kept is it. Where there is none (it was left over at another rate, converted
    from another currency or partly paid with points), what was kept counts.
    """
    above, below = tariff.lattice
    steps = -(-carried_micro * below // above)
    if steps * above < (carried_micro + 1) * below:
        return steps * above, below
    return carried_micro, 1


def _say_carried(code: str, tariff: Tariff, micro: int, explain: list[Reason]) -> None:
    """What is less than a minor unit counts, but is not worth a sentence."""
    if minor := abs(micro) // _MICRO:
        code = code if micro > 0 else "carried_less"
        explain.append(because(code, amount_minor=minor, currency=tariff.currency))


def _bonuses(earning: Earning, facts: AccountFacts, explain: list[Reason]) -> tuple[Bonus, ...]:
    """The bonuses reached, but for those the account had; the ledger says what it gives."""
    given: list[Bonus] = []
    had = set(facts.once_keys) if earning.bonuses else set()
    for rule, at_least_minor in earning.bonuses:
        if rule.once is not None:
            if rule.once in had:
                explain.append(because("bonus_once", name=rule.name))
                continue
            had.add(rule.once)
        given.append(Bonus(rule.points, rule.name, at_least_minor, rule.once))
    return tuple(given)
