"""Frames from a camera, or from a recording that plays as a camera would.

One thread grabs without pause and keeps only the newest frame: a backlog would be latency.
A source is a camera index, a V4L2 path, an address (http, rtsp), a video file (AVI, MP4,
concatenated .mjpeg, .y4m) or the pattern of an image sequence (f%03d.jpg).
"""

from __future__ import annotations

import os
import queue
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.client import HTTPException
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

from scanner.errors import CameraError
from scanner.mjpeg import JpegFiles, JpegSource, Source, open_stream
from scanner.picture import Image, Picture

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
    """One frame: its picture, its number since the source was opened, and when it came (seconds
    of `time.monotonic`)."""

    picture: Picture
    number: int
    at: float

    @property
    def image(self) -> Image:
        """BGR pixels; a single black one where the picture does not decode."""
        colour = self.picture.colour
        return np.zeros((1, 1, 3), np.uint8) if colour is None else colour


def closed(source: str) -> str:
    """Say that a camera does not open, and what to do."""
    if _ADDRESS.match(source):
        cure = "Open the address in a browser: it has to answer with an MJPEG stream."
    elif is_live(source):
        cure = "Plug it in, close other programs that use it, or name another one with --camera."
    else:
        cure = "It has to be .mjpeg, .avi, .mp4, .y4m or pictures named like frame%03d.jpg."
    return f"The camera {source} does not open. {cure}"


def is_live(source: str) -> bool:
    """Whether `source` goes on for ever: a device or an address, not a file."""
    # Files may lie below /dev too: in its shared memory.
    is_device = source.startswith("/dev/") and not source.startswith("/dev/shm/")  # noqa: S108
    return source.isdecimal() or is_device or bool(_ADDRESS.match(source))


def is_sequence(source: str) -> bool:
    """Whether `source` is the pattern of an image sequence, such as f%03d.jpg."""
    return re.search(r"%0?\d*d", Path(source).name) is not None


def sources_of(setting: str) -> list[str]:
    """Return the cameras that a setting names: one, or several with commas between."""
    if "," not in setting or Path(setting).is_file():
        return [setting]
    return [source.strip() for source in setting.split(",") if source.strip()]


def require_source(source: str) -> None:
    """Raise CameraError where a file that should play is not there, before anything is asked."""
    if not source:
        raise CameraError("No camera is named. Give --camera 0, a device, a file or an address.")
    if is_live(source) or is_sequence(source):
        return
    if not Path(source).is_file():
        raise CameraError(f"The camera {source} does not open: there is no such file.")


class Capture:
    """A source that OpenCV opens: a webcam, a video file, rtsp."""

    def __init__(self, capture: cv2.VideoCapture) -> None:
        self._capture = capture

    def grab(self) -> bool:
        """Go on to the next frame."""
        return bool(self._capture.grab())

    def retrieve(self) -> Picture | None:
        """Return the frame last grabbed; a webcam that was asked for raw frames gives JPEG."""
        try:
            good, image = self._capture.retrieve()
        except cv2.error:
            return None
        if not good or image is None or image.dtype != np.uint8:
            return None
        if image.ndim == 3 and image.shape[2] == 3 and min(image.shape[:2]) > 1:
            return Picture.of(np.asarray(image, np.uint8))
        raw = image.reshape(-1)
        return Picture(jpeg=raw.tobytes()) if raw[:2].tobytes() == b"\xff\xd8" else None

    def set(self, prop: int, value: float) -> bool:
        """Ask for a property; False where the driver does not take it."""
        return bool(self._capture.set(prop, value))

    def get(self, prop: int) -> float:
        """Return a property, 0 where the driver has none such."""
        return float(self._capture.get(prop))

    def release(self) -> None:
        """Give the device back."""
        self._capture.release()


def open_source(source: str) -> Source:
    """Open `source`; raises CameraError. A webcam is asked for 1280x720 in JPEG."""
    require_source(source)
    suffix = Path(source).suffix.lower()
    try:
        if _ADDRESS.match(source):
            stream = open_stream(source, SILENCE_SECONDS)
            return Capture(_open_address(source)) if stream is None else stream
        if is_sequence(source) and suffix in (".jpg", ".jpeg"):
            files = JpegFiles(source)
            if not files.found:
                raise CameraError(closed(source))
            return files
        if suffix in (".mjpeg", ".mjpg"):
            return JpegSource.file(source)
        capture = cv2.VideoCapture(int(source) if source.isdecimal() else source)
    except (cv2.error, OSError, HTTPException, ValueError):
        raise CameraError(closed(source)) from None
    if not capture.isOpened():
        raise CameraError(closed(source))
    opened = Capture(capture)
    if is_live(source):
        ask_for_size(opened, raw=capture.getBackendName() == "V4L2")
    return opened


def _open_address(source: str) -> cv2.VideoCapture:
    limits = [
        cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, OPEN_SECONDS * 1000,
        cv2.CAP_PROP_READ_TIMEOUT_MSEC, SILENCE_SECONDS * 1000,
    ]  # fmt: skip
    capture = cv2.VideoCapture(source, cv2.CAP_FFMPEG, limits)
    if not capture.isOpened():
        raise CameraError(closed(source))
    return capture


