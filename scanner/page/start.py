"""Running the page: port, camera, desk, the sender of what waits, and the browser."""

from __future__ import annotations

import signal
import threading
import webbrowser
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType

from scanner.camera import require_source
from scanner.config import Settings, load_till
from scanner.decode import load_decoder
from scanner.page import pos
from scanner.page.desk import Desk
from scanner.page.guard import Guard
from scanner.page.keeper import Keeper
from scanner.page.server import Serving, listen, make_app
from scanner.page.watching import Eye

DEFAULT_PORT = 8642


@dataclass(frozen=True, slots=True)
class Choices:
    """How the page is started. `fps` is the rate at which a recording plays."""

    port: int = DEFAULT_PORT
    browser: bool = True
    self_service: bool = False
    visit_minutes: int = 60
    fps: float | None = None


class Running:
    """A till with its page: everything started, `url` to be opened. Stop it at the end."""

    def __init__(self, settings: Settings, choices: Choices) -> None:
        """Start everything; raises ConfigError, CameraError, DecoderError, QueueError."""
        till = load_till(settings.data)
        require_source(settings.camera)
        load_decoder(settings.decoder)  # one that is not installed is said before the page opens
        taken = listen(choices.port)
        self.guard = Guard(taken.getsockname()[1], pos.token(settings.data))
        self.desk = Desk(
            settings,
            till,
            self_service=choices.self_service,
            visit_minutes=choices.visit_minutes,
        )
        self.desk.start()
        self._eye = Eye(
            settings.camera,
            self.desk.showing,
            self.desk.held_up,
            on_sight=self.desk.early.sighted,
            decoder=settings.decoder,
            fps=choices.fps,
        )
        self._keeper = Keeper(self.desk)
        self._serving = Serving(make_app(self.desk, self.guard, self._eye), taken)
        for part in (self._eye, self._keeper, self._serving):
            part.start()

    @property
    def url(self) -> str:
        """The address that opens the page; it carries the key of this start."""
        return self.guard.start_url

    def stop(self) -> None:
        """Stop everything; what waits in the queue is kept."""
        self._eye.stop()
        self._keeper.stop()
        self.desk.stop()
        self._serving.stop()


def run(settings: Settings, choices: Choices, say: Callable[[str], None]) -> None:
    """Run the page until the program is ended with Ctrl+C or a signal."""
    ended = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        ended.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    running = Running(settings, choices)
    try:
        say(f"The till is open at {running.url}")
        say(f"For the shop's own POS: port {running.guard.port}, token in "
            f"{settings.data / pos.TOKEN_FILE}. End with Ctrl+C.")  # fmt: skip
        if choices.browser:
            webbrowser.open(running.url)
        while not ended.wait(1):
            pass
    finally:
        running.stop()
