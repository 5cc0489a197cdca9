"""What an empty counter costs: cores of processor time, decoding of JPEG included."""

from typing import Any

from benchmarks._idle import idle


def measure() -> dict[str, Any]:
    """Watch the empty counter and return the figure: while nothing moves."""
    done = idle()
    return {
        "name": "idle_cpu", "value": done["still"]["cores"], "unit": "cores", "at_most": 0.10,
        "detail": done,
    }  # fmt: skip
