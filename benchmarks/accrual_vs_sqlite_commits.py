"""Accruals a second over HTTP on SQLite ÷ bare durable commits a second on the same disk.

COUNTERFOIL_BENCH_WORKERS: how many processes serve (1). What is left is Python: of the processor's
time for an accrual SQLite has 15 %, the kernel 16 %, a third of that for the 66 pages of a commit
of 16. Tried and left: one INSERT of many rows (twice as slow as executemany: SQLite makes a
coroutine of it), smaller batches in more processes where each batch costs as much as five accruals,
larger pages, tables without row ids, a log that is copied back less often.
"""

import os
import sqlite3
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks._service import running, with_rules

SECONDS = 8
CLIENTS = 16
WORKERS = int(os.environ.get("COUNTERFOIL_BENCH_WORKERS", "1"))


def measure() -> dict[str, Any]:
    """Bare commits before and after the accruals, so that a drift of the disk shows in both."""
    with tempfile.TemporaryDirectory() as folder:
        before = _commits(Path(folder) / "bare.sqlite")
        with running(Path(folder), workers=WORKERS, fill=with_rules) as service:
            service.load(seconds=2, clients=CLIENTS)
            load = service.load(seconds=SECONDS, clients=CLIENTS)
        after = _commits(Path(folder) / "bare.sqlite")
    accruals = load["done"] / load["seconds"]
    reference = (before + after) / 2
    return {
        "name": "accrual_vs_sqlite_commits",
        "value": accruals / reference,
        "unit": "ratio",
        "at_least": 0.5,
        "detail": {
            "accruals_per_second": round(accruals, 1),
            "commits_per_second": [round(before, 1), round(after, 1)],
            "median_ms": round(load["median_ms"], 2),
            "p99_ms": round(load["p99_ms"], 2),
            "clients": CLIENTS,
            "workers": WORKERS,
        },
    }


def _commits(path: Path) -> float:
    """Commits of one small row each, with the settings the service uses."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE IF NOT EXISTS t (n INTEGER PRIMARY KEY, text TEXT)")
    count, begun = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - begun) < SECONDS / 2:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO t (text) VALUES (?)", ("x" * 100,))
        connection.execute("COMMIT")
        count += 1
    connection.close()
    return count / elapsed
