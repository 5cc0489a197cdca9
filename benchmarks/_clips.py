"""Clips of the filmed counter, read by the live schedule.

Frames arrive at thirty a second; one that arrives while another is being read, by processor time
on one core with its JPEG decoded, is lost. The time to a read is from the arrival of the first
frame with the whole code in view to the end of reading the frame that gave it.
"""

import functools
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import zxingcpp

from app.demo.counter import Shot, filming, mixed
from benchmarks._counter import cards, count, first_seed
from scanner.live import LiveReader
from scanner.picture import Picture

FPS = 30
SECONDS = 3.0
LONGEST = 2.0
_MODEL_2 = zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.QRCodeModel2])


@dataclass
class Tally:
    """Times to the first read (None: never), and what reading cost."""

    times: list[float | None]
    by_default: list[float | None]
    frames: int = 0
    spent: float = 0.0
    longest: float = 0.0
    wrong: int = 0

    def within(self, seconds: float) -> float:
        """The share of clips that were read within `seconds`."""
        return _share(self.times, seconds)


def _share(times: list[float | None], seconds: float) -> float:
    return sum(at is not None and at <= seconds for at in times) / len(times)


def read_clip(shots: Iterable[Shot], text: str, tally: Tally) -> None:
    """Read one clip and put what came of it into `tally`."""
    reader = LiveReader()
    arrived: float | None = None
    ours: float | None = None
    default: float | None = None
    free_at = default_free_at = 0.0
    for number, shot in enumerate(shots):
        at = number / FPS
        if arrived is None and shot.fully_visible:
            arrived = at
        if arrived is not None and at > arrived + LONGEST:
            break
        if ours is None and at + 1 / FPS > free_at:
            began = time.thread_time()
            seen = {read.text for read in reader.look(Picture(jpeg=shot.data), at).reads}
            cost = time.thread_time() - began
            free_at = max(free_at, at) + cost
            tally.frames, tally.spent = tally.frames + 1, tally.spent + cost
            tally.longest = max(tally.longest, cost)
            tally.wrong += bool(seen - {text})
            ours = free_at if text in seen else None
        if default is None and at + 1 / FPS > default_free_at:
            began = time.thread_time()
            grey = Picture(jpeg=shot.data).grey
            found = {code.text for code in zxingcpp.read_barcodes(grey, _MODEL_2)}
            default_free_at = max(default_free_at, at) + time.thread_time() - began
            default = default_free_at if text in found else None
        if ours is not None and default is not None:
            break
    arrived = 0.0 if arrived is None else arrived
    tally.times.append(None if ours is None else ours - arrived)
    tally.by_default.append(None if default is None else default - arrived)


@functools.cache
def clips(*severities: int) -> Tally:
    """Film and read clips of the severities, as many of each."""
    first = first_seed(f"clips of severity {severities}")
    texts, tally = cards(first), Tally([], [])
    for index in range(count("CLIPS_EACH", 30) * len(severities)):
        seed, text = first + index, next(texts)
        scene = mixed(seed, severities[index % len(severities)])
        read_clip(filming([text], scene=scene, seed=seed, seconds=SECONDS), text, tally)
    return tally


def figure(name: str, severities: tuple[int, ...], seconds: float, at_least: float) -> Any:
    """The figure `name`: the share of clips read within `seconds`."""
    tally = clips(*severities)
    return {
        "name": name,
        "value": tally.within(seconds),
        "unit": "share",
        "at_least": at_least,
        "detail": {
            "clips": len(tally.times),
            "within": {str(t): tally.within(t) for t in (0.3, 1.0, 2.0)},
            "zxing_default": {str(t): _share(tally.by_default, t) for t in (0.3, 1.0, 2.0)},
            "ms_a_frame": 1000 * tally.spent / tally.frames,
            "longest_ms": 1000 * tally.longest,
            "wrong_reads": tally.wrong,
        },
    }
