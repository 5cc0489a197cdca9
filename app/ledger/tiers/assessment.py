"""Bringing an account's tier up to a moment: seldom more than a sum, else a walk through time."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from app.ledger.tiers.model import Change, Count, TierReason, TierScheme, TierState
from app.ledger.tiers.review import counts_from
from app.ledger.tiers.walk import Walk, is_open, settled_at
from app.ledger.tiers.windows import (
    Cycle,
    Sheet,
    a_year_to,
    level,
    reached,
    reviewed,
    standing,
)


def is_due(state: TierState, now: datetime) -> bool:
    """Whether something has fallen due that `assess` has not seen.

    An account is brought up to date before a receipt is valued: the tier may have changed.
    """
    return state.review_at is not None and state.review_at <= now


def earliest_day(
    scheme: TierScheme,
    state: TierState,
    now: datetime,
    time_zone: str,
    *,
    unchanged_before: datetime | None = None,
) -> date:
    """The first day whose count `assess` may need, however late it is called.

    That is what the last review counted, since a late receipt or a return does it again. With
    *unchanged_before* (no day before has changed since the last call) less may do: call `assess`
    then for what was `EARNED`.
    """
    cycle = standing(scheme, state, time_zone)
    needed = a_year_to(cycle.first) if scheme.is_rolling else cycle.first
    if state.reviewed_at is None:
        return needed
    is_known = state.kept in scheme.ranks and state.tier in scheme.ranks
    if unchanged_before is not None and is_known and not (is_due(state, now) and is_open(state)):
        if settled_at(state, state.reviewed_at, now) <= unchanged_before:
            return needed
    last = reviewed(scheme, state, time_zone)
    if last is None:
        return min(needed, cycle.reviewed_from)
    if scheme.is_rolling:
        return min(needed, a_year_to(last.first))
    return counts_from(scheme, last)


def assess(
    scheme: TierScheme,
    state: TierState,
    days: Mapping[date, Count],
    now: datetime,
    time_zone: str,
    *,
    because: TierReason = TierReason.EARNED,
    happened_at: datetime | None = None,
) -> Sequence[Change]:
    """Bring *state* up to *now* and say what changed, in its order.

    *days* are what the local days count, from `earliest_day` at least, with what is assessed
    already in them. A return lowers the day of its receipt. Doing it twice changes nothing.

    What fell due since the last call (reviews, graces, overrides that ended) happens first, in
    its order and with the moments that it had. Then what the posting brought: *because* of what,
    which *happened_at* (now, if not given).

    * ``EARNED`` raises only. It is also for points that were pending and for looks without a
      posting.
    * ``LATE_RECEIPT``: the last review is done again if it counts that day. An upgrade takes
      effect when the receipt happened, or on the later day that reached it, but never before the
      last change: so the latest change at or before a moment, by `effective_from` and then by
      sequence, is the tier of that moment.
    * ``RETURNED``, for a return and for its undoing: the last review is done again, and the tier
      falls to what is left, at once. Upgrades that an undoing gives again are ``EARNED``.
    * ``MERGED``, for a merge (after `absorb`) and its undoing: as with a return.
    * ``RULES``: the scheme is new. Call it with the old one first, so that nothing is due.
    """
    if now < (cycle := standing(scheme, state, time_zone)).ends_at and (
        (state.review_at is None or now < state.review_at)
        and _is_plain(state, because, happened_at, now)
        and _is_quiet(scheme, state, days, cycle, now)
    ):
        return ()
    return Walk(scheme, state, days, now, time_zone, because, happened_at).run()


def _is_plain(
    state: TierState, because: TierReason, happened_at: datetime | None, now: datetime
) -> bool:
    """Whether what is assessed belongs to the time since the last review."""
    if because is not TierReason.EARNED and (
        because is not TierReason.LATE_RECEIPT or happened_at is None
    ):
        return False
    if happened_at is None or state.reviewed_at is None:
        return True
    return happened_at >= settled_at(state, state.reviewed_at, now)


def _is_quiet(
    scheme: TierScheme,
    state: TierState,
    days: Mapping[date, Count],
    cycle: Cycle,
    now: datetime,
) -> bool:
    """Whether the tier stays as it is; then only `review_at` is put right.

    Also looks whether what the last review counted has become enough for more than it kept, as
    when points were pending then.
    """
    ranks = scheme.ranks
    kept = ranks.get(state.kept, -1)
    tier = ranks.get(state.tier, -1)
    if kept < 0 or tier < 0:
        return False
    look = _rolling if scheme.is_rolling else _of_year
    there, is_beyond = look(scheme, days, cycle, kept, state.reviewed_at)
    base = max(kept, there)
    if max(base, ranks.get(state.override, 0)) != tier:
        return False
    due_at = cycle.ends_at if base or is_beyond or state.override_until is not None else None
    if state.grace_until is not None and now < state.grace_until:
        due_at = state.grace_until
    if state.override_until is not None and (due_at is None or state.override_until < due_at):
        due_at = state.override_until
    state.review_at = due_at
    return True


#: A rank that no tier has: says that a closer look is needed.
_LOOK_CLOSER = 1 << 30


def _of_year(
    scheme: TierScheme,
    days: Mapping[date, Count],
    cycle: Cycle,
    kept: int,
    reviewed_at: datetime | None,
) -> tuple[int, bool]:
    """The rank that was reached since the review, and whether there are days after *cycle*."""
    first, end, starts_at, _ends_at, reviewed_from = cycle
    place = scheme.place
    counted = earlier = 0
    is_beyond = False
    for day, count in days.items():
        if day >= first:
            if day < end:
                counted += count[place]
            else:
                is_beyond = True
        elif day >= reviewed_from:
            earlier += count[place]
    if earlier and reviewed_at == starts_at and level(scheme, earlier) > kept:
        return _LOOK_CLOSER, is_beyond
    return level(scheme, counted), is_beyond


def _rolling(
    scheme: TierScheme,
    days: Mapping[date, Count],
    cycle: Cycle,
    kept: int,
    reviewed_at: datetime | None,
) -> tuple[int, bool]:
    """Goes through the windows one by one only if more than the last and *kept* can be in them."""
    first, end, starts_at, _ends_at, reviewed_from = cycle
    last = max(days, default=first)
    if last >= end:
        return reached(scheme, Sheet(scheme, days), cycle, end), True
    place = scheme.place
    from_first, from_last = a_year_to(first), a_year_to(max(first, last))
    since_review = before_it = leaving = left = 0
    for day, count in days.items():
        if day >= first:
            since_review += count[place]
        elif day >= from_last:
            before_it += count[place]
        elif day >= from_first:
            leaving += count[place]
        elif day >= reviewed_from:
            left += count[place]
    earlier = before_it + leaving + left
    if earlier and reviewed_at == starts_at and level(scheme, earlier) > kept:
        return _LOOK_CLOSER, False
    there = level(scheme, before_it + since_review) if last >= first else 0
    if level(scheme, leaving + before_it + since_review) > max(there, kept):
        there = reached(scheme, Sheet(scheme, days), cycle, end)
    return there, False
