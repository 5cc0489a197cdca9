"""A café with its service, a till with its page, a camera in front of which phones are held, and a
network that can be cut."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from app.cards.service import issue_card
from app.config import from_environment
from app.context import Context
from app.demo.cafe import make_cafe
from app.demo.counter import Scene, film
from app.demo.processes import Installation, free_port
from app.ledger import service as ledger
from app.members.service import Contact, add_member
from app.migrations import upgrade
from scanner.commands import enrol_till
from scanner.config import Settings
from scanner.page.start import Choices, Running
from tests.browser.shared import Shared

FPS = 12
WIDE, SMALL = {"width": 1280, "height": 800}, {"width": 1024, "height": 768}


class Camera:
    """A network camera (MJPEG over HTTP) that sees an empty counter until a phone is held up."""

    def __init__(self) -> None:
        empty = film([], scene=Scene(), seed=1, size=(640, 480), fps=FPS, seconds=1)
        self._empty = [shot.data for shot in empty.shots]
        self._playing: list[bytes] = []
        self._lock = threading.Lock()
        self.held_at = 0.0
        camera = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, format: str, *args: object) -> None:
                pass

            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=b")
                self.end_headers()
                number = 0
                try:
                    while True:
                        data = camera.next(number)
                        kind = b"--b\r\nContent-Type: image/jpeg\r\n"
                        self.wfile.write(kind + b"Content-Length: %d\r\n\r\n" % len(data))
                        self.wfile.write(data + b"\r\n")
                        number += 1
                        time.sleep(1 / FPS)
                except OSError:
                    return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/"

    def next(self, number: int) -> bytes:
        with self._lock:
            return self._playing.pop(0) if self._playing else self._empty[number % len(self._empty)]

    def hold_up(self, clip: list[bytes]) -> None:
        """Play the frames of one presentation once."""
        with self._lock:
            self._playing = list(clip)
            self.held_at = time.monotonic()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Network:
    """What lies between the till and the service; it can be cut."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._up = True
        self._open: set[socket.socket] = set()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        self._up = False
        for each in list(self._open):
            each.close()
        self._open.clear()

    def mend(self) -> None:
        self._up = True

    def close(self) -> None:
        self._listening.close()
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listening.accept()
            except OSError:
                return
            if not self._up:
                near.close()
                continue
            far = socket.create_connection(("127.0.0.1", self._to))
            self._open |= {near, far}
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self._pump, args=(one, other), daemon=True).start()

    def _pump(self, one: socket.socket, other: socket.socket) -> None:
        try:
            while data := one.recv(65536):
                other.sendall(data)
        except OSError:
            pass
        for each in (one, other):
            self._open.discard(each)
            each.close()


@dataclass
class Shop:
    """The café: its service, its cards by name, the network and the camera."""

    context: Context
    programme_id: str
    service: Installation
    network: Network
    camera: Camera
    cards: dict[str, str]
    enrolment_code: str
    folder: Path

    def clip(self, name: str, seconds: float = 5.0) -> list[bytes]:
        """The frames of that phone being held up, as long as a busy machine may need."""
        seed = sum(name.encode())
        held = film(
            [self.cards[name]], scene=Scene(wobble=1), seed=seed, size=(640, 480), fps=FPS,
            seconds=seconds,
        )  # fmt: skip
        return [shot.data for shot in held.shots]


def _card(context: Context, programme_id: str, name: str, language: str) -> str:
    now = context.clock()
    with context.database.write(programme_id) as session:
        account = ledger.open_account(session, now=now)
        member = add_member(
            session, context.keys, programme_id,
            contact=Contact(name=name), language=language, now=now,
        )  # fmt: skip
        return issue_card(
            session, context.keys, programme_id, account_id=account.id, now=now,
            member_id=member.id, language=language,
        ).code  # fmt: skip


_shared = Shared(Path(__file__).parent)


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> None:
    """Close the café and its till after the last test of them."""
    _shared.go_on(nextitem)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """A café on SQLite with a running service."""
    return _shared.get("shop", lambda: open_shop(tmp_path_factory.mktemp("shop")))


@contextmanager
def open_shop(folder: Path) -> Iterator[Shop]:
    """Make the café in *folder* and run it."""
    port = free_port()
    settings = {
        "COUNTERFOIL_DATA": str(folder / "data"),
        "COUNTERFOIL_URL": f"http://127.0.0.1:{port}",
        "COUNTERFOIL_BIND": f"127.0.0.1:{port}",
    }
    context = Context.open(from_environment(settings))
    upgrade(context.database)
    cafe = make_cafe(context)
    service = Installation(settings, folder / "service.log")
    service.start()
    network, camera = Network(port), Camera()
    names = {
        "Ilze": "Ilze Bērziņa", "Otto": "Maximilian Sonnenschein-Österreicher", "Ada": "Ada",
        # Held up once, to the locked till: the same phone again at once would be the same visit.
        "Zane": "Zane Liepa",
    }  # fmt: skip
    cards = {key: _card(context, cafe.programme_id, name, "en") for key, name in names.items()}
    yield Shop(
        context, cafe.programme_id, service, network, camera, cards, cafe.enrolment_code, folder
    )
    camera.close()
    network.close()
    service.kill()
    context.database.dispose()


@pytest.fixture(scope="module")
def till(shop: Shop) -> Running:
    """The till with its page."""
    return _shared.get("till", lambda: open_till(shop))


@contextmanager
def open_till(shop: Shop) -> Iterator[Running]:
    """Enrol a till in the café and serve its page."""
    enrol_till(shop.folder / "till", shop.network.url, shop.enrolment_code)
    settings = Settings(data=shop.folder / "till", camera=shop.camera.url)
    running = Running(settings, Choices(port=0))
    yield running
    running.stop()


@pytest.fixture
def problems() -> list[str]:
    """What the browser complained of."""
    return []


@pytest.fixture
def open_page(
    browser: Browser, till: Running, problems: list[str]
) -> Iterator[Callable[..., Page]]:
    """Opens the till's page in a window of its own; fails where the browser complained."""
    contexts = []

    def open_it(size: dict[str, int] = WIDE, **options: Any) -> Page:
        options = {"locale": "en-GB", "reduced_motion": "reduce"} | options
        context = browser.new_context(viewport=size, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on(
            "console",
            lambda said: problems.append(said.text) if said.type == "error" else None,
        )
        page.goto(till.url, wait_until="domcontentloaded")
        page.wait_for_selector("#keys button")
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert problems == []
