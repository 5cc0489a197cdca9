"""Memory of a till that watches an empty counter: the loop and its reader together."""

from typing import Any

from benchmarks._idle import idle


def measure() -> dict[str, Any]:
    """Watch the empty counter and return the figure: the most of either scene."""
    done = idle()
    return {
        "name": "idle_mb", "value": max(each["megabytes"] for each in done.values()),
        "unit": "MB", "at_most": 250, "detail": done,
    }  # fmt: skip
