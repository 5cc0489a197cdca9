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

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from math import gcd
from zoneinfo import ZoneInfo

from app.errors import Invalid
from app.ledger import rules as ledger_rules
from app.ledger.explain import Reason, because
from app.ledger.postings import AccountFacts, Asked, Bonus, Given, Line, Value
from app.ledger.rules import RoundUp
from app.programmes import rules
from app.programmes.fields import BonusRule
from app.programmes.mechanics import clubs, multipasses, stamps
from app.programmes.rules import Applied, Bill, Candidate, RuleSet
from app.programmes.settings import Settings
from app.programmes.wording import currency_exponent

_MICRO = 1_000_000


@dataclass(frozen=True, slots=True)
class Sale:
    """A receipt as the counter tells it.

    *amount_minor* is all of it, what its lines add up to; *tax_minor* is contained in it.
    *coupons_minor* of it was paid with coupons, and *paid_with_points* points were redeemed on it.
    *location*: the slug of the place, where a rule has to know it.
    """

    amount_minor: int
    currency: str
    occurred_at: datetime
    tax_minor: int = 0
    coupons_minor: int = 0
    paid_with_points: int = 0
    lines: tuple[Line, ...] = ()
    location: str | None = None


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
    step = _MICRO * gcd(one, *(int(each * one) for each in multipliers.values()))
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
    #: The rules that it meets, and its local day.
    rules: tuple[Candidate, ...] = ()
    day: date | None = None
    #: What stamp cards give by themselves.
    stamps: tuple[Given, ...] = ()

    @property
    def once_keys(self) -> tuple[str, ...]:
        """The keys of its bonuses that an account may have once."""
        keys = [bonus.once for bonus, _ in self.bonuses if bonus.once]
        keys += [once for each in self.rules if (once := each.rule.conditions.once)]
        return tuple(keys)

    def asked(self, tariff: Tariff, besides: Iterable[str] = ()) -> Asked | None:
        """What has to be known of the account's other receipts; *besides*: for these segments."""
        if not self.rules and not besides:
            return None
        day = self.day or self.occurred_at.astimezone(tariff.zone).date()
        return rules.asked_of(tariff.settings.segments, self.rules, day, besides=besides)


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
    gross = net = (numerator, denominator)
    if sale.tax_minor:
        # Tax of the part that counts, in proportion: of other parts none was counted.
        net = (numerator * (sale.amount_minor - sale.tax_minor), denominator * sale.amount_minor)
        if tariff.settings.earn_on == "net":
            tax = numerator * sale.tax_minor // (denominator * sale.amount_minor * _MICRO)
            numerator, denominator = net
            explain.append(because("tax", amount_minor=tax, currency=tariff.currency))
    earning_minor = numerator * down // (denominator * up)
    found: tuple[Candidate, ...] = ()
    day: date | None = None
    if tariff.rules is not None:
        local = sale.occurred_at.astimezone(tariff.zone)
        day = local.date()
        bill = Bill(
            occurred_at=sale.occurred_at,
            local=local,
            location=sale.location,
            counted=(numerator, denominator),
            gross=gross,
            net=net,
            earning_minor=earning_minor,
            micro=(up, down),
            lines=_lines_that_earn(tariff, sale.lines),
        )
        found = rules.candidates(tariff.rules, bill)
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
        rules=found,
        day=day,
        stamps=_things(tariff, sale, earning_minor, up, down),
    )


def _things(
    tariff: Tariff, sale: Sale, earning_minor: int, up: int, down: int
) -> tuple[Given, ...]:
    """What stamp cards and prepaid passes give by themselves."""
    settings = tariff.settings
    stamped = _stamps(tariff, sale, earning_minor, up, down) if settings.stamps else ()
    if not settings.multipasses and not settings.clubs:
        return stamped
    bought = multipasses.given(settings.multipasses, sale.lines)
    return stamped + bought + clubs.given(settings.clubs, sale.lines)


