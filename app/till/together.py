"""Several requests, one commit.

A durable commit takes the disk longer than all the rest of a posting. Requests that come in while
one is under way therefore wait for each other and share the next, and an answer goes out only after
its commit. Whoever is alone never waits for company; where the last commit was shared, the next
one waits a moment for those who are just being answered and come again.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

GATHER_SECONDS = 0.002

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


class _Place(Generic[Asked, Answer]):
    """One request's place in the queue: it is answered, or called to the head of the queue."""

    __slots__ = ("answer", "asked", "called", "error")

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.answer: Answer | None = None
        self.error: BaseException | None = None
        self.called = threading.Event()

    @property
    def is_answered(self) -> bool:
        return self.answer is not None or self.error is not None


class Together(Generic[Asked, Answer]):
    """Gathers what many threads ask at once and does it with one call of *work*.

    *work* is given up to *most* of them, commits, and answers each with a value or an error. Where
    it fails as a whole, each is tried alone, so that nobody suffers from a neighbour.
    """

    def __init__(
        self, work: Callable[[Sequence[Asked]], Sequence[Answer | Exception]], *, most: int = 64
    ) -> None:
        self._work = work
        self._most = most
        self._lock = threading.Lock()
        self._queue: deque[_Place[Asked, Answer]] = deque()
        self._is_busy = False
        self._was_shared = False

    def do(self, asked: Asked) -> Answer:
        """Do what is asked, together with whatever else is; the answer, or its error raised."""
        place: _Place[Asked, Answer] = _Place(asked)
        with self._lock:
            self._queue.append(place)
            is_first = not self._is_busy
            self._is_busy = True
        if not is_first:
            place.called.wait()
        if not place.is_answered:
            self._lead()
        if place.error is not None:
            raise place.error
        assert place.answer is not None  # noqa: S101 - one of the two is always there
        return place.answer

    def _lead(self) -> None:
        """Do all that waits now; then call whoever came meanwhile to do the rest."""
        if self._was_shared:
            time.sleep(GATHER_SECONDS)
        with self._lock:
            places = [self._queue.popleft() for _ in range(min(self._most, len(self._queue)))]
        self._was_shared = len(places) > 1
        try:
            self._answer(places)
        finally:
            with self._lock:
                following = self._queue[0] if self._queue else None
                self._is_busy = following is not None
            for place in places:
                place.called.set()
            if following is not None:
                following.called.set()

    def _answer(self, places: Sequence[_Place[Asked, Answer]]) -> None:
        try:
            results = self._work([place.asked for place in places])
        except Exception as error:
            if len(places) == 1:
                places[0].error = error
                return
            for place in places:
                self._answer([place])
            return
        except BaseException as error:
            # The process is being ended: nobody may be left waiting for an answer.
            for place in places:
                place.error = error
            raise
        for place, result in zip(places, results, strict=True):
            if isinstance(result, Exception):
                place.error = result
            else:
                place.answer = result
