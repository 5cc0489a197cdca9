"""What people do to a tier: lift it until a date, end that, merge two accounts."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from app.errors import Invalid
from app.languages import _
from app.ledger.tiers.assessment import assess
from app.ledger.tiers.model import Change, Count, TierReason, TierScheme, TierState, rank
from app.ledger.tiers.windows import Sheet, counted_by, day_after, reached, standing


def override(
    scheme: TierScheme,
    state: TierState,
    tier: str,
    until: datetime,
    days: Mapping[date, Count],
    now: datetime,
    time_zone: str,
) -> Sequence[Change]:
    """Lift an account to *tier* from now to *until* (the first moment without); what changed.

    Takes the place of an override that there is. It never lowers: a lower tier is held in reserve.
    Raises `Invalid` for a tier that the scheme does not know and for an end that has passed.
    """
    wrong = {}
    if rank(scheme, tier) == 0:
        known = ", ".join(level.code for level in scheme.levels)
        wrong["tier"] = [_("There is no such tier. Choose one of: %(known)s.", known=known)]
    if until <= now:
        wrong["until"] = [_("Give a later moment: this one has passed.")]
    if wrong:
        raise Invalid(_("The tier cannot be lifted like this."), wrong)
    changes = list(assess(scheme, state, days, now, time_zone))
    return changes + _set(scheme, state, (tier, until), days, now, time_zone, TierReason.OVERRIDE)


def end_override(
    scheme: TierScheme,
    state: TierState,
    days: Mapping[date, Count],
    now: datetime,
    time_zone: str,
) -> Sequence[Change]:
    """End an override before its time, if there is one; what changed."""
    changes = list(assess(scheme, state, days, now, time_zone))
    over = TierReason.OVERRIDE_OVER
    return changes + _set(scheme, state, (None, None), days, now, time_zone, over)


def _set(
    scheme: TierScheme,
    state: TierState,
    lifted: tuple[str, datetime] | tuple[None, None],
    days: Mapping[date, Count],
    now: datetime,
    time_zone: str,
    reason: TierReason,
) -> list[Change]:
    """Of a state that is up to date."""
    state.override, state.override_until = lifted
    cycle, sheet = standing(scheme, state, time_zone), Sheet(scheme, days)
    base = max(rank(scheme, state.kept), reached(scheme, sheet, cycle, cycle.end))
    tier = scheme.code(max(base, rank(scheme, state.override)))
    changes = []
    if tier != state.tier:
        end = min(day_after(now, time_zone), cycle.end)
        counted = counted_by(scheme, sheet, cycle, end)
        moment = now if state.changed_at is None else max(now, state.changed_at)
        changes.append(Change(state.tier, tier, reason, counted, moment))
        state.tier, state.changed_at = tier, moment
    assess(scheme, state, days, now, time_zone)  # Finds the next moment at which something is due.
    return changes


def absorb(scheme: TierScheme, state: TierState, other: TierState) -> None:
    """Give *state* what *other* kept and was lifted to, where that is more: both are one now.

    `assess` both before, and *state* with the days of both and ``MERGED`` afterwards. To undo a
    merge put both states back as they were and `assess` them with ``MERGED``.
    """
    if rank(scheme, other.kept) > rank(scheme, state.kept):
        state.kept = other.kept
    if rank(scheme, other.before) > rank(scheme, state.before):
        state.before = other.before
    if other.override_until is not None and (
        state.override_until is None
        or (rank(scheme, other.override), other.override_until)
        > (rank(scheme, state.override), state.override_until)
    ):
        state.override, state.override_until = other.override, other.override_until
