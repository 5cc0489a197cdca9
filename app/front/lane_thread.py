"""The thread that a lane works in, with the connections of those who ask it.

Whoever asked a lane once asks it again: a till all day, a phone for pass after pass. So the
connection stays in the lane's own thread, which waits for it, reads, answers and waits again,
without a word to the worker's main thread: between two threads of Python each word costs more than
the reading. What is not for the lane goes back, with all that was read.
"""

import logging
import os
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import repeat
from typing import Any, NamedTuple, Protocol

from app.front.connections import Connection
from app.front.lanes import Answer, Lane, written
from app.front.requests import Read, Unfinished, read_request

_log = logging.getLogger(__name__)

#: A request that is longer than this, in bytes, goes the usual way.
LONGEST_REQUEST = 64 * 1024
#: So many are answered at once at most.
MOST_AT_ONCE = 64
#: So often connections whose time is over are looked for.
LOOK_SECONDS = 1.0


class Owner(Protocol):
    """Whom a lane's thread gives connections back to. Called in that thread; nothing waits."""

    def hand_on(self, connection: Connection, data: bytes) -> None:
        """Have a request answered the usual way; *data* is what was read of it and after it."""

    def hang_up(self, connection: Connection) -> None:
        """Close it."""

    def finish(self, connection: Connection, unsent: bytes) -> None:
        """Send the rest of an answer to a client that takes it slowly, and keep it from then on.

        What it asked meanwhile is its `rest`.
        """

    def take_back(self, connections: Sequence[Connection]) -> None:
        """Keep them, where they have nothing to say: the lane closes."""


class _Waiting(NamedTuple):
    """A request that a lane is to answer: its connection, its bytes, and what the lane read."""

    connection: Connection
    data: bytes
    asked: Any


