"""Several postings on their way at once, those of one card one after another.

What is sent here was written to the queue before, and what came of it is written there after.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from scanner.errors import Refused, ServiceError, TillRevoked, TryLater
from scanner.unsent import Posting

# The service is down rather than one posting unlucky: enough for now.
FAULTS_IN_A_ROW = 3
LOST_IN_A_ROW = 8

Send = Callable[[Posting], dict[str, Any]]


class Luck:
    """Decides, over all lanes, when the service is not worth asking any more for now."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults = self._lost = 0
        self.stopped: ServiceError | None = None
        #: It was stopped by faults of the service itself, which answers.
        self.stumbled = False

    def had(self, result: dict[str, Any] | ServiceError) -> None:
        """Take note of what came of a posting."""
        with self._lock:
            if isinstance(result, TillRevoked):
                self.stopped = result
            elif isinstance(result, TryLater):
                self._failed(result)
            else:
                self._faults = self._lost = 0

    def _failed(self, later: TryLater) -> None:
        once = later.code is not None or later.lost
        self._lost += 1
        self._faults += later.code is not None or later.slow
        too_many = self._faults >= FAULTS_IN_A_ROW or self._lost >= LOST_IN_A_ROW
        if not once or later.too_often or too_many:
            if self.stopped is None:
                self.stumbled = later.code is not None and not later.too_often
            self.stopped = self.stopped or later


@dataclass(slots=True)
class Round:
    """What came of a few postings. Those that are in none of these were not tried."""

    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    refused: dict[str, Refused] = field(default_factory=dict)
    failed: dict[str, ServiceError] = field(default_factory=dict)


def send_all(
    postings: Sequence[Posting], send: Send, luck: Luck, pool: ThreadPoolExecutor
) -> Round:
    """Send postings, each lane in their order; stop where `luck` says so."""
    lanes: dict[str, list[Posting]] = {}
    for posting in postings:
        lanes.setdefault(posting.card_id or posting.after_id or posting.id, []).append(posting)
    done = Round()
    for found in pool.map(lambda lane: _send_lane(lane, send, luck), lanes.values()):
        done.answers |= found.answers
        done.refused |= found.refused
        done.failed |= found.failed
    return done


def _send_lane(lane: Sequence[Posting], send: Send, luck: Luck) -> Round:
    done, here = Round(), {posting.id for posting in lane}
    for posting in lane:
        if luck.stopped is not None:
            break
        if posting.after_id in here and posting.after_id not in done.answers:
            continue  # what it takes back is not there yet, or never will be
        try:
            answer = send(posting)
        except Refused as refused:
            done.refused[posting.id] = refused
            luck.had({})
        except ServiceError as error:
            done.failed[posting.id] = error
            luck.had(error)
        else:
            done.answers[posting.id] = answer
            luck.had(answer)
    return done
