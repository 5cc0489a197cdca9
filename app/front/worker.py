"""gunicorn's threaded worker, with lanes before its threads."""

import errno
import socket
import time
from collections.abc import Iterator, Sequence
from functools import partial
from selectors import EVENT_READ
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker

from app.front.lanes import LANES, Lane, LaneThread, Waiting
from app.front.requests import LONGEST_HEAD, read_request

#: A request that is longer than this, in bytes, goes the usual way.
LONGEST_REQUEST = 64 * 1024
#: So often the arbiter is told that this process is alive: it waits for many times as long.
ALIVE_SECONDS = 0.25
#: Who takes an answer slower than this is cut off: it keeps a thread.
SLOWEST_SECONDS = 30.0
#: So often in a row a process that has enough to do leaves a new connection to the others, and so
#: long after it took one.
MOST_PASSED_OVER = 3
PASS_OVER_SECONDS = 0.002


class Connection(TConn):  # type: ignore[misc]
    """A client's connection, and where it is."""

    #: A lane has its request.
    in_hand = False
    #: The poller tells when it has something to say.
    is_watched = True
    #: It was accepted and has not been answered yet.
    is_new = True
    #: So many bytes of an unfinished head have come; it is looked at again when there are more.
    unfinished = 0


class Connections:
    """Open connections, the one that spoke longest ago first: gunicorn's deque, without a search.

    It closes those at the beginning when their time is over.
    """

    def __init__(self) -> None:
        self._all: dict[Connection, None] = {}
        self.append = self._all.setdefault
        self.remove = self._all.__delitem__

    def popleft(self) -> Connection:
        """Take the first."""
        first = next(iter(self._all))
        del self._all[first]
        return first

    def __getitem__(self, index: int) -> Connection:
        if index:
            raise IndexError("only the first is ever asked for")
        return next(iter(self._all))

    def __iter__(self) -> Iterator[Connection]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)


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
        self._lanes = [LaneThread(lane, self._send_all) for lane in lanes]
        super().run()

    def accept(self, listener: socket.socket) -> None:
        """Accept a connection and wait for its first request, without a thread."""
        now = time.monotonic()
        if self._passed_over < MOST_PASSED_OVER and self._has_enough(now):
            # An idle process takes it sooner: it is woken as this one is.
            self._passed_over += 1
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
        """Take in all that has come; then each lane answers its share together."""
        registered = self.poller.get_map()
        for key, _ in self.poller.select(timeout):
            # Whatever was called before may have closed the connection, given it to a thread, or
            # accepted another one under its number: then this was said of something that is over.
            if registered.get(key.fd) is key:
                key.data(key.fileobj)
        for lane in self._lanes:
            lane.go()

    def _has_enough(self, now: float) -> bool:
        return now - self._accepted_at < PASS_OVER_SECONDS or any(
            lane.is_busy for lane in self._lanes
        )

    def _on_readable(self, connection: Connection, client: socket.socket) -> None:
        connection.is_watched = True
        if connection.in_hand:
            # It hung up, or asks again before it was answered: that has to wait.
            self._unwatch(connection)
            return
        data = _peek(client)
        if self._is_unfinished(connection, client, data):
            return
        if self._goes_to_a_lane(connection, client, data):
            connection.in_hand = True
            (self.pending_conns if connection.is_new else self.keepalived_conns).remove(connection)
            connection.is_new = False
        elif connection.is_new:
            connection.is_new = False
            self.on_pending_socket_readable(connection, client)
        else:
            super().on_client_socket_readable(connection, client)

    def _is_unfinished(self, connection: Connection, client: socket.socket, data: bytes) -> bool:
        """Whether a head is yet to end: it waits here, until its time is over, and in no thread."""
        before = connection.unfinished
        more = before < len(data) < LONGEST_HEAD and b"\r\n\r\n" not in data
        connection.unfinished = len(data) if more else 0
        if more or before:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, connection.unfinished + 1)
        return more

    def _goes_to_a_lane(self, connection: Connection, client: socket.socket, data: bytes) -> bool:
        is_full = len(self.keepalived_conns) >= self.max_keepalived
        if not self._lanes or not self.alive or is_full:
            return False
        for each in self._lanes:
            if data.startswith(each.lane.begins):
                read = read_request(data)
                if read is None:
                    return False
                asked, length = read
                client.recv(length)
                each.add(Waiting(connection, data[:length], asked))
                return True
        return False

    def _unwatch(self, connection: Connection) -> None:
        if connection.is_watched:
            connection.is_watched = False
            self.poller.unregister(connection.sock)

    # --- in a lane's thread ---

    def _send_all(self, answered: Sequence[tuple[Waiting, list[bytes] | None]]) -> None:
        done = []
        for waiting, parts in answered:
            if parts is None:
                self.method_queue.defer(self._hand_on, waiting)
                continue
            try:
                rest = _send(waiting.connection.sock, parts)
            except OSError:
                self.method_queue.defer(self._hang_up, waiting.connection)
                continue
            if rest:
                self.method_queue.defer(self._finish, waiting.connection, rest)
            else:
                done.append(waiting.connection)
        if done:
            self.method_queue.defer(self._keep_open, done)

    # --- in the main thread ---

    def _keep_open(self, connections: Sequence[Connection]) -> None:
        now = time.monotonic()
        for connection in connections:
            if not self.alive:
                self._hang_up(connection)
                continue
            connection.in_hand = False
            connection.timeout = now + self.cfg.keepalive
            self.keepalived_conns.append(connection)
            if not connection.is_watched:
                readable = partial(self._on_readable, connection)
                self.poller.register(connection.sock, EVENT_READ, readable)

    def _hand_on(self, waiting: Waiting) -> None:
        """Let gunicorn answer it: its reader gets the bytes as if they came just now."""
        connection = waiting.connection
        self._unwatch(connection)
        connection.in_hand = False
        try:
            connection.init()
            connection.parser.unreader.unread(waiting.data)
        except OSError:
            self._hang_up(connection)
        else:
            self.enqueue_req(connection)

    def _finish(self, connection: Connection, rest: bytes) -> None:
        """Send the rest to a slow client, in a thread of gunicorn's."""
        self._unwatch(connection)
        self.tpool.submit(self._send_rest, connection, rest)

    def _send_rest(self, connection: Connection, rest: bytes) -> None:
        try:
            connection.sock.settimeout(SLOWEST_SECONDS)
            connection.sock.sendall(rest)
            connection.sock.setblocking(False)
        except OSError:
            self.method_queue.defer(self._hang_up, connection)
        else:
            self.method_queue.defer(self._keep_open, [connection])

    def _hang_up(self, connection: Connection) -> None:
        self._unwatch(connection)
        self.nr_conns -= 1
        connection.close()


def _peek(client: socket.socket) -> bytes:
    """What has come and was not read yet; nothing from one who hung up."""
    try:
        return client.recv(LONGEST_REQUEST, socket.MSG_PEEK)
    except OSError:
        return b""


def _send(sock: socket.socket, parts: list[bytes]) -> bytes:
    """Send without waiting; what did not go yet."""
    try:
        sent = sock.sendmsg(parts)
    except BlockingIOError:
        sent = 0
    left = sum(map(len, parts)) - sent
    return b"".join(parts)[-left:] if left else b""
