"""An account's tier from its last review to a moment, through everything that fell due between."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from enum import IntEnum

from app.ledger.tiers.model import Change, Count, TierReason, TierScheme, TierState, rank
from app.ledger.tiers.review import Verdict, judge
from app.ledger.tiers.windows import (
    Cycle,
    Rise,
    Sheet,
    counted_by,
    cycle_of,
    day_after,
    level,
    local_day,
    midnight,
    reached,
    reviewed,
    rises,
    standing,
)

#: Why a tier may fall between reviews.
_LOWERING = (TierReason.RETURNED, TierReason.MERGED)


class _Due(IntEnum):
    """What can fall due, in the order in which it happens at one moment."""

    GRACE = 0
    REVIEW = 1
    OVERRIDE = 2


def is_open(state: TierState) -> bool:
    """Whether the end of a grace has not been decided yet: nothing was due before it since."""
    until = state.grace_until
    return until is not None and state.review_at is not None and state.review_at <= until


def settled_at(state: TierState, reviewed_at: datetime, now: datetime) -> datetime:
    """The moment up to which the last review has counted, with its grace once that is over."""
    until = state.grace_until
    return reviewed_at if until is None or now < until else until


class Walk:
    """One call of `assess` that finds something to do."""

    def __init__(
        self,
        scheme: TierScheme,
        state: TierState,
        days: Mapping[date, Count],
        now: datetime,
        time_zone: str,
        because: TierReason,
        happened_at: datetime | None,
    ) -> None:
        self.scheme, self.state, self.now, self.zone = scheme, state, now, time_zone
        self.because, self.happened_at = because, happened_at
        self.sheet = Sheet(scheme, days)
        self.cycle = standing(scheme, state, time_zone)
        self.tier = rank(scheme, state.tier)
        self.kept = rank(scheme, state.kept)
        self.override = rank(scheme, state.override)
        self.is_grace_open = is_open(state)
        #: What *kept* was decided with, where that was found out only now.
        self.kept_counted: int | None = None
        self.changes: list[Change] = []

    def run(self) -> list[Change]:
        """Everything in its order; the state is up to date then."""
        state = self.state
        was_due = state.review_at is not None and state.review_at <= self.now
        are_rules_new = self._are_rules_new(was_due)
        if are_rules_new and not was_due:
            self._adopt()
        elif not are_rules_new:
            self._review_again()
        while due := self._next():
            self._happen(*due)
        if are_rules_new and was_due:
            self._adopt()
        self._settle(self.cycle.end, self.now, is_last=True)
        state.kept = self.scheme.code(self.kept)
        state.review_at = self._due_at()
        return self.changes

    # --- what falls due ---------------------------------------------------------------------------

    def _next(self) -> tuple[datetime, _Due] | None:
        """What falls due next, by now."""
        self._skip_empty_cycles()
        state = self.state
        moments = [(self.cycle.ends_at, _Due.REVIEW)]
        if self.is_grace_open and state.grace_until is not None:
            moments.append((state.grace_until, _Due.GRACE))
        if state.override_until is not None:
            moments.append((state.override_until, _Due.OVERRIDE))
        first = min(moments)
        return first if first[0] <= self.now else None

    def _skip_empty_cycles(self) -> None:
        """Reviews of an account without a tier change nothing before it counts something again."""
        state = self.state
        if self.tier or self.kept or state.override is not None or self.now < self.cycle.ends_at:
            return
        day = local_day(self.now, self.zone)
        day = min(day, self.sheet.next_from(self.cycle.first) or day)
        cycle = cycle_of(self.scheme.window, state.joined_on, day, self.zone)
        if cycle.first > self.cycle.first:
            self._stand_from(cycle.starts_at)

    def _stand_from(self, reviewed_at: datetime | None) -> None:
        state = self.state
        state.reviewed_at, state.before = reviewed_at, self.scheme.code(self.kept)
        state.grace_until, self.is_grace_open = None, False
        self.cycle = standing(self.scheme, state, self.zone)

    def _happen(self, at: datetime, due: _Due) -> None:
        end = self.cycle.end if due is _Due.REVIEW else day_after(at, self.zone)
        self._settle(end, at, is_last=False)
        if due is _Due.REVIEW:
            verdict = self._review(at)
            self._fall(TierReason.REVIEW, at, end, verdict.counted)
        elif due is _Due.GRACE:
            self.is_grace_open = False
            counted = self._counted(end)
            if (past := reviewed(self.scheme, self.state, self.zone)) is not None:
                verdict = self._judge(past, at)
                self._keep(verdict, at)
                counted = verdict.counted
            self._fall(TierReason.GRACE_OVER, at, end, counted)
        else:
            self.override = 0
            self.state.override = self.state.override_until = None
            self._fall(TierReason.OVERRIDE_OVER, at, end, self._counted(end))

    def _review(self, at: datetime) -> Verdict:
        cycle, scheme = self.cycle, self.scheme
        month = cycle_of(scheme.window, self.state.joined_on, _day_before(cycle.end), self.zone)
        if month.first > cycle.first:
            # No review during a grace: what was reached in its earlier months is kept till now.
            self.kept = max(self.kept, reached(scheme, self.sheet, cycle, month.first))
        self._stand_from(at)
        verdict = self._judge(month, at)
        self._keep(verdict, at)
        return verdict

    def _judge(self, cycle: Cycle, at: datetime) -> Verdict:
        state = self.state
        before = rank(self.scheme, state.before)
        return judge(self.scheme, self.sheet, before, cycle, state.joined_on, self.zone, at)

    def _keep(self, verdict: Verdict, at: datetime) -> None:
        self.kept, self.state.grace_until, _counted = verdict
        self.is_grace_open = verdict.grace_until is not None and at < verdict.grace_until
        self.cycle = standing(self.scheme, self.state, self.zone)

    # --- doing it again, doing it by other rules --------------------------------------------------

    def _review_again(self) -> None:
        """Do the last review again, for what was counted meanwhile for the time before it."""
        past = reviewed(self.scheme, self.state, self.zone)
        if past is None:
            return
        at = past.ends_at if self.is_grace_open else self.now
        verdict = self._judge(past, at)
        if verdict.kept != self.kept:
            self.kept_counted = verdict.counted
        is_safe = self.is_grace_open and verdict.kept == self.kept and verdict.grace_until is None
        if verdict.kept > self.kept or is_safe or self.because in _LOWERING:
            self._keep(verdict, at)

    def _are_rules_new(self, was_due: bool) -> bool:
        state, ranks = self.state, self.scheme.ranks
        return (
            self.because is TierReason.RULES
            or state.tier not in ranks
            or state.kept not in ranks
            # Something that nobody waited for is due: reviews are at other times now.
            or (state.review_at is not None and not was_due and self.cycle.ends_at <= self.now)
        )

    def _adopt(self) -> None:
        """Go on by new rules, as if they had been those of the last review.

        What was kept stays till the next review, where it is known; what would have been kept by
        the new rules is kept too.
        """
        scheme, state = self.scheme, self.state
        day = local_day(self.now, self.zone)
        cycle = cycle_of(scheme.window, state.joined_on, day, self.zone)
        first = cycle_of(scheme.window, state.joined_on, state.joined_on, self.zone)
        starts_at = cycle.starts_at if cycle.first > first.first else None
        if starts_at != state.reviewed_at and self.now >= self.cycle.ends_at:
            self._stand_from(starts_at)
        elif state.reviewed_at is not None and reviewed(scheme, state, self.zone) is None:
            self._stand_from(starts_at)
        if (past := reviewed(scheme, state, self.zone)) is not None:
            counted = counted_by(scheme, self.sheet, past, past.end)
            if level(scheme, counted) > self.kept:
                self.kept, self.kept_counted = level(scheme, counted), counted
        if state.tier not in scheme.ranks:
            there = reached(scheme, self.sheet, self.cycle, self.cycle.end)
            counted = self._counted(self.cycle.end)
            self._note(max(self.kept, there, self.override), TierReason.RULES, counted, self.now)

    # --- changes ----------------------------------------------------------------------------------

    def _settle(self, end: date, at: datetime, *, is_last: bool) -> None:
        """What was reached before *end*, noted; *at* is the moment until which it happened."""
        there = reached(self.scheme, self.sheet, self.cycle, end)
        target = max(self.kept, there, self.override)
        if target > self.tier:
            self._rise(end, at, is_last=is_last)
        elif target < self.tier:
            if self.because not in _LOWERING:
                self.kept = self.tier  # Other rules; they lower nothing before a review.
            elif is_last:
                counted = self._counted(end) if self.kept_counted is None else self.kept_counted
                self._note(target, self.because, counted, self.happened_at or at)

    def _rise(self, end: date, at: datetime, *, is_last: bool) -> None:
        happened_at = self.happened_at
        if happened_at is None or (happened_at > at and not is_last):
            happened_at = at if is_last else None
        steps: list[tuple[datetime, int, int, TierReason]] = []
        earned, reason = _for_a_rise(self.because), _for_a_rise(self.because)
        if self.kept > self.tier:
            reviewed_at = self.state.reviewed_at
            if earned is TierReason.EARNED and _is_before(self.happened_at, reviewed_at):
                reason = TierReason.LATE_RECEIPT
            counted = self._counted(end) if self.kept_counted is None else self.kept_counted
            moment = happened_at or (at if is_last else self.cycle.starts_at)
            steps.append((moment, self.kept, counted, reason))
        above = max(self.tier, self.kept)
        for rise in rises(self.scheme, self.sheet, self.cycle, end, above):
            steps.append((self._moment(rise, happened_at), rise.rank, rise.counted, earned))
        if self.override > max(above, *(step[1] for step in steps), 0):
            reason = earned if earned is TierReason.MERGED else TierReason.RULES
            steps.append((at, self.override, self._counted(end), reason))
        steps = [(self._bounded(step[0]), *step[1:]) for step in steps]
        for number, (moment, tier, counted, reason) in enumerate(steps, 1):
            if number == len(steps) or moment < steps[number][0]:
                self._note(tier, reason, counted, moment)

    def _moment(self, rise: Rise, happened_at: datetime | None) -> datetime:
        began = midnight(rise.day, self.zone)
        return began if happened_at is None else max(began, happened_at)

    def _fall(self, reason: TierReason, at: datetime, end: date, counted: int) -> None:
        there = reached(self.scheme, self.sheet, self.cycle, end)
        target = max(self.kept, there, self.override)
        if target != self.tier:
            self._note(target, reason, counted, at)

    def _note(self, tier: int, reason: TierReason, counted: int, at: datetime) -> None:
        state = self.state
        if state.tier not in self.scheme.ranks:
            reason = TierReason.RULES
        code, moment = self.scheme.code(tier), self._bounded(at)
        self.changes.append(Change(state.tier, code, reason, counted, moment))
        self.tier, state.tier, state.changed_at = tier, code, moment

    def _bounded(self, moment: datetime) -> datetime:
        """Not after now, and never before the last change."""
        moment, last = min(moment, self.now), self.state.changed_at
        return moment if last is None else max(moment, last)

    def _counted(self, end: date) -> int:
        if self.scheme.is_rolling:
            end = min(end, day_after(self.now, self.zone))
        return counted_by(self.scheme, self.sheet, self.cycle, end)

    def _due_at(self) -> datetime | None:
        state, cycle = self.state, self.cycle
        there = reached(self.scheme, self.sheet, cycle, cycle.end)
        moments = []
        if self.is_grace_open and state.grace_until is not None:
            moments.append(state.grace_until)
        if state.override_until is not None:
            moments.append(state.override_until)
        is_beyond = self.sheet.next_from(cycle.end) is not None
        if moments or is_beyond or max(self.kept, there) > 0:
            moments.append(cycle.ends_at)
        return min(moments, default=None)


def _for_a_rise(because: TierReason) -> TierReason:
    """What a return that was undone gives again is earned."""
    return TierReason.EARNED if because is TierReason.RETURNED else because


def _day_before(day: date) -> date:
    return day - timedelta(days=1)


def _is_before(moment: datetime | None, other: datetime | None) -> bool:
    return moment is not None and other is not None and moment < other
