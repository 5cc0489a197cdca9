"""Share of clips of severity 4 and 5 read within 2 s of the code being fully in view."""

from typing import Any

from benchmarks._clips import figure


def measure() -> Any:
    """Film and read fresh clips and return the figure."""
    return figure("clips_hard_2s", (4, 5), 2.0, 0.38)
