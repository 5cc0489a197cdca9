"""One POST to a checked address: bounded in time and size, following nothing.

Not with the HTTP client of the till: here the connection has to go to one of the very addresses
that were checked, under the name that the certificate is for, and end at a deadline whatever the
other side does. The standard library's connection lets us open the socket ourselves.
"""

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from app.webhooks.addresses import Target

CONNECT_SECONDS = 5.0
#: From the first packet to the last byte read.
DEADLINE_SECONDS = 15.0
#: As much of an answer is read and kept.
LONGEST_ANSWER = 1000


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. *status* is None where nothing did; *text* then says why."""

    status: int | None
    text: str
    took_ms: int
    retry_after_seconds: int | None = None

    @property
    def is_good(self) -> bool:
        """Whether the endpoint took it."""
        return self.status is not None and 200 <= self.status < 300


class _Connection(http.client.HTTPConnection):
    """A connection over a socket that is open already."""

    def __init__(self, target: Target, opened: socket.socket) -> None:
        super().__init__(target.host, target.port)
        self.default_port = 443 if target.scheme == "https" else 80
        self.sock = opened

    def connect(self) -> None:
        """Never again: it would ask for the name's address anew."""
        raise ConnectionError("the connection was closed")


def post(
    target: Target,
    addresses: Sequence[str],
    body: bytes,
    headers: Mapping[str, str],
    *,
    tls: Callable[[], ssl.SSLContext],
    deadline_seconds: float = DEADLINE_SECONDS,
) -> Answer:
    """Send *body* to the first of *addresses* that can be reached. Never raises for what happens
    on the network."""
    begun = time.monotonic()

    def took() -> int:
        return int((time.monotonic() - begun) * 1000)

    opened: socket.socket | None = None
    timer: threading.Timer | None = None
    is_late = threading.Event()
    try:
        opened = _open(target, addresses)
        # Timeouts are for each read: whoever sends a byte now and then would hold us for ever.
        end = opened.dup()
        timer = threading.Timer(deadline_seconds, _cut, (end, is_late))
        timer.daemon = True
        timer.start()
        opened.settimeout(deadline_seconds)
        if target.scheme == "https":
            opened = tls().wrap_socket(opened, server_hostname=target.host)
        connection = _Connection(target, opened)
        connection.request("POST", target.path, body, dict(headers))
        response = connection.getresponse()
        text = response.read(LONGEST_ANSWER)
        response.close()
        if is_late.is_set():  # What was cut off looks like an answer that ended.
            raise TimeoutError
        return Answer(response.status, _printable(text), took(), _seconds(response))
    except (OSError, http.client.HTTPException, ValueError) as error:
        why = (
            f"No answer within {deadline_seconds:g} seconds." if is_late.is_set() else _said(error)
        )
        return Answer(None, why[:LONGEST_ANSWER], took())
    finally:
        if timer is not None:
            timer.cancel()
            if not is_late.is_set():
                end.close()
        if opened is not None:
            opened.close()


def _open(target: Target, addresses: Sequence[str]) -> socket.socket:
    failed: OSError | None = None
    for address in addresses:
        try:
            return socket.create_connection((address, target.port), timeout=CONNECT_SECONDS)
        except OSError as error:
            failed = error
    raise failed or ConnectionError("there is no address")


def _cut(end: socket.socket, is_late: threading.Event) -> None:
    is_late.set()
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()


def _seconds(response: http.client.HTTPResponse) -> int | None:
    text = response.getheader("Retry-After", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 8 else None


def _printable(text: bytes) -> str:
    return "".join(
        letter if letter.isprintable() or letter == "\n" else "�"
        for letter in text.decode("utf-8", "replace")
    )


def _said(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"The certificate is not good: {error.verify_message}."
    if isinstance(error, TimeoutError):
        return "It cannot be reached in time."
    return f"{type(error).__name__}: {error}"
