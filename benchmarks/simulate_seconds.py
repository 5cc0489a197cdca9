"""Seconds that `counterfoil programme simulate` takes over a million receipts with two million
lines on PostgreSQL, and the memory of its processes beside that of a tenth of them."""

import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import text

from app.config import from_environment
from app.context import Context
from app.db import Database
from app.demo.cafe import make_cafe
from app.migrations import upgrade
from benchmarks import _history
from benchmarks._cluster import cluster

#: Seven receipts each.
MEMBERS = 142_858
#: What a process may take more for ten times as many receipts, in megabytes.
_FLAT = 32.0
CHANGE = {
    "points": "1.1",
    "segments": {"regular": {"within_days": 90, "visits_at_least": 3}},
    "rules": [
        {"name": "Weekend", "kind": "multiplier", "factor": "1.5", "weekdays": ["sat", "sun"]},
        {
            "name": "Coffee",
            "kind": "item",
            "categories": ["coffee"],
            "role": "always",
            "gives": {"points": 1, "stamps": {"coffee": 1}},
        },
        {
            "name": "Breakfast",
            "kind": "basket",
            "at_least": "10",
            "contains": [
                {"categories": ["coffee"], "quantity": "1"},
                {"categories": ["bread"], "quantity": "1"},
            ],
            "gives": {"points": 5},
        },
        {
            "name": "Regulars",
            "kind": "amount",
            "points": "1.3",
            "per_amount": "1",
            "segments": ["regular"],
        },
    ],
}


def measure() -> dict[str, Any]:
    """The command as an operator runs it, twice; the slower run counts."""
    with tempfile.TemporaryDirectory() as folder, cluster(Path(folder)) as make:
        small = run(Path(folder) / "small", make("small"), MEMBERS // 10, runs=1)
        large = run(Path(folder) / "large", make("large"), MEMBERS, runs=2)
    growth = large["peak_mb"] - small["peak_mb"]
    assert growth < _FLAT, f"{small['peak_mb']:.1f} MB grew to {large['peak_mb']:.1f} MB"
    return {
        "name": "simulate_seconds",
        "value": max(large["seconds"]),
        "unit": "s",
        "at_most": 60,
        "detail": {**large, "peak_mb_at_a_tenth": small["peak_mb"]},
    }


def run(data: Path, database_url: str, members: int, *, runs: int) -> dict[str, Any]:
    """Make a history of that many members and simulate over all of it."""
    settings = {"COUNTERFOIL_DATA": str(data), "COUNTERFOIL_DATABASE_URL": database_url}
    context = Context.open(from_environment(settings))
    upgrade(context.database)
    history = _history.of_last_year(make_cafe(context).programme_id, members, datetime.now(UTC))
    _history.make(context.database, history)
    _add_lines(context.database)
    context.database.dispose()
    change = data / "change.json"
    change.write_text(json.dumps(CHANGE))
    peak, seconds, told = 0.0, [], {}
    for _ in range(runs):
        begun = time.perf_counter()
        memory, told = _simulate(settings, change)
        seconds.append(time.perf_counter() - begun)
        peak = max(peak, memory)
    assert told["receipts"] == members * 7, told["receipts"]
    assert told["points_after"] > told["points_before"] > 0
    return {
        "receipts": told["receipts"],
        "lines": told["receipts"] * 2,
        "seconds": [round(each, 1) for each in seconds],
        "peak_mb": round(peak, 1),
        "cost_points": told["cost_points"],
    }


def _add_lines(database: Database) -> None:
    """Two lines for each receipt: coffee for a third of the money, and bread or nothing known."""
    new_id = "gen_random_uuid()"
    if database.is_sqlite:
        part = "substr(hex(randomblob(16)), {}, {})"
        cuts = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
        new_id = "lower(" + " || '-' || ".join(part.format(*cut) for cut in cuts) + ")"
    with database.write_apart() as connection:
        for position, (item, category, amount) in enumerate(
            (
                ("'latte'", "'coffee'", "amount_minor / 3"),
                ("'loaf'", "CASE amount_minor % 2 WHEN 0 THEN 'bread' END",
                 "amount_minor - amount_minor / 3"),
            ),
            1,
        ):  # fmt: skip
            connection.execute(
                text(
                    "INSERT INTO receipt_lines (id, programme_id, receipt_id, position, item, "  # noqa: S608
                    "category, quantity_thousandths, amount_minor, earns) "
                    f"SELECT {new_id}, programme_id, id, {position}, {item}, {category}, 1000, "
                    f"{amount}, true FROM receipts"
                )
            )
    database.analyse(["receipt_lines"])


def _simulate(settings: dict[str, str], change: Path) -> tuple[float, dict[str, Any]]:
    """Run it; the peak of a process's memory in MB, and what it said."""
    words = ["programme", "simulate", str(change), "--since", "2020-01-02", "--json"]
    process = subprocess.Popen(
        [sys.executable, "-m", "app.cli", *words],
        env=os.environ | settings,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, said
    found: dict[str, Any] = json.loads(said)
    return usage.ru_maxrss / 1024, found
