"""A short way for the one request that comes by the ten thousand: a device fetches its pass.

It stands before Flask and answers what went well; whatever did not (a wrong token, no certificate,
a database that is away) goes on to `app.api.apple`, which says so. Both ask the same `PassDesk`.
Between the socket and the answer the whole of Flask takes as long as a signature.
"""

import logging
from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from app.delivery.pass_desk import Fetched, PassDesk
from app.errors import CounterfoilError

_log = logging.getLogger(__name__)

PKPASS = "application/vnd.apple.pkpass"
PREFIX = "/v1/passes/"
CACHE_CONTROL = "no-cache, private"

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]


class PassLane:
    """WSGI around *app*: answers fetches of passes, hands everything else on."""

    def __init__(self, app: Application, desk: PassDesk) -> None:
        self._app = app
        self._desk = desk

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        path: str = environ["PATH_INFO"]
        if path.startswith(PREFIX) and environ["REQUEST_METHOD"] in ("GET", "HEAD"):
            fetched = self._fetched(path, environ)
            if fetched is not None:
                return _answer(fetched, environ["REQUEST_METHOD"] == "HEAD", start_response)
        return self._app(environ, start_response)

    def _fetched(self, path: str, environ: Environ) -> Fetched | None:
        parts = path.split("/")
        if len(parts) != 5:
            return None
        try:
            return self._desk.fetch(
                parts[3],
                parts[4],
                authorization=environ.get("HTTP_AUTHORIZATION", ""),
                since=environ.get("HTTP_IF_MODIFIED_SINCE", ""),
            )
        except (CounterfoilError, SQLAlchemyError) as error:
            _log.debug("handed on: %s", error)
            return None


def _answer(fetched: Fetched, is_head: bool, start_response: StartResponse) -> Iterable[bytes]:
    headers = [
        ("Last-Modified", fetched.last_modified),
        ("Cache-Control", CACHE_CONTROL),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "no-referrer"),
    ]
    if fetched.content is None:
        start_response("304 NOT MODIFIED", headers)
        return ()
    headers.append(("Content-Type", PKPASS))
    headers.append(("Content-Length", str(len(fetched.content))))
    start_response("200 OK", headers)
    return () if is_head else (fetched.content,)
