"""Twenty requests a second for all processes together, on either database."""

import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert

from app.clock import FixedClock
from app.db import Database
from app.delivery.google.pace import SharedPacer
from app.delivery.models import Pace

#: 20 a second, a little further apart.
GAP = 0.052
TAKE = """
import sys, time
from app.db import Database
from app.delivery.google.pace import SharedPacer
pacer = SharedPacer(Database(sys.argv[1]), rate=100)
pacer.take()
print("ready", flush=True)
sys.stdin.readline()
for _ in range(int(sys.argv[2])):
    pacer.wait()
    print(time.time(), flush=True)
"""


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 6, 1, tzinfo=UTC))


@pytest.fixture
def pacer(database: Database, clock: FixedClock) -> SharedPacer:
    return SharedPacer(database, clock=clock)


def test_turns_are_a_twentieth_of_a_second_apart_and_a_little_more(pacer: SharedPacer) -> None:
    assert [pacer.take() for _ in range(4)] == pytest.approx([0, GAP, 2 * GAP, 3 * GAP])


def test_what_was_not_used_is_not_made_up_for(pacer: SharedPacer, clock: FixedClock) -> None:
    pacer.take()
    clock.advance(timedelta(seconds=10))
    assert [pacer.take() for _ in range(3)] == pytest.approx([0, GAP, 2 * GAP])


def test_any_twenty_turns_are_within_no_second(pacer: SharedPacer) -> None:
    turns = [pacer.take() or 0.0 for _ in range(60)]
    for first, last in zip(turns, turns[20:], strict=False):
        assert last - first >= 1


def test_another_issuer_has_a_limit_of_its_own(
    pacer: SharedPacer, database: Database, clock: FixedClock
) -> None:
    pacer.take()
    assert SharedPacer(database, "another", clock=clock).take() == 0


def test_whoever_has_little_time_is_told_at_once_and_takes_no_turn(pacer: SharedPacer) -> None:
    pacer.hold(10)
    assert pacer.take(longest_seconds=5) is None
    assert not pacer.wait(longest_seconds=5)
    assert pacer.take() == pytest.approx(10)


def test_a_hold_stops_everybody_and_never_shortens_another(
    pacer: SharedPacer, database: Database, clock: FixedClock
) -> None:
    pacer.hold(30)
    pacer.hold(1)
    other = SharedPacer(database, clock=clock)
    assert other.take() == pytest.approx(30)


def test_nobody_waits_for_a_clock_that_once_went_wrong(
    pacer: SharedPacer, database: Database, clock: FixedClock
) -> None:
    year = int((clock() + timedelta(days=365)).timestamp() * 1_000_000)
    with database.write_all() as session:
        session.execute(insert(Pace).values(name="google", next_us=year))
    assert pacer.take() == 0
    assert pacer.take() == pytest.approx(GAP)


def test_a_hold_is_never_longer_than_two_minutes(pacer: SharedPacer, clock: FixedClock) -> None:
    pacer.hold(86_400)
    assert pacer.take() == pytest.approx(119)
    clock.advance(timedelta(seconds=120))
    assert pacer.take() == 0


def test_waiting_is_sleeping_until_the_turn(database: Database, clock: FixedClock) -> None:
    slept: list[float] = []
    pacer = SharedPacer(database, clock=clock, sleep=slept.append)
    assert all(pacer.wait() for _ in range(3))
    assert slept == pytest.approx([GAP, 2 * GAP])


def test_processes_keep_one_limit_together(database: Database) -> None:
    """Real processes, real time: a hundred a second, so that it takes no longer than needed."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", TAKE, database.url, "40"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    turns: list[tuple[float, int]] = []
    for number, process in enumerate(processes):
        out, _ = process.communicate(timeout=60)
        assert process.returncode == 0
        turns += [(float(line), number) for line in out.split()]
    turns.sort()
    assert len(turns) == 120
    assert {number for _, number in turns[:30]} == {0, 1, 2}, "they ran at the same time"
    # A tenth less for whoever woke up late and the next one did not.
    for (first, _), (last, _) in zip(turns, turns[50:], strict=False):
        assert last - first >= 0.5 * 0.9


def test_the_time_is_the_databases_where_there_are_several_machines(
    database_urls: Callable[[str], str],
) -> None:
    database = Database(database_urls("postgresql"))
    try:
        pacer = SharedPacer(database, rate=1)
        started = time.time()
        assert pacer.take() == 0
        taken = pacer.take()
        assert taken is not None
        assert 1.04 - (time.time() - started) - 0.01 <= taken <= 1.04
    finally:
        database.dispose()
