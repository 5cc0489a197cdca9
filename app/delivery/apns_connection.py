"""One HTTP/2 connection to APNs: many pushes at once, each with its answer.

Runs inside an asyncio loop and never blocks. What to push comes from a queue that outlives the
connection: a push that APNs says it has not processed (GOAWAY, REFUSED_STREAM) goes back to its
head and out again over the next connection.
"""

import asyncio
import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    DataReceived,
    RemoteSettingsChanged,
    ResponseReceived,
    StreamEnded,
    StreamReset,
)
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes
from hpack import NeverIndexedHeaderTuple

from app.clock import Clock
from app.delivery.rules import asked_seconds
from app.delivery.sending import DELIVERED, UNKNOWN_DEVICE, Outcome, Result

PAYLOAD = b"{}"
#: A push without an answer for this long is given up.
ANSWER_SECONDS = 10.0
#: Streams that we keep open at once at most, whatever the server allows.
_MOST_STREAMS = 250
#: Long before stream ids run out the connection is renewed.
_LAST_STREAM_ID = 2**30
_LONGEST_ANSWER = 4096
#: How often one push may be handed back unprocessed before it counts as refused for now.
_MOST_TRIES = 4

_GOAWAY = 0x7
_FRAME_HEAD = 9


class Batch:
    """Pushes that were handed over together, and their answers."""

    def __init__(self, tokens: list[str], done: asyncio.Future[list[Result]]) -> None:
        self.tokens = tokens
        self.tries = [0] * len(tokens)
        self._results: list[Result | None] = [None] * len(tokens)
        self._left = len(tokens)
        self._done = done

    def answer(self, index: int, result: Result) -> None:
        """Note the answer of one push; a second one changes nothing."""
        if self._results[index] is not None:
            return
        self._results[index] = result
        self._left -= 1
        if not self._left and not self._done.done():
            self._done.set_result([item for item in self._results if item is not None])

    def is_answered(self, index: int) -> bool:
        """Whether that push has its answer."""
        return self._results[index] is not None

    async def results(self) -> list[Result]:
        """Every answer, in the order of the tokens, once the last one is there."""
        return await asyncio.shield(self._done)


Push = tuple[Batch, int]


@dataclass(slots=True)
class _Open:
    """A push on its way: which, since when, and what has come back so far."""

    push: Push
    since: float
    status: int = 0
    retry_after: str = ""
    body: bytearray = field(default_factory=bytearray)


