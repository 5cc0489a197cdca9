"""Tiers beside a naive calendar that lives through every day, and the laws that hold for all."""

import calendar
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from app.ledger import tiers
from app.ledger.tiers import (
    Change,
    Count,
    Downgrade,
    Level,
    TierReason,
    TierScheme,
    TierState,
    Window,
)

ZONE = "Europe/Riga"
DAY = timedelta(days=1)
LEVELS = (Level("silver", 5), Level("gold", 10), Level("platinum", 20))
JOINED = date(2024, 2, 29)
LAST = 1300  # days, so that there are three anniversaries
Told = tuple[date, str | None, str | None, str]


def at(day: date, hour: int = 12) -> datetime:
    return datetime.combine(day, time(hour), ZoneInfo(ZONE)).astimezone(UTC)


def year_before(day: date) -> date:
    last = calendar.monthrange(day.year - 1, day.month)[1]
    return date(day.year - 1, day.month, min(day.day, last))


@dataclass
class Naive:
    """Lives through every day; knows nothing but the rules as they are written down."""

    scheme: TierScheme
    counts: Counter[date]
    override: int = 0
    override_until: date | None = None
    kept: int = 0
    reached: int = 0
    shown: int = 0
    cycle_from: date = JOINED
    grace_until: date | None = None
    grace: tuple[int, int, date] = (0, 0, JOINED)
    told: list[Told] = field(default_factory=list)

    def level(self, first: date, end: date) -> int:
        counted = sum(points for day, points in self.counts.items() if first <= day < end)
        return sum(counted >= level.at_least for level in LEVELS)

    def window_from(self, day: date) -> date:
        rolling = self.scheme.window is Window.ROLLING
        return year_before(day) + DAY if rolling else self.cycle_from

    def is_review(self, day: date) -> bool:
        if self.scheme.window is Window.CALENDAR:
            return (day.month, day.day) == (1, 1)
        if self.scheme.window is Window.ROLLING:
            return day.day == 1 and (self.grace_until is None or day > self.grace_until)
        last = calendar.monthrange(day.year, JOINED.month)[1]
        return day > JOINED and (day.month, day.day) == (JOINED.month, min(JOINED.day, last))

    def show(self, day: date, reason: str) -> None:
        tier = max(self.kept, self.reached, self.override)
        if tier != self.shown:
            names = [None, *(level.code for level in LEVELS)]
            self.told.append((day, names[self.shown], names[tier], reason))
            self.shown = tier

    def begin(self, day: date) -> None:
        if self.grace_until == day:
            held, lowest, first = self.grace
            self.kept = max(lowest, min(held, self.level(first, day)))
            self.show(day, "grace_over")
        if self.is_review(day):
            self.review(day)
        if self.override_until == day:
            self.override = 0
            self.show(day, "override_over")

    def review(self, day: date) -> None:
        first = self.window_from(day - DAY)
        there, held = self.level(first, day), max(self.kept, self.reached)
        one_step = self.scheme.downgrade is Downgrade.ONE_STEP
        lowest = max(there, held - 1) if one_step else there
        self.kept, self.grace_until = lowest, None
        if there < held and self.scheme.grace_days:
            self.kept, self.grace = held, (held, lowest, first)
            self.grace_until = day + timedelta(days=self.scheme.grace_days)
        self.cycle_from, self.reached = day, 0
        self.show(day, "review")

    def live(self, last: date) -> None:
        day = JOINED
        if self.scheme.window is Window.CALENDAR:
            self.cycle_from = date(JOINED.year, 1, 1)
        self.show(day, "override")
        while day <= last:
            self.begin(day)
            there = self.level(self.window_from(day), day + DAY)
            self.reached = max(self.reached, there) if day in self.counts else self.reached
            self.show(day, "earned")
            day += DAY


schemes = st.builds(
    TierScheme,
    levels=st.just(LEVELS),
    window=st.sampled_from(Window),
    downgrade=st.sampled_from(Downgrade),
    grace_days=st.sampled_from([0, 0, 10, 31, 75]),
)
days = st.integers(1, LAST).map(lambda number: JOINED + timedelta(days=number))
gaps = st.one_of(st.integers(1, 40), st.integers(330, 370))
visits = st.lists(st.tuples(gaps, st.integers(1, 12)), min_size=4, max_size=40)


@visits.map
def counts(visits: list[tuple[int, int]]) -> Counter[date]:
    """Receipts one after the other: often enough to climb, with pauses in which to fall."""
    counted: Counter[date] = Counter()
    day = JOINED
    for gap, points in visits:
        day += timedelta(days=gap)
        if (day - JOINED).days <= LAST:
            counted[day] = points
    return counted


lifts = st.none() | st.tuples(st.integers(1, 3), days)


