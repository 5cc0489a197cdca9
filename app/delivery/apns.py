"""Pushes to Apple's devices, over one long-lived HTTP/2 connection a certificate.

The connections live in an asyncio loop of their own, in a thread of the delivery process; `push`
may be called from any thread, by several at once. A lost connection is rebuilt with the next push.
"""

import asyncio
import secrets
import socket
import ssl
import tempfile
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import serialization

from app.certs import load_pass_signer
from app.certs.files import PrivateKey, key_of
from app.clock import Clock, system_clock
from app.context import Context
from app.delivery.apns_connection import ANSWER_SECONDS, Batch, Connection, Push
from app.delivery.models import AppleRegistration
from app.delivery.sending import Errand, Outcome, Result, Wallet
from app.errors import Misconfigured
from passes.apple.signature import PassSigner
from passes.errors import CertificateError

CONNECT_SECONDS = 10.0
#: No batch takes longer, so that its lease is still good when its answers are noted.
_BATCH_SECONDS = 40.0
#: A connection that ends as soon as it is made is not made again at once.
_PAUSE_SECONDS = 0.2
_KEEPALIVE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Identity:
    """Who we are to APNs: the pass certificate, its chain and key. Equal ones share `mark`."""

    mark: object
    topic: str
    chain: bytes
    key: PrivateKey = field(repr=False)

    @classmethod
    def of(cls, signer: PassSigner, key: PrivateKey) -> "Identity":
        """The identity of the certificate that *signer* signs with."""
        pem = serialization.Encoding.PEM
        certificates = (signer.certificate, *signer.intermediates)
        chain = b"".join(each.public_bytes(pem) for each in certificates)
        return cls(signer, signer.pass_type_identifier, chain, key)