class Connection(asyncio.Protocol):
    """One connection. *on_change* is called when what is queued may have to go another way."""

    def __init__(
        self,
        authority: str,
        topic: str,
        queue: deque[Push],
        on_change: Callable[[], None],
        answer_seconds: float,
        clock: Clock,
    ) -> None:
        self._clock = clock
        self._answer_seconds = answer_seconds
        self._queue = queue
        self._on_change = on_change
        self._loop = asyncio.get_running_loop()
        self._h2 = H2Connection(
            H2Configuration(
                client_side=True,
                validate_outbound_headers=False,
                normalize_outbound_headers=False,
            )
        )
        self._head = [(":method", "POST"), (":scheme", "https"), (":authority", authority)]
        # Apple: a push that changes a pass is a background one, and those have priority 5.
        self._tail = [
            ("apns-topic", topic),
            ("apns-push-type", "background"),
            ("apns-priority", "5"),
            ("content-type", "application/json"),
        ]
        self._transport: asyncio.Transport | None = None
        self._rest = b""
        self._streams: dict[int, _Open] = {}
        self._heard = self._loop.time()
        self._writable = True
        self._look: asyncio.TimerHandle | None = None
        #: Set when the server has said what it allows, or with what ended the connection.
        self.greeted: asyncio.Future[None] = self._loop.create_future()
        #: Nothing new goes out over this connection.
        self.is_closing = False
        self.is_lost = False

    # -- asyncio ------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - for the type checker
        self._transport = transport
        self._h2.local_settings[SettingCodes.ENABLE_PUSH] = 0
        self._h2.initiate_connection()
        self._flush()
        self._look_later()

    def data_received(self, data: bytes) -> None:
        self._heard = self._loop.time()
        try:
            for event in self._h2.receive_data(self._without_goaway(data)):
                self._take(event)
        except ProtocolError as error:
            self.abort(f"APNs broke the protocol: {error}")
            return
        self.pump()
        self._on_change()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(f"the connection to APNs was lost: {exc or 'closed by APNs'}")

    def pause_writing(self) -> None:
        self._writable = False

    def resume_writing(self) -> None:
        self._writable = True
        self.pump()

    # -- sending ------------------------------------------------------------------------------

    def pump(self) -> None:
        """Send what is queued, as far as the server allows."""
        if self.is_lost:
            return
        while self._queue and self._may_open():
            push = self._queue.popleft()
            batch, index = push
            if batch.is_answered(index):
                continue
            stream = self._h2.get_next_available_stream_id()
            batch.tries[index] += 1
            # The path differs each time: it would only push the others out of the header table.
            path = NeverIndexedHeaderTuple(":path", f"/3/device/{batch.tokens[index]}")
            self._h2.send_headers(stream, [*self._head, path, *self._tail])
            self._h2.send_data(stream, PAYLOAD, end_stream=True)
            self._streams[stream] = _Open(push, self._loop.time())
            if stream >= _LAST_STREAM_ID:
                self.is_closing = True
        self._flush()
        self._close_if_done()

    def _may_open(self) -> bool:
        settings = self._h2.remote_settings
        return (
            not self.is_closing
            and self.greeted.done()
            and self._writable
            and len(self._streams) < min(settings.max_concurrent_streams, _MOST_STREAMS)
            and self._h2.outbound_flow_control_window >= len(PAYLOAD)
            and settings.initial_window_size >= len(PAYLOAD)
        )

    def retire(self) -> None:
        """Send nothing more; close when the last answer is there."""
        self.is_closing = True
        self._close_if_done()

    def abort(self, reason: str) -> None:
        """Give the connection up at once."""
        self._end(reason)
        if self._transport is not None:
            self._transport.abort()

    def _close_if_done(self) -> None:
        if self.is_closing and not self._streams and self._transport is not None:
            self._transport.close()

    def _flush(self) -> None:
        data = self._h2.data_to_send()
        if data and self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    # -- answers ------------------------------------------------------------------------------

    def _without_goaway(self, data: bytes) -> bytes:
        """Take GOAWAY out of what was received.

        After one, h2 refuses every further frame, but APNs still answers the pushes up to the
        stream that it names (RFC 9113, 6.8); without those answers they would be sent again.
        """
        data = self._rest + data
        kept, position = bytearray(), 0
        while position + _FRAME_HEAD <= len(data):
            end = position + _FRAME_HEAD + int.from_bytes(data[position : position + 3], "big")
            if data[position + 3] != _GOAWAY:
                if end > len(data):
                    break
                kept += data[position:end]
            elif end > len(data):
                break
            else:
                self._go_away(data[position + _FRAME_HEAD : end])
            position = end
        self._rest = data[position:]
        if len(self._rest) > self._h2.max_inbound_frame_size + _FRAME_HEAD:
            raise ProtocolError("a frame is longer than we allow")
        return bytes(kept)

    def _go_away(self, content: bytes) -> None:
        self.is_closing = True
        last = int.from_bytes(content[:4], "big") & 0x7FFFFFFF
        for stream in sorted((item for item in self._streams if item > last), reverse=True):
            self._hand_back(self._streams.pop(stream).push)

    def _hand_back(self, push: Push) -> None:
        """Queue a push again that APNs has not processed."""
        batch, index = push
        if batch.tries[index] >= _MOST_TRIES:
            batch.answer(index, Result(Outcome.RETRY, "APNs handed the push back several times."))
        else:
            self._queue.appendleft(push)

    def _take(self, event: Any) -> None:
        if isinstance(event, RemoteSettingsChanged):
            if not self.greeted.done():
                self.greeted.set_result(None)
            return
        opened = self._streams.get(getattr(event, "stream_id", 0))
        if isinstance(event, DataReceived):
            self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            if opened and len(opened.body) < _LONGEST_ANSWER:
                opened.body += event.data
        elif opened is None:
            return
        elif isinstance(event, ResponseReceived):
            for name, value in event.headers:
                if name == b":status":
                    opened.status = int(value)
                elif name == b"retry-after":
                    opened.retry_after = value.decode("latin-1")
        elif isinstance(event, StreamEnded):
            del self._streams[event.stream_id]
            batch, index = opened.push
            batch.answer(index, _result(opened, self._clock()))
        elif isinstance(event, StreamReset):
            del self._streams[event.stream_id]
            if event.error_code == ErrorCodes.REFUSED_STREAM:
                self._hand_back(opened.push)
            else:
                self._no_answer(opened, f"APNs reset the push ({event.error_code!s}).")

    def _no_answer(self, opened: _Open, reason: str) -> None:
        batch, index = opened.push
        batch.answer(index, Result(Outcome.RETRY, reason))

    def _look_later(self) -> None:
        self._look = self._loop.call_later(self._answer_seconds / 10, self._look_for_silence)

    def _look_for_silence(self) -> None:
        self._look_later()
        late = self._loop.time() - self._answer_seconds
        for stream, opened in list(self._streams.items()):
            if opened.since > late:
                break
            if self._heard <= opened.since:
                # Nothing at all since then: the other side is no longer there.
                self.abort(f"APNs has been silent for {self._answer_seconds:g} seconds.")
                self._on_change()
                return
            del self._streams[stream]
            self._h2.reset_stream(stream, ErrorCodes.CANCEL)
            self._no_answer(opened, f"APNs gave no answer for {self._answer_seconds:g} seconds.")
        self.pump()

    def _end(self, reason: str) -> None:
        if self.is_lost:
            return
        self.is_lost = self.is_closing = True
        if self._look is not None:
            self._look.cancel()
        for opened in self._streams.values():
            self._no_answer(opened, f"No answer: {reason}")
        self._streams.clear()
        if not self.greeted.done():
            self.greeted.set_exception(ConnectionError(reason))
        self._on_change()


def _result(opened: _Open, now: datetime) -> Result:
    """What APNs' answer means for the device.

    Source: developer.apple.com/documentation/usernotifications, "Handling notification responses
    from APNs".
    """
    status = opened.status
    if status == 200:
        return DELIVERED
    reason = _reason(bytes(opened.body))
    said = f"APNs answered {status} {reason}".rstrip() + "."
    if status == 410:
        return Result(Outcome.GONE, said)
    if status == 429 or status >= 500:
        return Result(Outcome.RETRY, said, asked_seconds(opened.retry_after, now=now))
    # Never taken for gone: with the wrong address of APNs every token is a bad one.
    is_unknown = reason == UNKNOWN_DEVICE
    return Result(Outcome.UNKNOWN if is_unknown else Outcome.REFUSED, said)


def _reason(body: bytes) -> str:
    try:
        said = json.loads(body)["reason"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
    return said[:80] if isinstance(said, str) and said.isprintable() else ""
