"""Passes a second over HTTP, all built before ÷ empty answers (204) of that server, in one run."""

import statistics
from typing import Any

from benchmarks._passes import CARDS, PHONES, THREADS, WORKERS, herd

ROUNDS = 5
SECONDS = 2.0


def measure() -> dict[str, Any]:
    """Both sides alternate, so that a drift of the machine shows in both."""
    empty, kept = [], []
    with herd() as running:
        for _ in range(2):
            running.fetch(running.passes)
        for _ in range(ROUNDS):
            empty.append(running.fetch([running.empty], seconds=SECONDS))
            kept.append(running.fetch(running.passes, seconds=SECONDS))
    numerator, denominator = statistics.median(kept), statistics.median(empty)
    return {
        "name": "pass_http_cached_vs_empty",
        "value": numerator / denominator,
        "unit": "ratio",
        "at_least": 0.40,
        "detail": {
            "passes_per_second": [round(each, 1) for each in kept],
            "empty_per_second": [round(each, 1) for each in empty],
            "cards": CARDS,
            "phones": PHONES,
            "workers": WORKERS,
            "threads": THREADS,
        },
    }
