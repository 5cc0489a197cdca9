"""How long it takes until Google has all updates, for whoever is about to cause many."""

import math
from dataclasses import dataclass

from app.delivery.google.pace import REQUESTS_PER_SECOND

#: As many as go in one request when many are waiting; see `sender`.
PARTS = 250


@dataclass(frozen=True, slots=True)
class Estimate:
    """Between *at_least_seconds*, where Google counts a batch as one request and answers at once,
    and *at_most_seconds*, where it counts each update of it."""

    updates: int
    at_least_seconds: float
    at_most_seconds: float

    def __str__(self) -> str:
        if self.updates == 0:
            return "nothing is waiting"
        least, most = _spoken(self.at_least_seconds), _spoken(self.at_most_seconds)
        span = most if least == most else f"{least} to {most}"
        return f"{self.updates:,} updates take {span} at Google's 20 requests a second"


def estimate(updates: int) -> Estimate:
    """How long *updates* of objects take at the pace that Google allows.

    Where all cards are to say the same, one message to their class takes no time at all.
    """
    batches = math.ceil(updates / PARTS)
    return Estimate(updates, batches / REQUESTS_PER_SECOND, updates / REQUESTS_PER_SECOND)


def _spoken(seconds: float) -> str:
    if seconds < 60:
        return f"{max(math.ceil(seconds), 1)} s"
    if seconds < 2 * 3600:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"
