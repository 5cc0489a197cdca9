"""APNs on loopback: HTTP/2 over TLS with the pass certificate, as strict as Apple's.

    with ApnsStandIn(client_ca=root_and_intermediate_pem) as apns:
        ...  # COUNTERFOIL_APNS_URL=apns.url, COUNTERFOIL_APNS_CA=a file with apns.ca_pem
        apns.wait_for_push(token)

What it asks of a request and what it answers follows Apple's "Sending notification requests to
APNs" and "Handling notification responses from APNs"; `apns_rules` holds the checks. How ill it is
can be set at any time: `fail`, `reset_next`, `go_away`, `stream_limit`, `gone`, `silent`,
`refuse`, `cut`; `well` ends all of it.
"""

from __future__ import annotations

import asyncio
import functools
import itertools
import json
import ssl
import tempfile
import threading
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from cryptography import x509
from cryptography.x509.oid import NameOID

from app.demo.apns_connection import Connection, Request
from app.demo.apns_rules import Answer, check
from app.demo.tls import ServerCertificate

T = TypeVar("T")
_START_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Push:
    """One push that was accepted. `at` is `time.monotonic()`, `connection` counts from 1."""

    token: str
    topic: str
    apns_id: str
    at: float
    connection: int
    push_type: str | None


@dataclass(slots=True)
class _Failure:
    answer: Answer
    times: int | None
    token: str | None


@dataclass(slots=True)
class _Ills:
    failures: list[_Failure] = field(default_factory=list)
    resets: int = 0
    stream_limit: int = 1000
    silent: bool = False
    delay_seconds: float = 0.0
    limit_after_refusal: int | None = None


