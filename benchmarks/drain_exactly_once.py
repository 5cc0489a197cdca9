"""Is what a till queued during an outage in the ledger exactly once, though answers are lost?

A real till queues accruals with its network down; then it comes back, and a third of the answers
are lost on the way (by chance, from a seed that is printed), half of them before the service has
heard the request. The figure is 1 if every accrual is in the ledger once and every balance is
right, else 0. How fast it went stands in the detail.
"""

import os
import random
import tempfile
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from app.demo.network import BadNetwork, Fault, Request
from app.ledger.check import check
from app.ledger.models import Entry
from app.programmes.models import Programme as ProgrammeRow
from benchmarks._service import Running, running
from passes.code import parse
from scanner.backlog import status
from scanner.cashiers import Cashier
from scanner.check import KeyRing
from scanner.client import Client
from scanner.clock import TillClock
from scanner.config import Programme, Till
from scanner.pauses import Pauses
from scanner.sale import Counter
from scanner.sending import drain
from scanner.unsent import Queue

ACCRUALS = int(os.environ.get("DRAIN_ACCRUALS", "10000"))
LOST = 1 / 3
AMOUNT_MINOR = 100


def measure() -> dict[str, Any]:
    """Queue, drain and count; the figure."""
    seed = int(os.environ.get("DRAIN_SEED", random.SystemRandom().randrange(10**8)))
    print(f"drain_exactly_once: seed {seed} (DRAIN_SEED repeats it)")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        service = stack.enter_context(running(folder / "service"))
        figure = outcome(service, folder / "till", ACCRUALS, random.Random(seed))
    figure["detail"]["seed"] = seed
    return figure


def outcome(service: Running, folder: Path, accruals: int, chance: random.Random) -> dict[str, Any]:
    """Queue so many accruals at a till of *service*, drain them, and compare with the ledger."""
    network = BadNetwork(int(service.service.url.rpartition(":")[2]))
    lost = 0

    def lose(request: Request) -> Fault | None:
        nonlocal lost
        if chance.random() >= LOST:
            return None
        lost += 1
        return chance.choice((Fault.DROPPED_BEFORE, Fault.DROPPED_AFTER))

    try:
        with Queue(folder) as queue:
            kept, queue_seconds = _queue(service, queue, network.port, accruals)
            network.fault = lose
            rounds, seconds, cpu = _drain(service, queue, network.port)
            left = status(queue, _programme(service))
    finally:
        network.stop()
    wrong = _wrong(service, kept)
    exact = not wrong and left.all_sent and left.set_aside == 0
    return {
        "name": "drain_exactly_once",
        "value": int(exact),
        "unit": "",
        "at_least": 1,
        "detail": {
            "accruals": accruals,
            "lost": lost,
            "rounds": rounds,
            "seconds": round(seconds, 1),
            "per_second": round(accruals / seconds),
            "till_cpu_ms_each": round(cpu / accruals * 1000, 2),
            "queued_per_second": round(accruals / queue_seconds),
            "left": left.waiting,
            "set_aside": left.set_aside,
            "wrong": wrong[:5],
        },
    }


def _programme(service: Running) -> str:
    with service.context.database.read_all() as session:
        return session.scalars(select(ProgrammeRow.id)).one()


def _till(service: Running, port: int) -> Till:
    programme = Programme(_programme(service), "Kaffa", "beans", "EUR", 2, "UTC")
    return Till(
        f"http://127.0.0.1:{port}", "till", "Counter 1", "Old Town", programme, service.token, "00"
    )


def _queue(service: Running, queue: Queue, port: int, accruals: int) -> tuple[list[str], float]:
    """Queue accruals on the cards in turn, as a cashier without a network does; their ids."""
    cashier = Cashier(service.cashier, "Anna", "cashier")
    till = _till(service, port)
    readings = [parse(code) for code in service.codes]
    began = time.monotonic()
    with Client(till.service, till.token) as client:
        counter = Counter(till, queue, client, KeyRing(), cashier, clock=TillClock(queue))
        kept = [
            counter.accrue(readings[number % len(readings)], AMOUNT_MINOR, None).posting_id
            for number in range(accruals)
        ]
    return kept, time.monotonic() - began


def _drain(service: Running, queue: Queue, port: int) -> tuple[int, float, float]:
    """Send until nothing is left, pausing as the till does; rounds, seconds, CPU of this side."""
    till = _till(service, port)
    pauses, rounds = Pauses(), 0
    began, cpu = time.monotonic(), time.process_time()
    with Client(till.service, till.token) as client:
        while not status(queue, till.programme.id).all_sent:
            report = drain(queue, client, till.programme.id, None, lambda: datetime.now(UTC))
            rounds += 1
            if report.stopped:
                time.sleep(pauses.after(report))
    return rounds, time.monotonic() - began, time.process_time() - cpu


def _wrong(service: Running, kept: list[str]) -> list[str]:
    """What is not as it should be: accruals lost or doubled, and balances that do not add up."""
    with service.context.database.read_all() as session:
        counted = select(Entry.posting_id, func.count()).group_by(Entry.posting_id)
        times = {posting_id: count for posting_id, count in session.execute(counted)}
        points = session.scalar(select(func.sum(Entry.points))) or 0
        differences = [str(each) for each in check(session)]
    wrong = [f"{each}: {times.get(each, 0)} times" for each in kept if times.get(each) != 1]
    if set(times) - set(kept):
        wrong.append("the ledger has postings that nobody made")
    if points != len(kept) * AMOUNT_MINOR // 100:
        wrong.append(f"{points} points in the ledger, {len(kept)} were given")
    return wrong + differences
