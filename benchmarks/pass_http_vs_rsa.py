"""Passes a second over HTTP, none of them built before ÷ raw signatures on two cores, in one run.

`counterfoil serve` with two workers on PostgreSQL; server, database and the phones share the two
cores on which the raw signatures have them to themselves.
"""

import statistics
from typing import Any

from benchmarks._passes import CARDS, PHONES, THREADS, WORKERS, herd

ROUNDS = 5


def measure() -> dict[str, Any]:
    """Both sides alternate, so that a drift of the machine shows in both."""
    raw, built = [], []
    with herd() as running:
        running.fetch(running.passes)
        for _ in range(ROUNDS):
            raw.append(running.raw_signatures(seconds=1))
            running.change_all()
            built.append(running.fetch(running.passes))
    numerator, denominator = statistics.median(built), statistics.median(raw)
    return {
        "name": "pass_http_vs_rsa",
        "value": numerator / denominator,
        "unit": "ratio",
        "at_least": 0.50,
        "detail": {
            "passes_per_second": [round(each, 1) for each in built],
            "signatures_per_second": [round(each, 1) for each in raw],
            "cards": CARDS,
            "phones": PHONES,
            "workers": WORKERS,
            "threads": THREADS,
        },
    }
