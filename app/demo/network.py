"""A bad network between a till and the service: a TCP proxy that does what networks do.

It stands in front of a service on loopback, takes requests apart just as far as it has to, and
does to each what it is told: for tests and measurements of what a till makes of it.
"""

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus

_LONGEST_HEAD = 65_536


class Fault(StrEnum):
    """What happens to a request, or to its answer."""

    #: The connection breaks before the service has heard of it.
    DROPPED_BEFORE = "dropped_before"
    #: The service does it, and the connection breaks before the answer.
    DROPPED_AFTER = "dropped_after"
    #: The request arrives late; and so does the answer.
    DELAYED = "delayed"
    #: The service does it at once; the answer comes when nobody waits any more.
    ANSWERED_LATE = "answered_late"
    #: The answer ends in the middle of its body.
    CUT = "cut"
    #: Something on the way says 500; the service has not heard of it.
    ERROR_BEFORE = "error_before"
    #: The service does it, and something on the way makes a 500 of its answer.
    ERROR_AFTER = "error_after"
    #: A good status and a body that is JSON, but none of the service's.
    WRONG_JSON = "wrong_json"
    #: The service does it, and its answer comes mangled.
    BROKEN_JSON = "broken_json"
    #: A network's sign-in page: HTML with status 200.
    PORTAL = "portal"
    #: A network's sign-in page, by a redirect.
    REDIRECT = "redirect"


_UNHEARD = {
    Fault.DROPPED_BEFORE, Fault.ERROR_BEFORE, Fault.WRONG_JSON, Fault.PORTAL, Fault.REDIRECT
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Request:
    """A request on its way; *number* counts those with the same method and path."""

    method: str
    path: str
    number: int


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def as_bytes(self) -> bytes:
        lines = [f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        lines.append(f"Content-Length: {len(self.body)}")
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + self.body


_MADE_UP = {
    Fault.ERROR_BEFORE: _Answer(500, (("Content-Type", "text/plain"),), b"Bad gateway"),
    Fault.ERROR_AFTER: _Answer(500, (("Content-Type", "text/plain"),), b"Bad gateway"),
    Fault.WRONG_JSON: _Answer(201, (("Content-Type", "application/json"),), b'{"ok": true}'),
    Fault.BROKEN_JSON: _Answer(201, (("Content-Type", "application/json"),), b'{"posting_id": "'),
    Fault.PORTAL: _Answer(200, (("Content-Type", "text/html"),), b"<html>Welcome!</html>"),
    Fault.REDIRECT: _Answer(
        302, (("Content-Type", "text/html"), ("Location", "http://portal.invalid/")), b"<html>"
    ),
}


class BadNetwork:
    """Listens on loopback and passes on to a service; *fault* says what happens to a request."""

    def __init__(
        self, to_port: int, *, late_seconds: float = 10.0, tls: ssl.SSLContext | None = None
    ) -> None:
        self.fault: Callable[[Request], Fault | None] = lambda request: None
        self._to_port, self._late, self._tls = to_port, late_seconds, tls
        self._counts: dict[tuple[str, str], int] = {}
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._stopped = threading.Event()
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self) -> None:
        """Close everything."""
        self._stopped.set()
        with suppress(OSError):  # wakes who waits for a connection
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        self._listening.close()
        with self._lock:
            for connection in self._open:
                _hang_up(connection)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            if self._stopped.is_set():
                connection.close()
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with self._lock:
            self._open.add(connection)
        upstream = http.client.HTTPConnection("127.0.0.1", self._to_port, timeout=60)
        try:
            if self._tls is not None:
                connection.settimeout(5)
                connection = self._tls.wrap_socket(connection, server_side=True)
                connection.settimeout(None)
            while self._one_request(connection, upstream):
                pass
        except (OSError, ValueError, http.client.HTTPException):
            pass
        finally:
            with self._lock:
                self._open.discard(connection)
            _hang_up(connection)
            upstream.close()

    def _one_request(self, connection: socket.socket, upstream: http.client.HTTPConnection) -> bool:
        """Pass one request on; False where the connection is over."""
        read = _read_request(connection)
        if read is None:
            return False
        method, path, headers, body = read
        with self._lock:
            number = self._counts.get((method, path), 0)
            self._counts[method, path] = number + 1
        fault = self.fault(Request(method, path, number))
        if fault is Fault.DROPPED_BEFORE:
            return False
        if fault is Fault.DELAYED:
            self._stopped.wait(self._late)
        answer = _MADE_UP.get(fault) if fault else None
        if fault not in _UNHEARD:
            heard = _ask(upstream, method, path, headers, body)
            answer = answer or heard
        if fault is Fault.DROPPED_AFTER or answer is None:
            return False
        if fault is Fault.ANSWERED_LATE:
            self._stopped.wait(self._late)
        content = answer.as_bytes()
        connection.sendall(content[: -max(1, len(answer.body) // 2)] if fault is Fault.CUT
                           else content)  # fmt: skip
        return fault is not Fault.CUT


def _read_request(
    connection: socket.socket,
) -> tuple[str, str, dict[str, str], bytes] | None:
    content = b""
    while b"\r\n\r\n" not in content:
        more = connection.recv(65_536)
        if not more or len(content) > _LONGEST_HEAD:
            return None
        content += more
    head, _, body = content.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, path, _ = first.split(" ", 2)
    headers = dict(line.split(": ", 1) for line in lines)
    length = next((int(v) for k, v in headers.items() if k.lower() == "content-length"), 0)
    while len(body) < length:
        more = connection.recv(65_536)
        if not more:
            return None
        body += more
    return method, path, headers, body


def _ask(
    upstream: http.client.HTTPConnection,
    method: str,
    path: str,
    headers: dict[str, str],
    body: bytes,
) -> _Answer:
    passed_on = {
        name: value
        for name, value in headers.items()
        if name.lower() not in ("content-length", "connection", "accept-encoding")
    }
    for again in (False, True):
        try:
            upstream.request(method, path, body or None, passed_on)
            response = upstream.getresponse()
            break
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            upstream.close()  # the service ended a connection that was idle
            if again:
                raise
            time.sleep(0.01)
    dropped = ("content-length", "connection", "transfer-encoding")
    kept = tuple((k, v) for k, v in response.getheaders() if k.lower() not in dropped)
    return _Answer(response.status, kept, response.read())


def _hang_up(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    with suppress(OSError):
        connection.close()
