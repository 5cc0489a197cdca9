"""Replaying an account's receipts under two sets of rules, in the order in which they came.

Nothing is read or written here.

A `Replay` lives as long as one account's receipts; what it knows of earlier ones is what the ledger
would have known under its lock.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from msgspec import Struct

from app.ledger.grounds import Kept, KeptLine, count_left, points_due
from app.ledger.postings import AccountFacts, Activity, Asked, Bonus, Given, Value
from app.ledger.rules import due_so_far
from app.programmes import earning
from app.programmes.earning import Exchange, Sale, tariff_of
from app.programmes.rules import in_segments
from app.programmes.settings import settings_from_json
from app.programmes.terms import Version


class Back(NamedTuple):
    """What came back of a receipt at a moment; *counted_minor* towards a tier."""

    recorded_at: datetime
    amount_minor: int
    earning_minor: int
    counted_minor: int
    lines: Sequence[Mapping[str, Any]] | None


@dataclass(slots=True)
class Past:
    """A receipt as it was, and what came back of it."""

    posting_id: str | None
    occurred_at: datetime
    recorded_at: datetime
    sale: Sale
    exchange: Exchange | None
    earning_minor: int
    counted_minor: int
    back: tuple[Back, ...] = ()

    @property
    def returned_minor(self) -> int:
        """How much came back."""
        return sum(each.amount_minor for each in self.back)


class TierThen(NamedTuple):
    """A change of the tier: from when, to what, by which posting."""

    effective_from: datetime
    to_tier: str | None
    posting_id: str | None


@dataclass(frozen=True, slots=True)
class Scope:
    """Where and for whom the change holds; empty: everywhere, for all."""

    locations: frozenset[str] = frozenset()
    segments: frozenset[str] = frozenset()


@dataclass(slots=True)
class Changing:
    """What makes the version that holds under the change of the one that held; each once."""

    change: Mapping[str, Any]
    currency: str
    time_zone: str
    scope: Scope
    _made: dict[int, tuple[Version, Version]] = field(default_factory=dict)

    def after(self, version: Version) -> Version:
        """The version with the change. Raises `Invalid` where they do not go together."""
        made = self._made.get(id(version))
        if made is None:
            settings = settings_from_json(version.settings.as_json() | dict(self.change))
            tariff = tariff_of(settings, self.currency, self.time_zone)
            made = version, Version(version.number, version.valid_from, settings, tariff)
            self._made[id(version)] = made
        return made[1]


@dataclass(slots=True)
class _Side:
    """What one set of rules has come to so far: carried money, and what was given once."""

    carried_micro: int
    once: frozenset[str]

    def is_like(self, other: "_Side") -> bool:
        """Whether both have come to the same."""
        return self.carried_micro == other.carried_micro and self.once == other.once


class Outcome(Struct, frozen=True):
    """What a receipt gives for good: after what came back of it."""

    points: int
    rules: Mapping[str, int]
    things: Mapping[tuple[str, str], int]


@dataclass(slots=True)
class Replay:
    """One account, from the first receipt that counts on.

    *choices* says which versions may have held at a moment in a place, as `Rulebook.choices` does.
    """

    account_id: str
    kind: str
    joined_on: date
    tiers: Sequence[TierThen]
    carried_micro: int
    once: Collection[str]
    choices: Callable[[datetime, str | None], Sequence[Version]]
    changing: Changing
    #: Whether any rule looks at other receipts.
    remembers: bool = False
    change: int = 0
    _before: _Side = field(init=False)
    _after: _Side = field(init=False)
    _seen: dict[date, list["_Seen"]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._before = _Side(self.carried_micro, frozenset(self.once))
        self._after = _Side(self.carried_micro, frozenset(self.once))

    def remember(self, past: Past, day: date) -> None:
        """A receipt of before: it is counted among the visits and no more."""
        if self.remembers:
            seen = _Seen(past.sale.amount_minor, past.counted_minor, past.back)
            self._seen.setdefault(day, []).append(seen)

    def receipt(self, past: Past) -> tuple[Outcome, Outcome, int]:
        """What a receipt gave and would give, and its money as it counts now (minor units)."""
        facts = self._facts(past)
        choices = self.choices(min(past.occurred_at, past.recorded_at), past.sale.location)
        version = choices[-1]
        if len(choices) > 1:
            version = next(
                each
                for each in choices
                if each is choices[-1]
                or self._is_for(each.pilot.segments if each.pilot else (), each, facts)
            )
        before = self._value(version, self._before, facts)
        changed = self._changed(version, facts)
        after = before
        if changed is not version or not self._before.is_like(self._after):
            after = self._value(changed, self._after, facts)
        self._carry(self._before, before)
        self._carry(self._after, after)
        day = past.occurred_at.astimezone(version.tariff.zone).date()
        self.remember(past, day)
        outcomes = _net(before, past), _net(after, past)
        self.change += outcomes[1].points - outcomes[0].points
        return *outcomes, before.spend_minor or 0

    def _changed(self, version: Version, facts: "_Facts") -> Version:
        scope = self.changing.scope
        if scope.locations and facts.past.sale.location not in scope.locations:
            return version
        changed = self.changing.after(version)
        return changed if self._is_for(scope.segments, changed, facts) else version

    def _is_for(self, segments: Collection[str], version: Version, facts: "_Facts") -> bool:
        if not segments:
            return True
        tariff = version.tariff
        day = facts.past.occurred_at.astimezone(tariff.zone).date()
        defined = [each for each in version.settings.segments if each.name in segments]
        windows = sorted({each.within_days for each in defined if each.within_days})
        known = facts.known(Asked(day, windows=tuple(windows)), self._before)
        return bool(in_segments(defined, known, day, tariff.exponent))

    def _value(self, version: Version, side: _Side, facts: "_Facts") -> Value:
        past, tariff = facts.past, version.tariff
        earned = earning.earning_of(tariff, past.sale, past.exchange, telling=False)
        known = facts.known(earned.asked(tariff), side)
        return earning.value_of(tariff, earned, known, now=past.recorded_at, telling=False)

    @staticmethod
    def _carry(side: _Side, value: Value) -> None:
        if value.carried_micro is not None:
            side.carried_micro = value.carried_micro
        for each in value.bonuses:
            if each.once_key:
                side.once |= {each.once_key}

    def _facts(self, past: Past) -> "_Facts":
        tier = None
        for each in self.tiers:
            if each.effective_from > past.occurred_at:
                break
            if each.posting_id is None or each.posting_id != past.posting_id:
                tier = each.to_tier
        return _Facts(self, past, tier)

    def seen(self, past: Past, asked: Asked) -> tuple[int, bool, dict[int, Activity]]:
        """What was known of the other receipts when this one came."""
        moment = past.recorded_at
        windows = {}
        for days in asked.windows:
            since = asked.day - timedelta(days=days - 1)
            visits = money = 0
            on: set[date] = set()
            for day, those in self._seen.items():
                if since <= day <= asked.day:
                    for each in those:
                        money += each.counted(moment)
                        if each.is_visit(moment):
                            visits += 1
                            on.add(day)
            windows[days] = Activity(visits, money, frozenset(on))
        today = sum(each.is_visit(moment) for each in self._seen.get(asked.day, ()))
        is_first = asked.first and not any(
            each.is_visit(moment) for those in self._seen.values() for each in those
        )
        return today, is_first, windows


class _Seen(Struct, frozen=True):
    """What is remembered of a receipt."""

    amount_minor: int
    counted_minor: int
    back: tuple[Back, ...]

    def is_visit(self, moment: datetime) -> bool:
        """Whether something of it was kept at that moment."""
        if not self.back:
            return True
        came = [each.amount_minor for each in self.back if each.recorded_at <= moment]
        return not came or sum(came) < self.amount_minor

    def counted(self, moment: datetime) -> int:
        """The money of it that counted at that moment."""
        if not self.back:
            return self.counted_minor
        came = (each.counted_minor for each in self.back if each.recorded_at <= moment)
        return self.counted_minor - sum(came)


@dataclass(slots=True)
class _Facts:
    """What is known of the account when a receipt comes, worked out as far as it is asked."""

    replay: Replay
    past: Past
    tier: str | None

    def known(self, asked: Asked | None, side: _Side) -> AccountFacts:
        """As the ledger would say it."""
        replay = self.replay
        visits, is_first = 0, False
        windows: dict[int, Activity] = {}
        if asked is not None:
            visits, is_first, windows = replay.seen(self.past, asked)
        return AccountFacts(
            self.tier,
            side.carried_micro,
            side.once,
            replay.kind,
            replay.joined_on,
            visits,
            is_first,
            windows,
        )


# --- what is left of it -----------------------------------------------------------------------


def _net(value: Value, past: Past) -> Outcome:
    """What stays of a receipt's value after all that came back."""
    if past.back and past.returned_minor >= past.sale.amount_minor:
        return _NOTHING
    kept = _kept(value, past) if past.back else None
    points = value.points
    earning_minor = value.earning_minor or 0
    if kept is not None and earning_minor:
        points -= due_so_far(points, earning_minor - kept.earning_minor, earning_minor)
    rules = {"base": points} if points else {}
    for bonus in value.bonuses:
        left = bonus.points if kept is None else _bonus_left(bonus, kept, earning_minor, past)
        points += left
        rules[bonus.name] = rules.get(bonus.name, 0) + left
    things: dict[tuple[str, str], int] = {}
    for thing in value.given:
        key = thing.kind, thing.what
        things[key] = things.get(key, 0) + _things_left(thing, kept)
    return Outcome(points, rules, things)