class Account:
    """Assessed as the ledger would, with the days that `earliest_day` asks for."""

    def __init__(self, scheme: TierScheme, lift: tuple[int, date] | None = None) -> None:
        self.scheme, self.state = scheme, TierState(JOINED)
        self.counts: Counter[date] = Counter()
        self.changes: list[Change] = []
        if lift is not None:
            tier, until = LEVELS[lift[0] - 1].code, at(lift[1], 0)
            self.changes += tiers.override(scheme, self.state, tier, until, {}, at(JOINED), ZONE)

    def assess(
        self,
        moment: datetime,
        why: TierReason = TierReason.EARNED,
        happened_at: datetime | None = None,
    ) -> None:
        since = None if why is not TierReason.EARNED else happened_at or moment
        states = []
        for unchanged_before in {None, since}:
            state = replace(self.state)
            earliest = tiers.earliest_day(
                self.scheme, state, moment, ZONE, unchanged_before=unchanged_before
            )
            needed = {day: Count(n, 0) for day, n in self.counts.items() if day >= earliest}
            changes = tiers.assess(
                self.scheme, state, needed, moment, ZONE, because=why, happened_at=happened_at
            )
            again = replace(state)
            assert not tiers.assess(self.scheme, again, needed, moment, ZONE)
            assert again == state
            states.append((state, list(changes)))
        assert states[0] == states[-1]
        self.state = states[0][0]
        self.changes += states[0][1]

    def told(self) -> list[Told]:
        zone = ZoneInfo(ZONE)
        return [
            (c.effective_from.astimezone(zone).date(), c.from_tier, c.to_tier, str(c.reason))
            for c in self.changes
        ]

    def stands(self, now: datetime) -> tuple[object, ...]:
        state = self.state
        over = state.grace_until is None or state.grace_until <= now
        grace_until = None if over else state.grace_until
        return state.tier, state.kept, state.reviewed_at, grace_until, state.review_at


def in_time(
    scheme: TierScheme, counted: Counter[date], looks: set[date], lift: tuple[int, date] | None
) -> Account:
    account = Account(scheme, lift)
    for day in sorted({*counted, *looks}):
        if day in looks:
            account.assess(at(day, 0))
        if day in counted:
            account.counts[day] = counted[day]
            account.assess(at(day), TierReason.EARNED, at(day))
    return account


def without_steps(told: list[Told]) -> list[tuple[str | None, str | None, str]]:
    """Several tiers that were earned one after the other, as one."""
    short: list[tuple[str | None, str | None, str]] = []
    for _day, before, after, reason in told:
        if short and reason == short[-1][2] == "earned":
            before = short.pop()[0]
        short.append((before, after, reason))
    return short


@settings(max_examples=100, deadline=None)
@given(schemes, counts, st.sets(days, max_size=8), lifts)
def test_looking_in_time_looking_late_and_living_every_day_agree(
    scheme: TierScheme, counted: Counter[date], looks: set[date], lift: tuple[int, date] | None
) -> None:
    last = JOINED + timedelta(days=LAST + 1)
    naive = Naive(scheme, counted)
    if lift is not None:
        naive.override, naive.override_until = lift
    naive.live(last)
    account = in_time(scheme, counted, looks, lift)
    account.assess(at(last))
    assert account.told() == naive.told
    late = Account(scheme, lift)
    late.counts = counted
    late.assess(at(last))
    assert late.stands(at(last)) == account.stands(at(last))
    assert without_steps(late.told()) == without_steps(naive.told)
    reviewed = [change for change in late.changes if change.reason is not TierReason.EARNED]
    assert reviewed == [c for c in account.changes if c.reason is not TierReason.EARNED]


@settings(max_examples=100, deadline=None)
@given(schemes, counts, st.sets(days, max_size=8), lifts)
def test_nothing_falls_between_reviews_without_a_return(
    scheme: TierScheme, counted: Counter[date], looks: set[date], lift: tuple[int, date] | None
) -> None:
    account = in_time(scheme, counted, looks, lift)
    for change in account.changes:
        falls = tiers.rank(scheme, change.to_tier) < tiers.rank(scheme, change.from_tier)
        assert falls == (str(change.reason) in {"review", "grace_over", "override_over"})
    moments = [change.effective_from for change in account.changes]
    assert moments == sorted(moments)


receipts = st.lists(
    st.tuples(days, st.integers(1, 12), st.integers(0, 14), st.none() | st.integers(15, 100)),
    max_size=12,
)


@settings(max_examples=150, deadline=None)
@given(schemes, receipts, st.booleans())
def test_what_comes_late_or_back_ends_as_if_it_had_been_so_from_the_start(
    scheme: TierScheme, bought: list[tuple[date, int, int, int | None]], is_undone: bool
) -> None:
    if scheme.window is Window.ROLLING:  # Only the last of the monthly reviews is done again.
        scheme = replace(scheme, downgrade=Downgrade.RECOMPUTED, grace_days=0)
    posted: list[tuple[datetime, date, int, TierReason]] = []
    for day, points, delay, back in bought:
        why = TierReason.LATE_RECEIPT if delay else TierReason.EARNED
        posted.append((at(day + timedelta(days=delay)), day, points, why))
        if back is not None:
            posted.append((at(day + timedelta(days=back)), day, -points, TierReason.RETURNED))
            if is_undone:
                moment = at(day + timedelta(days=back + 20))
                posted.append((moment, day, points, TierReason.RETURNED))
    account = Account(scheme)
    for moment, day, points, why in sorted(posted):
        account.assess(moment)
        account.counts[day] += points
        happened_at = at(day) if why is TierReason.LATE_RECEIPT else moment
        account.assess(moment, why, happened_at)
    now = max([at(JOINED), *(each[0] for each in posted)])
    straight = Account(scheme)
    straight.counts = account.counts
    straight.assess(now)
    assert account.stands(now) == straight.stands(now)
    moments = [change.effective_from for change in account.changes]
    assert moments == sorted(moments)
