"""Share of single frames that are read: 720 lines, three things wrong at once, every severity.

Photographs of the filmed counter with fresh seeds (printed, so that a run can be repeated), as
many of each severity from 0 to 5; a frame counts as read when its own text is found.
"""

import os
import random
import time
from datetime import date
from typing import Any

import cv2
import zxingcpp
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.demo.counter import mixed, photograph
from passes.code import CardCode, encode
from scanner.schedule import read_still

SEVERITIES = range(6)
FRAMES_EACH = int(os.environ.get("FRAMES_EACH", "40"))


def measure() -> dict[str, Any]:
    """Read fresh frames and return the figure."""
    cv2.setNumThreads(1)
    first = int(os.environ.get("FRAMES_SEED", random.SystemRandom().randrange(10**8)))
    print(f"frames_all: seeds from {first} on (FRAMES_SEED repeats them)")
    chance = random.Random(first)
    key = Ed25519PrivateKey.from_private_bytes(chance.randbytes(32))
    read = dict.fromkeys(SEVERITIES, 0)
    by_default = wrong = 0
    spent = spent_by_default = 0.0
    for index in range(FRAMES_EACH * len(SEVERITIES)):
        severity, seed = index % len(SEVERITIES), first + index
        text = encode(CardCode(7, chance.randbytes(8), date(2026, 6, 1)), key)
        frame = photograph(text, scene=mixed(seed, severity), seed=seed)
        began = time.thread_time()
        texts = {found.text for found in read_still(frame)}
        spent += time.thread_time() - began
        read[severity] += text in texts
        wrong += bool(texts - {text})
        began = time.thread_time()
        by_default += text in {found.text for found in zxingcpp.read_barcodes(frame)}
        spent_by_default += time.thread_time() - began
    count = FRAMES_EACH * len(SEVERITIES)
    return {
        "name": "frames_all",
        "value": sum(read.values()) / count,
        "unit": "share",
        "at_least": 0.82,
        "detail": {
            "frames": count,
            "first_seed": first,
            "by_severity": {str(grade): hits / FRAMES_EACH for grade, hits in read.items()},
            "wrong_reads": wrong,
            "ms_a_frame": 1000 * spent / count,
            "zxing_default": by_default / count,
            "zxing_default_ms_a_frame": 1000 * spent_by_default / count,
        },
    }


if __name__ == "__main__":
    print(measure())
