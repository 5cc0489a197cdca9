"""What a lane is, and the thread that it works in."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from email.utils import formatdate
from typing import Any, NamedTuple, Protocol

from app.front.requests import Asked

_log = logging.getLogger(__name__)

#: Under this name an application says which lanes it has, in its `extensions`.
LANES = "counterfoil.lanes"


class Answer(NamedTuple):
    """An answer, whole: the status as "200 OK", headers, and the body in parts."""

    status: str
    headers: Sequence[tuple[str, str]]
    body: Sequence[bytes] = ()


class Lane(Protocol):
    """Answers requests of one kind, many at once."""

    @property
    def begins(self) -> bytes:
        """What such a request begins with: method, blank, and the beginning of its target."""

    @property
    def gather_seconds(self) -> float:
        """After many were answered at once: how long to wait for as many to come again."""

    def answer(self, asked: Sequence[Asked]) -> Sequence[Answer | None]:
        """An answer to each, or None: that one goes the usual way, as if it had not been here."""


class Waiting(NamedTuple):
    """A request on its way through a lane: its connection, its bytes, and what it asks."""

    connection: Any
    data: bytes
    asked: Asked


class LaneThread:
    """One lane's thread: takes all that has come in, has it answered, and begins again.

    *done* is called in that thread with those answered (their bytes in parts, or None to hand on).
    """

    def __init__(
        self, lane: Lane, done: Callable[[Sequence[tuple[Waiting, list[bytes] | None]]], None]
    ) -> None:
        self.lane = lane
        self._done = done
        self._waiting: deque[Waiting] = deque()
        self._new: list[Waiting] = []
        self._called = threading.Event()
        self._most = 64
        self._in_hand = False
        self._last_many = 1
        #: So many have to wait for the thread to be called.
        self._enough = 1
        threading.Thread(target=self._run, name=type(lane).__name__, daemon=True).start()

    @property
    def is_busy(self) -> bool:
        """Whether requests are being answered, or wait to be."""
        return bool(self._new or self._waiting or self._in_hand)

    def add(self, waiting: Waiting) -> None:
        """Line up a request; `go` has it answered."""
        self._new.append(waiting)

    def go(self) -> None:
        """Have what was added answered."""
        if self._new:
            self._waiting.extend(self._new)
            self._new.clear()
            if len(self._waiting) >= self._enough:
                self._called.set()

    def _run(self) -> None:
        while True:
            self._called.wait()
            self._called.clear()
            self._in_hand = True
            self._gather()
            while self._waiting:
                count = min(self._most, len(self._waiting))
                self._last_many = count
                self._answer([self._waiting.popleft() for _ in range(count)])
            self._in_hand = False

    def _gather(self) -> None:
        """Whoever is alone never waits; those who were answered together come again together."""
        # Woken once, when all are there: each time in between costs both threads.
        self._enough = self._last_many
        if len(self._waiting) < self._enough:
            self._called.wait(self.lane.gather_seconds)
        self._enough = 1
        self._called.clear()

    def _answer(self, waiting: list[Waiting]) -> None:
        answers: Sequence[Answer | None] = [None] * len(waiting)
        try:
            answers = self.lane.answer([each.asked for each in waiting])
        except Exception:
            # What is wrong shows itself again the usual way, where there is an answer for it.
            _log.debug("handed on", exc_info=True)
        date = _date(int(time.time()))
        self._done(
            [
                (each, None if answer is None else _written(answer, date))
                for each, answer in zip(waiting, answers, strict=True)
            ]
        )


def _written(answer: Answer, date: str) -> list[bytes]:
    lines = [f"HTTP/1.1 {answer.status}", f"Date: {date}", "Connection: keep-alive"]
    lines += [f"{name}: {value}" for name, value in answer.headers]
    if not answer.status.startswith("304"):
        lines.append(f"Content-Length: {sum(map(len, answer.body))}")
    return ["\r\n".join((*lines, "", "")).encode("latin-1"), *answer.body]


_dates: dict[int, str] = {}


def _date(second: int) -> str:
    found = _dates.get(second)
    if found is None:
        _dates.clear()
        found = _dates[second] = formatdate(second, usegmt=True)
    return found
