"""Merges of many at once, and merges among any other postings: the books stay right."""

import random
import threading
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from app.db import Database
from app.errors import Conflict, Unavailable
from app.ledger import service
from app.ledger.errors import NotMergeable
from app.ledger.postings import (
    Accrue,
    Circumstances,
    Merge,
    Posted,
    Reverse,
    Terms,
    Unmerge,
    Value,
)
from app.ledger.tiers import Level, TierScheme

HOUR = timedelta(hours=1)


def at_once(work: Callable[[int], Any], many: int) -> list[Any]:
    """The outcomes of *many* threads that begin together."""
    barrier = threading.Barrier(many)

    def one(number: int) -> Any:
        barrier.wait(timeout=30)
        try:
            return work(number)
        except Exception as error:
            return error

    with ThreadPoolExecutor(many) as pool:
        return list(pool.map(one, range(many)))


def kinds(outcomes: list[Any]) -> Counter[str]:
    return Counter(type(outcome).__name__ for outcome in outcomes)


def test_of_two_merges_in_opposite_directions_one_succeeds(ledger: Any) -> None:
    for _ in range(5):
        pair = [ledger.account() for _ in range(2)]
        for account_id in pair:
            ledger.earn(account_id, 100)
        ways = (Merge(*pair), Merge(*reversed(pair)))
        outcomes = at_once(lambda number, ways=ways: ledger.post(ways[number]), 2)
        assert kinds(outcomes) == {"Posted": 1, NotMergeable.__name__: 1}
        assert sorted(ledger.standing(each).balance for each in pair) == [0, 200]
    ledger.prove()


def test_one_merge_sent_many_times_at_once_happens_once(ledger: Any) -> None:
    goes, stays = ledger.account(), ledger.account()
    ledger.earn(goes, 100)
    posting_id, merge = str(uuid.uuid4()), Merge(goes, stays)
    outcomes = at_once(lambda _: ledger.post(merge, posting_id), 8)
    assert [each.repeated for each in outcomes].count(False) == 1
    assert len({str(each.answer) for each in outcomes}) == 1
    undo, undo_id = Unmerge(posting_id), str(uuid.uuid4())
    outcomes = at_once(lambda _: ledger.post(undo, undo_id), 8)
    assert [each.repeated for each in outcomes].count(False) == 1
    assert ledger.standing(goes).balance == 100
    ledger.prove()


def test_merges_in_a_ring_and_postings_between_them_wait_for_nobody_for_ever(ledger: Any) -> None:
    ring = [ledger.account() for _ in range(4)]
    for account_id in ring:
        ledger.earn(account_id, 100)

    def work(number: int) -> Any:
        place = number % 4
        if number % 2:
            return ledger.earn(ring[place], 1)
        return ledger.post(Merge(ring[place], ring[(place + 1) % 4]))

    outcomes = at_once(work, 16)
    unexpected = [each for each in outcomes if isinstance(each, Exception)]
    assert [each for each in unexpected if not isinstance(each, NotMergeable)] == []
    earned = sum(isinstance(each, str) for each in outcomes)
    assert earned == 8
    assert sum(ledger.standing(each).balance for each in ring) == 400 + earned
    ledger.prove()


def test_an_accrual_that_was_on_its_way_when_its_account_was_merged_is_sent_again(
    ledger: Any,
) -> None:
    goes, stays, other = (ledger.account() for _ in range(3))
    ledger.post(Merge(goes, stays))
    accruals = [
        (ledger.request(each), each, Circumstances(ledger.clock.now))
        for each in (Accrue(id_, 100, "EUR", Value(1, ledger.clock.now)) for id_ in (goes, other))
    ]
    with ledger.database.write(ledger.programme_id) as session:
        refused, posted = service.post_accruals(session, accruals, now=ledger.clock.now)
    assert isinstance(refused, Unavailable)
    assert isinstance(posted, Posted)
    assert [ledger.standing(each).balance for each in (goes, stays, other)] == [0, 0, 1]
    ledger.prove()


@pytest.mark.parametrize("seed", range(3))
def test_whatever_is_posted_between_merges_the_books_are_right(
    database: Database, ledger: Any, seed: int
) -> None:
    """After all merges are undone every account has its own and nothing is lost on the way."""
    chance = random.Random(seed)
    levels = (Level("silver", 60), Level("gold", 200))
    ledger.terms = Terms("Europe/Riga", TierScheme(levels), inactivity_months=1)
    accounts = [ledger.account() for _ in range(4)]
    postings: list[str] = []
    merges: list[str] = []
    for _ in range(40 if database.is_sqlite else 20):
        with suppress(Conflict):
            postings.append(_step(ledger, chance, accounts, postings, merges))
        ledger.prove()
        for account_id in accounts:
            ledger.rule_six(account_id)
    for posting_id in reversed(merges):
        with suppress(Conflict):
            ledger.post(Unmerge(posting_id))
        ledger.prove()
    ledger.sweep()
    ledger.prove()
    assert [ledger.row(each).merged_into_id for each in accounts] == [None] * 4
    for account_id in accounts:
        ledger.rule_six(account_id)
        # Each of them goes on: nothing in its pages hinders it.
        ledger.earn(account_id, 5)
    ledger.prove()


def _step(
    ledger: Any, chance: random.Random, accounts: list[str], postings: list[str], merges: list[str]
) -> str:
    """One posting of any kind on any account; its id."""
    account_id, now = chance.choice(accounts), ledger.clock.now
    points = chance.randint(1, 60)
    what = chance.randrange(12)
    if what < 3:
        facts: dict[str, Any] = {
            "available_from": now + chance.choice([0, 0, 30]) * HOUR,
            "expires_at": chance.choice([None, now + 50 * HOUR, now + 200 * HOUR]),
        }
        if chance.random() < 0.2:
            facts |= {"rolling": True, "expires_at": None}
        return str(ledger.earn(account_id, points, **facts))
    if what == 3:
        ledger.clock.advance(chance.randint(1, 30) * HOUR)
        ledger.sweep()
        return str(ledger.adjust(account_id, points))
    if what < 6:
        return str(ledger.spend(account_id, points))
    if what < 8 and postings:
        return str(ledger.reverse(chance.choice(postings)))
    if what == 8 and postings:
        return str(ledger.post(Reverse(chance.choice(postings))).answer["posting_id"])
    if what == 9 and merges:
        return str(ledger.post(Unmerge(chance.choice(merges))).answer["posting_id"])
    other = chance.choice([each for each in accounts if each != account_id])
    merged = str(ledger.post(Merge(account_id, other)).answer["posting_id"])
    merges.append(merged)
    return merged
