"""Mean processor time a frame, full effort, ÷ zxing-cpp's default (QR codes, a grey frame)."""

from typing import Any

from benchmarks._frames import frames


def measure() -> dict[str, Any]:
    """Read fresh frames and return the figure."""
    done = frames()
    return {
        "name": "frame_cost_vs_zxing", "value": done["cost_ratio"], "unit": "times", "at_most": 3,
        "detail": done["detail"],
    }  # fmt: skip
