"""How passes gain from a second process, compared with how raw signatures do, in one run.

Speed-up of building and signing from one process to two ÷ the speed-up of raw RSA-2048
signatures. Nothing is shared between the processes, so what keeps the first below the second
would be ours (a lock, memory), and not the machine's.
"""

from __future__ import annotations

import multiprocessing
import statistics
from multiprocessing.connection import Connection
from time import perf_counter
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from benchmarks import _building

ROUNDS = 15
SECONDS = 0.35
CARDS = 64


def measure() -> dict[str, Any]:
    """Return the figure. The four measurements alternate in short rounds."""
    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    context = multiprocessing.get_context("spawn")
    pipes, processes = [], []
    for _ in range(2):
        ours, theirs = context.Pipe()
        process = context.Process(target=_work, args=(theirs, pem), daemon=True)
        process.start()
        pipes.append(ours)
        processes.append(process)
    for pipe in pipes:
        pipe.recv()
    rates: dict[tuple[str, int], list[float]] = {}
    for _ in range(ROUNDS):
        for what in ("sign", "build"):
            for count in (1, 2):
                rates.setdefault((what, count), []).append(_rate(pipes[:count], what))
    for pipe in pipes:
        pipe.send(None)
    for process in processes:
        process.join()
    median = {each: statistics.median(found) for each, found in rates.items()}
    built = median["build", 2] / median["build", 1]
    raw = median["sign", 2] / median["sign", 1]
    return {
        "name": "pass_build_two_processes",
        "value": round(built / raw, 4),
        "unit": "ratio",
        "at_least": 0.9,
        "detail": {
            "numerator": round(built, 3),
            "numerator_is": "speed-up of passes from one process to two",
            "denominator": round(raw, 3),
            "denominator_is": "speed-up of raw RSA-2048 signatures, likewise",
            "passes_a_second": [round(median["build", count], 1) for count in (1, 2)],
            "signatures_a_second": [round(median["sign", count], 1) for count in (1, 2)],
            "rounds": ROUNDS,
        },
    }


def _rate(pipes: list[Connection], what: str) -> float:
    for pipe in pipes:
        pipe.send(what)
    return sum(float(pipe.recv()) for pipe in pipes)


def _work(pipe: Connection, pem: bytes) -> None:
    """Do what is asked for SECONDS and say how many a second, until asked for nothing."""
    key = serialization.load_pem_private_key(pem, None)
    assert isinstance(key, rsa.RSAPrivateKey)
    actions = {"sign": _building.raw(key), "build": _building.build(key)}
    faces = _building.faces(CARDS)
    pipe.send("ready")
    while (what := pipe.recv()) is not None:
        action, done, begun = actions[what], 0, perf_counter()
        end = begun + SECONDS
        while perf_counter() < end:
            for face in faces:
                action(face)
            done += CARDS
        pipe.send(done / (perf_counter() - begun))
