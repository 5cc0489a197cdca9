"""`counterfoil demo`: one card from the poster to the phone and back, every step over its real
interface. The steps are in `steps`; this runs them, shows them and keeps the report."""

import json
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console
from rich.table import Table

from app.demo.checks import CheckFailed
from app.demo.steps import Job

#: The title of each step, and the method of `Job` that does it and says what came of it.
STEPS: list[tuple[str, Callable[[Job], str]]] = [
    ("An empty shop is set up", Job.set_up),
    ("A customer joins on the poster's page", Job.join),
    ("The phone checks the pass and registers", Job.add_to_phone),
    ("The card is filmed, read and rewarded", Job.scan),
    ("The points reach both wallets", Job.deliver),
    ("Sent twice, offline, back again: once each", Job.survive),
    ("Redeemed, taken back, backed up", Job.settle),
]


def run(folder: Path, out: Path, *, seed: int, console: Console | None = None) -> bool:
    """Run the main job in the empty *folder* and leave its results in *out*.

    Returns whether every check in it held. *seed* is that of the filmed counter.
    """
    console = console or Console()
    out.mkdir(parents=True, exist_ok=True)
    console.print(f"Counterfoil's main job, seed {seed}; results go to {out}")
    table = Table("", "step", "seconds", "what came of it")
    held = True
    with ExitStack() as stack:
        job = Job(folder, out, seed, stack)
        for number, (title, step) in enumerate(STEPS, start=1):
            begun = time.perf_counter()
            try:
                with console.status(f"{number}. {title} …"):
                    came_of_it = step(job)
            except CheckFailed as failed:
                came_of_it, held = f"FAILED: {failed}", False
            seconds = time.perf_counter() - begun
            job.report.seconds[str(number)] = round(seconds, 3)
            console.print(f"{'✓' if held else '✗'} {number}. {title} ({seconds:.1f} s)")
            table.add_row("✓" if held else "✗", title, f"{seconds:.1f}", came_of_it)
            if not held:
                break
    (out / "report.json").write_text(json.dumps(job.report.as_json(), indent=2) + "\n")
    console.print(table)
    console.print("Every check held." if held else "A check failed; see the last row.")
    return held
