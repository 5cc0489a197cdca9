"""Links that save a card to Google Wallet, signed ÷ raw RSA-2048 signatures by the same key."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from time import perf_counter
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from passes.google.save_link import SaveLinkSigner

ROUNDS = 200
PER_ROUND = 20
CLASS_ID = "3388000000022000000.beans"
ORIGINS = ("https://cards.example.com",)


def measure() -> dict[str, Any]:
    """Return the figure.

    Both sides alternate in rounds of a few milliseconds. Whatever else runs on the machine can
    only slow a round down, so of each side the round counts that a quarter of them reach.
    """
    key = rsa.generate_private_key(65537, 2048)
    signer = SaveLinkSigner("counterfoil@beans-and-leaf.iam.gserviceaccount.com", key)
    pkcs1, sha256, message = padding.PKCS1v15(), hashes.SHA256(), b"x" * 500

    def sign(number: int) -> object:
        return key.sign(message, pkcs1, sha256)

    def link(number: int) -> str:
        object_id = f"3388000000022000000.{number:032x}"
        return signer.link(object_id, CLASS_ID, 1_795_000_000 + number, ORIGINS)

    def seconds(action: Callable[[int], object]) -> float:
        start = perf_counter()
        for number in range(PER_ROUND):
            action(number)
        return perf_counter() - start

    length = len(link(0))
    raw, linked = [], []
    for _ in range(ROUNDS):
        raw.append(PER_ROUND / seconds(sign))
        linked.append(PER_ROUND / seconds(link))
    numerator, denominator = (statistics.quantiles(rates, n=4)[2] for rates in (linked, raw))
    return {
        "name": "save_link_vs_rsa",
        "value": round(numerator / denominator, 4),
        "unit": "ratio",
        "at_least": 0.90,
        "detail": {
            "numerator": round(numerator, 1),
            "numerator_is": "save links signed a second, one core",
            "denominator": round(denominator, 1),
            "denominator_is": "raw RSA-2048 signatures a second by the same key",
            "rounds": ROUNDS,
            "characters": length,
        },
    }
