"""What the poller said before a connection changed hands is no longer true after it."""

import logging
import selectors
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from gunicorn.config import Config

from app.front import LANES, Answer, Asked
from app.front.lane_thread import LaneThread
from app.front.worker import Front

FIRST = b"GET /lane HTTP/1.1\r\nHost: a\r\n\r\n"
SECOND = b"GET /other HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
PATIENCE_SECONDS = 20.0


class Slow:
    """A lane that answers when it is told to, and so many at once before it fails."""

    begins = b"GET /lane"
    gather_seconds = 0.0

    def __init__(self) -> None:
        self.given: Answer | None = Answer("200 OK", (), (b"done",))
        self.has_it, self.may_go = threading.Event(), threading.Event()
        self.most = 64

    def read(self, asked: Asked) -> Asked:
        if b"nonsense" in asked.headers:
            raise RuntimeError("it cannot be read")
        return asked

    def answer(self, asked: Sequence[Asked]) -> Iterator[Answer | None]:
        self.has_it.set()
        assert self.may_go.wait(PATIENCE_SECONDS)
        for place in range(len(asked)):
            if place == self.most:
                raise RuntimeError("it has failed")
            yield self.given


class Application:
    """What gunicorn serves beside the lane: it says which path was asked for."""

    def __init__(self, lane: Slow) -> None:
        self.extensions = {LANES: [lane]}

    def __call__(
        self, environ: dict[str, str], start_response: Callable[..., object]
    ) -> list[bytes]:
        body = environ["PATH_INFO"].encode()
        start_response("200 OK", [("Content-Length", str(len(body)))])
        return [body]


class Service:
    """A worker whose turns the test takes one by one."""

    def __init__(self) -> None:
        self.lane = Slow()
        self.listener = socket.create_server(("127.0.0.1", 0))
        config, log = Config(), logging.getLogger("gunicorn")
        for name, value in {"threads": 2, "keepalive": 15}.items():
            config.set(name, value)
        said = SimpleNamespace(
            access=lambda *_: None, debug=log.debug, info=log.info, exception=log.exception
        )
        application = Application(self.lane)
        self.worker = Front(1, 0, [self.listener], None, 30, config, said)
        self.worker.wsgi = application
        self.worker.tpool = ThreadPoolExecutor(2)
        self.worker.poller = selectors.DefaultSelector()
        self.worker.method_queue.init()
        self.lane_thread = LaneThread(self.lane, self.worker, keep_seconds=15)
        self.worker._lanes = [self.lane_thread]
        queue = self.worker.method_queue
        self.worker.poller.register(queue.fileno(), selectors.EVENT_READ, queue.run_callbacks)
        self.worker.set_accept_enabled(True)

    def turn(self) -> None:
        """What the worker's loop does once."""
        self.worker.wait_for_and_dispatch_events(0.2)

    def until(self, event: threading.Event) -> None:
        """Turn after turn until something happened."""
        for _ in range(100):
            if event.is_set():
                return
            self.turn()
        raise AssertionError("it never happened")

    def wake(self) -> None:
        """Something else has to be done first: the poller names it before what comes later."""
        self.worker.method_queue.defer(lambda: None)

    def lane_goes_on(self) -> None:
        """The lane answers, while the worker's loop is busy with something else."""
        self.lane.may_go.set()
        until = time.monotonic() + PATIENCE_SECONDS
        while self.lane_thread.is_busy:
            assert time.monotonic() < until
            time.sleep(0.001)

    def close(self) -> None:
        self.lane.may_go.set()
        self.lane_thread.close()
        self.turn()
        self.worker.murder_keepalived(force=True)
        self.worker.tpool.shutdown()
        self.worker.poller.close()
        self.worker.method_queue.close()
        self.listener.close()


@pytest.fixture
def service() -> Iterator[Service]:
    made = Service()
    yield made
    made.close()


