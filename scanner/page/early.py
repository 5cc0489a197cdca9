"""A card that is held up while the till is locked: kept for a moment, for who signs in.

Only its code is kept, only in memory, and nobody is asked about it: nothing is known of the
customer before somebody has signed in. It is taken up where the customer is still there, that is
where the code was read a few seconds ago; else the next customer might be served on it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime

from scanner.check import KeyRing, check, identity
from scanner.page.showing import Showing
from scanner.page.state import Stage

#: As long as it takes to type a PIN; a phone that stays in view is read again and again.
KEPT_SECONDS = 10.0


class Early:
    """The one card that waits for a cashier; safe to use from every thread.

    Whether one does is the fact ``card_waits`` of the page.
    """

    def __init__(self, showing: Showing, clock: Callable[[], float] = time.monotonic) -> None:
        self._showing, self._clock = showing, clock
        self._lock = threading.Lock()
        self._text: str | None = None
        self._seen_at = float("-inf")

    def offer(self, text: str, ring: KeyRing, now: datetime) -> None:
        """Keep `text` if it is a card, good or not; any other code hangs there, or is no matter."""
        if check(text, ring, now).reading is not None:
            self.keep(text)

    def keep(self, text: str) -> None:
        """Keep a card that is held up; it takes the place of the one before."""
        with self._lock:
            self._text, self._seen_at = text, self._clock()
        self.show()

    def sighted(self, text: str) -> None:
        """A code is read once more. Of the card that waits, the newest code is the good one."""
        with self._lock:
            if self._text is not None and identity(text) == identity(self._text):
                self._text, self._seen_at = text, self._clock()

    @property
    def waits(self) -> bool:
        """Whether a card was read a moment ago and nobody has served it."""
        with self._lock:
            return self._text is not None and self._clock() - self._seen_at <= KEPT_SECONDS

    def take(self) -> str | None:
        """Return the newest code of the card that was kept last, and forget it."""
        with self._lock:
            text, self._text = self._text, None
        self.show()
        return text

    def show(self) -> None:
        """Show on the locked page whether a card waits; time alone changes it too."""
        locked = self._showing.view.stage is Stage.LOCKED
        self._showing.state(card_waits=locked and self.waits)
