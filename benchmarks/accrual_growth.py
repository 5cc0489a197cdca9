"""The median accrual over HTTP with a million members and ten million entries ÷ that with ten
thousand members, on the same PostgreSQL, in turns."""

import random
import statistics
import tempfile
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from app.cards.service import issue_card
from app.context import Context
from app.demo.cafe import Cafe
from benchmarks import _history
from benchmarks._cluster import cluster
from benchmarks._service import CARDS, Running, running

SMALL, LARGE = 10_000, 1_000_000
ROUNDS = 5
SECONDS = 6


def measure() -> dict[str, Any]:
    """Both services run at once and are measured in turns, one client at a time: what the machine
    does beside it hits both."""
    with tempfile.TemporaryDirectory() as name, cluster(Path(name)) as make, ExitStack() as stack:
        services: dict[int, Running] = {}
        for members in (LARGE, SMALL):
            folder = Path(name) / str(members)
            service = running(
                folder,
                database_url=make(f"of_{members}"),
                workers=1,
                fill=partial(fill, members=members),
            )
            services[members] = stack.enter_context(service)
            services[members].load(seconds=3, clients=1)
        medians: dict[int, list[float]] = {SMALL: [], LARGE: []}
        for _ in range(ROUNDS):
            for members, found in medians.items():
                found.append(services[members].load(seconds=SECONDS, clients=1)["median_ms"])
    small, large = (statistics.median(medians[members]) for members in (SMALL, LARGE))
    return {
        "name": "accrual_growth",
        "value": large / small,
        "unit": "ratio",
        "at_most": 1.3,
        "detail": {
            "members": [SMALL, LARGE],
            "entries": [SMALL * _history.ENTRIES, LARGE * _history.ENTRIES],
            "median_ms": [round(small, 2), round(large, 2)],
            "rounds_ms": {str(key): [round(each, 2) for each in medians[key]] for key in medians},
        },
    }


def fill(context: Context, cafe: Cafe, *, members: int) -> list[str]:
    """Give the café that many members with a history; codes of some of them, by chance."""
    now = datetime.now(UTC)
    _history.make(context.database, _history.of_last_year(cafe.programme_id, members, now))
    return some_cards(context, cafe.programme_id, members, CARDS)


def some_cards(context: Context, programme_id: str, members: int, count: int) -> list[str]:
    """The codes of new cards of *count* members of a history, chosen by chance."""
    chosen = random.Random(7).sample(range(1, members + 1), count)
    with context.database.write(programme_id) as session:
        return [
            issue_card(
                session,
                context.keys,
                programme_id,
                account_id=_history.account_id(number),
                now=datetime.now(UTC),
            ).code
            for number in chosen
        ]
