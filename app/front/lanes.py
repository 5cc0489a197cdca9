"""What a lane is, and how its answers are written."""

import time
from collections.abc import Iterable, Sequence
from email.utils import formatdate
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

from app.front.requests import Asked

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

    def read(self, asked: Asked) -> Any:
        """What a request asks, as `answer` wants it; None: it goes the usual way.

        Called as each comes in, so that it is done while others are waited for.
        """

    def answer(self, asked: Sequence[Any]) -> Iterable[Answer | None]:
        """An answer to each, or None: that one goes the usual way, as if it had not been here.

        Each is sent before the next is asked for: while the last ones are written, those who were
        answered first ask again.
        """


def written(answer: Answer) -> list[bytes]:
    """An answer's bytes, in parts, for a connection that stays open."""
    head = _head(answer.status, tuple(answer.headers), int(time.time()))
    if answer.status.startswith("304"):
        return [b"%b\r\n" % head, *answer.body]
    return [b"%bContent-Length: %d\r\n\r\n" % (head, sum(map(len, answer.body))), *answer.body]


@lru_cache(maxsize=256)
def _head(status: str, headers: tuple[tuple[str, str], ...], second: int) -> bytes:
    # Most answers of a second begin with the same lines.
    lines = [f"HTTP/1.1 {status}", f"Date: {_date(second)}", "Connection: keep-alive"]
    lines += [f"{name}: {value}" for name, value in headers]
    return "\r\n".join((*lines, "")).encode("latin-1")


_dates: dict[int, str] = {}


def _date(second: int) -> str:
    found = _dates.get(second)
    if found is None:
        _dates.clear()
        found = _dates[second] = formatdate(second, usegmt=True)
    return found
