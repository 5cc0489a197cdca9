"""The HTTP side of the Google stand-in: threads that read requests and write JSON."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_LONGEST_BODY = 1024 * 1024
_IDLE_SECONDS = 30


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request as it came in; header names are lower-case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What goes back: a status, a body (JSON unless bytes), further headers.

    With `cut` only so many bytes of the body go out before the connection is reset.
    """

    status: int
    body: Mapping[str, Any] | bytes
    headers: Mapping[str, str]
    cut: int | None = None


class Silence(Exception):
    """The connection is to be dropped without an answer."""


class HttpServer:
    """A threading HTTP/1.1 server on 127.0.0.1; `answer` is called in many threads at once.

    `clock` gives Unix seconds, for the Date header. It can be stopped and started again: it
    listens on the same port, and while it is stopped connections are refused.
    """

    def __init__(
        self,
        answer: Callable[[HttpRequest], HttpAnswer],
        port: int = 0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._handler = _handler(answer, clock)
        self._server: _Server | None = _Server(("127.0.0.1", port), self._handler)
        self._port: int = self._server.server_address[1]
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Where it listens, without a path."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def is_running(self) -> bool:
        """Whether it listens."""
        return self._thread is not None

    def start(self) -> None:
        """Serve in a thread."""
        if self._server is None:
            self._server = _Server(("127.0.0.1", self._port), self._handler)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, name="google"
        )
        self._thread.start()

    def stop(self) -> None:
        """Stop, drop every connection, and wait for the threads."""
        if self._thread is None or self._server is None:
            return
        self._server.shutdown()
        self._thread.join()
        self._server.drop_connections()
        self._server.server_close()
        self._server = self._thread = None


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(address, handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def drop_connections(self) -> None:
        """End connections that wait for another request."""
        with self._lock:
            waiting = list(self._open)
        for connection in waiting:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


def _reset(connection: socket.socket) -> None:
    """Close a connection with RST: the other side is told that something broke."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def _handler(
    answer: Callable[[HttpRequest], HttpAnswer], clock: Callable[[], float]
) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = _IDLE_SECONDS
        # Headers and body in one piece: in two, Nagle and delayed acknowledgements cost 40 ms.
        wbufsize = -1
        disable_nagle_algorithm = True

        def _respond(self) -> None:
            length = self.headers.get("content-length", "0")
            if not length.isdecimal() or int(length) > _LONGEST_BODY:
                self.close_connection = True
                self.send_error(413)
                return
            asked = {name.lower(): value for name, value in self.headers.items()}
            request = HttpRequest(self.command, self.path, asked, self.rfile.read(int(length)))
            try:
                given = answer(request)
            except Silence:
                self.close_connection = True
                return
            body = given.body if isinstance(given.body, bytes) else json.dumps(given.body).encode()
            self.send_response(given.status)
            headers = {"Content-Type": "application/json; charset=UTF-8", **given.headers}
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: given.cut])
            if given.cut is not None:
                self.wfile.flush()
                self.close_connection = True
                _reset(self.connection)

        def date_time_string(self, timestamp: float | None = None) -> str:
            """The Date header, by the stand-in's clock."""
            return super().date_time_string(int(clock()) if timestamp is None else int(timestamp))

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _respond

        def log_message(self, format: str, *args: Any) -> None:
            """What was asked is kept by the stand-in, not printed."""

    return Handler
