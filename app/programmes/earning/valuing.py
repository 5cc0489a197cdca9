"""What a receipt is worth to an account: points, bonuses and things, rounded down once. Pure."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from app.ledger import rules as ledger_rules
from app.ledger.explain import Reason, Story, note
from app.ledger.grounds import How, Need, Other
from app.ledger.postings import AccountFacts, Bonus, Given, Value
from app.programmes import rules
from app.programmes.earning.counting import Earning
from app.programmes.earning.tariff import MICRO, Tariff
from app.programmes.rules import Applied, Candidate, Role


def value_of(
    tariff: Tariff,
    earning: Earning,
    facts: AccountFacts,
    *,
    now: datetime,
    because_of: Sequence[Reason] = (),
    telling: bool = True,
) -> Value:
    """What a receipt is worth to an account: points and bonuses, rounded down once.

    *facts* are those of the receipt's day; *because_of* stands before the other reasons. Without
    *telling* neither the reasons are said nor the days from when and until when they are good.
    """
    settings = tariff.settings
    explain: Story = [*because_of, *earning.explain] if telling else None
    given: tuple[Given, ...] = ()
    if tariff.rules is None:
        worth = _points(tariff, earning, facts, explain, _own_rate(tariff, earning))
        bonuses = _bonuses(earning, facts, explain)
    else:
        worth, by_rules, given = _by_rules(tariff, earning, facts, explain)
        bonuses = (*_bonuses(earning, facts, explain), *by_rules)
    available_from = None
    if telling and not settings.pending_until_confirmed:
        # A till whose clock runs ahead a little gives points that can be spent at once.
        available_from = min(earning.occurred_at, now) + tariff.pending
    rolling = settings.expiry_mode == "inactivity"
    expires_at = None
    if telling and settings.expires_after_months and not rolling:
        expires_at = ledger_rules.expiry(
            earning.occurred_at,
            months=settings.expires_after_months,
            time_zone=tariff.time_zone,
            round_up=tariff.round_up,
        )
        if worth.points or bonuses:
            note(explain, "usable_until", expires_at=expires_at)
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
        explain=tuple(explain or ()),
    )


#: So many that were passed over are kept with the best promotion.
_MOST_OTHERS = 20


class _Rate(Struct, frozen=True):
    """Points for money: ``money`` micro as a fraction, *per_micro* points each, told as text."""

    money: tuple[int, int]
    per_micro: tuple[int, int]
    rate_text: str
    per_minor: str
    factor: tuple[int, int] = (1, 1)


class _Worth(Struct, frozen=True):
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


def _say_tier(tariff: Tariff, facts: AccountFacts, multiplier: int, explain: Story) -> None:
    if multiplier != tariff.one:
        factor = f"{(Decimal(multiplier) / tariff.one).normalize():f}"
        note(explain, "multiplied", tier=facts.tier, factor=factor)


def _points(
    tariff: Tariff, earning: Earning, facts: AccountFacts, explain: Story, rate: _Rate
) -> _Worth:
    """What the money earns. Nothing is rounded before the division at the end."""
    carries = tariff.settings.carry_remainder
    if earning.is_visit:  # No money, so no points for money; what was carried over stays so.
        return _Worth(carried_micro=facts.carried_micro if carries else None)
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
        money = rate.money[0] // (rate.money[1] * MICRO)
    note(
        explain,
        "earned_rounded" if rest and not carries else "earned",
        amount_minor=money,
        currency=tariff.currency,
        rate=rate.rate_text,
        per_minor=rate.per_minor,
        points=points,
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


def _say_carried(code: str, tariff: Tariff, micro: int, explain: Story) -> None:
    """What is less than a minor unit counts, but is not worth a sentence."""
    if minor := abs(micro) // MICRO:
        code = code if micro > 0 else "carried_less"
        note(explain, code, amount_minor=minor, currency=tariff.currency)


def _bonuses(earning: Earning, facts: AccountFacts, explain: Story) -> tuple[Bonus, ...]:
    """The bonuses reached, but for those the account had; the ledger says what it gives."""
    given: list[Bonus] = []
    had = set(facts.once_keys) if earning.bonuses else set()
    for rule, at_least_minor in earning.bonuses:
        if rule.once is not None:
            if rule.once in had:
                note(explain, "bonus_once", name=rule.name)
                continue
            had.add(rule.once)
        given.append(Bonus(rule.points, rule.name, at_least_minor, rule.once))
    return tuple(given)


def _by_rules(
    tariff: Tariff, earning: Earning, facts: AccountFacts, explain: Story
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
        explain=explain,
    )
    bonuses: list[Bonus] = []
    worth = _base(tariff, earning, facts, explain, found, bonuses)
    given: list[Given] = []
    rest = worth.rest
    for each in found.promotions:
        points, rest = _whole(each.points, rest)
        if points:
            bonuses.append(_bonus(each, points, _others(each, found, earning)))
            note(explain, "bonus", name=each.rule.name, points=points)
        for kind, what, count in each.rule.gives.things:
            thing = Given(kind, what, count * each.times, each.rule.name, each.grounds)
            given.append(thing)
            code = f"given_{kind}"
            note(explain, code, name=thing.rule, what=what, count=thing.count)
    return worth, tuple(bonuses), tuple(given)


def _base(
    tariff: Tariff,
    earning: Earning,
    facts: AccountFacts,
    explain: Story,
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
    note(explain, "base_rule", name=base.rule.name, points=points)
    if points:
        bonuses.append(_bonus(base, points))
    return _Worth(rest=rest)


def _bonus(each: Candidate, points: int, others: tuple[Other, ...] = ()) -> Bonus:
    grounds = replace(each.grounds, others=others) if others else each.grounds
    return Bonus(points, each.rule.name, once_key=each.rule.conditions.once, grounds=grounds)


def _others(each: Candidate, found: Applied, earning: Earning) -> tuple[Other, ...]:
    """What counts when a return takes the best promotion's grounds away, the best first.

    One that may be had once is not replaced: taken back, it may be had again. Things are not given
    afterwards, points are.
    """
    if not found.passed or each.rule.role is not Role.PROMOTION:
        return ()
    if each.rule.conditions.once is not None:
        return ()
    made = []
    for other, (numerator, denominator) in found.passed:
        grounds = other.grounds
        if other.compiled.is_multiplier:  # It would have been worth so much of what earns.
            share = Need(How.SHARE, earning.earning_minor)
            grounds = replace(grounds, needs=(*grounds.needs, share))
        if points := numerator // denominator:
            made.append(Other(other.rule.name, points, grounds))
    made.sort(key=lambda other: -other.points)
    return tuple(made[:_MOST_OTHERS])


def _whole(exact: tuple[int, int], rest: tuple[int, int]) -> tuple[int, tuple[int, int]]:
    """Whole points, with what was rounded off before; and what is rounded off now."""
    if exact[1] == 1:
        return exact[0], rest
    denominator = exact[1] * rest[1]
    points, over = divmod(exact[0] * rest[1] + rest[0] * exact[1], denominator)
    return points, (over, denominator)
