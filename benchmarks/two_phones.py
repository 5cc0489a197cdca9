"""Two phones 300 ms apart are two presentations: counted ÷ shown, in PAIRS pairs (500).

Each pair is a film of its own, so the machine's cores share them.
"""

import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import cv2

from app.demo.counter import filming, mixed
from benchmarks._counter import cards, count, first_seed
from benchmarks._presented import presented

SIZE = (640, 480)
FPS = 30


def measure() -> dict[str, Any]:
    """Film the pairs and return the figure."""
    first, pairs = first_seed("two_phones"), count("PAIRS", 500)
    texts = cards(first)
    shown = [(next(texts), next(texts)) for _ in range(pairs)]
    seeds = range(first, first + pairs)
    workers = min(count("WORKERS", len(os.sched_getaffinity(0))), pairs)
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        begun = list(pool.map(texts_presented, seeds, shown, chunksize=4))
    wrong = {
        seed: len(found)
        for seed, found, pair in zip(seeds, begun, shown, strict=True)
        if found != list(pair)
    }
    return {
        "name": "two_phones",
        "value": sum(map(len, begun)) / (2 * pairs),
        "unit": "presentations a phone",
        "at_least": 1,
        "at_most": 1,
        "detail": {"pairs": pairs, "first_seed": first, "not_two": wrong, "processes": workers},
    }


def texts_presented(seed: int, pair: tuple[str, str]) -> list[str]:
    """Film two phones, one after the other, and return the texts of what was presented."""
    cv2.setNumThreads(1)
    shots = filming(
        pair, scene=mixed(seed, 1, 2), seed=seed, size=SIZE, fps=FPS,
        seconds=1.0, gap_seconds=0.3,
    )  # fmt: skip
    return [presentation.text for presentation in presented(shots, FPS)]
