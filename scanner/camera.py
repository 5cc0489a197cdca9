"""Frames from a camera, or from a recording that plays as a camera would.

One thread grabs without pause and keeps only the newest frame: a backlog would be latency.
A source is a camera index, a V4L2 path, an address (http, rtsp), a video file (AVI, MP4,
concatenated .mjpeg, .y4m) or the pattern of an image sequence (f%03d.jpg).
"""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

# OpenCV and FFmpeg tell the terminal about every hiccup of a camera; the cashier is told once,
# in words. FFmpeg's level is read when the first source is opened: -8 is its "quiet".
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
# A picture is bounded, however large its header says it is.
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(100_000_000))

import cv2
import numpy as np
from numpy.typing import NDArray

from scanner.errors import CameraError

Image = NDArray[np.uint8]

DEFAULT_FPS = 30.0
WIDTH, HEIGHT = 1280, 720  # asking for 640x480 loses 7 to 11 reads of a hundred
OPEN_SECONDS = 5
SILENCE_SECONDS = 5
LOST_AFTER_FRAMES = 15  # a driver may drop a frame; half a second of none is a camera gone
RETRY_SECONDS = 0.5
LATE_SECONDS = 0.1  # a recording's frame that is later is passed over, to catch up

_ADDRESS = re.compile(r"(https?|rtsp)://", re.IGNORECASE)
# What carries a rate of its own that OpenCV reports rightly. For .mjpeg and images it invents 25.
_OWN_RATE = frozenset({".avi", ".mp4", ".m4v", ".mov", ".mkv", ".webm", ".y4m"})


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame: BGR pixels, its number since the source was opened, and when it came (seconds
    of `time.monotonic`)."""

    image: Image
    number: int
    at: float


def is_live(source: str) -> bool:
    """Whether `source` goes on for ever: a device or an address, not a file."""
    return source.isdecimal() or source.startswith("/dev/") or bool(_ADDRESS.match(source))


def is_sequence(source: str) -> bool:
    """Whether `source` is the pattern of an image sequence, such as f%03d.jpg."""
    return re.search(r"%0?\d*d", Path(source).name) is not None


def require_source(source: str) -> None:
    """Raise CameraError where a file that should play is not there, before anything is asked."""
    if not source:
        raise CameraError("No camera is named. Give --camera 0, a device, a file or an address.")
    if is_live(source) or is_sequence(source):
        return
    if not Path(source).is_file():
        raise CameraError(f"The camera {source} does not open: there is no such file.")


def open_capture(source: str) -> cv2.VideoCapture:
    """Open `source` with OpenCV; raises CameraError. Live cameras are asked for 1280x720."""
    require_source(source)
    try:
        if source.isdecimal():
            capture = cv2.VideoCapture(int(source))
        elif _ADDRESS.match(source):
            limits = [
                cv2.CAP_PROP_OPEN_TIMEOUT_MSEC,
                OPEN_SECONDS * 1000,
                cv2.CAP_PROP_READ_TIMEOUT_MSEC,
                SILENCE_SECONDS * 1000,
            ]
            capture = cv2.VideoCapture(source, cv2.CAP_FFMPEG, limits)
        else:
            capture = cv2.VideoCapture(source)
    except cv2.error:
        raise CameraError(f"The camera {source} does not open.") from None
    if not capture.isOpened():
        raise CameraError(f"The camera {source} does not open.")
    if is_live(source):
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, WIDTH)
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, HEIGHT)
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    return capture


def rate_of(source: str, capture: cv2.VideoCapture, fps: float | None = None) -> float:
    """Return the frames a second at which a file plays: `fps`, or its own rate, or 30."""
    if fps is not None:
        return fps
    own = float(capture.get(cv2.CAP_PROP_FPS))
    if Path(source).suffix.lower() in _OWN_RATE and not is_sequence(source) and 1 <= own <= 240:
        return own
    return DEFAULT_FPS


def retrieve(capture: cv2.VideoCapture) -> Image | None:
    """Return the frame last grabbed, None where it cannot be decoded."""
    try:
        good, image = capture.retrieve()
    except cv2.error:
        return None
    if not good or image is None or image.ndim != 3 or image.dtype != np.uint8:
        return None
    return np.asarray(image, np.uint8)


class Camera:
    """A source of frames, opened by entering it as a context and closed by leaving.

    `on_change` is told in one line when a live camera is lost and when it is back.
    """

    def __init__(
        self,
        source: str,
        *,
        fps: float | None = None,
        on_change: Callable[[str], None] = lambda line: None,
    ) -> None:
        self.source = source
        self._fps = fps
        self._on_change = on_change
        self._live = is_live(source)
        self._fresh = threading.Condition()
        self._newest: Frame | None = None
        self._ended: str | None = None
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        capture = open_capture(self.source)
        play = self._follow if self._live else self._play
        self._thread = threading.Thread(target=play, args=(capture,), name="camera", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=OPEN_SECONDS + SILENCE_SECONDS)

    def frames(self) -> Iterator[Frame]:
        """Yield the newest frame each time one is asked for; a frame is yielded once.

        Waits while a live camera is away. Raises CameraError when a recording has ended.
        """
        seen = -1
        while True:
            with self._fresh:
                while self._newest is None or self._newest.number <= seen:
                    if self._ended is not None:
                        raise CameraError(self._ended)
                    self._fresh.wait(0.5)
                frame = self._newest
            seen = frame.number
            yield frame

    def _publish(self, image: Image, number: int) -> None:
        with self._fresh:
            self._newest = Frame(image, number, time.monotonic())
            self._fresh.notify_all()

    def _end(self, why: str) -> None:
        with self._fresh:
            self._ended = why
            self._fresh.notify_all()

    def _play(self, capture: cv2.VideoCapture) -> None:
        """Play a recording at its rate; a frame that is late is not shown at all."""
        rate = rate_of(self.source, capture, self._fps)
        began, number, shown = time.monotonic(), 0, 0
        while not self._stop.is_set() and capture.grab():
            wait = began + number / rate - time.monotonic()
            if wait > 0:
                self._stop.wait(wait)
            if wait > -LATE_SECONDS:
                image = retrieve(capture)
                if image is not None:
                    self._publish(image, number)
                    shown += 1
            number += 1
        capture.release()
        what = "ended without a card" if shown else "does not open: it holds no pictures"
        self._end(f"The camera {self.source} {what}.")

    def _follow(self, capture: cv2.VideoCapture) -> None:
        """Follow a live camera for ever; one that vanishes is opened again when it is back."""
        number, missed = 0, 0
        while not self._stop.is_set():
            image = retrieve(capture) if capture.grab() else None
            if image is not None:
                missed = 0
                self._publish(image, number)
                number += 1
                continue
            missed += 1
            if missed < LOST_AFTER_FRAMES and capture.isOpened() and not self._is_stream():
                self._stop.wait(1 / DEFAULT_FPS)
                continue
            capture.release()
            self._on_change(f"The camera {self.source} is gone. Waiting for it to come back.")
            returned = self._reopen()
            if returned is None:
                return
            capture, missed = returned, 0
            self._on_change(f"The camera {self.source} is back.")
        capture.release()

    def _is_stream(self) -> bool:
        """A stream that ended never goes on by itself."""
        return _ADDRESS.match(self.source) is not None

    def _reopen(self) -> cv2.VideoCapture | None:
        while not self._stop.wait(RETRY_SECONDS):
            try:
                capture = open_capture(self.source)
            except CameraError:
                continue
            if capture.grab():
                return capture
            capture.release()
        return None