def _stamps(
    tariff: Tariff, sale: Sale, earning_minor: int, up: int, down: int
) -> tuple[Given, ...]:
    """*up* ÷ *down* micro of the programme's currency are one minor unit of the receipt's."""
    micro = {
        card.code: int(card.at_least.scaleb(tariff.exponent + 6)) for card in tariff.settings.stamps
    }
    return stamps.given(
        tariff.settings.stamps,
        sale.lines,
        earning_minor=earning_minor,
        thresholds={code: -(-least * down // up) for code, least in micro.items()},
    )


def _lines_that_earn(tariff: Tariff, lines: Sequence[Line]) -> list[tuple[int, Line]]:
    if not tariff.excluded:
        return list(enumerate(lines, 1))
    return [(at, line) for at, line in enumerate(lines, 1) if earns(tariff, line)]


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
    given: tuple[Given, ...] = ()
    if tariff.rules is None:
        worth = _points(tariff, earning, facts, explain, _own_rate(tariff, earning))
        bonuses = _bonuses(earning, facts, explain)
    else:
        worth, by_rules, given = _by_rules(tariff, earning, facts, explain)
        bonuses = (*_bonuses(earning, facts, explain), *by_rules)
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
        if worth.points or bonuses:
            explain.append(because("usable_until", expires_at=expires_at))
    return Value(
        points=worth.points,
        available_from=available_from,
        expires_at=expires_at,
        rolling=rolling,
        earning_minor=earning.earning_minor,
        spend_minor=earning.spend_minor,
        carried_micro=worth.carried_micro,
        weighted_micro=worth.weighted_micro,
        bonuses=bonuses,
        given=(*earning.stamps, *given),
        explain=tuple(explain),
    )


@dataclass(frozen=True, slots=True)
class _Rate:
    """Points for money: ``money`` micro as a fraction, *per_micro* points each, told as text."""

    money: tuple[int, int]
    per_micro: tuple[int, int]
    rate_text: str
    per_minor: str
    factor: tuple[int, int] = (1, 1)


@dataclass(frozen=True, slots=True)
class _Worth:
    """Points, what weighed in for them, and what is left over in micro (None: nothing is carried).

    *rest*: the fraction of a point that was rounded off and is carried nowhere.
    """

    points: int = 0
    weighted_micro: int = 0
    carried_micro: int | None = None
    rest: tuple[int, int] = (0, 1)


def _own_rate(tariff: Tariff, earning: Earning, factor: tuple[int, int] = (1, 1)) -> _Rate:
    return _Rate(earning.counted, tariff.per_micro, tariff.rate_text, tariff.per_minor, factor)


def _tier_factor(tariff: Tariff, facts: AccountFacts) -> int:
    return tariff.multipliers.get(facts.tier, tariff.one) if facts.tier else tariff.one


def _say_tier(tariff: Tariff, facts: AccountFacts, multiplier: int, explain: list[Reason]) -> None:
    if multiplier != tariff.one:
        factor = f"{(Decimal(multiplier) / tariff.one).normalize():f}"
        explain.append(because("multiplied", tier=facts.tier, factor=factor))


def _points(
    tariff: Tariff, earning: Earning, facts: AccountFacts, explain: list[Reason], rate: _Rate
) -> _Worth:
    """What the money earns. Nothing is rounded before the division at the end."""
    carries = tariff.settings.carry_remainder
    numerator, denominator = rate.money
    multiplier = _tier_factor(tariff, facts)
    numerator *= multiplier * rate.factor[0]
    denominator *= tariff.one * rate.factor[1]
    _say_tier(tariff, facts, multiplier, explain)
    weighted_micro = numerator // denominator
    if carries and facts.carried_micro:
        above, below = _exact_carry(tariff, facts.carried_micro)
        numerator, denominator = numerator * below + above * denominator, denominator * below
        _say_carried("carried_in", tariff, facts.carried_micro, explain)
    up, down = rate.per_micro
    points, rest = divmod(numerator * up, denominator * down)
    if points < 0:  # What was carried below zero by returns is not made good yet.
        points, rest = 0, numerator * up
    money = earning.spend_minor
    if rate.money != earning.counted:
        money = rate.money[0] // (rate.money[1] * _MICRO)
    explain.append(
        because(
            "earned_rounded" if rest and not carries else "earned",
            amount_minor=money,
            currency=tariff.currency,
            rate=rate.rate_text,
            per_minor=rate.per_minor,
            points=points,
        )
    )
    if not carries:
        return _Worth(points, weighted_micro, None, (rest, denominator * down))
    carried_micro = rest // (denominator * up)
    _say_carried("carried_over", tariff, carried_micro, explain)
    return _Worth(points, weighted_micro, carried_micro)


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


# --- rules ------------------------------------------------------------------------------------


def _by_rules(
    tariff: Tariff, earning: Earning, facts: AccountFacts, explain: list[Reason]
) -> tuple[_Worth, tuple[Bonus, ...], tuple[Given, ...]]:
    """What the best base rule and the promotions beside it give; fractions are rounded together."""
    if tariff.rules is None or earning.day is None:
        raise ValueError("there are no rules")
    up, down = tariff.per_micro
    multiplier = _tier_factor(tariff, facts)
    found = rules.applied(
        tariff.rules,
        earning.rules,
        facts,
        day=earning.day,
        rate=(earning.counted[0] * up, earning.counted[1] * down),
        tier_factor=(multiplier, tariff.one),
    )
    explain.extend(found.explain)
    bonuses: list[Bonus] = []
    worth = _base(tariff, earning, facts, explain, found, bonuses)
    given: list[Given] = []
    rest = worth.rest
    for each in found.promotions:
        points, rest = _whole(each.points, rest)
        if points:
            bonuses.append(_bonus(each, points))
            explain.append(because("bonus", name=each.rule.name, points=points))
        for kind, what, count in each.rule.gives.things:
            thing = Given(kind, what, count * each.times, each.rule.name, each.grounds)
            given.append(thing)
            code = f"given_{kind}"
            explain.append(because(code, name=thing.rule, what=what, count=thing.count))
    return worth, tuple(bonuses), tuple(given)


def _base(
    tariff: Tariff,
    earning: Earning,
    facts: AccountFacts,
    explain: list[Reason],
    found: Applied,
    bonuses: list[Bonus],
) -> _Worth:
    """The base: a rate over all that earns is the receipt's own, anything else a bonus."""
    if found.is_rate:
        return _points(tariff, earning, facts, explain, _own_rate(tariff, earning, found.factor))
    base = found.base
    if base is None:
        return _Worth()
    if base.money is not None:
        rule = base.rule
        if rule.points is None or rule.per_amount is None:
            raise ValueError("a rate is points for money")
        rate = _Rate(
            base.money,
            base.compiled.rate,
            f"{rule.points.normalize():f}",
            f"{rule.per_amount.scaleb(tariff.exponent).normalize():f}",
            found.factor,
        )
        return _points(tariff, earning, facts, explain, rate)
    multiplier = _tier_factor(tariff, facts)
    _say_tier(tariff, facts, multiplier, explain)
    exact = (
        base.points[0] * multiplier * found.factor[0],
        base.points[1] * tariff.one * found.factor[1],
    )
    points, rest = _whole(exact, (0, 1))
    explain.append(because("base_rule", name=base.rule.name, points=points))
    if points:
        bonuses.append(_bonus(base, points))
    return _Worth(rest=rest)


def _bonus(each: Candidate, points: int) -> Bonus:
    return Bonus(points, each.rule.name, once_key=each.rule.conditions.once, grounds=each.grounds)


def _whole(exact: tuple[int, int], rest: tuple[int, int]) -> tuple[int, tuple[int, int]]:
    """Whole points, with what was rounded off before; and what is rounded off now."""
    if exact[1] == 1:
        return exact[0], rest
    denominator = exact[1] * rest[1]
    points, over = divmod(exact[0] * rest[1] + rest[0] * exact[1], denominator)
    return points, (over, denominator)
