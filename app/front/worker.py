"""gunicorn's threaded worker, with lanes before its threads."""

import errno
import socket
import time
from collections.abc import Sequence
from functools import partial
from selectors import EVENT_READ
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

from app.front.connections import Connection, Connections
from app.front.lane_thread import LONGEST_REQUEST, LaneThread
from app.front.lanes import LANES, Lane
from app.front.requests import Read, Unfinished, read_request

#: So often the arbiter is told that this process is alive: it waits for many times as long.
ALIVE_SECONDS = 0.25
#: Who takes an answer slower than this is cut off: it keeps a thread.
SLOWEST_SECONDS = 30.0
#: So often in a row, and for so long each time, a process that has enough to do leaves a new
#: connection to the others; and it has enough so long after it took one.
MOST_PASSED_OVER = 3
PASSED_OVER_SECONDS = 0.0005
JUST_NOW_SECONDS = 0.002
#: While this process stops, a connection without a request stays open for so long.
LINGER_SECONDS = 1.0


class Front(ThreadWorker):  # type: ignore[misc]
    """Answers plain requests of its lanes in their threads, all others as gunicorn does.

    A request is looked at without being taken off the socket; what no lane wants is still there
    for gunicorn. One that a lane hands on is given back to gunicorn's reader.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.keepalived_conns, self.pending_conns = Connections(), Connections()
        self._lanes: list[LaneThread] = []
        self._passed_over = 0
        self._accepted_at = 0.0
        self._alive_at = 0.0

    def notify(self) -> None:
        """Tell the arbiter that this process is alive, not with each request anew."""
        now = time.monotonic()
        if now - self._alive_at >= ALIVE_SECONDS:
            self._alive_at = now
            super().notify()

    def run(self) -> None:
        """Serve until told to stop."""
        lanes: Sequence[Lane] = self.wsgi.extensions.get(LANES, ())
        self._lanes = [LaneThread(lane, self, keep_seconds=self.cfg.keepalive) for lane in lanes]
        super().run()

    def handle_exit(self, sig: int, frame: Any) -> None:
        """Begin to stop: the lanes give back what they keep open."""
        super().handle_exit(sig, frame)
        self._close_lanes()

    def is_parent_alive(self) -> bool:
        """Whether the arbiter is there; without it this process stops."""
        is_alive: bool = super().is_parent_alive()
        if not is_alive:
            self._close_lanes()
        return is_alive

    def accept(self, listener: socket.socket) -> None:
        """Accept a connection and wait for its first request, without a thread."""
        now = time.monotonic()
        if self._passed_over < MOST_PASSED_OVER and self._has_enough(now):
            # An idle process takes it meanwhile: it is woken as this one is.
            self._passed_over += 1
            time.sleep(PASSED_OVER_SECONDS)
            return
        self._passed_over, self._accepted_at = 0, now
        try:
            client, address = listener.accept()
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.ECONNABORTED, errno.EWOULDBLOCK):
                raise
            return
        self.nr_conns += 1
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = Connection(self.cfg, client, address, listener.getsockname())
        connection.timeout = now + self.cfg.keepalive
        self.pending_conns.append(connection)
        self.poller.register(client, EVENT_READ, partial(self._on_readable, connection))

    def on_client_socket_readable(self, connection: Connection, client: socket.socket) -> None:
        """Called for a connection that gunicorn kept open."""
        connection.is_new = False
        self._on_readable(connection, client)

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """Take in all that has come."""
        registered = self.poller.get_map()
        for key, _ in self.poller.select(timeout):
            # Whatever was called before may have closed the connection, given it to a thread, or
            # accepted another one under its number: then this was said of something that is over.
            if registered.get(key.fd) is key:
                key.data(key.fileobj)

    def _has_enough(self, now: float) -> bool:
        if self.cfg.workers < 2:
            return False
        return now - self._accepted_at < JUST_NOW_SECONDS or any(
            lane.is_busy for lane in self._lanes
        )

    def _on_readable(self, connection: Connection, client: socket.socket) -> None:
        data = _peek(client)
        read = read_request(data) if data else None
        if self._is_unfinished(connection, client, data, read):
            return
        lane = self._lane_for(data) if isinstance(read, Read) else None
        if lane is not None:
            (self.pending_conns if connection.is_new else self.keepalived_conns).remove(connection)
            connection.is_new = False
            self.poller.unregister(client)
            lane.take(connection, client.recv(LONGEST_REQUEST))
        elif connection.is_new:
            connection.is_new = False
            self.on_pending_socket_readable(connection, client)
        else:
            super().on_client_socket_readable(connection, client)

    def _is_unfinished(
        self, connection: Connection, client: socket.socket, data: bytes, read: object
    ) -> bool:
        """Whether a request is yet to end: it waits here, until its time is over, in no thread."""
        before = connection.unfinished
        begins = [lane.lane.begins for lane in self._lanes]
        more = isinstance(read, Unfinished) and read.is_awaited(data, begins) and len(data) > before
        connection.unfinished = len(data) if more else 0
        if more or before:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, connection.unfinished + 1)
        return more

    def _lane_for(self, data: bytes) -> LaneThread | None:
        kept = len(self.keepalived_conns) + sum(map(len, self._lanes))
        if not self.alive or kept >= self.max_keepalived:
            return None
        for lane in self._lanes:
            if data.startswith(lane.lane.begins):
                return lane
        return None

    def _close_lanes(self) -> None:
        for lane in self._lanes:
            lane.close()

    # --- called in a lane's thread ---

    def hand_on(self, connection: Connection, data: bytes) -> None:
        """Let gunicorn answer it: its reader gets the bytes as if they came just now."""
        self.method_queue.defer(self._hand_on, connection, data)

    def hang_up(self, connection: Connection) -> None:
        """Close it."""
        self.method_queue.defer(self._hang_up, connection)

    def finish(self, connection: Connection, unsent: bytes) -> None:
        """Send the rest to a slow client, in a thread of gunicorn's."""
        try:
            self.tpool.submit(self._send_rest, connection, unsent)
        except RuntimeError:
            # The process is about to end.
            self.hang_up(connection)

    def take_back(self, connections: Sequence[Connection]) -> None:
        """Keep them open as gunicorn does."""
        for connection in connections:
            self.method_queue.defer(self._keep_open, connection)

    def _send_rest(self, connection: Connection, unsent: bytes) -> None:
        try:
            connection.sock.settimeout(SLOWEST_SECONDS)
            connection.sock.sendall(unsent)
            connection.sock.setblocking(False)
        except OSError:
            self.method_queue.defer(self._hang_up, connection)
        else:
            self.method_queue.defer(self._keep_open, connection)

    # --- in the main thread ---

    def _keep_open(self, connection: Connection) -> None:
        if connection.rest:
            data, connection.rest = connection.rest, b""
            self._hand_on(connection, data)
            return
        # A request that arrives while this process stops is answered, and told to close.
        stays = self.cfg.keepalive if self.alive else LINGER_SECONDS
        connection.timeout = time.monotonic() + stays
        self.keepalived_conns.append(connection)
        readable = partial(self.on_client_socket_readable, connection)
        self.poller.register(connection.sock, EVENT_READ, readable)

    def _hand_on(self, connection: Connection, data: bytes) -> None:
        try:
            connection.init()
            connection.parser.unreader.unread(data)
        except OSError:
            self._hang_up(connection)
        else:
            self.enqueue_req(connection)

    def _hang_up(self, connection: Connection) -> None:
        self.nr_conns -= 1
        connection.close()


def _peek(client: socket.socket) -> bytes:
    """What has come and was not read yet; nothing from one who hung up."""
    try:
        return client.recv(LONGEST_REQUEST, socket.MSG_PEEK)
    except OSError:
        return b""
