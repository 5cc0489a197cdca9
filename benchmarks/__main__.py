"""`make bench [ONLY=name]`: run the measurements, print a table, append to bench-out/.

Each module here has a ``measure()`` that returns one figure or several::

    {"name", "value", "unit", "at_least" or "at_most", "detail"}

*value* is the very number that is asked for: a ratio as a ratio, a share from 0 to 1. What it was
made of, and the machine, stand in *detail*. Both sides of a ratio are measured in one run, since
the machines are shared and noisy.
"""

import importlib
import json
import os
import pkgutil
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import _large

OUT = Path("bench-out")


def names() -> list[str]:
    """The measurements there are; what begins with _ only helps them."""
    found = pkgutil.iter_modules([str(Path(__file__).parent)])
    return sorted(module.name for module in found if not module.name.startswith("_"))


def run(name: str) -> list[dict[str, Any]]:
    """Run one measurement; its figures, each with the machine in its detail."""
    result = importlib.import_module(f"benchmarks.{name}").measure()
    figures = result if isinstance(result, list) else [result]
    machine = {
        "python": platform.python_version(),
        "cpus": os.cpu_count(),
        "machine": platform.machine(),
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    for figure in figures:
        figure["detail"] = {**figure.get("detail", {}), "machine": machine}
    return figures


def holds(figure: dict[str, Any]) -> bool:
    """Whether a figure is on the right side of its limit."""
    least, most = figure.get("at_least"), figure.get("at_most")
    value = figure["value"]
    return (least is None or value >= least) and (most is None or value <= most)


def main(wanted: list[str]) -> int:
    """Run what is wanted (all, where nothing is said); 1 where a figure misses its limit."""
    unknown = set(wanted) - set(names())
    if unknown:
        print(f"There is no measurement {', '.join(unknown)}. There are: {', '.join(names())}")
        return 2
    console = Console()
    OUT.mkdir(exist_ok=True)
    table = Table("figure", "value", "limit", "", "made of")
    missed = False
    left = _large.in_order(wanted or names())
    while left:
        name = left.pop(0)
        console.print(f"measuring {name} …")
        for figure in run(name):
            with (OUT / f"{figure['name']}.jsonl").open("a") as file:
                file.write(json.dumps(figure) + "\n")
            good = holds(figure)
            missed |= not good
            limit = next(
                (f"{word} {figure[key]}" for key, word in (("at_least", "≥"), ("at_most", "≤"))
                 if key in figure),
                "",
            )  # fmt: skip
            made_of = {key: value for key, value in figure["detail"].items() if key != "machine"}
            table.add_row(
                figure["name"],
                f"{figure['value']:.3f} {figure['unit']}",
                limit,
                "[green]held[/]" if good else "[red]missed[/]",
                json.dumps(made_of),
            )
        _large.let_go(left)
    console.print(table)
    return int(missed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