_NOTHING = Outcome(0, {}, {})


def _things_left(thing: Given, kept: Kept | None) -> int:
    return thing.count if kept is None else count_left(thing.count, thing.grounds, kept)


def _bonus_left(bonus: Bonus, kept: Kept, earning_minor: int, past: Past) -> int:
    if bonus.grounds is not None:
        return bonus.points - points_due(bonus.points, bonus.grounds, kept)
    sold, left = earning_minor, kept.earning_minor
    if sold == 0:
        sold, left = past.sale.amount_minor, kept.amount_minor
    if bonus.at_least_minor is None:
        return bonus.points - due_so_far(bonus.points, sold - left, sold)
    return bonus.points if left >= bonus.at_least_minor else 0


def _kept(value: Value, past: Past) -> Kept:
    """What is kept. Where more or less earns than did, as much of that as of what did."""
    amount = past.sale.amount_minor - past.returned_minor
    earning_minor = value.earning_minor or 0
    if past.earning_minor:
        back = sum(each.earning_minor for each in past.back)
        earning_left = earning_minor - due_so_far(earning_minor, back, past.earning_minor)
    else:
        earning_left = earning_minor - due_so_far(
            earning_minor, past.returned_minor, past.sale.amount_minor
        )
    pieces: Counter[int] = Counter()
    money: Counter[int] = Counter()
    for each in past.back:
        for line in each.lines or ():
            pieces[line["position"]] += line["quantity_thousandths"]
            money[line["position"]] += line["amount_minor"]
    return Kept(
        amount_minor=amount,
        earning_minor=earning_left,
        lines={
            at: KeptLine(int(line.quantity * 1000) - pieces[at], line.amount_minor - money[at])
            for at, line in enumerate(past.sale.lines, 1)
        },
        unknown_minor=sum(each.amount_minor for each in past.back if each.lines is None),
    )
