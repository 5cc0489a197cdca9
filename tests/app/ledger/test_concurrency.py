"""Many at once: one account is one queue, one id is one posting, and nobody sees a deadlock."""

import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, TypeVar

import pytest

from app.clock import FixedClock
from app.db import Database
from app.ledger import service
from app.ledger.errors import AlreadyReversed, HoldNotOpen, InsufficientPoints, PostingIdReused
from app.ledger.postings import (
    Accrue,
    Adjust,
    Capture,
    Circumstances,
    HoldPoints,
    Release,
    Request,
    Reverse,
    Terms,
    Value,
)

T = TypeVar("T")


def at_once(work: Callable[[int], T], many: int) -> list[T | Exception]:
    """The outcomes of *many* threads that begin together."""
    barrier = threading.Barrier(many)

    def one(number: int) -> T | Exception:
        barrier.wait(timeout=30)
        try:
            return work(number)
        except Exception as error:
            return error

    with ThreadPoolExecutor(many) as pool:
        return list(pool.map(one, range(many)))


def kinds(outcomes: list[Any]) -> Counter[str]:
    return Counter(type(outcome).__name__ for outcome in outcomes)


@pytest.mark.parametrize("many", [2, 50])
def test_of_many_redemptions_of_the_whole_balance_one_succeeds(ledger: Any, many: int) -> None:
    account_id = ledger.account()
    ledger.earn(account_id, 60)
    ledger.earn(account_id, 40)
    outcomes = at_once(lambda _: ledger.spend(account_id, 100), many)
    assert kinds(outcomes) == {"str": 1, InsufficientPoints.__name__: many - 1}
    assert ledger.standing(account_id).balance == 0
    ledger.prove(account_id)


def test_of_many_captures_and_releases_of_a_hold_one_succeeds(ledger: Any) -> None:
    account_id = ledger.account()
    ledger.earn(account_id, 100)
    held = ledger.hold(account_id, 100)
    outcomes = at_once(lambda n: ledger.post((Capture, Release)[n % 2](held)), 10)
    assert kinds(outcomes) == {"Posted": 1, HoldNotOpen.__name__: 9}
    ledger.prove(account_id)


def test_of_many_returns_of_a_receipt_one_succeeds(ledger: Any) -> None:
    account_id = ledger.account()
    sale = ledger.earn(account_id, 100)
    outcomes = at_once(lambda _: ledger.reverse(sale), 10)
    assert kinds(outcomes) == {"str": 1, AlreadyReversed.__name__: 9}
    assert ledger.standing(account_id).balance == 0
    ledger.prove(account_id)


def test_one_posting_sent_many_times_at_once_happens_once(ledger: Any) -> None:
    account_id = ledger.account()
    accrual = Accrue(account_id, 1000, "EUR", Value(10, ledger.clock.now))
    posting_id = str(uuid.uuid4())
    outcomes = at_once(lambda _: ledger.post(accrual, posting_id), 20)
    assert [outcome.repeated for outcome in outcomes].count(False) == 1
    assert len({str(outcome.answer) for outcome in outcomes}) == 1
    assert ledger.standing(account_id).balance == 10
    ledger.prove(account_id)


def test_an_id_that_another_batch_takes_meanwhile_leaves_the_rest_of_the_batch_alone(
    ledger: Any,
) -> None:
    first, second, third = (ledger.account() for _ in range(3))
    posting_id = str(uuid.uuid4())

    def accrual(account_id: str, id_: str) -> tuple[Request, Accrue, Circumstances]:
        asked = Accrue(account_id, 100, "EUR", Value(1, ledger.clock.now))
        return ledger.request(asked, id_), asked, Circumstances(ledger.clock.now)

    def post(*accruals: Any) -> list[Any]:
        with ledger.database.write(ledger.programme_id) as session:
            return service.post_accruals(session, accruals, now=ledger.clock.now)

    batch = [accrual(second, posting_id), accrual(third, str(uuid.uuid4()))]
    with ThreadPoolExecutor(1) as pool:
        with ledger.database.write(ledger.programme_id) as session:
            service.post_accruals(session, [accrual(first, posting_id)], now=ledger.clock.now)
            other = pool.submit(post, *batch)
            # It has found the id free, and waits for what becomes of this transaction.
            time.sleep(0.5)
            assert not other.done()
        taken, posted = other.result(timeout=30)
    assert isinstance(taken, PostingIdReused)
    assert not posted.repeated
    assert [ledger.standing(each).balance for each in (first, second, third)] == [1, 0, 1]
    ledger.prove()


