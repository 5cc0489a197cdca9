"""Two phones 300 ms apart are two presentations: counted ÷ shown, in PAIRS pairs (500)."""

from typing import Any

from app.demo.counter import filming, mixed
from benchmarks._counter import cards, count, first_seed
from benchmarks._presented import presented

SIZE = (640, 480)
FPS = 30


def measure() -> dict[str, Any]:
    """Film the pairs and return the figure."""
    first, pairs = first_seed("two_phones"), count("PAIRS", 500)
    texts, counted = cards(first), 0
    wrong: dict[int, int] = {}
    for seed in range(first, first + pairs):
        shots = filming(
            [next(texts), next(texts)], scene=mixed(seed, 1, 2), seed=seed, size=SIZE, fps=FPS,
            seconds=1.0, gap_seconds=0.3,
        )  # fmt: skip
        begun = len(presented(shots, FPS))
        counted += begun
        if begun != 2:
            wrong[seed] = begun
    return {
        "name": "two_phones",
        "value": counted / (2 * pairs),
        "unit": "presentations a phone",
        "at_least": 1,
        "at_most": 1,
        "detail": {"pairs": pairs, "first_seed": first, "not_two": wrong},
    }
