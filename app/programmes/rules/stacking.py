"""Which of the rules that a receipt meets count for an account, beside one another. Pure."""

from collections.abc import Iterable, Sequence
from datetime import date

from msgspec import Struct

from app.ledger.explain import Story, note
from app.ledger.postings import AccountFacts, Activity, Asked
from app.programmes.rules.compiled import RuleSet
from app.programmes.rules.meeting import Candidate
from app.programmes.rules.model import Role
from app.programmes.rules.segments import Segment, in_segments
from app.programmes.rules.streaks import LOOK_BACK_DAYS

#: A fraction of points.
Exact = tuple[int, int]


class Applied(Struct, frozen=True):
    """What counts. *base* None: the settings' own rate, where *is_rate*, or nothing.

    *factor* is what the base is multiplied by; *promotions* are all others that give. *passed* are
    those that the best promotion was better than, with what each would have given in points.
    """

    base: Candidate | None
    is_rate: bool
    factor: Exact
    promotions: tuple[Candidate, ...]
    passed: tuple[tuple[Candidate, Exact], ...] = ()


def asked_of(
    segments: Iterable[Segment],
    found: Iterable[Candidate],
    day: date,
    *,
    besides: Iterable[str] = (),
) -> Asked | None:
    """What has to be known of the account's other receipts for these rules; None: nothing.

    *besides*: segments that are asked for by something else.
    """
    today = first = streak = False
    names = set(besides)
    for each in found:
        if not each.compiled.asks:
            continue
        on = each.rule.conditions
        today = today or on.a_day is not None
        first = first or on.first_purchase
        streak = streak or on.streak is not None
        names.update(on.segments)
    if not (today or first or streak or names):
        return None
    windows = {
        segment.within_days
        for segment in segments
        if segment.name in names and segment.within_days is not None
    }
    if streak:
        windows.add(LOOK_BACK_DAYS)
    if not (today or first or windows):
        return None
    return Asked(day, today, first, tuple(sorted(windows)))


def applied(
    rules: RuleSet,
    found: Sequence[Candidate],
    facts: AccountFacts,
    *,
    day: date,
    rate: Exact,
    tier_factor: Exact,
    explain: Story = None,
) -> Applied:
    """What counts of the rules that a receipt meets.

    *rate*: what the settings' own rate gives for it, exactly, before the tier multiplies it by
    *tier_factor*.
    """
    held = _held(rules, found, facts, day, explain)
    bases = [each for each in held if each.compiled.is_base]
    base, is_rate, base_points = _best_base(rules, bases, rate)
    if base is not None and (rules.has_rate or len(bases) > 1):
        note(explain, "best_base", name=base.rule.name)
    counting = [each for each in held if not each.compiled.is_base]
    promotions: list[Candidate] = []
    if not rules.all_promotions:
        promotions = [each for each in counting if each.rule.role is Role.PROMOTION]
    passed_over: tuple[tuple[Candidate, Exact], ...] = ()
    if len(promotions) > 1:
        multiplied = (base_points[0] * tier_factor[0], base_points[1] * tier_factor[1])
        best = _best(promotions, [_score(each, multiplied) for each in promotions])
        for each in promotions:
            if each is not best:
                note(explain, "not_stacked", name=each.rule.name, better=best.rule.name)
        passed_over = tuple(
            (each, _score(each, multiplied) if each.compiled.is_multiplier else each.points)
            for each in promotions
            if each is not best and each.rule.conditions.once is None
        )
        passed = {each.rule.name for each in promotions if each is not best}
        counting = [each for each in counting if each.rule.name not in passed]
    factor = (1, 1)
    others: list[Candidate] = []
    for each in counting:
        if not each.compiled.is_multiplier:
            others.append(each)
        else:
            up, down = each.compiled.factor
            factor = (factor[0] * down + (up - down) * factor[1], factor[1] * down)
            if base is not None or is_rate:
                note(explain, "multiplied_by", name=each.rule.name, factor=f"{each.rule.factor:f}")
    return Applied(base, is_rate, factor, tuple(others), passed_over)


def _held(
    rules: RuleSet,
    found: Sequence[Candidate],
    facts: AccountFacts,
    day: date,
    explain: Story,
) -> list[Candidate]:
    """Those that hold for the account."""
    segments: frozenset[str] | None = None
    had = set(facts.once_keys)
    held = []
    for each in found:
        if not each.compiled.is_personal:
            held.append(each)
            continue
        on = each.rule.conditions
        if on.tiers and facts.tier not in on.tiers:
            continue
        if on.first_purchase and not facts.is_first:
            continue
        if on.streak is not None:
            seen = facts.windows.get(LOOK_BACK_DAYS, Activity())
            if not on.streak.is_completed(day, seen.days):
                continue
        if on.segments:
            if segments is None:
                segments = in_segments(rules.segments, facts, day, rules.exponent)
            if segments.isdisjoint(on.segments):
                continue
        if on.a_day is not None and facts.visits_today >= on.a_day:
            note(explain, "enough_today", name=each.rule.name, count=on.a_day)
            continue
        if on.once is not None:
            if on.once in had:
                note(explain, "bonus_once", name=each.rule.name)
                continue
            had.add(on.once)
        held.append(each)
    return held


def _best_base(
    rules: RuleSet, bases: Sequence[Candidate], rate: Exact
) -> tuple[Candidate | None, bool, Exact]:
    if not bases:
        return None, rules.has_rate, rate if rules.has_rate else (0, 1)
    best = _best(bases, [each.points for each in bases])
    if rules.has_rate and rate[0] * best.points[1] >= best.points[0] * rate[1]:
        return None, True, rate
    return best, False, best.points


def _score(each: Candidate, base: Exact) -> Exact:
    """What a promotion is worth in points, where the best one is looked for."""
    if each.compiled.is_multiplier:
        up, down = each.compiled.factor
        return base[0] * (up - down), base[1] * down
    worth = each.rule.worth * each.times
    return each.points[0] + worth * each.points[1], each.points[1]


def _best(these: Sequence[Candidate], scores: Sequence[Exact]) -> Candidate:
    best, top = these[0], scores[0]
    for each, score in zip(these[1:], scores[1:], strict=True):
        if score[0] * top[1] > top[0] * score[1]:
            best, top = each, score
    return best
