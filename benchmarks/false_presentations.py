"""False presentations in an hour of an empty, moving shop.

Six shops of ten minutes: customers in patterned shirts, packaging with barcodes, posters, clouds
and lamps. Rendered at FALSE_FPS frames a second (4).
"""

from typing import Any

from app.demo.counter import Scene, filming
from benchmarks._counter import count, first_seed
from benchmarks._presented import presented

SHOPS = 6


def measure() -> dict[str, Any]:
    """Film the empty shops and return the figure."""
    first, fps = first_seed("false_presentations"), count("FALSE_FPS", 4)
    seconds = count("FALSE_SECONDS", 3600) / SHOPS
    begun = []
    for shop in range(SHOPS):
        scene = Scene(bustle=3 + shop % 3, low_light=shop % 2)
        shots = filming([], scene=scene, seed=first + shop, seconds=seconds, fps=fps)
        begun += presented(shots, fps)
    return {
        "name": "false_presentations",
        "value": len(begun),
        "unit": "presentations",
        "at_most": 0,
        "detail": {
            "first_seed": first,
            "seconds": seconds * SHOPS,
            "frames_a_second": fps,
            "texts": [presentation.text[:80] for presentation in begun],
        },
    }
