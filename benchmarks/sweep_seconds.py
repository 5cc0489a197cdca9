"""Seconds until a million accounts, each with points that expire and a tier to review, are settled
by the running service on PostgreSQL, and what accruals over HTTP notice of it."""

import fcntl
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from app.context import Context
from app.db import Database
from app.demo.cafe import Cafe
from app.ledger.models import Account, Entry, EntryKind, Lot
from app.ledger.rules import start_of_day
from app.programmes.service import change_settings
from benchmarks import _history
from benchmarks._cluster import cluster
from benchmarks._history import LEVELS, History
from benchmarks._service import running
from benchmarks.accrual_growth import some_cards

MEMBERS = 1_000_000
CARDS = 8_000
CLIENTS = 4
#: Seconds from one receipt of a counter to its next: fifty a second at all counters.
PAUSE = 0.08
#: Accruals are measured in pieces of so many seconds.
PIECE = 10
IDLE_PIECES = 2
ZONE = "Europe/Riga"


def measure() -> list[dict[str, Any]]:
    """A year ended while the background work stood still; then it may begin."""
    with tempfile.TemporaryDirectory() as name, cluster(Path(name)) as make:
        folder = Path(name) / "service"
        with (
            _background_stopped(folder / "data") as let_go,
            running(
                folder,
                database_url=make("counterfoil"),
                workers=2,
                fill=partial(fill, members=MEMBERS),
            ) as service,
        ):
            codes = service.codes
            share = CARDS // 4
            load = partial(service.load, clients=CLIENTS, pause=PAUSE, seconds=PIECE)
            load(codes=codes[:share])
            idle = [load(codes=codes[share : 2 * share]) for _ in range(IDLE_PIECES)]
            database = service.context.database
            let_go()
            begun, meanwhile = time.perf_counter(), []
            seconds: list[float] = []
            waiting = threading.Thread(target=lambda: seconds.append(_until_done(database, begun)))
            waiting.start()
            while waiting.is_alive():
                meanwhile.append(load(codes=codes[2 * share :]))
            expired = _expired(database)
    assert expired >= 2 * MEMBERS, f"{expired} expiries"
    p99_idle, p99_busy = _p99(idle), _p99(meanwhile[:-1] or meanwhile)
    detail = {
        "accounts": MEMBERS,
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


def fill(context: Context, cafe: Cafe, *, members: int) -> list[str]:
    """A programme with tiers, at the end of whose last year nobody looked."""
    now = datetime.now(UTC)
    levels = [{"code": code, "at_least": least} for code, least in LEVELS.items()]
    with context.database.write_all() as session:
        change_settings(session, cafe.programme_id, {"tiers": {"levels": levels}}, valid_from=now)
    ended = start_of_day(date(now.year, 1, 1), ZONE)
    until = date(now.year - 1, 12, 31)
    history = History(cafe.programme_id, members, until, ended, ended, ZONE)
    _history.make(context.database, history)
    return some_cards(context, cafe.programme_id, members, CARDS)


@contextmanager
def _background_stopped(data: Path) -> Iterator[Any]:
    """Keep the place of the service's background work, until what is given is called."""
    data.mkdir(parents=True, mode=0o700)
    with (data / "work.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield partial(fcntl.flock, lock, fcntl.LOCK_UN)


def _until_done(database: Database, begun: float) -> float:
    """Seconds since *begun* when nothing is due any more."""
    while True:
        now = datetime.now(UTC)
        review_at, expires_at = Account.tier_review_at, Lot.expires_at
        due = (
            select(Account.id).where(review_at <= now).order_by(review_at).limit(1),
            select(Lot.id)
            .where(expires_at <= now, Lot.remaining > Lot.held)
            .order_by(expires_at)
            .limit(1),
        )
        with database.read_all() as session:
            if not any(session.scalar(each) for each in due):
                return time.perf_counter() - begun
        time.sleep(0.5)


def _expired(database: Database) -> int:
    counted = select(func.count()).select_from(Entry).where(Entry.kind == EntryKind.EXPIRY)
    with database.read_all() as session:
        return int(session.scalar(counted) or 0)


def _p99(pieces: list[dict[str, Any]]) -> float:
    took = sorted(each for piece in pieces for each in piece["took_ms"])
    return float(took[len(took) * 99 // 100])
