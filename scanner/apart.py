"""The reader in a process of its own, which is killed where a frame takes too long.

A picture can be made (or happen) on which a decoder searches for half a second and longer, or
crashes. The till's loop hands over the newest frame and never waits for more than it wants to;
a reader that overruns its deadline is killed and another one takes its place.

What goes over: a line of JSON and the frame's bytes; what comes back: a line of JSON.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from types import TracebackType
from typing import IO, Any, Self

import cv2
import numpy as np

from scanner.decode import load_decoder
from scanner.errors import DecoderError
from scanner.hints import Hint
from scanner.live import LiveReader
from scanner.picture import Picture
from scanner.places import Box, Read
from scanner.schedule import Sighting

DEADLINE_SECONDS = 0.3  # of processor time where that can be told ...
HANGING_SECONDS = 2.0  # ... and of time in any case: a busy machine is not the frame's fault
LATE_SECONDS = 0.15  # by then the next reader is started, so that it stands by at the deadline
START_SECONDS = 30.0
STANDBY_SECONDS = 30.0  # a reader that stands by unneeded costs memory
CAREFUL_SECONDS = 10.0  # after a reader was killed
LARGEST = 64_000_000  # bytes of one frame
READY = b"ready\n"


@dataclass(slots=True)
class _Job:
    camera: int
    picture: Picture
    at: float
    careful: bool = False
    began: float | None = None
    """When the frame was handed over (`time.monotonic`); None before."""
    spent: float | None = None
    """Seconds of processor time that the reader had spent by then, where that can be told."""


class ReaderApart:
    """Reads frames of one or several cameras in another process; entered as a context."""

    def __init__(self, decoder: str = "zxing", *, deadline_seconds: float = DEADLINE_SECONDS):
        self._command = [sys.executable, "-m", "scanner.apart", decoder]
        self._deadline = deadline_seconds
        self._changed = threading.Condition()
        self._job: _Job | None = None
        self._done: tuple[int, float, Sighting | None] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._standby: subprocess.Popen[bytes] | None = None
        self._stopped = False
        self._killed_at = self._late_at = float("-inf")
        self.killed = 0
        """How many readers were killed because a frame took too long."""

    def __enter__(self) -> Self:
        self._process = process = self._start()
        watchdog = threading.Timer(START_SECONDS, process.kill)
        watchdog.daemon = True
        watchdog.start()
        try:
            if process.stdout is None or process.stdout.readline() != READY:
                _close(process)
                raise DecoderError("The program that reads the codes does not start.")
        finally:
            watchdog.cancel()
        self._ready = process
        self._thread = threading.Thread(target=self._work, name="reader", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        for process in (self._process, self._standby):
            if process is not None:
                process.kill()
        self._thread.join(timeout=5)
        for process in (self._process, self._standby):
            if process is not None:
                _close(process)

    def offer(self, camera: int, picture: Picture, at: float) -> bool:
        """Hand over a frame of camera number `camera`; False while another is being read."""
        with self._changed:
            if self._job is not None or self._done is not None:
                return False
            self._dismiss_standby()
            careful = time.monotonic() - self._killed_at < CAREFUL_SECONDS
            self._job = _Job(camera, picture, at, careful)
            self._changed.notify_all()
            return True

    def take(self, timeout_seconds: float) -> tuple[int, float, Sighting | None] | None:
        """Return (camera, at, sighting) of the frame handed over, None while it is not read.

        The sighting is None where the reader died of the frame: nobody knows what it showed.
        Waits no longer than `timeout_seconds`; kills a reader that is over its deadline.
        """
        until = time.monotonic() + timeout_seconds
        with self._changed:
            while self._done is None and self._job is not None:
                left = until - time.monotonic()
                self._watch(self._job)
                if left <= 0:
                    return None
                self._changed.wait(min(left, 0.05))
            done, self._done = self._done, None
            return done

    def _watch(self, job: _Job) -> None:
        """Start the next reader where this one is late, kill this one where it is too late."""
        if job.began is None or self._process is None:
            return
        waited = taken = time.monotonic() - job.began
        spent = processor_seconds(self._process.pid)
        if spent is not None and job.spent is not None:
            taken = min(waited, spent - job.spent)
        if taken > LATE_SECONDS and self._standby is None:
            self._standby = self._start()
        if taken > LATE_SECONDS:
            self._late_at = time.monotonic()
        if taken > self._deadline or waited > HANGING_SECONDS:
            job.began = None  # once
            self.killed += 1
            self._killed_at = time.monotonic()
            self._process.kill()

    def _dismiss_standby(self) -> None:
        """Let the next reader go where nothing has been late for a while."""
        standby = self._standby
        if standby is None or time.monotonic() - self._late_at < STANDBY_SECONDS:
            return
        self._standby = None
        standby.kill()
        _close(standby)

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603 - our own module in our own interpreter
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def _work(self) -> None:
        """Carry frames to the reader and its answers back, until stopped."""
        while True:
            with self._changed:
                while self._job is None and not self._stopped:
                    self._changed.wait()
                if self._stopped:
                    return
                job, process = self._job, self._process
            if job is None or process is None:
                continue
            sighting = None
            with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
                if self._ready is not process and process.stdout is not None:
                    if process.stdout.readline() != READY:
                        raise ValueError("the reader did not start")
                    self._ready = process
                job.spent = processor_seconds(process.pid)
                job.began = time.monotonic()
                sighting = _exchange(process, job)
            if sighting is None:
                # The frame that killed a reader is not given to the next one.
                self._replace(process)
            with self._changed:
                self._job, self._done = None, (job.camera, job.at, sighting)
                self._changed.notify_all()

    def _replace(self, process: subprocess.Popen[bytes]) -> None:
        process.kill()
        _close(process)
        with self._changed:
            if self._stopped:
                return
            self._process, self._standby = self._standby or self._start(), None


def processor_seconds(pid: int) -> float | None:
    """Return what a process has spent, in steps of 10 ms; None where the system does not tell."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError, AttributeError):
        return None