class LaneThread:
    """One lane's thread: takes all that has come in, has it answered, and begins again."""

    def __init__(self, lane: Lane, owner: Owner, *, keep_seconds: float) -> None:
        self.lane = lane
        self._owner = owner
        self._keep_seconds = keep_seconds
        #: Connections on their way here, each with what was read of it.
        self._arriving: deque[tuple[Connection, bytes]] = deque()
        #: Those that are here and not in hand, the one that spoke longest ago first.
        self._idle: dict[Connection, None] = {}
        self._by_number: dict[int, Connection] = {}
        self._waiting: list[_Waiting] = []
        self._in_hand = False
        self._is_closing = False
        self._looked_at = 0.0
        self._buffer = memoryview(bytearray(LONGEST_REQUEST))
        self._poll = select.epoll()
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._poll.register(self._wake, select.EPOLLIN)
        threading.Thread(target=self._run, name=type(lane).__name__, daemon=True).start()

    # --- called in the main thread ---

    @property
    def is_busy(self) -> bool:
        """Whether requests are being answered, or wait to be."""
        return bool(self._in_hand or self._waiting or self._arriving)

    def __len__(self) -> int:
        return len(self._by_number)

    def take(self, connection: Connection, data: bytes) -> None:
        """Answer the request that *data* begins with, and keep the connection for the next one."""
        self._arriving.append((connection, data))
        os.eventfd_write(self._wake, 1)

    def close(self) -> None:
        """Answer what is in hand, and give every connection back."""
        self._is_closing = True
        os.eventfd_write(self._wake, 1)

    # --- in the lane's thread ---

    def _run(self) -> None:
        last_many = 0
        while True:
            self._look(LOOK_SECONDS)
            if self._waiting:
                self._gather(last_many)
                last_many = 0
                while self._waiting:
                    waiting = self._waiting[:MOST_AT_ONCE]
                    del self._waiting[:MOST_AT_ONCE]
                    last_many = len(waiting)
                    self._answer(waiting)
                self._in_hand = False
            now = time.monotonic()
            if self._is_closing or now - self._looked_at >= LOOK_SECONDS:
                self._looked_at = now
                self._let_go(now)

    def _gather(self, last_many: int) -> None:
        """Whoever is alone never waits; those who were answered together come again together."""
        until = time.monotonic() + self.lane.gather_seconds
        while len(self._waiting) < min(last_many, MOST_AT_ONCE):
            left = until - time.monotonic()
            if left <= 0:
                break
            self._look(left)

    def _look(self, seconds: float) -> None:
        """Take in what has come, or comes within so many seconds."""
        for number, _ in self._poll.poll(seconds):
            if number == self._wake:
                os.eventfd_read(self._wake)
                self._take_in()
            elif (connection := self._by_number.get(number)) is not None:
                self._read(connection)

    def _take_in(self) -> None:
        while self._arriving:
            connection, data = self._arriving.popleft()
            number = connection.sock.fileno()
            self._by_number[number] = connection
            self._idle[connection] = None
            connection.is_watched = True
            self._poll.register(number, select.EPOLLIN)
            self._sort(connection, data)

    def _read(self, connection: Connection) -> None:
        if connection.in_hand:
            # It hung up, or asks again before it was answered: that has to wait.
            self._unwatch(connection)
            return
        try:
            size = connection.sock.recv_into(self._buffer)
        except BlockingIOError:
            return
        except OSError:
            size = 0
        if size:
            self._sort(connection, connection.rest + bytes(self._buffer[:size]))
        else:
            self._owner.hang_up(self._forget(connection))

    def _sort(self, connection: Connection, data: bytes) -> None:
        """Line up the request that *data* begins with, wait for its end, or hand it on."""
        read = read_request(data)
        if isinstance(read, Unfinished) and read.is_awaited(data, [self.lane.begins]):
            # Until its time is over it may take as long as it likes: it keeps nothing busy.
            connection.rest = data
            return
        asked = None
        if isinstance(read, Read) and data.startswith(self.lane.begins):
            asked = self._asked(read)
        if not isinstance(read, Read) or asked is None:
            connection.rest = b""
            self._owner.hand_on(self._forget(connection), data)
            return
        connection.rest = data[read.length :]
        connection.in_hand = self._in_hand = True
        del self._idle[connection]
        self._waiting.append(_Waiting(connection, data[: read.length], asked))

    def _asked(self, read: Read) -> Any:
        """What a request asks of the lane; None where it goes the usual way."""
        try:
            return self.lane.read(read.asked)
        except Exception:
            # What is wrong shows itself again there, where there is an answer for it.
            _log.debug("handed on", exc_info=True)
            return None

    def _answers(self, waiting: Sequence[_Waiting]) -> Iterator[Answer | None]:
        """One to each, as the lane gives them; None to all that are left when it fails."""
        given = 0
        try:
            for answer in self.lane.answer([each.asked for each in waiting]):
                given += 1
                yield answer
        except Exception:
            _log.debug("handed on", exc_info=True)
        yield from repeat(None, len(waiting) - given)

    def _answer(self, waiting: Sequence[_Waiting]) -> None:
        until = time.monotonic() + self._keep_seconds
        for (connection, data, _), answer in zip(waiting, self._answers(waiting), strict=True):
            if answer is None:
                whole, connection.rest = data + connection.rest, b""
                self._owner.hand_on(self._forget(connection), whole)
                continue
            try:
                unsent = _send(connection.sock, written(answer))
            except OSError:
                self._owner.hang_up(self._forget(connection))
                continue
            if unsent:
                self._owner.finish(self._forget(connection), unsent)
            else:
                self._go_on(connection, until)

    def _go_on(self, connection: Connection, until: float) -> None:
        connection.in_hand = False
        connection.timeout = until
        self._idle[connection] = None
        if not connection.is_watched:
            connection.is_watched = True
            self._poll.register(connection.sock.fileno(), select.EPOLLIN)
        if connection.rest:
            self._sort(connection, connection.rest)

    def _let_go(self, now: float) -> None:
        """Close those whose time is over; where the lane closes, give back all others."""
        idle = iter(self._idle)
        over = []
        for connection in idle:
            if connection.timeout > now:
                break
            over.append(connection)
        for connection in over:
            self._owner.hang_up(self._forget(connection))
        if self._is_closing and self._idle:
            given_back = []
            for connection in list(self._idle):
                data, connection.rest = connection.rest, b""
                if data:
                    self._owner.hand_on(self._forget(connection), data)
                else:
                    given_back.append(self._forget(connection))
            self._owner.take_back(given_back)

    def _unwatch(self, connection: Connection) -> None:
        if connection.is_watched:
            connection.is_watched = False
            self._poll.unregister(connection.sock.fileno())

    def _forget(self, connection: Connection) -> Connection:
        self._unwatch(connection)
        self._by_number.pop(connection.sock.fileno(), None)
        self._idle.pop(connection, None)
        connection.in_hand = False
        return connection


def _send(sock: socket.socket, parts: list[bytes]) -> bytes:
    """Send without waiting; what did not go yet."""
    try:
        sent = sock.sendmsg(parts)
    except BlockingIOError:
        sent = 0
    left = sum(map(len, parts)) - sent
    return b"".join(parts)[-left:] if left else b""