def ask_for_size(camera: Source, *, raw: bool) -> None:
    """Ask a webcam for 1280x720, for JPEG, and, `raw`, not to decode it for us.

    Over USB 2 raw pixels of that size come at ten a second; as JPEG at thirty, and what nobody
    looks at need not be decoded.
    """
    jpeg = cv2.VideoWriter.fourcc(*"MJPG")
    camera.set(cv2.CAP_PROP_FOURCC, jpeg)
    camera.set(cv2.CAP_PROP_FRAME_WIDTH, WIDTH)
    camera.set(cv2.CAP_PROP_FRAME_HEIGHT, HEIGHT)
    camera.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    if raw and int(camera.get(cv2.CAP_PROP_FOURCC)) == jpeg:
        camera.set(cv2.CAP_PROP_CONVERT_RGB, 0)


def rate_of(source: str, opened: Source, fps: float | None = None) -> float:
    """Return the frames a second at which a file plays: `fps`, or its own rate, or 30."""
    if fps is not None:
        return fps
    own = opened.get(cv2.CAP_PROP_FPS)
    if Path(source).suffix.lower() in _OWN_RATE and not is_sequence(source) and 1 <= own <= 240:
        return own
    return DEFAULT_FPS


class Camera:
    """A source of frames, opened by entering it as a context and closed by leaving.

    `on_change` is told in one line when a live camera is lost and when it is back. `patient`: a
    live camera that is not there yet is waited for. `news` is notified at each frame; cameras
    that are watched together share one.
    """

    def __init__(
        self,
        source: str,
        *,
        fps: float | None = None,
        on_change: Callable[[str], None] = lambda line: None,
        patient: bool = False,
        news: threading.Condition | None = None,
    ) -> None:
        self.source = source
        self._fps = fps
        self._on_change = on_change
        self._live = is_live(source)
        self._patient = patient and self._live
        self._fresh = news or threading.Condition()
        self._newest: Frame | None = None
        self._ended: str | None = None
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._asked: queue.SimpleQueue[Callable[[Source], None]] = queue.SimpleQueue()

    def __enter__(self) -> Self:
        try:
            opened = open_source(self.source)
        except CameraError:
            if not self._patient:
                raise
            opened = None
        play = self._follow if self._live else self._play
        self._thread = threading.Thread(target=play, args=(opened,), name="camera", daemon=True)
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

    def ask(self, step: Callable[[Source], None]) -> None:
        """Have `step` set what it wants of a live camera, before its next frame."""
        if self._live:
            self._asked.put(step)

    @property
    def newest(self) -> Frame | None:
        """The newest frame, None before the first."""
        with self._fresh:
            return self._newest

    @property
    def ended(self) -> str | None:
        """How a recording ended, None while it plays or where it is live."""
        with self._fresh:
            return self._ended

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

    def _publish(self, picture: Picture, number: int) -> None:
        with self._fresh:
            self._newest = Frame(picture, number, time.monotonic())
            self._fresh.notify_all()

    def _end(self, why: str) -> None:
        with self._fresh:
            self._ended = why
            self._fresh.notify_all()

    def _play(self, opened: Source) -> None:
        """Play a recording at its rate; a frame that is late is not shown at all."""
        rate = rate_of(self.source, opened, self._fps)
        began, number, shown = time.monotonic(), 0, 0
        while not self._stop.is_set() and opened.grab():
            wait = began + number / rate - time.monotonic()
            if wait > 0:
                self._stop.wait(wait)
            if wait > -LATE_SECONDS:
                picture = opened.retrieve()
                if picture is not None:
                    self._publish(picture, number)
                    shown += 1
            number += 1
        opened.release()
        what = "ended without a card" if shown else "does not open: it holds no pictures"
        self._end(f"The camera {self.source} {what}.")

    def _follow(self, opened: Source | None) -> None:
        """Follow a live camera for ever; one that vanishes is opened again when it is back."""
        number = 0
        while not self._stop.is_set():
            if opened is not None:
                number = self._while_there(opened, number)
                opened.release()
            if self._stop.is_set():
                return
            self._on_change(f"The camera {self.source} is gone. Waiting for it to come back.")
            opened = self._reopen()
            if opened is None:
                return
            self._on_change(f"The camera {self.source} is back.")

    def _while_there(self, opened: Source, number: int) -> int:
        """Publish what `opened` sends until it is gone; returns the number of the next frame."""
        missed, fetched = 0, 0
        while not self._stop.is_set():
            self._carry_out(opened)
            picture = opened.retrieve() if opened.grab() else None
            if picture is not None:
                missed = 0
                fetched += 1
                self._publish(picture, number)
                number += 1
                continue
            missed += 1
            if missed >= LOST_AFTER_FRAMES or _ADDRESS.match(self.source):
                break  # a stream that ended never goes on by itself
            if fetched == 0:
                # A driver that promises JPEG and sends none is asked for pixels.
                opened.set(cv2.CAP_PROP_CONVERT_RGB, 1)
            self._stop.wait(1 / DEFAULT_FPS)
        return number

    def _carry_out(self, opened: Source) -> None:
        """Pass on what was asked of the camera."""
        while True:
            try:
                step = self._asked.get_nowait()
            except queue.Empty:
                return
            step(opened)

    def _reopen(self) -> Source | None:
        while not self._stop.wait(RETRY_SECONDS):
            try:
                opened = open_source(self.source)
            except CameraError:
                continue
            if opened.grab():
                return opened
            opened.release()
        return None
