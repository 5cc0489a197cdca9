"""The till's loop: every camera's newest frame is read, and what it showed is told in order.

No frame can hold the loop up: reading happens in a process of its own, and a frame that is not
read in time is told as a frame in which nothing was seen.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from scanner.apart import ReaderApart
from scanner.camera import Camera, Frame, is_live
from scanner.errors import CameraError
from scanner.exposure import Exposure
from scanner.places import Box
from scanner.presentation import Presentations
from scanner.schedule import Sighting
from scanner.seen import Corners, Mark, Seen

TURN_SECONDS = 0.03  # the longest that one turn of the loop waits
ASLEEP_SECONDS = 0.12  # while nothing moves a frame is looked at so often


class Watch:
    """Watches one or several cameras; entered as a context, then iterated over.

        with Watch(["0", "/dev/video2"]) as watch:
            for seen in watch:
                ...

    `on_change` is told in one line when a camera is lost and when it is back. `patient`: cameras
    that are not there yet are waited for. Raises CameraError where none opens, and when every
    recording has ended.
    """

    def __init__(
        self,
        sources: Sequence[str],
        *,
        decoder: str = "zxing",
        fps: float | None = None,
        on_change: Callable[[str], None] = lambda line: None,
        patient: bool = False,
    ) -> None:
        self._news = threading.Condition()
        self.cameras = [
            Camera(source, fps=fps, on_change=on_change, patient=patient, news=self._news)
            for source in sources
        ]
        self.reader = ReaderApart(decoder)
        # What a recording begins with was held up; what a live camera begins with hangs there.
        live = all(is_live(source) for source in sources)
        self._presentations = Presentations(only_held=True, fixed_at_first=live)
        self._exposures = [Exposure(camera.ask) for camera in self.cameras]
        self._numbers = [-1 for _ in self.cameras]
        self._next_at = [0.0 for _ in self.cameras]
        self._turn = 0
        self._stopped = False
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            # The reader first: a recording must not have ended before anybody looks.
            stack.enter_context(self.reader)
            for camera in self.cameras:
                stack.enter_context(camera)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def stop(self) -> None:
        """End the iteration soon, also while no camera is there; from any thread."""
        self._stopped = True

    def __iter__(self) -> Iterator[Seen]:
        """Yield what each look showed; ends only with CameraError, or when the caller leaves."""
        reading: tuple[int, Frame] | None = None
        while not self._stopped:
            if reading is None:
                reading = self._hand_over()
                if reading is None:
                    continue
            done = self.reader.take(TURN_SECONDS)
            if done is None:
                # A hard frame: the picture goes on meanwhile.
                newest = self.cameras[reading[0]].newest or reading[1]
                yield Seen(reading[0], newest.at, newest)
                continue
            (camera, frame), reading = reading, None
            if done[2] is None:
                yield Seen(camera, frame.at, frame)
            else:
                yield self._told(camera, frame, done[2])

    def _hand_over(self) -> tuple[int, Frame] | None:
        """Give the next camera's newest frame to the reader, waiting for one a moment."""
        with self._news:
            fresh = self._fresh()
            if fresh is None:
                ends = [camera.ended for camera in self.cameras]
                if all(ends):
                    raise CameraError(ends[0] or "")
                self._news.wait(TURN_SECONDS)
                return None
        camera, frame = fresh
        self._turn = camera + 1
        self._numbers[camera] = frame.number
        self.reader.offer(camera, frame.picture, frame.at)
        return fresh

    def _fresh(self) -> tuple[int, Frame] | None:
        """The newest frame of the camera whose turn it is, of those that have one to look at."""
        count = len(self.cameras)
        for step in range(count):
            number = (self._turn + step) % count
            frame = self.cameras[number].newest
            if frame is None or frame.number <= self._numbers[number]:
                continue
            if frame.at >= self._next_at[number]:
                return number, frame
        return None

    def _told(self, camera: int, frame: Frame, sighting: Sighting) -> Seen:
        self._next_at[camera] = frame.at + (0.0 if sighting.awake else ASLEEP_SECONDS)
        begun = self._presentations.frame(frame.at, sighting.reads, sighting.like_codes, camera)
        self._exposures[camera].frame(frame.at, sighting.hint, bool(sighting.reads))
        marks = [Mark(read.corners or _corners(read.box), read.text) for read in sighting.reads]
        if not marks:
            marks = [Mark(_corners(box)) for box in sighting.like_codes[:1]]
        return Seen(
            camera, frame.at, frame, marks, begun, self._presentations.ended, sighting.hint,
            sighting.awake,
        )  # fmt: skip


def _corners(box: Box) -> Corners:
    return (
        (box.left, box.top), (box.right, box.top), (box.right, box.bottom), (box.left, box.bottom),
    )  # fmt: skip
