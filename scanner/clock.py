"""The time at this till: the service's, carried on by the machine's uptime.

A till's own clock may be wrong by hours, or be set while the network is down. So whenever the
service says what time it is, that is noted beside the machine's uptime, which nobody can set:
until the machine restarts, the time is what the service said plus the uptime since. After a
restart there is only the machine's clock, corrected by how wrong it was, and what is known
besides: no posting can be older than the last one.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Protocol

# Within this the service takes a till's word on when something happened.
TOLERANCE = timedelta(minutes=2)

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_THIS_PROCESS = f"process {os.getpid()} {time.time_ns()}"


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment by the machine's uptime: seconds since the start called `boot`."""

    boot: str
    seconds: float


@dataclass(frozen=True, slots=True)
class ClockNotes:
    """What the till keeps about its clock.

    At `moment` the service said `service_at`, and this machine's clock was `ahead` of it (less
    than nothing: behind). `latest` is when the last posting was made: it is later now.
    """

    service_at: datetime | None = None
    moment: Moment | None = None
    ahead: timedelta = timedelta()
    latest: datetime | None = None


class ClockTrouble(StrEnum):
    """What is wrong with this machine's clock."""

    FAST = "fast"
    SLOW = "slow"
    SET_BACK = "set_back"


class Notebook(Protocol):
    """Where the notes are kept: the queue."""

    def clock_notes(self) -> ClockNotes:
        """Return what was kept."""

    def note_clock(self, notes: ClockNotes) -> None:
        """Keep it."""


def machine_clock() -> datetime:
    """Return what the machine's clock shows."""
    return datetime.now(UTC)


def uptime() -> Moment:
    """Return the machine's uptime, sleep included; that of this process where there is none."""
    try:
        return Moment(_BOOT_ID.read_text().strip(), time.clock_gettime(time.CLOCK_BOOTTIME))
    except (OSError, AttributeError):
        return Moment(_THIS_PROCESS, time.monotonic())


class TillClock:
    """Call it for the time. `ahead` is how far the machine's clock is ahead of that."""

    def __init__(
        self,
        notebook: Notebook,
        *,
        machine: Callable[[], datetime] = machine_clock,
        uptime: Callable[[], Moment] = uptime,
    ) -> None:
        self._notebook, self._machine, self._uptime = notebook, machine, uptime
        self._notes = notebook.clock_notes()
        self._set_back = False
        self._start, self._started = self._first(), uptime()

    def __call__(self) -> datetime:
        """Return the time, as well as it is known; it never goes backwards by itself."""
        up, notes = self._uptime(), self._notes
        if notes.service_at and notes.moment and notes.moment.boot == up.boot:
            return notes.service_at + timedelta(seconds=up.seconds - notes.moment.seconds)
        return self._start + timedelta(seconds=up.seconds - self._started.seconds)

    @property
    def is_sure(self) -> bool:
        """Whether the service has said what time it is since the machine started."""
        moment = self._notes.moment
        return moment is not None and moment.boot == self._uptime().boot

    @property
    def ahead(self) -> timedelta:
        """How far the machine's clock is ahead of the time; less than nothing: behind."""
        return self._machine() - self()

    @property
    def trouble(self) -> ClockTrouble | None:
        """What the cashier should be told of this machine's clock, None where it is right."""
        ahead = self.ahead
        if not self.is_sure and self._set_back:
            return ClockTrouble.SET_BACK
        if abs(ahead) <= TOLERANCE:
            return None
        return ClockTrouble.FAST if ahead > timedelta() else ClockTrouble.SLOW

    def moment(self) -> Moment | None:
        """Return the uptime to date a posting by later, None where the time is sure as it is."""
        return None if self.is_sure else self._uptime()

    def at(self, moment: Moment) -> datetime | None:
        """Return the time of an earlier `moment`; None where it was before the last restart."""
        up = self._uptime()
        if moment.boot != up.boot or not self.is_sure:
            return None
        return self() - timedelta(seconds=up.seconds - moment.seconds)

    def heard(self, service_now: datetime, *, took_seconds: float = 0.0) -> None:
        """Note what the service says the time is; its answer took that long to come."""
        service_at = service_now + timedelta(seconds=took_seconds / 2)
        self._notes = ClockNotes(
            service_at, self._uptime(), self._machine() - service_at, service_at
        )
        self._set_back = False
        self._notebook.note_clock(self._notes)

    def _first(self) -> datetime:
        """Return the best guess without the service.

        Whoever set the clock right meanwhile did away with what it was wrong by; a clock before
        the last posting is wrong in any case, and then at least that much time has gone by.
        """
        machine, notes = self._machine(), self._notes
        guess = machine - notes.ahead
        if notes.latest is None or guess >= notes.latest - TOLERANCE:
            return guess
        if machine >= notes.latest - TOLERANCE:
            return machine
        self._set_back = True
        return notes.latest