class ApnsClient:
    """Pushes to APNs at *address*, over one connection a certificate; *ca* names another root than
    the system's.

    A push without an answer for *answer_seconds* is given up; after as long a silence on the whole
    connection, that is given up.
    """

    def __init__(
        self,
        address: str,
        ca: Path | None = None,
        *,
        answer_seconds: float = ANSWER_SECONDS,
        clock: Clock = system_clock,
    ) -> None:
        parts = urlsplit(address)
        if parts.scheme != "https" or not parts.hostname:
            raise Misconfigured("COUNTERFOIL_APNS_URL must begin with https://")
        self._host, self._port = parts.hostname, parts.port or 443
        self._ca = ca
        self._answer_seconds = answer_seconds
        self._clock = clock
        self._starting = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        #: One for each pass type: its certificate is renewed, others have connections of their own.
        self._lines: dict[str, _Line] = {}

    def push(self, identity: Identity, tokens: Sequence[str]) -> list[Result]:
        """Push to every device of *tokens*; a result for each, in their order."""
        if not tokens:
            return []
        loop = self._running()
        return asyncio.run_coroutine_threadsafe(self._push(identity, list(tokens)), loop).result()

    def close(self) -> None:
        """Close the connections and end the thread."""
        with self._starting:
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if loop is None or thread is None:
            return
        asyncio.run_coroutine_threadsafe(self._shut_down(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._starting:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(
                    target=self._loop.run_forever, name="apns", daemon=True
                )
                self._thread.start()
            return self._loop

    # -- inside the loop ----------------------------------------------------------------------

    async def _push(self, identity: Identity, tokens: list[str]) -> list[Result]:
        line = self._lines.get(identity.topic)
        if line is None:
            line = self._lines[identity.topic] = _Line(
                self._host, self._port, self._ca, self._answer_seconds, self._clock
            )
        return await line.push(identity, tokens)

    async def _shut_down(self) -> None:
        for line in self._lines.values():
            line.shut_down()
        self._lines.clear()
        # Transports tell their protocols in the loop's next rounds.
        for _ in range(5):
            await asyncio.sleep(0)


class _Line:
    """What waits to be pushed with one certificate, and the connection over which it goes."""

    def __init__(
        self, host: str, port: int, ca: Path | None, answer_seconds: float, clock: Clock
    ) -> None:
        self._clock = clock
        self._host, self._port = host, port
        self._ca = ca
        self._answer_seconds = answer_seconds
        self._queue: deque[Push] = deque()
        self._identity: Identity | None = None
        self._connection: Connection | None = None
        #: Every connection that is not over yet: retired ones still wait for answers.
        self._open: set[Connection] = set()
        self._connecting: asyncio.Task[None] | None = None
        self._connected_at = float("-inf")

    async def push(self, identity: Identity, tokens: list[str]) -> list[Result]:
        """Push; a renewed certificate has a connection of its own from here on."""
        if self._identity is None or self._identity.mark is not identity.mark:
            self._identity = identity
            if self._connection is not None:
                self._connection.retire()
        batch = Batch(tokens, asyncio.get_running_loop().create_future())
        self._queue.extend((batch, index) for index in range(len(tokens)))
        self._tend()
        try:
            async with asyncio.timeout(_BATCH_SECONDS):
                return await batch.results()
        except TimeoutError:
            # Those on their way were given up long before; these still wait for their turn.
            late = Result(Outcome.UNSENT, "APNs took the pushes too slowly.")
            for index in range(len(tokens)):
                batch.answer(index, late)
            return await batch.results()

    def _tend(self) -> None:
        """Keep what is queued moving; called whenever something has changed."""
        self._open = {each for each in self._open if not each.is_lost}
        if self._connection is not None and self._connection.is_closing:
            self._connection = None
        if not self._queue:
            return
        if self._connection is not None:
            self._connection.pump()
        elif self._connecting is None:
            self._connecting = asyncio.ensure_future(self._connect())

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        identity = self._identity
        try:
            if loop.time() - self._connected_at < _PAUSE_SECONDS:
                await asyncio.sleep(_PAUSE_SECONDS)
            self._connected_at = loop.time()
            async with asyncio.timeout(CONNECT_SECONDS):
                self._connection = await self._greeted(identity)
        except (OSError, TimeoutError, Misconfigured) as error:
            reason = str(error) or f"no answer for {CONNECT_SECONDS:.0f} seconds"
            self._give_back(f"APNs at {self._host}:{self._port} cannot be reached: {reason}")
        finally:
            self._connecting = None
        if self._connection is not None and self._identity is not identity:
            self._connection.retire()
        self._tend()

    async def _greeted(self, identity: Identity | None) -> Connection:
        """A new connection, once the server has said what it allows."""
        assert identity is not None  # noqa: S101 - for the type checker: set by whoever queued
        authority = self._host if self._port == 443 else f"{self._host}:{self._port}"
        transport, connection = await asyncio.get_running_loop().create_connection(
            lambda: Connection(
                authority,
                identity.topic,
                self._queue,
                self._tend,
                self._answer_seconds,
                self._clock,
            ),
            self._host,
            self._port,
            ssl=_tls(identity, self._ca),
            server_hostname=self._host,
        )
        self._open.add(connection)
        try:
            tls = transport.get_extra_info("ssl_object")
            if tls is None or tls.selected_alpn_protocol() != "h2":
                raise ConnectionError("it does not speak HTTP/2")
            _keep_alive(transport.get_extra_info("socket"))
            await connection.greeted
        except BaseException:
            connection.abort("it gave no greeting")
            raise
        return connection

    def _give_back(self, reason: str) -> None:
        result = Result(Outcome.UNSENT, reason)
        while self._queue:
            batch, index = self._queue.popleft()
            batch.answer(index, result)

    def shut_down(self) -> None:
        """Give back what waits and drop every connection."""
        if self._connecting is not None:
            self._connecting.cancel()
        self._give_back("The service is being stopped.")
        for connection in tuple(self._open):
            connection.abort("the service is being stopped")
        self._connection = None


def _tls(identity: Identity, ca: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(ca) if ca else None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["h2"])
    # OpenSSL takes the key from a file alone: it is there, encrypted, for a moment.
    password = secrets.token_hex(32)
    key = identity.key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(password.encode()),
    )
    with tempfile.NamedTemporaryFile(prefix="counterfoil-") as file:
        file.write(identity.chain + key)
        file.flush()
        context.load_cert_chain(file.name, password=password)
    return context


def _keep_alive(connection: socket.socket) -> None:
    """Notice a peer that went away without a word, over hours without a push."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_KEEPIDLE"):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _KEEPALIVE_SECONDS)


class ApnsSender:
    """Brings Apple registrations up to date: the push is empty, the device then asks us."""

    wallet: Wallet = AppleRegistration
    batch = 500

    def __init__(self, context: Context, *, answer_seconds: float = ANSWER_SECONDS) -> None:
        config = context.config
        self._context = context
        self._client = ApnsClient(
            config.apns_url, config.apns_ca, answer_seconds=answer_seconds, clock=context.clock
        )
        self._known: Identity | None = None

    def obstacle(self) -> str | None:
        """Why nothing can be pushed now, in words; None where all is well."""
        try:
            self._identity()
        except (Misconfigured, CertificateError) as error:
            return str(error)
        return None

    def send(self, errands: Sequence[Errand]) -> Sequence[Result]:
        """Push to the devices of *errands*."""
        return self._client.push(self._identity(), [errand.address for errand in errands])

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _identity(self) -> Identity:
        """The identity of the certificate that is installed now: it may have been renewed."""
        context = self._context
        signer = load_pass_signer(context.config, context.keys)
        if signer is None:
            raise Misconfigured(
                "there is no Apple pass certificate. Install one: counterfoil certs install FILES"
            )
        signer.check(context.clock())
        if self._known is None or self._known.mark is not signer:
            key = key_of(signer.certificate, context.keys)
            if key is None:
                raise Misconfigured("the key of the Apple pass certificate is not in the key ring.")
            self._known = Identity.of(signer, key)
        return self._known
