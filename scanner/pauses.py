"""How long to wait before what could not be sent is sent again."""

from __future__ import annotations

import random
from collections.abc import Callable

from scanner.sending import Report

FIRST_SECONDS = 1.0
LONGEST_SECONDS = 120.0


class Pauses:
    """Back-off with jitter: twice as long after every round that brought nothing, and never all
    tills of a shop at the same moment. A round that brought something starts it over.

    `chance` draws a number from 0 to 1.
    """

    def __init__(
        self,
        chance: Callable[[], float] = random.random,
        *,
        longest_seconds: float = LONGEST_SECONDS,
    ) -> None:
        self._chance, self._longest = chance, longest_seconds
        self._next = FIRST_SECONDS

    def after(self, report: Report) -> float:
        """Return the seconds to wait after a round; at least what the service asked for."""
        if report.sent or report.set_aside:
            self._next = FIRST_SECONDS
        if report.stopped is None:
            return 0.0
        seconds = self._next * (0.5 + self._chance() / 2)
        self._next = min(self._longest, self._next * 2)
        return max(seconds, float(report.retry_after_seconds or 0))