def connect(service: Service) -> socket.socket:
    connection = socket.create_connection(service.listener.getsockname())
    connection.settimeout(PATIENCE_SECONDS)
    return connection


def cut(connection: socket.socket) -> None:
    """Close with a reset instead of a farewell."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def read_all(service: Service, connection: socket.socket, until: bytes) -> bytes:
    found = bytearray()
    connection.settimeout(0.02)
    for _ in range(400):
        service.worker.wait_for_and_dispatch_events(0.01)
        try:
            while more := connection.recv(1 << 20):
                found += more
        except TimeoutError:
            pass
        if found.endswith(until):
            return bytes(found)
    raise AssertionError(f"{len(found)} bytes came, and at last {bytes(found[-100:])!r}")


def test_who_is_cut_off_while_the_answer_leaves_takes_nobody_along(service: Service) -> None:
    client, other = connect(service), connect(service)
    client.sendall(FIRST)
    service.until(service.lane.has_it)
    service.wake()
    cut(client)
    service.lane_goes_on()
    service.turn()  # The answer could not be sent; the poller said besides that it hung up.
    other.sendall(SECOND)
    assert read_all(service, other, b"/other")
    other.close()
    assert service.worker.nr_conns <= 1


def test_who_asks_on_while_handed_on_is_answered_in_order(service: Service) -> None:
    service.lane.given = None
    with connect(service) as client:
        client.sendall(FIRST)
        service.until(service.lane.has_it)
        service.wake()
        client.sendall(SECOND)
        service.lane_goes_on()
        answers = read_all(service, client, b"/other")
    assert answers.index(b"/lane") < answers.index(b"/other")


def test_who_is_left_when_a_lane_fails_is_answered_the_usual_way(service: Service) -> None:
    service.lane.most = 1
    first, second, third = clients = [connect(service) for _ in range(3)]
    first.sendall(FIRST)
    service.until(service.lane.has_it)
    for client in (second, third):  # Both wait while the first is in hand, and come together.
        client.sendall(FIRST)
        service.turn()
        service.turn()
    service.lane_goes_on()
    assert read_all(service, first, b"done")
    assert read_all(service, second, b"done")
    assert read_all(service, third, b"/lane")
    for client in clients:
        client.close()


def test_what_a_lane_cannot_read_is_answered_the_usual_way(service: Service) -> None:
    service.lane.may_go.set()
    with connect(service) as client:
        client.sendall(FIRST[:-2] + b"Nonsense: 1\r\n\r\n")
        assert read_all(service, client, b"/lane")
    with connect(service) as client:
        client.sendall(FIRST)
        assert read_all(service, client, b"done")


def test_who_asks_on_while_the_rest_of_an_answer_leaves_is_answered_in_order(
    service: Service,
) -> None:
    body = b"x" * 8_000_000
    service.lane.given = Answer("200 OK", (), (body,))
    with connect(service) as client:
        client.sendall(FIRST)
        service.until(service.lane.has_it)
        service.wake()
        client.sendall(SECOND)
        service.lane_goes_on()
        answers = read_all(service, client, b"/other")
    assert answers.count(b"x") >= len(body)


def test_unfinished_heads_hold_no_thread_and_are_answered_once_they_end(service: Service) -> None:
    slow = [connect(service) for _ in range(5)]
    for client in slow:
        client.sendall(SECOND[:20])
    for _ in range(5):
        service.turn()
    with connect(service) as client:
        client.sendall(SECOND)
        assert read_all(service, client, b"/other")
    for client in slow:
        client.sendall(SECOND[20:30])
        service.turn()
        client.sendall(SECOND[30:])
        assert read_all(service, client, b"/other")
        client.close()


def test_who_leaves_in_the_middle_of_a_head_is_forgotten(service: Service) -> None:
    client = connect(service)
    client.sendall(SECOND[:20])
    for _ in range(3):
        service.turn()
    client.close()
    for _ in range(5):
        service.turn()
    assert service.worker.nr_conns == 0
