"""Share of single frames of severity 0 to 3 that are read."""

from typing import Any

from benchmarks._frames import frames


def measure() -> dict[str, Any]:
    """Read fresh frames and return the figure."""
    done = frames()
    return {
        "name": "frames_low", "value": done["low"], "unit": "share", "at_least": 0.93,
        "detail": done["detail"],
    }  # fmt: skip