def test_a_redemption_sent_many_times_at_once_is_never_told_that_it_took_its_own_points(
    ledger: Any,
) -> None:
    account_id = ledger.account()
    ledger.earn(account_id, 10)
    hold = HoldPoints(account_id, 10, ledger.clock.now + timedelta(minutes=15))
    posting_id = str(uuid.uuid4())
    outcomes = at_once(lambda _: ledger.post(hold, posting_id), 20)
    assert kinds(outcomes) == {"Posted": 20}
    assert ledger.standing(account_id).held == 10


def test_one_id_for_two_accounts_at_once_goes_to_one_of_them(ledger: Any) -> None:
    accounts = [ledger.account() for _ in range(10)]
    posting_id = str(uuid.uuid4())
    outcomes = at_once(
        lambda n: ledger.post(
            Accrue(accounts[n], 1000, "EUR", Value(10, ledger.clock.now)), posting_id
        ),
        10,
    )
    assert kinds(outcomes) == {"Posted": 1, PostingIdReused.__name__: 9}
    assert sum(ledger.standing(account).balance for account in accounts) == 10
    ledger.prove()


def test_postings_and_steps_side_by_side_keep_the_books_right(ledger: Any) -> None:
    now = ledger.clock.now
    accounts = [ledger.account() for _ in range(6)]
    for account_id in accounts:
        for _ in range(3):
            ledger.earn(account_id, 50, expires_at=now + timedelta(hours=1))
            ledger.earn(account_id, 50, available_from=now + timedelta(hours=1))
        ledger.hold(account_id, 20)
    ledger.clock.advance(timedelta(hours=2))

    def work(number: int) -> Any:
        account_id = accounts[number % len(accounts)]
        if number % 4 == 0:
            return ledger.sweep(limit=2)
        if number % 4 == 1:
            return ledger.spend(account_id, 10)
        sale = ledger.earn(account_id, 5)
        return (
            ledger.post(Reverse(sale))
            if number % 4 == 2
            else ledger.post(Adjust(account_id, 3, "side by side"))
        )

    outcomes = at_once(work, 24)
    assert [outcome for outcome in outcomes if isinstance(outcome, Exception)] == []
    ledger.sweep()
    for account_id in accounts:
        ledger.prove(account_id)
    balances = [ledger.standing(account_id).balance for account_id in accounts]
    spent = sum(10 for number in range(24) if number % 4 == 1)
    earned = sum(8 for number in range(24) if number % 4 == 3)
    assert sum(balances) == 6 * 150 - spent + earned


def test_two_sweeps_at_once_expire_each_lot_once(ledger: Any) -> None:
    accounts = [ledger.account() for _ in range(20)]
    for account_id in accounts:
        ledger.earn(account_id, 10, expires_at=ledger.clock.now + timedelta(days=1))
    ledger.clock.advance(timedelta(days=2))

    def sweep(_: int) -> int:
        done = 0
        for _ in range(20):
            with ledger.database.write_all() as session:
                done += service.expire_lots(session, ledger.clock.now, 3, lambda _: ledger.terms)
        return done

    assert sum(at_once(sweep, 2)) == 20  # type: ignore[arg-type]
    assert {ledger.standing(account_id).balance for account_id in accounts} == {0}
    ledger.prove()


def test_a_step_does_not_wait_for_an_account_that_is_busy(
    database_urls: Callable[[str], str], clock: FixedClock, make_bench: Callable[..., Any]
) -> None:
    database = Database(database_urls("postgresql"))
    ledger = make_bench(database, clock)
    busy, idle = ledger.account(), ledger.account()
    for account_id in (busy, idle):
        ledger.earn(account_id, 10, expires_at=clock.now + timedelta(days=1))
    clock.advance(timedelta(days=2))
    with database.write(ledger.programme_id) as posting:
        service.lock_account(posting, busy)
        with database.write_all() as session:
            assert service.expire_lots(session, clock.now, 10, lambda _: Terms()) == 1
    assert ledger.lots(idle) == []
    assert ledger.sweep() == 1
    assert ledger.lots(busy) == []
    database.dispose()
