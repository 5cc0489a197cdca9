"""Seconds that `counterfoil ledger check` takes over ten million entries on PostgreSQL, and the
memory of its process beside that of a check of a hundredth of them."""

import os
import subprocess
import sys
import time
from typing import Any

from benchmarks import _history, _large

#: What the process may take more for a hundred times as many entries, in megabytes.
_FLAT = 8.0


def measure() -> dict[str, Any]:
    """The command as an operator runs it, twice; the slower run counts."""
    many = _large.large()
    few = _large.build(
        many.folder.parent / "hundredth", many.make, "hundredth", many.members // 100, is_due=False
    )
    small, _ = _measured(few.settings, runs=1)
    large, seconds = _measured(many.settings, runs=2)
    assert large - small < _FLAT, f"{small:.1f} MB grew to {large:.1f} MB"
    return {
        "name": "ledger_check_seconds",
        "value": max(seconds),
        "unit": "s",
        "at_most": 60,
        "detail": {
            "entries": many.members * _history.ENTRIES,
            "runs": [round(each, 1) for each in seconds],
            "peak_mb": round(large, 1),
            "peak_mb_at_a_hundredth": round(small, 1),
        },
    }


def _measured(settings: dict[str, str], *, runs: int) -> tuple[float, list[float]]:
    """The most memory that the command's process took, in MB, and how long each run took."""
    peak, seconds = 0.0, []
    for _ in range(runs):
        begun = time.perf_counter()
        peak = max(peak, _check(settings))
        seconds.append(time.perf_counter() - begun)
    return peak, seconds


def _check(settings: dict[str, str]) -> float:
    """Run it; the peak of its memory in MB."""
    process = subprocess.Popen(
        [sys.executable, "-m", "app.cli", "ledger", "check"],
        env=os.environ | settings,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, said
    return usage.ru_maxrss / 1024
