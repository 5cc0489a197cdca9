"""The camera of the page: codes for the desk, hints for the customer, and the picture.

The picture is made only while somebody looks at it. It is the camera's own, not mirrored (the
page mirrors it), with codes outlined: white while one is only found, green where it was read.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence

import cv2
import numpy as np

from scanner.camera import is_live, sources_of
from scanner.errors import CameraError
from scanner.page.showing import Showing
from scanner.picture import Image
from scanner.presentation import Presentation
from scanner.seen import Corners, Seen
from scanner.watch import Watch

PICTURE_WIDTH = 720
PICTURE_QUALITY = 72
PICTURES_A_SECOND = 15
STILL_PICTURES_A_SECOND = 5
PICTURE_SECONDS = 2.0
REOPEN_SECONDS = 2.0
HINT_SECONDS = 1.5
OUTSIDE = 1.14  # the outline is a little larger than the code
_WHITE, _GREEN, _SHADE = (255, 255, 255), (108, 204, 60), (24, 24, 24)


class Eye:
    """Follows one camera until it is stopped; `on_code` is told each code held up, once.

    `on_sight` is told of each code as often as it is read: of a phone that stays in view.
    """

    def __init__(
        self,
        source: str,
        showing: Showing,
        on_code: Callable[[str], object],
        *,
        on_sight: Callable[[str], object] = lambda text: None,
        decoder: str = "zxing",
        fps: float | None = None,
    ) -> None:
        self._source, self._decoder, self._fps = source, decoder, fps
        self._showing, self._on_code, self._on_sight = showing, on_code, on_sight
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="eye", daemon=True)
        self._fresh = threading.Condition()
        self._picture: tuple[int, bytes] = (0, b"")
        self._looking = 0
        self._watching: Watch | None = None
        self._drawn_at = float("-inf")
        self._shown = 0
        self._saw = False
        self._hinted_at = float("-inf")

    def start(self) -> None:
        """Begin to watch, in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Let the camera go."""
        self._stop.set()
        watching = self._watching
        if watching is not None:
            watching.stop()
        with self._fresh:
            self._fresh.notify_all()
        self._thread.join(timeout=15)

    def pictures(self) -> Iterator[bytes]:
        """Yield the camera's pictures as JPEG while somebody looks; b"" as a sign of life."""
        seen = 0
        with self._fresh:
            self._looking += 1
        try:
            while not self._stop.is_set():
                with self._fresh:
                    if self._picture[0] == seen:
                        self._fresh.wait(PICTURE_SECONDS)
                    number, data = self._picture
                yield data if number != seen else b""
                seen = number
        finally:
            with self._fresh:
                self._looking -= 1

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._watch()
            except CameraError:
                recorded = not all(is_live(source) for source in sources_of(self._source))
                ended = recorded and self._saw
                self._showing.state(camera="ended" if ended else "off", hint=None)
                if recorded:
                    return
                self._stop.wait(REOPEN_SECONDS)

    def _watch(self) -> None:
        sources = sources_of(self._source)
        live = any(is_live(source) for source in sources)
        with Watch(
            sources, decoder=self._decoder, fps=self._fps, patient=live,
            on_change=self._on_change,
        ) as watch:  # fmt: skip
            self._watching = watch
            for seen in watch:
                if self._stop.is_set():
                    return
                if seen.begun:
                    self._on_code(preferred(seen.begun).text)
                for mark in seen.marks:
                    if mark.text is not None:
                        self._on_sight(mark.text)
                self._saw = True
                self._showing.state(camera="on", hint=self._hint(seen))
                self._draw(seen)

    def _on_change(self, line: str) -> None:
        self._showing.state(camera="on" if line.endswith("is back.") else "off")

    def _hint(self, seen: Seen) -> str | None:
        """The hint, and for a moment after it: words that flicker cannot be read."""
        if seen.hint is not None:
            self._hinted_at = seen.at
            return str(seen.hint)
        if any(mark.text is not None for mark in seen.marks):
            return None
        standing: str | None = self._showing.fact("hint")
        return standing if seen.at - self._hinted_at < HINT_SECONDS else None

    def _draw(self, seen: Seen) -> None:
        """Make the picture for those who look, a few times a second."""
        if any(mark.text is not None for mark in seen.marks):
            self._shown = seen.camera  # of several cameras, the one that reads
        if seen.camera != self._shown:
            return
        rate = PICTURES_A_SECOND if seen.awake else STILL_PICTURES_A_SECOND
        if not self._looking or seen.at - self._drawn_at < 1 / rate:
            return
        self._drawn_at = seen.at
        image = shrunk(seen.frame.image, PICTURE_WIDTH)
        for mark in seen.marks:
            # What only looks like a code is outlined once it stands still: shops are full of it.
            if mark.text is not None or seen.hint is not None:
                outline(image, mark.corners, _WHITE if mark.text is None else _GREEN)
        good, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, PICTURE_QUALITY])
        if good:
            with self._fresh:
                self._picture = (self._picture[0] + 1, data.tobytes())
                self._fresh.notify_all()


def preferred(begun: Sequence[Presentation]) -> Presentation:
    """Of several codes held up at once, a card of ours goes before any other."""
    cards = [presentation for presentation in begun if presentation.identity.startswith("card ")]
    return (cards or list(begun))[0]


def shrunk(image: Image, width: int) -> Image:
    """A copy of `image` at most `width` pixels wide."""
    scale = min(1.0, width / image.shape[1])
    size = (round(image.shape[1] * scale), round(image.shape[0] * scale))
    return np.array(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def outline(image: Image, corners: Corners, colour: tuple[int, int, int]) -> None:
    """Draw the four corners of a code, given in shares of the picture, a little outside of it.

    On a darker line, so that they show on any ground.
    """
    height, width = image.shape[:2]
    points = np.array(corners, np.float64) * (width, height)
    centre = points.mean(axis=0)
    points = centre + (points - centre) * OUTSIDE
    for thick, shade in ((9, _SHADE), (5, colour)):
        for index, corner in enumerate(points):
            before, after = points[index - 1], points[(index + 1) % len(points)]
            arm = [corner + (before - corner) * 0.26, corner, corner + (after - corner) * 0.26]
            line = np.round(arm).astype(np.int32)
            cv2.polylines(image, [line], False, shade, thick, cv2.LINE_AA)
