"""What is not as it should be at a till without a page, in words: the cashier sees no lights there.

Each alarm is told once, as soon as it is known, and stands in the JSON of the command. None of
them stops a sale; what stops one is an error, and says so itself.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum

from scanner import show
from scanner.backlog import Status
from scanner.check import KeyRing
from scanner.clock import TillClock
from scanner.errors import CameraError, QueueError, ScanError, TillRevoked
from scanner.sending import Report


class Alarm(StrEnum):
    """The closed list; a program at the till may rely on these words."""

    OFFLINE = "offline"
    CAMERA = "camera"
    CLOCK_WRONG = "clock_wrong"
    KEYS = "keys"
    BLOCKED_CARDS_UNKNOWN = "blocked_cards_unknown"
    QUEUE_STUCK = "queue_stuck"
    SET_ASIDE = "set_aside"
    OTHER_PROGRAMME = "other_programme"
    CANNOT_KEEP = "cannot_keep"
    TILL_REVOKED = "till_revoked"


class Alarms:
    """Those that were raised: `tell` is told each in a line, `raised` has them for a program."""

    def __init__(self, tell: Callable[[str], None], raised: list[dict[str, str]]) -> None:
        self._tell, self._raised = tell, raised

    def sound(self, alarm: Alarm, message: str) -> None:
        """Tell of one, unless it was told in these words before."""
        said = {"alarm": str(alarm), "message": message}
        if said not in self._raised:
            self._raised.append(said)
            self._tell(message)

    def clock(self, clock: TillClock) -> None:
        """The machine's clock is wrong; the service's time is used meanwhile."""
        if clock.trouble is not None:
            self.sound(Alarm.CLOCK_WRONG, show.clock_line(clock.trouble, clock.ahead))

    def keys(self, ring: KeyRing) -> None:
        """What cards are judged by could not be brought up to date."""
        if ring.trouble is not None:
            self.sound(Alarm.KEYS, ring.trouble)

    def blocked_cards(self, age: timedelta | None) -> None:
        """The list of refused cards is old, or missing, and nobody can be asked."""
        line = show.refused_line(age)
        if line is not None:
            self.sound(Alarm.BLOCKED_CARDS_UNKNOWN, line)

    def queue(self, kept: Status, report: Report | None, now: datetime) -> None:
        """What waits although it could go, and what somebody has to look into."""
        if kept.waiting and kept.oldest_at is not None:
            line = f"{kept.waiting} waiting here, the oldest {show.ago(now - kept.oldest_at)}."
            if report is None:
                self.sound(Alarm.OFFLINE, show.offline_line(kept.waiting))
            else:
                why = f" {report.stopped}" if report.stopped else ""
                line = f"Not everything could be sent: {line}{why}"
                self.sound(
                    Alarm.QUEUE_STUCK, f"{line} Try again: counterfoil-scan send --cashier NAME"
                )
        self.unresolved(kept)

    def unresolved(self, kept: Status) -> None:
        """What no sending brings away: somebody has to look into it."""
        if kept.set_aside:
            self.sound(
                Alarm.SET_ASIDE,
                f"{kept.set_aside} refused by the service, and not resolved. "
                "Look: counterfoil-scan queue; then: queue again, hand-over or drop.",
            )
        if kept.elsewhere:
            self.sound(
                Alarm.OTHER_PROGRAMME,
                f"{kept.elsewhere} waiting here are of another programme: they go when this till "
                "is enrolled for that one.",
            )


def alarm_of(error: ScanError) -> Alarm | None:
    """The alarm that an error is; None where it is about one card, one person or one posting."""
    for kind, alarm in (
        (TillRevoked, Alarm.TILL_REVOKED),
        (QueueError, Alarm.CANNOT_KEEP),
        (CameraError, Alarm.CAMERA),
    ):
        if isinstance(error, kind):
            return alarm
    return None
