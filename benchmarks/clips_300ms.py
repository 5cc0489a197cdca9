"""Share of clips of severity 0 to 3 read within 300 ms of the code being fully in view."""

from typing import Any

from benchmarks._clips import figure


def measure() -> Any:
    """Film and read fresh clips and return the figure."""
    return figure("clips_300ms", (0, 1, 2, 3), 0.3, 0.85)