class ApnsStandIn:
    """The server, in a thread of its own while the context lasts.

    `client_ca` is PEM: what a client's certificate must chain to (root and intermediate, as Apple
    knows its own). `ca_pem` is what the server's certificate chains to. `pushes` holds what was
    accepted in order, `answers` counts what was said (status, reason), `received` every token for
    which a whole request came in, answered or not, `certificates` who came, by connection (DER),
    `violations` what a client did against HTTP/2.
    """

    def __init__(self, *, client_ca: bytes, port: int = 0) -> None:
        self._certificate = ServerCertificate("Counterfoil APNs stand-in")
        self.ca_pem = self._certificate.ca_pem
        self._client_ca = client_ca.decode("ascii")
        self._port = port
        self.pushes: list[Push] = []
        self.received: list[str] = []
        self.answers: Counter[tuple[int, str]] = Counter()
        self.violations: list[str] = []
        self.connections_made = 0
        self.certificates: dict[int, bytes] = {}
        self._ills = _Ills()
        self._gone: dict[str, int] = {}
        self._topics: dict[str, str] = {}
        self._known: set[str] | None = None
        self._listeners: defaultdict[str, list[Callable[[Push], None]]] = defaultdict(list)
        self._counts: Counter[str] = Counter()
        self._arrived = threading.Condition()
        self._connections: set[Connection] = set()
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None
        self._thread = threading.Thread(target=self._loop.run_forever, name="apns", daemon=True)

    # -- life ---------------------------------------------------------------------------------

    def __enter__(self) -> ApnsStandIn:
        self._thread.start()
        self._do(self._listen)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._do(self._close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_START_SECONDS)
        self._loop.close()

    @property
    def url(self) -> str:
        """Where it listens: for COUNTERFOIL_APNS_URL."""
        return f"https://127.0.0.1:{self._port}"

    async def _listen(self) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["h2"])
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=self._client_ca)
        with tempfile.TemporaryDirectory() as folder:
            pem = Path(folder) / "server.pem"
            pem.touch(0o600)
            pem.write_bytes(self._certificate.key_and_chain_pem)
            context.load_cert_chain(pem)
        self._loop.set_exception_handler(self._note)
        self._server = await self._loop.create_server(
            self._connection, "127.0.0.1", self._port, ssl=context, backlog=256
        )
        self._port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for connection in list(self._connections):
            connection.abort()
        # Let the transports see their end before the loop closes.
        for _ in range(5):
            await asyncio.sleep(0)

    def _do(self, what: Callable[[], Any]) -> None:
        asyncio.run_coroutine_threadsafe(what(), self._loop).result(_START_SECONDS)

    def _note(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self.violations.append(f"{context.get('message')}: {context.get('exception')}")

    def _connection(self) -> Connection:
        self.connections_made += 1
        return Connection(
            on_request=functools.partial(self._handle, self.connections_made),
            on_open=self._connections.add,
            on_close=self._connections.discard,
            on_violation=self.violations.append,
            stream_limit=self._ills.stream_limit,
        )

    # -- what comes in ------------------------------------------------------------------------

    def wait_for_push(self, token: str, timeout: float = 30.0, *, count: int = 1) -> Push:
        """Wait until `count` pushes to the token have been accepted; return the last of them.

        Raises TimeoutError after `timeout` seconds.
        """
        with self._arrived:
            if not self._arrived.wait_for(lambda: self._counts[token] >= count, timeout):
                raise TimeoutError(
                    f"{self._counts[token]} of {count} pushes to {token} in {timeout} s"
                )
            return next(push for push in reversed(self.pushes) if push.token == token)

    def on_push(self, token: str, listener: Callable[[Push], None]) -> None:
        """Call `listener` in the server's thread on each push to `token`; it must be quick."""
        self._listeners[token].append(listener)

    def off_push(self, token: str, listener: Callable[[Push], None]) -> None:
        """Stop calling a listener."""
        if listener in self._listeners[token]:
            self._listeners[token].remove(listener)

    # -- ills ---------------------------------------------------------------------------------

    def gone(self, token: str, since_ms: int = 1_700_000_000_000) -> None:
        """The card was removed from that device: 410 with the time in Unix milliseconds."""
        self._gone[token] = since_ms

    def belongs(self, token: str, topic: str) -> None:
        """The token was given out for `topic`; another topic is DeviceTokenNotForTopic."""
        self._topics[token] = topic

    def know_only(self, tokens: set[str]) -> None:
        """Every other token is a BadDeviceToken."""
        self._known = tokens

    def fail(
        self,
        status: int,
        reason: str,
        *,
        times: int | None = None,
        token: str | None = None,
        retry_after: int | str | None = None,
    ) -> None:
        """Answer the next `times` pushes (None: all, until `well`) with an error of Apple's.

        For example (429, "TooManyRequests"), (500, "InternalServerError"), (503, "Shutdown").
        """
        answer = Answer(status, reason, retry_after=retry_after)
        self._ills.failures.append(_Failure(answer, times, token))

    def reset_next(self, pushes: int) -> None:
        """Reset the streams of the next pushes in the middle, without an answer."""
        self._ills.resets = pushes

    def stream_limit(self, limit: int) -> None:
        """Allow so many streams at once, on connections that exist and on new ones."""
        self._ills.stream_limit = limit
        self._on_each(lambda connection: connection.limit(limit))

    def limit_after_refusal(self, limit: int | None) -> None:
        """Drop a connection's stream limit after a refused push, as Apple has been seen to do."""
        self._ills.limit_after_refusal = limit

    def go_away(self, reason: str = "Shutdown") -> None:
        """Send GOAWAY on every connection; what was begun before is still answered."""
        body = json.dumps({"reason": reason}).encode("ascii")
        self._on_each(lambda connection: connection.go_away(body))

    def cut(self) -> None:
        """Drop every TCP connection at once."""
        self._on_each(lambda connection: connection.abort())

    def silent(self, is_silent: bool = True) -> None:
        """Take pushes in and answer nothing."""
        self._ills.silent = is_silent

    def slow(self, seconds: float) -> None:
        """Answer each push so much later."""
        self._ills.delay_seconds = seconds

    def refuse(self) -> None:
        """Stop listening and drop every connection: ECONNREFUSED until `well`."""
        self._do(self._close)

    def well(self) -> None:
        """End every ill except tokens that are gone, and listen again on the same port."""
        self._ills = _Ills()
        self.stream_limit(self._ills.stream_limit)
        if self._server is None:
            self._do(self._listen)

    def _on_each(self, what: Callable[[Connection], None]) -> None:
        async def everywhere() -> None:
            for connection in list(self._connections):
                what(connection)

        self._do(everywhere)

    # -- answering, in the server's thread ----------------------------------------------------

    def _handle(self, number: int, connection: Connection, request: Request) -> None:
        token = request.path.removeprefix("/3/device/")
        self.received.append(token)
        self.certificates[number] = connection.certificate
        ills = self._ills
        if ills.silent:
            return
        if ills.resets > 0:
            ills.resets -= 1
            connection.reset(request.stream_id)
            return
        answer, apns_id = self._judge(request, topic_of(connection.certificate), token)
        if ills.delay_seconds:
            self._loop.call_later(
                ills.delay_seconds, self._answer, number, connection, request, answer, apns_id
            )
        else:
            self._answer(number, connection, request, answer, apns_id)

    def _judge(self, request: Request, topic: str | None, token: str) -> tuple[Answer, str]:
        apns_id = request.header("apns-id") or _new_id()
        answer = check(request, topic)
        if answer is None and self._known is not None and token not in self._known:
            answer = Answer(400, "BadDeviceToken")
        if answer is None and self._topics.get(token, topic) != topic:
            answer = Answer(400, "DeviceTokenNotForTopic")
        if answer is None and token in self._gone:
            answer = Answer(410, "Unregistered", timestamp_ms=self._gone[token])
        if answer is None:
            answer = self._failure(token)
        return answer or Answer(200, ""), apns_id

    def _failure(self, token: str) -> Answer | None:
        for failure in self._ills.failures:
            if failure.times == 0 or (failure.token is not None and failure.token != token):
                continue
            if failure.times is not None:
                failure.times -= 1
            return failure.answer
        return None

    def _answer(
        self, number: int, connection: Connection, request: Request, answer: Answer, apns_id: str
    ) -> None:
        if not connection.answer(request.stream_id, answer, apns_id):
            return
        self.answers[(answer.status, answer.reason)] += 1
        if answer.status != 200:
            if self._ills.limit_after_refusal is not None:
                connection.limit(self._ills.limit_after_refusal)
            return
        token = request.path.removeprefix("/3/device/")
        topic = request.header("apns-topic") or ""
        push = Push(
            token, topic, apns_id, time.monotonic(), number, request.header("apns-push-type")
        )
        with self._arrived:
            self.pushes.append(push)
            self._counts[token] += 1
            self._arrived.notify_all()
        for listener in tuple(self._listeners.get(token, ())):
            listener(push)


_id_counter = itertools.count(uuid.uuid4().int & ~0xFFFFFFFF)


def _new_id() -> str:
    """A fresh apns-id; drawing randomness for each push would be the slowest part of it."""
    text = f"{next(_id_counter) % 2**128:032X}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


@functools.lru_cache(maxsize=64)
def topic_of(certificate: bytes) -> str | None:
    """The pass type identifier that a client certificate (DER) may push to: its subject's UID."""
    subject = x509.load_der_x509_certificate(certificate).subject
    values = subject.get_attributes_for_oid(NameOID.USER_ID)
    return str(values[0].value) if len(values) == 1 else None
