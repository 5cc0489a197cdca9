"""One client's HTTP/2 connection to the APNs stand-in."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import DataReceived, RequestReceived, StreamEnded, StreamReset
from h2.exceptions import H2Error
from h2.settings import SettingCodes, Settings
from hpack import NeverIndexedHeaderTuple
from hyperframe.frame import GoAwayFrame

from app.demo.apns_rules import LARGEST_PAYLOAD, Answer

_WINDOW = 2**30


@dataclass(slots=True)
class Request:
    """A push as it came in."""

    stream_id: int
    method: str
    path: str
    headers: Mapping[str, str]
    has_duplicates: bool
    chunks: list[bytes] = field(default_factory=list)
    size: int = 0

    @property
    def body(self) -> bytes:
        """The whole payload (of one that is too large, its first part and more than allowed)."""
        return b"".join(self.chunks)

    def header(self, name: str) -> str | None:
        """A header's value, by its lower-case name."""
        return self.headers.get(name)


class _Lenient(H2Connection):
    """h2 ends the whole connection over one stream too many; a server refuses that stream."""

    @property
    def open_inbound_streams(self) -> int:
        _ = super().open_inbound_streams  # forgets the streams that are closed
        return 0


class Connection(asyncio.Protocol):
    """Speaks HTTP/2 and hands whole requests to `on_request`; runs in the server's loop."""

    def __init__(
        self,
        *,
        on_request: Callable[[Connection, Request], None],
        on_open: Callable[[Connection], None],
        on_close: Callable[[Connection], None],
        on_violation: Callable[[str], None],
        stream_limit: int,
    ) -> None:
        self._on_request, self._on_open, self._on_close = on_request, on_open, on_close
        self._on_violation = on_violation
        self._stream_limit = stream_limit
        self._h2 = _Lenient(H2Configuration(client_side=False, header_encoding="utf-8"))
        self._transport: asyncio.Transport | None = None
        self._open: dict[int, Request] = {}
        self._last: int | None = None
        self._highest = 0
        self._reading = False
        self.certificate = b""
        """The client's certificate, DER."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not isinstance(transport, asyncio.Transport):
            raise TypeError("a stream transport is needed")
        self._transport = transport
        tls: ssl.SSLObject = transport.get_extra_info("ssl_object")
        self.certificate = tls.getpeercert(binary_form=True) or b""
        if tls.selected_alpn_protocol() != "h2":
            self._on_violation("the client did not offer h2 (ALPN)")
            transport.abort()
            return
        self._h2.local_settings = Settings(
            client=False,
            initial_values={
                SettingCodes.MAX_CONCURRENT_STREAMS: self._stream_limit,
                SettingCodes.MAX_HEADER_LIST_SIZE: 8192,
            },
        )
        self._h2.initiate_connection()
        self._h2.increment_flow_control_window(_WINDOW)
        self._flush()
        self._on_open(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._open.clear()
        self._on_close(self)

    def data_received(self, data: bytes) -> None:
        self._reading = True
        try:
            for event in self._h2.receive_data(data):
                if isinstance(event, RequestReceived):
                    self._begin(event)
                elif isinstance(event, DataReceived):
                    self._collect(event)
                elif isinstance(event, StreamEnded):
                    self._finish(event.stream_id)
                elif isinstance(event, StreamReset):
                    self._open.pop(event.stream_id, None)
        except H2Error as error:
            self._on_violation(f"{type(error).__name__}: {error}")
            self._flush()
            if self._transport is not None:
                self._transport.close()
        finally:
            self._reading = False
        self._flush()

    def _begin(self, event: RequestReceived) -> None:
        stream = event.stream_id
        if self._last is not None and stream > self._last:
            return
        if len(self._open) >= self._stream_limit:
            self._h2.reset_stream(stream, ErrorCodes.REFUSED_STREAM)
            return
        self._highest = max(self._highest, stream)
        pairs = [(str(name), str(value)) for name, value in event.headers]
        headers = dict(pairs)
        method, path = headers.get(":method", ""), headers.get(":path", "")
        self._open[stream] = Request(stream, method, path, headers, len(headers) != len(pairs))

    def _collect(self, event: DataReceived) -> None:
        request = self._open.get(event.stream_id)
        if request is not None and request.size <= LARGEST_PAYLOAD:
            request.chunks.append(event.data)
            request.size += len(event.data)

    def _finish(self, stream: int) -> None:
        request = self._open.get(stream)
        if request is not None:
            self._on_request(self, request)

    def answer(self, stream: int, answer: Answer, apns_id: str) -> bool:
        """Send an answer; False where the stream is no longer there."""
        if self._open.pop(stream, None) is None or self._transport is None:
            return False
        # Ids differ each time: indexed, they would only push everything else out of the table.
        headers: list[tuple[bytes | str, bytes | str]] = [(":status", str(answer.status))]
        headers.append(NeverIndexedHeaderTuple("apns-id", apns_id))
        if answer.retry_after is not None:
            headers.append(("retry-after", str(answer.retry_after)))
        body = answer.body
        try:
            if body:
                headers.append(("content-type", "application/json"))
                self._h2.send_headers(stream, headers)
                self._h2.send_data(stream, body, end_stream=True)
            else:
                self._h2.send_headers(stream, headers, end_stream=True)
        except H2Error as error:
            self._on_violation(f"{type(error).__name__}: {error}")
            return False
        self._flush()
        return True

    def reset(self, stream: int) -> None:
        """End a stream in the middle."""
        if self._open.pop(stream, None) is not None:
            self._h2.reset_stream(stream, ErrorCodes.INTERNAL_ERROR)
            self._flush()

    def limit(self, streams: int) -> None:
        """Change how many streams the client may have open."""
        self._stream_limit = streams
        self._h2.update_settings({SettingCodes.MAX_CONCURRENT_STREAMS: streams})
        self._flush()

    def go_away(self, reason: bytes) -> None:
        """Take no further streams, answer those that are open, then close.

        h2 cannot answer after a GOAWAY, but RFC 9113 (6.8) and Apple do: the frame goes out by
        hand.
        """
        if self._transport is None or self._last is not None:
            return
        self._flush()
        self._last = self._highest
        frame = GoAwayFrame(0, last_stream_id=self._last, error_code=0, additional_data=reason)
        self._transport.write(frame.serialize())
        self._flush()

    def abort(self) -> None:
        """Drop the TCP connection."""
        if self._transport is not None:
            self._transport.abort()

    def _flush(self) -> None:
        if self._reading or self._transport is None or self._transport.is_closing():
            return
        data = self._h2.data_to_send()
        if data:
            self._transport.write(data)
        if self._last is not None and not self._open:
            self._transport.close()
