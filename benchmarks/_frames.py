"""Single frames of the filmed counter: 720 lines, three things wrong at once, every severity."""

import functools
import time
from typing import Any

import cv2
import zxingcpp

from app.demo.counter import mixed, photograph
from benchmarks._counter import SEVERITIES, cards, count, first_seed
from scanner.schedule import read_still

LOW = (0, 1, 2, 3)
_MODEL_2 = zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.QRCodeModel2])


@functools.cache
def frames() -> dict[str, Any]:
    """Read fresh frames; shares by severity, and what a frame cost either reader."""
    first, each = first_seed("frames"), count("FRAMES_EACH", 40)
    texts = cards(first)
    read = dict.fromkeys(SEVERITIES, 0)
    by_default = wrong = 0
    spent = spent_by_default = 0.0
    for index in range(each * len(SEVERITIES)):
        severity, seed, text = index % len(SEVERITIES), first + index, next(texts)
        frame = photograph(text, scene=mixed(seed, severity), seed=seed)
        began = time.thread_time()
        found = {read.text for read in read_still(frame)}
        spent += time.thread_time() - began
        read[severity] += text in found
        wrong += bool(found - {text})
        grey = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
        began = time.thread_time()
        by_default += text in {code.text for code in zxingcpp.read_barcodes(grey, _MODEL_2)}
        spent_by_default += time.thread_time() - began
    total = each * len(SEVERITIES)
    return {
        "all": sum(read.values()) / total,
        "low": sum(read[grade] for grade in LOW) / (each * len(LOW)),
        "cost_ratio": spent / spent_by_default,
        "detail": {
            "frames": total,
            "first_seed": first,
            "by_severity": {str(grade): hits / each for grade, hits in read.items()},
            "wrong_reads": wrong,
            "ms_a_frame": 1000 * spent / total,
            "zxing_default": by_default / total,
            "zxing_default_ms_a_frame": 1000 * spent_by_default / total,
        },
    }
