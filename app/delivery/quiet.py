"""Whether a counter is busy: where there is one writer at a time, tills go before sums."""

import time
from collections.abc import Callable

#: Commits a second of a busy counter; each of them may be of many postings.
BUSY = 50
#: Who is busy for longer is always so: then sums are made beside it.
LONGEST_SECONDS = 60.0
_SPAN_SECONDS = 1.0


class Quiet:
    """Says when what can wait may be done. *clock* gives seconds that never go back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._commits, self._asked_at = 0, clock()
        self._is_busy, self._busy_since = False, 0.0

    def note(self) -> None:
        """Something was committed."""
        self._commits += 1

    def is_now(self) -> bool:
        """Whether there were few commits since this was asked last, or many for too long."""
        now = self._clock()
        elapsed = now - self._asked_at
        if elapsed >= _SPAN_SECONDS:
            is_busy = self._commits / elapsed >= BUSY
            if is_busy and not self._is_busy:
                self._busy_since = self._asked_at
            self._commits, self._asked_at, self._is_busy = 0, now, is_busy
        return not self._is_busy or now - self._busy_since >= LONGEST_SECONDS
