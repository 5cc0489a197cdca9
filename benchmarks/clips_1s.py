"""Share of clips of severity 0 to 3 read within 1 s of the code being fully in view."""

from typing import Any

from benchmarks._clips import figure


def measure() -> Any:
    """Film and read fresh clips and return the figure."""
    return figure("clips_1s", (0, 1, 2, 3), 1.0, 0.9)
