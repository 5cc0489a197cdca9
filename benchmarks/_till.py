"""A till's camera loop as a process of its own, measured from inside.

    python -m benchmarks._till ADDRESS SECONDS

Prints a line of JSON: what the loop and its reader cost, how much memory they hold, and the
longest time between two turns of the loop.
"""

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from scanner.watch import Watch

WARM_SECONDS = 3.0  # starting, and falling asleep where nothing moves


def watch(address: str, seconds: float) -> dict[str, Any]:
    """Watch the camera at `address`; what `seconds` of it cost after it has settled."""
    stalls, begun, turns = [0.0], 0, 0
    with Watch([address]) as watched:
        looks = iter(watched)
        began = time.monotonic()
        while time.monotonic() - began < WARM_SECONDS:
            next(looks)
        before, since = _spent(), time.monotonic()
        last = since
        while time.monotonic() - since < seconds:
            begun += len(next(looks).begun)
            now = time.monotonic()
            stalls.append(now - last)
            last, turns = now, turns + 1
        spent, lasted = _spent() - before, time.monotonic() - since
        megabytes = sum(_resident(pid) for pid in _family())
        killed = watched.reader.killed
    return {
        "cores": spent / lasted,
        "megabytes": megabytes,
        "longest_ms": 1000 * max(stalls),
        "turns": turns,
        "presentations": begun,
        "readers_killed": killed,
    }


def _family() -> list[int]:
    own = os.getpid()
    children = Path(f"/proc/{own}/task/{own}/children").read_text().split()
    return [own, *(int(child) for child in children)]


def _spent() -> float:
    """Processor seconds of this process and its children, those that ended among them."""
    ticks = 0
    for pid in _family():
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ticks / os.sysconf("SC_CLK_TCK") + ended.ru_utime + ended.ru_stime


def _resident(pid: int) -> float:
    """Megabytes of memory that a process has in use (pages that are shared count in full)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def measured(address: str, seconds: float) -> dict[str, Any]:
    """Run `watch` in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks._till", address, str(seconds)],
        capture_output=True, text=True, timeout=120 + 2 * seconds, check=True,
    )  # fmt: skip
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return said


if __name__ == "__main__":
    print(json.dumps(watch(sys.argv[1], float(sys.argv[2]))))
