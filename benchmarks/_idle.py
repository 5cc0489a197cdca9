"""An empty counter at 720 lines from a network camera with fifteen frames a second."""

import functools
import os
from typing import Any

from app.demo.counter import Scene, film
from benchmarks._counter import first_seed
from benchmarks._stream import network_camera
from benchmarks._till import measured

FPS = 15


@functools.cache
def idle() -> dict[str, Any]:
    """Watch the empty counter while nothing moves, and while somebody walks past behind."""
    seed, seconds = first_seed("idle"), float(os.environ.get("IDLE_SECONDS", "20"))
    moving = [shot.data for shot in film([], scene=Scene(), seed=seed, fps=FPS, seconds=4).shots]
    # The sensor's noise goes on; within a millisecond nothing else moves.
    shots = film([], scene=Scene(), seed=seed, fps=8000, seconds=0.001).shots
    still = [shot.data for shot in shots]
    done = {}
    for name, frames in (("still", still), ("somebody_walks_past", moving)):
        with network_camera(frames, FPS) as address:
            done[name] = measured(address, seconds)
    return done
