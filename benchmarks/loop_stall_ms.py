"""The longest single stall of the camera loop, on frames that take a decoder half a second.

A network camera of 1920x1080 shows hard clips, and again and again a picture of nothing but
finder patterns, on which the decoder searches for longer than the reader may live.
"""

import os
from typing import Any

import cv2
import numpy as np

from app.demo.counter import film, mixed
from benchmarks._counter import cards, first_seed
from benchmarks._stream import network_camera
from benchmarks._till import measured

SIZE = (1920, 1080)
RUNS = 3  # of which the quietest counts: a shared machine adds stalls of its own


def finders() -> bytes:
    """A JPEG of nothing but finder patterns, a pixel a module."""
    finder = np.full((9, 9), 255, np.uint8)
    finder[1:8, 1:8], finder[2:7, 2:7], finder[3:6, 3:6] = 0, 255, 0
    tiled = np.tile(finder, (SIZE[1] // 9, SIZE[0] // 9 + 1))[:, : SIZE[0]]
    return cv2.imencode(".jpg", tiled, [cv2.IMWRITE_JPEG_QUALITY, 100])[1].tobytes()


def measure() -> dict[str, Any]:
    """Watch the hard camera and return the figure."""
    seed, seconds = first_seed("loop_stall_ms"), float(os.environ.get("STALL_SECONDS", "15"))
    text = next(cards(seed))
    clip = film([text], scene=mixed(seed, 5), seed=seed, size=SIZE, seconds=1.5)
    frames = [*(shot.data for shot in clip.shots), *[finders()] * 15]
    with network_camera(frames, 30) as address:
        runs = [measured(address, seconds) for _ in range(RUNS)]
    return {
        "name": "loop_stall_ms",
        "value": min(run["longest_ms"] for run in runs),
        "unit": "ms",
        "at_most": 100,
        "detail": {"runs": runs},
    }