def _close(process: subprocess.Popen[bytes]) -> None:
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()


def _exchange(process: subprocess.Popen[bytes], job: _Job) -> Sighting | None:
    """Give one frame to the reader and wait for what it saw; None where it died."""
    if process.stdin is None or process.stdout is None:
        return None
    head, body = _packed(job.picture)
    head |= {"camera": job.camera, "at": job.at, "careful": job.careful, "bytes": len(body)}
    process.stdin.write(json.dumps(head).encode() + b"\n")
    process.stdin.write(body)
    process.stdin.flush()
    line = process.stdout.readline()
    return _sighting(json.loads(line)) if line else None


def _packed(picture: Picture) -> tuple[dict[str, Any], bytes]:
    """A frame as it goes over: the JPEG as it came, or grey pixels."""
    if picture.is_jpeg:
        return {"shape": None}, picture.jpeg
    grey = picture.grey
    if grey is None:
        return {"shape": None}, b""
    return {"shape": list(grey.shape)}, grey.tobytes()


def _unpacked(head: dict[str, Any], body: bytes) -> Picture:
    if head["shape"] is None:
        return Picture(jpeg=body)
    return Picture.of(np.frombuffer(body, np.uint8).reshape(head["shape"]))


def _sighting(said: dict[str, Any]) -> Sighting:
    reads = [
        Read(str(r["text"]), Box(**r["box"]), tuple((float(x), float(y)) for x, y in r["corners"]))
        for r in said["reads"]
    ]
    hint = None if said["hint"] is None else Hint(said["hint"])
    return Sighting(reads, [Box(**b) for b in said["like_codes"]], hint, bool(said["awake"]))


def serve(source: IO[bytes], sink: IO[bytes], reader: Callable[[], LiveReader]) -> None:
    """Read the frames that come from `source`, one LiveReader a camera, until it ends."""
    readers: dict[int, LiveReader] = {}
    sink.write(READY)
    sink.flush()
    while line := source.readline():
        head = json.loads(line)
        if not 0 <= head["bytes"] <= LARGEST:
            return
        body = source.read(head["bytes"])
        camera = readers.setdefault(head["camera"], reader())
        sighting = camera.look(_unpacked(head, body), head["at"], careful=head["careful"])
        sink.write(json.dumps(asdict(sighting)).encode() + b"\n")
        sink.flush()


def main() -> None:
    """Be the reader of a till: frames on standard input, sightings on standard output."""
    cv2.setNumThreads(1)
    decoder = load_decoder(sys.argv[1] if len(sys.argv) > 1 else "zxing")
    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
        serve(sys.stdin.buffer, sys.stdout.buffer, lambda: LiveReader(decoder))


if __name__ == "__main__":
    main()
