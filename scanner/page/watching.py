"""The camera of the page: frames to codes for the desk, and the picture that the page shows.

The picture is made only while somebody looks at it. It is the camera's own, not mirrored (the
page mirrors it), with the codes outlined: white while they are only found, green once read.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence

import cv2
import numpy as np

from scanner.camera import Camera, Frame, Image
from scanner.decode import Decoder
from scanner.errors import CameraError
from scanner.live import LiveReader
from scanner.page.showing import Showing
from scanner.presentation import Box, Presentation, Presentations, Read

PICTURE_WIDTH = 720
PICTURE_QUALITY = 72
PICTURES_A_SECOND = 15
#: Only a stream's sign of life; the picture of an empty counter changes all the time.
PICTURE_SECONDS = 2.0
REOPEN_SECONDS = 2.0
GREEN_SECONDS = 1.2
_WHITE, _GREEN = (255, 255, 255), (96, 200, 60)


class Watch:
    """Follows one camera until it is stopped; `on_code` is told each code held up, once."""

    def __init__(
        self,
        source: str,
        decoder: Decoder,
        showing: Showing,
        on_code: Callable[[str], object],
        *,
        fps: float | None = None,
        loop: bool = False,
    ) -> None:
        self._source, self._decoder, self._showing = source, decoder, showing
        self._on_code, self._fps, self._loop = on_code, fps, loop
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self._fresh = threading.Condition()
        self._picture: tuple[int, bytes] = (0, b"")
        self._looking = 0
        self._drawn_at = 0.0
        self._green_until = 0.0

    def start(self) -> None:
        """Begin to watch, in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Let the camera go."""
        self._stop.set()
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
                with Camera(self._source, fps=self._fps, on_change=self._on_change) as camera:
                    self._showing.state(camera="on")
                    self._follow(camera)
            except CameraError:
                if self._loop:
                    continue
                self._showing.state(camera="off")
                self._stop.wait(REOPEN_SECONDS)
                if not self._source.isdecimal() and "://" not in self._source:
                    return  # a recording has ended

    def _on_change(self, line: str) -> None:
        self._showing.state(camera="on" if line.endswith("is back.") else "off")

    def _follow(self, camera: Camera) -> None:
        reader, presentations = LiveReader(self._decoder), Presentations()
        for frame in camera.frames():
            if self._stop.is_set():
                return
            sighting = reader.read(frame.image)
            begun = presentations.frame(frame.at, sighting.reads, sighting.like_codes)
            if begun:
                self._green_until = frame.at + GREEN_SECONDS
                self._on_code(preferred(begun).text)
            self._draw(frame, sighting.reads, presentations.going_on, sighting.like_codes)

    def _draw(
        self,
        frame: Frame,
        reads: Sequence[Read],
        going_on: Sequence[Presentation],
        like_codes: Sequence[Box],
    ) -> None:
        """Make the picture for those who look, a few times a second."""
        if not self._looking or frame.at - self._drawn_at < 1 / PICTURES_A_SECOND:
            return
        self._drawn_at = frame.at
        image = shrunk(frame.image, PICTURE_WIDTH)
        known = [read.box for read in reads] or [each.box for each in going_on]
        for box in known:
            outline(image, box, _GREEN)
        if not known:
            for box in like_codes[:1]:
                outline(image, box, _WHITE)
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


def outline(image: Image, box: Box, colour: tuple[int, int, int]) -> None:
    """Draw four corners around a code, a little outside of it, on a darker line that shows on
    any ground."""
    height, width = image.shape[:2]
    left, right = round(box.left * width) - 8, round(box.right * width) + 8
    top, bottom = round(box.top * height) - 8, round(box.bottom * height) + 8
    arm = max(10, min(right - left, bottom - top) // 4)
    for thick, shade in ((8, (30, 30, 30)), (4, colour)):
        for x, to_x in ((left, arm), (right, -arm)):
            for y, to_y in ((top, arm), (bottom, -arm)):
                points = np.array([[x + to_x, y], [x, y], [x, y + to_y]], np.int32)
                cv2.polylines(image, [points], False, shade, thick, cv2.LINE_AA)

