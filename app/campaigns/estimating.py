"""How long a campaign takes until everybody is told, for whoever looks at its progress. Pure."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.campaigns.timing import Quiet, is_quiet, next_allowed

#: Requests a second that Google allows an issuer.
GOOGLE_PER_SECOND = 20.0
#: Pushes a second, where nothing is known of this machine yet.
APPLE_PER_SECOND = 500.0
_STEP = timedelta(minutes=15)
_MOST_STEPS = 4 * 24 * 60


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many wait by lane, and how many of those at Google had their notices of the day."""

    apple: int = 0
    google: int = 0
    on_page: int = 0
    google_without_notice: int = 0


def seconds(waiting: Waiting, *, per_minute: int = 0, apple_per_second: float = 0.0) -> float:
    """How long it takes to tell them without a break: the slowest of the lanes, or the pace."""
    rate = apple_per_second or APPLE_PER_SECOND
    lanes = [waiting.apple / rate, waiting.google / GOOGLE_PER_SECOND]
    if per_minute:
        lanes.append((waiting.apple + waiting.google + waiting.on_page) * 60 / per_minute)
    return max(lanes)


def finishes_at(
    now: datetime,
    work_seconds: float,
    *,
    quiet: Quiet | None,
    time_zone: str,
    last_due_at: datetime | None = None,
) -> datetime:
    """When everybody is told: quiet hours stand still, and nobody is told before their hour."""
    at, left = now, work_seconds
    for _ in range(_MOST_STEPS):
        at = next_allowed(at, quiet, time_zone)
        if left <= 0:
            break
        step = min(_STEP.total_seconds(), left)
        until = at + timedelta(seconds=step)
        if is_quiet(until, quiet, time_zone):
            # The minute in which the quiet begins ends this stretch.
            step = _until_quiet(at, until, quiet, time_zone)
            until = at + timedelta(seconds=step)
        at, left = until, left - max(step, 1.0)
    return max(at, last_due_at) if last_due_at is not None else at


def _until_quiet(at: datetime, until: datetime, quiet: Quiet | None, time_zone: str) -> float:
    moment = at
    while moment < until and not is_quiet(moment, quiet, time_zone):
        moment += timedelta(minutes=1)
    return max((moment - at).total_seconds(), 60.0)


def minutes(work_seconds: float) -> int:
    """The same in whole minutes, for a sentence."""
    return math.ceil(work_seconds / 60)
