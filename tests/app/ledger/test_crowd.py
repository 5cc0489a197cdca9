"""Two, then fifty processes at once on PostgreSQL: what was acknowledged is there once."""

import json
import os
import random
import signal
import traceback
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from app.clock import FixedClock
from app.db import Database
from app.errors import Conflict, Invalid, NotFound
from app.ledger import service
from app.ledger.models import Entry, Posting
from app.ledger.postings import (
    Adjust,
    Bonus,
    Capture,
    Circumstances,
    HoldPoints,
    Operation,
    Release,
    Reverse,
)
from app.ledger.tiers import Level, TierScheme

PATIENCE_SECONDS = 60
QUARTER_OF_AN_HOUR = timedelta(minutes=15)


@dataclass
class Acknowledged:
    """A posting that somebody was told is done, and what it moved."""

    id: str
    kind: str
    points: int


class Person:
    """One process: posts whatever comes to its mind, to accounts that everybody posts to."""

    def __init__(self, bench: Any, accounts: list[str], sales: list[str], seed: int) -> None:
        self.bench, self.accounts, self.sales = bench, accounts, list(sales)
        self.random = random.Random(seed)
        self.holds: list[str] = []
        self.told: list[Acknowledged] = []

    def post(self, operation: Operation, posting_id: str | None = None) -> str | None:
        """A refusal is an answer; anything else that is raised ends the test."""
        bench = self.bench
        try:
            with bench.database.write(bench.programme_id) as session:
                posted = service.post(
                    session,
                    bench.request(operation, posting_id),
                    operation,
                    Circumstances(bench.clock.now, actor_kind="till"),
                    now=bench.clock.now,
                    terms=bench.terms,
                )
        except (Conflict, Invalid, NotFound):
            return None
        answer = posted.answer
        if not posted.repeated:
            told = Acknowledged(answer["posting_id"], answer["kind"], answer["points"])
            self.told.append(told)
        return str(answer["posting_id"])

    def act(self) -> None:
        """One of everything that a counter, a manager or the sweep may do."""
        account_id = self.random.choice(self.accounts)
        points = self.random.randint(1, 30)
        match self.random.randrange(8):
            case 0 | 1:
                self.earn(account_id, points)
            case 2:
                until = self.bench.clock.now + QUARTER_OF_AN_HOUR
                if held := self.post(HoldPoints(account_id, points, until)):
                    self.holds.append(held)
            case 3 if self.holds:
                self.post(Capture(self.random.choice(self.holds)))
            case 4 if self.holds:
                self.post(Release(self.random.choice(self.holds)))
            case 5:
                amount = self.random.choice([None, self.random.randint(1, 2000)])
                self.post(Reverse(self.random.choice(self.sales), amount_minor=amount))
            case 6:
                self.post(Adjust(account_id, self.random.choice([-points, points]), "by hand"))
            case _:
                with self.bench.database.write_all() as session:
                    for step in (service.expire_lots, service.release_pending):
                        step(session, self.bench.clock.now, 5, lambda _: self.bench.terms)

    def earn(self, account_id: str, points: int) -> None:
        now = self.bench.clock.now
        days = self.random.choice([0, 0, 1])
        operation = self.bench.accrual(
            account_id,
            points,
            now + timedelta(days=days),
            expires_at=now + timedelta(days=30),
            bonuses=(Bonus(5, "more", 1500),) if points >= 15 else (),
        )
        posting_id = str(uuid.uuid4())
        made = self.post(operation, posting_id)
        if made:
            self.sales.append(made)
            if self.random.randrange(4) == 0:
                self.post(operation, posting_id)


def in_a_process_of_its_own(work: Callable[[], list[Acknowledged]], go: int, out: Path) -> int:
    """Fork; the child waits for *go*, works and writes what it was told. Its process id."""
    child = os.fork()
    if child:
        return child
    signal.alarm(PATIENCE_SECONDS)
    try:
        os.read(go, 1)
        out.write_text(json.dumps([asdict(told) for told in work()]))
        os._exit(0)
    except BaseException:
        out.with_suffix(".error").write_text(traceback.format_exc())
    finally:
        os._exit(1)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize(("many", "each"), [(2, 40), (50, 4)])
def test_processes_at_once_lose_nothing_and_do_nothing_twice(
    database_urls: Callable[[str], str],
    clock: FixedClock,
    make_bench: Callable[..., Any],
    tmp_path: Path,
    many: int,
    each: int,
) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    url = database_urls("postgresql")
    ledger = make_bench(Database(url), clock)
    ledger.terms = type(ledger.terms)(tiers=TierScheme((Level("silver", 50), Level("gold", 500))))
    accounts = [ledger.account() for _ in range(3)]
    first = [ledger.post(ledger.accrual(each_, 100, clock.now)).answer for each_ in accounts]
    ledger.database.dispose()  # A child must not speak over its parent's connection.

    def work(number: int) -> list[Acknowledged]:
        ledger.database = Database(url)
        sales = [answer["posting_id"] for answer in first]
        person = Person(ledger, accounts, sales, seed * 1000 + number)
        for _ in range(each):
            person.act()
        ledger.database.dispose()
        return person.told

    go, start = os.pipe()
    children = [
        in_a_process_of_its_own(lambda n=number: work(n), go, tmp_path / f"{number}.json")
        for number in range(many)
    ]
    os.write(start, b"!" * many)
    failed = [child for child in children if os.waitpid(child, 0)[1]]
    errors = [path.read_text() for path in tmp_path.glob("*.error")]
    assert (failed, errors) == ([], [])

    ledger.database = Database(url)
    told = [
        Acknowledged(**fact)
        for path in tmp_path.glob("*.json")
        for fact in json.loads(path.read_text())
    ]
    ids = [acknowledged.id for acknowledged in told]
    assert len(ids) == len(set(ids)), "one posting was done twice"
    with ledger.database.read(ledger.programme_id) as session:
        stored = set(session.scalars(select(Posting.id)))
        assert stored == {*ids, *(answer["posting_id"] for answer in first)}
        moved = session.scalar(select(func.sum(Entry.points)).where(Entry.posting_id.is_not(None)))
    assert moved == 300 + sum(each.points for each in told if each.kind != "hold")
    for account_id in accounts:
        ledger.prove(account_id)
    ledger.settled()
    ledger.database.dispose()
