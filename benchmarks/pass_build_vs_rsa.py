"""Passes built and signed on one core ÷ raw RSA-2048 signatures by the same key, in one run.

A pass here is everything that a change of a card costs: pass.json rendered from a card face
(balance and serial number different each time), manifest, CMS signature, archive of ~250 kB
with six images and the texts of four languages.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from time import perf_counter
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa

from benchmarks import _building
from passes.card import CardFace

ROUNDS = 200
PER_ROUND = 20


def measure() -> dict[str, Any]:
    """Return the figure.

    Both sides alternate in rounds of a few milliseconds. Whatever else runs on the machine can
    only slow a round down, so of each side the round counts that a quarter of them reach.
    """
    key = rsa.generate_private_key(65537, 2048)
    sign, build = _building.raw(key), _building.build(key)
    faces = _building.faces(PER_ROUND)

    def seconds(action: Callable[[CardFace], object]) -> float:
        start = perf_counter()
        for face in faces:
            action(face)
        return perf_counter() - start

    size = len(build(faces[0]))
    raw, built = [], []
    for _ in range(ROUNDS):
        raw.append(PER_ROUND / seconds(sign))
        built.append(PER_ROUND / seconds(build))
    numerator, denominator = (statistics.quantiles(rates, n=4)[2] for rates in (built, raw))
    images = _building.images()
    return {
        "name": "pass_build_vs_rsa",
        "value": round(numerator / denominator, 4),
        "unit": "ratio",
        "at_least": 0.90,
        "detail": {
            "numerator": round(numerator, 1),
            "numerator_is": "passes built and signed a second, one core",
            "denominator": round(denominator, 1),
            "denominator_is": "raw RSA-2048 signatures a second by the same key",
            "rounds": ROUNDS,
            "images": len(images),
            "images_kb": round(sum(map(len, images.values())) / 1000, 1),
            "pass_kb": round(size / 1000, 1),
        },
    }
