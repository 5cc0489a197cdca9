"""Share of single frames that are read: 720 lines, three things wrong at once, every severity."""

from typing import Any

from benchmarks._frames import frames


def measure() -> dict[str, Any]:
    """Read fresh frames and return the figure."""
    done = frames()
    return {
        "name": "frames_all", "value": done["all"], "unit": "share", "at_least": 0.82,
        "detail": done["detail"],
    }  # fmt: skip
