"""The median accrual over HTTP with a million members and ten million entries ÷ that with ten
thousand members, on the same PostgreSQL, in turns."""

import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from benchmarks import _history, _large
from benchmarks._large import Large, some_cards, until_swept
from benchmarks._service import CARDS, Running, running

SMALL = 10_000
ROUNDS = 5
SECONDS = 6


def measure() -> dict[str, Any]:
    """Both services run at once and are measured in turns, one client at a time: what the machine
    does beside it hits both."""
    most = _large.large()
    few = _large.build(most.folder.parent / "small", most.make, "small", SMALL, is_due=most.is_due)
    sizes = (SMALL, most.members)
    with ExitStack() as stack:
        services: dict[int, Running] = {}
        for each in (most, few):
            services[each.members] = stack.enter_context(_running(each))
            services[each.members].load(seconds=3, clients=1)
        medians: dict[int, list[float]] = {size: [] for size in sizes}
        for _ in range(ROUNDS):
            for members, found in medians.items():
                found.append(services[members].load(seconds=SECONDS, clients=1)["median_ms"])
    small, large = (statistics.median(medians[members]) for members in sizes)
    return {
        "name": "accrual_growth",
        "value": large / small,
        "unit": "ratio",
        "at_most": 1.3,
        "detail": {
            "members": list(sizes),
            "entries": [size * _history.ENTRIES for size in sizes],
            "is_swept": most.is_due,
            "median_ms": [round(small, 2), round(large, 2)],
            "rounds_ms": {str(key): [round(each, 2) for each in medians[key]] for key in medians},
        },
    }


@contextmanager
def _running(each: Large) -> Iterator[Running]:
    """The service on it. Where a year ended, everybody is settled and the tables are tidy."""
    if each.is_due:
        each.tidy()
    with running(
        each.folder,
        database_url=each.database_url,
        cafe=each.cafe,
        fill=lambda context, cafe: some_cards(context, cafe.programme_id, each.members, CARDS),
    ) as service:
        if each.is_due:
            until_swept(service.context.database, time.perf_counter())
        yield service
