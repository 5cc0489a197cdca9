"""Pushes a second over one connection to the APNs stand-in ÷ a bare h2 client doing the same.

The bare client opens as many streams, sends the same headers and waits for the same answers, and
does nothing else: no time limit, no errors, no GOAWAY, nobody who waits for an answer.
"""

import asyncio
import secrets
import statistics
import tempfile
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, RemoteSettingsChanged, ResponseReceived, StreamEnded
from hpack import NeverIndexedHeaderTuple

from app.delivery.apns import ApnsClient, Identity, _tls
from app.delivery.sending import Outcome
from benchmarks._apns import Apns, identity_of, installation, stand_in

ROUNDS = 5
PUSHES = 4_000
STREAMS = 250
BATCH = 500
#: As the worker does: while one batch is noted, the other one is on its way.
LANES = 2


def measure() -> dict[str, Any]:
    """Both sides alternate, so that a drift of the machine shows in both."""
    ours, bare = [], []
    with tempfile.TemporaryDirectory() as name, installation(Path(name)) as context:
        identity = identity_of(context)
        with stand_in(context, Path(name)) as apns:
            client = ApnsClient(apns.url, apns.ca)
            client.push(identity, _tokens(BATCH))
            _bare(apns, identity, _tokens(BATCH))
            for _ in range(ROUNDS):
                bare.append(_bare(apns, identity, _tokens(PUSHES)))
                ours.append(_pushed(client, identity, _tokens(PUSHES)))
            client.close()
            assert apns.count() == 2 * (BATCH + ROUNDS * PUSHES)
    numerator, denominator = statistics.median(ours), statistics.median(bare)
    return {
        "name": "push_vs_bare_h2",
        "value": numerator / denominator,
        "unit": "ratio",
        "at_least": 0.50,
        "detail": {
            "pushes_per_second": [round(each, 1) for each in ours],
            "bare_h2_per_second": [round(each, 1) for each in bare],
            "pushes": PUSHES,
            "streams": STREAMS,
        },
    }


def _tokens(count: int) -> list[str]:
    return [secrets.token_hex(32) for _ in range(count)]


def _pushed(client: ApnsClient, identity: Identity, tokens: list[str]) -> float:
    batches = [tokens[start : start + BATCH] for start in range(0, len(tokens), BATCH)]

    def lane(number: int) -> None:
        for batch in batches[number::LANES]:
            results = client.push(identity, batch)
            assert {result.outcome for result in results} == {Outcome.DELIVERED}

    lanes = [threading.Thread(target=lane, args=(number,)) for number in range(LANES)]
    begun = time.perf_counter()
    for thread in lanes:
        thread.start()
    for thread in lanes:
        thread.join()
    return len(tokens) / (time.perf_counter() - begun)


class _Bare(asyncio.Protocol):
    """HTTP/2 and nothing else."""

    def __init__(self, authority: str, topic: str, tokens: list[str]) -> None:
        self.done: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._tokens = iter(tokens)
        self._left, self._open = len(tokens), 0
        self._begun = 0.0
        # As quick as h2 can be made to be, since that is what we are held against.
        self._h2 = H2Connection(
            H2Configuration(
                client_side=True,
                validate_outbound_headers=False,
                normalize_outbound_headers=False,
            )
        )
        self._head = [(":method", "POST"), (":scheme", "https"), (":authority", authority)]
        self._tail = [
            ("apns-topic", topic),
            ("apns-push-type", "background"),
            ("apns-priority", "5"),
            ("content-type", "application/json"),
        ]

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._h2.initiate_connection()
        transport.write(self._h2.data_to_send())

    def data_received(self, data: bytes) -> None:
        for event in self._h2.receive_data(data):
            if isinstance(event, RemoteSettingsChanged) and not self._begun:
                self._begun = time.perf_counter()
            elif isinstance(event, ResponseReceived):
                assert dict(event.headers)[b":status"] == b"200"
            elif isinstance(event, DataReceived):
                self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, StreamEnded):
                self._open, self._left = self._open - 1, self._left - 1
        if self._begun:
            self._send()
        self._transport.write(self._h2.data_to_send())
        if not self._left and not self.done.done():
            self.done.set_result(time.perf_counter() - self._begun)

    def _send(self) -> None:
        while self._open < STREAMS:
            token = next(self._tokens, None)
            if token is None:
                return
            stream = self._h2.get_next_available_stream_id()
            path = NeverIndexedHeaderTuple(":path", f"/3/device/{token}")
            self._h2.send_headers(stream, [*self._head, path, *self._tail])
            self._h2.send_data(stream, b"{}", end_stream=True)
            self._open += 1


def _bare(apns: Apns, identity: Identity, tokens: list[str]) -> float:
    async def run() -> float:
        parts = urlsplit(apns.url)
        transport, protocol = await asyncio.get_running_loop().create_connection(
            lambda: _Bare(parts.netloc, identity.topic, tokens),
            parts.hostname,
            parts.port,
            ssl=_tls(identity, apns.ca),
            server_hostname=parts.hostname,
        )
        seconds = await protocol.done
        transport.close()
        return len(tokens) / seconds

    return asyncio.run(run())
