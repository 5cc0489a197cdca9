"""Steps of the background work, each in a thread of its own: at once while there is work, then when
woken or in time."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

_log = logging.getLogger(__name__)

_GLANCE_SECONDS = 0.05
#: Where a step did so much, so many times as long passes until the next one: the busier a counter,
#: the less may be done beside it.
_MANY = 20
_TIMES_AS_LONG = 5
_LONGEST_PAUSE_SECONDS = 15.0
_LONGEST_REST_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Progress:
    """What one step did: accounts and cards *taken_up*, wallets *settled*, wallets *unsent*;
    *wanted* are wallets that were put on the list."""

    taken_up: int = 0
    settled: int = 0
    unsent: int = 0
    wanted: int = 0

    @property
    def done(self) -> int:
        """How much is no longer to be done."""
        return self.taken_up + self.settled


@dataclass(frozen=True, slots=True)
class Lane:
    """A step that a thread of its own runs: at least every *poll_seconds*, sooner when woken.

    *gather_seconds* after it was woken it begins: at a busy counter one look does for many commits.
    *rest*: so many times as long as a step took, nothing is done after it, though there is more to
    do. Where the machine is busy steps take longer, and so do the rests: tills come first.
    """

    name: str
    step: Callable[[], Progress | None]
    poll_seconds: float
    gather_seconds: float = 0.0
    rest: float = 0.0
    wake: threading.Event = field(default_factory=threading.Event)


def thread_of(name: str, target: Callable[..., None], *args: object) -> threading.Thread:
    # Daemons: a process that ends does not wait for a push that may be sent again anyway.
    thread = threading.Thread(target=target, args=args, name=name, daemon=True)
    thread.start()
    return thread


def run_lane(lane: Lane, stop: threading.Event) -> None:
    """Run its step again and again: at once while there is work, then when woken or in time."""
    failures = 0
    while not stop.is_set():
        lane.wake.clear()
        begun = time.monotonic()
        try:
            progress = lane.step()
        except Exception:
            failures += 1
            _log.exception("a step of %s failed; it is tried again", lane.name)
            stop.wait(_pause(failures))
            continue
        if progress is None:
            failures = 0
            if lane.wake.wait(lane.poll_seconds):
                stop.wait(lane.gather_seconds)
        elif progress.unsent and not progress.settled:
            failures += 1
            stop.wait(_pause(failures))
        elif not progress.done:
            # What is due is in somebody else's hands for a moment.
            stop.wait(_GLANCE_SECONDS)
        else:
            failures = 0
            many = _TIMES_AS_LONG if progress.taken_up >= _MANY else 1
            rest = min(lane.rest * (time.monotonic() - begun), _LONGEST_REST_SECONDS)
            stop.wait(max(many * lane.gather_seconds, rest))


def _pause(failures: int) -> float:
    """Seconds to leave the other side alone after *failures* in a row."""
    return float(min(0.5 * 2 ** min(failures - 1, 10), _LONGEST_PAUSE_SECONDS))
