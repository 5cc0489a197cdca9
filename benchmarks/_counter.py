"""The filmed counter for the measurements: fresh seeds, cards that verify, one core."""

import os
import random
from collections.abc import Iterator
from datetime import date

import cv2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from passes.code import CardCode, encode

SEVERITIES = range(6)


def first_seed(name: str) -> int:
    """A seed that nobody tuned with, told so that a run can be repeated."""
    first = int(os.environ.get("COUNTER_SEED", random.SystemRandom().randrange(10**8)))
    print(f"{name}: seeds from {first} on (COUNTER_SEED repeats them)")
    return first


def count(name: str, usual: int) -> int:
    """How many of something to measure: the environment's `name`, or what is usual."""
    return int(os.environ.get(name, usual))


def cards(seed: int) -> Iterator[str]:
    """Card codes without end."""
    cv2.setNumThreads(1)
    chance = random.Random(seed)
    key = Ed25519PrivateKey.from_private_bytes(chance.randbytes(32))
    while True:
        yield encode(CardCode(7, chance.randbytes(8), date(2026, 6, 1)), key)
