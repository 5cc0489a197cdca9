"""The short way for devices that fetch their passes: they come by the ten thousand at once.

A lane (see `app.front`): it answers what went well, many at a time; whatever did not (a wrong
token, no certificate, a design that is yet to be laid out, a database that is away) goes on to
`app.api.apple`, which says so. Both ask the same `PassDesk`. Flask and a thread for each request
would take longer than the signature.
"""

import re
from collections.abc import Iterator, Sequence

from app.delivery.pass_desk import Asking, Fetched, PassDesk
from app.front import Answer, Asked

PKPASS = "application/vnd.apple.pkpass"
CACHE_CONTROL = "no-cache, private"

_TARGET = re.compile(rb"/v1/passes/([A-Za-z0-9.-]{1,200})/([A-Za-z0-9]{1,32})")
_HEADERS = (
    ("Cache-Control", CACHE_CONTROL),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
)


class PassLane:
    """Answers fetches of passes, many at once."""

    begins = b"GET /v1/passes/"
    #: Whoever is there is answered at once: waiting for all who come again left the processors idle
    #: for a sixth of the time, which is more than a look into the database for each few costs.
    gather_seconds = 0.0

    def __init__(self, desk: PassDesk) -> None:
        self._desk = desk

    def read(self, asked: Asked) -> Asking | None:
        """Which pass is asked for; None where the address names none."""
        return _asking(asked)

    def answer(self, asked: Sequence[Asking]) -> Iterator[Answer | None]:
        """The passes of those that are in order; None for the others."""
        for fetched in self._desk.fetch_ready(asked):
            yield None if fetched is None else _answer(fetched)


def _asking(asked: Asked) -> Asking | None:
    match = _TARGET.fullmatch(asked.target)
    if match is None:
        return None
    headers = asked.headers
    return Asking(
        pass_type=match[1].decode(),
        serial=match[2].decode(),
        authorization=headers.get(b"authorization", b"").decode(),
        since=headers.get(b"if-modified-since", b"").decode(),
    )


def _answer(fetched: Fetched) -> Answer:
    headers = (("Last-Modified", fetched.last_modified), *_HEADERS)
    if fetched.parts is None:
        return Answer("304 Not Modified", headers)
    return Answer("200 OK", (("Content-Type", PKPASS), *headers), fetched.parts)
