"""Seconds until a million accounts, each with points that expire and a tier to review, are settled
by the running service on PostgreSQL, and what accruals over HTTP notice of it."""

import fcntl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from app.db import Database
from app.ledger.models import Entry, EntryKind
from benchmarks import _large
from benchmarks._large import some_cards, until_swept
from benchmarks._service import running

CARDS = 8_000
CLIENTS = 4
#: Seconds from one receipt of a counter to its next: fifty a second at all counters.
PAUSE = 0.08
#: Accruals are measured in pieces of so many seconds.
PIECE = 10
IDLE_PIECES = 2


def measure() -> list[dict[str, Any]]:
    """A year ended while the background work stood still; then it may begin."""
    large = _large.large(is_due=True)
    cards = min(CARDS, large.members // 4)
    with (
        _background_stopped(large.folder / "data") as let_go,
        running(
            large.folder,
            database_url=large.database_url,
            workers=2,
            cafe=large.cafe,
            fill=lambda context, cafe: some_cards(context, cafe.programme_id, large.members, cards),
        ) as service,
    ):
        codes = service.codes
        share = cards // 4
        load = partial(service.load, clients=CLIENTS, pause=PAUSE, seconds=PIECE)
        load(codes=codes[:share])
        idle = [load(codes=codes[share : 2 * share]) for _ in range(IDLE_PIECES)]
        database = service.context.database
        let_go()
        begun, meanwhile = time.perf_counter(), []
        seconds: list[float] = []
        waiting = threading.Thread(target=lambda: seconds.append(until_swept(database, begun)))
        waiting.start()
        while waiting.is_alive():
            meanwhile.append(load(codes=codes[2 * share :]))
        expired = _expired(database)
    assert expired >= 2 * large.members, f"{expired} expiries"
    p99_idle, p99_busy = _p99(idle), _p99(meanwhile[:-1] or meanwhile)
    detail = {
        "accounts": large.members,
        "p99_ms": [round(p99_idle, 1), round(p99_busy, 1)],
        "median_ms": [round(each[0]["median_ms"], 1) for each in (idle, meanwhile)],
        "accruals_per_second": round(1 / PAUSE * CLIENTS, 1),
    }
    return [
        {
            "name": "sweep_seconds",
            "value": seconds[0],
            "unit": "s",
            "at_most": 120,
            "detail": detail,
        },
        {
            "name": "sweep_accrual_p99",
            "value": p99_busy / p99_idle,
            "unit": "ratio",
            "at_most": 2,
            "detail": detail,
        },
    ]


@contextmanager
def _background_stopped(data: Path) -> Iterator[Any]:
    """Keep the place of the service's background work, until what is given is called."""
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (data / "work.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield partial(fcntl.flock, lock, fcntl.LOCK_UN)


def _expired(database: Database) -> int:
    counted = select(func.count()).select_from(Entry).where(Entry.kind == EntryKind.EXPIRY)
    with database.read_all() as session:
        return int(session.scalar(counted) or 0)


def _p99(pieces: list[dict[str, Any]]) -> float:
    took = sorted(each for piece in pieces for each in piece["took_ms"])
    return float(took[len(took) * 99 // 100])
