"""What a lane is, and how its answers are written."""

import time
from collections.abc import Sequence
from email.utils import formatdate
from typing import NamedTuple, Protocol

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

    def answer(self, asked: Sequence[Asked]) -> Sequence[Answer | None]:
        """An answer to each, or None: that one goes the usual way, as if it had not been here."""


def written(answer: Answer) -> list[bytes]:
    """An answer's bytes, in parts, for a connection that stays open."""
    date = _date(int(time.time()))
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
