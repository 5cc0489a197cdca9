"""What is behind, on both databases: taken up, leased, settled."""

import itertools
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.cards import service as cards
from app.clock import FixedClock
from app.context import Context
from app.db import Database
from app.delivery import registrations, wanted
from app.delivery.models import AppleRegistration
from app.delivery.sending import DELIVERED, Errand, Outcome, Result
from app.ledger.models import Account
from passes.card import CardStatus

#: SQLite writes one after the other: these races cannot happen there.
ON_POSTGRESQL = pytest.mark.parametrize("database", ["postgresql"], indirect=True)


@pytest.fixture
def start(context: Context) -> Callable[..., list[Errand]]:
    """The first half of a step: take up and lease."""

    def begin(limit: int = 100) -> list[Errand]:
        with context.database.write_all() as session:
            wanted.take_up(session, now=context.clock(), limit=limit)
            return wanted.claim(session, AppleRegistration, now=context.clock(), limit=limit)

    return begin


@pytest.fixture
def finish(context: Context) -> Callable[..., None]:
    """The second half: note what became of it."""

    def end(errands: list[Errand], result: Result = DELIVERED, **late: timedelta) -> None:
        leased_at = context.clock() - timedelta(**late) if late else context.clock()
        with context.database.write_all() as session:
            wanted.settle(
                session,
                AppleRegistration,
                [(errand, result) for errand in errands],
                leased_at=leased_at,
                now=context.clock(),
                jitter=itertools.repeat(1.0),
            )

    return end


def test_a_fresh_card_on_a_device_is_up_to_date(programme: Any, start: Any) -> None:
    programme.watched()
    assert start() == []


def test_a_change_is_one_errand(programme: Any, start: Any, finish: Any) -> None:
    card, token = programme.watched()
    programme.earn(card)
    errands = start()
    assert [(errand.address, errand.card_id) for errand in errands] == [(token, card.id)]
    finish(errands)
    assert start() == []


def test_ten_changes_while_behind_are_one_errand(programme: Any, start: Any, finish: Any) -> None:
    card, _ = programme.watched()
    for _ in range(10):
        programme.earn(card)
    errands = start()
    assert len(errands) == 1
    finish(errands)
    assert start() == []


def test_a_blocked_card_is_a_change_too(programme: Any, start: Any) -> None:
    card, token = programme.watched()
    start()
    with programme.context.database.write(programme.programme_id) as session:
        cards.set_status(
            session, card.id, CardStatus.BLOCKED, now=programme.context.clock(), reason="lost"
        )
    assert [errand.address for errand in start()] == [token]


def test_every_device_of_an_account_is_told(programme: Any, start: Any) -> None:
    card = programme.issue()
    tokens = {programme.register(card, device=f"phone {n}") for n in range(3)}
    programme.earn(card)
    assert {errand.address for errand in start()} == tokens


def test_an_account_that_no_wallet_watches_is_done_at_once(
    programme: Any, start: Any, context: Context
) -> None:
    programme.earn(programme.issue())
    assert start() == []
    with context.database.read_all() as session:
        assert not wanted.is_anything_changed(session)


def test_a_change_while_a_push_is_on_its_way_stays_behind(
    programme: Any, start: Any, finish: Any
) -> None:
    card, token = programme.watched()
    programme.earn(card)
    first = start()
    programme.earn(card)
    assert start() == [], "the wallet is leased"
    finish(first)
    assert [errand.address for errand in start()] == [token]


def test_what_a_killed_worker_leased_is_taken_by_the_next_one(
    programme: Any, start: Any, finish: Any, clock: FixedClock
) -> None:
    card, token = programme.watched()
    programme.earn(card)
    start()
    clock.advance(wanted.LEASE - timedelta(seconds=1))
    assert start() == []
    clock.advance(timedelta(seconds=1))
    again = start()
    assert [errand.address for errand in again] == [token]
    finish(again)
    clock.advance(wanted.LEASE * 2)
    assert start() == []


def test_a_failure_waits_longer_each_time_and_says_why(
    programme: Any, start: Any, finish: Any, clock: FixedClock
) -> None:
    card, _ = programme.watched()
    programme.earn(card)
    for seconds in (2, 4, 8):
        finish(start(), Result(Outcome.RETRY, "APNs answered 503 Shutdown."))
        assert programme.registration(card).last_error == "APNs answered 503 Shutdown."
        clock.advance(timedelta(seconds=seconds - 1))
        assert start() == []
        clock.advance(timedelta(seconds=1))
    finish(start())
    row = programme.registration(card)
    assert (row.attempts, row.last_error, row.next_attempt_at) == (0, None, None)
    assert row.delivered_at == clock()


def test_retry_after_is_honoured(
    programme: Any, start: Any, finish: Any, clock: FixedClock
) -> None:
    card, _ = programme.watched()
    programme.earn(card)
    finish(start(), Result(Outcome.RETRY, "429", retry_after_seconds=100))
    clock.advance(timedelta(seconds=99))
    assert start() == []
    clock.advance(timedelta(seconds=11))
    assert len(start()) == 1


def test_a_device_that_apple_does_not_know_is_pushed_to_less_and_less(
    programme: Any, start: Any, finish: Any, clock: FixedClock
) -> None:
    card, _ = programme.watched()
    programme.earn(card)
    for hours in (1, 2, 4):
        finish(start(), Result(Outcome.UNKNOWN, "APNs answered 400 BadDeviceToken."))
        clock.advance(timedelta(hours=hours, seconds=-1))
        programme.earn(card)
        assert start() == []
        clock.advance(timedelta(seconds=1))
    assert len(start()) == 1, "it is never given up: the mistake may be ours"


def test_one_that_backs_off_never_hides_another(programme: Any, start: Any, finish: Any) -> None:
    ill = [programme.watched()[0] for _ in range(5)]
    for card in ill:
        programme.earn(card)
    finish(start(), Result(Outcome.REFUSED, "APNs answered 400 BadDeviceToken."))
    for card in ill:
        programme.earn(card)
    well, token = programme.watched()
    programme.earn(well)
    # Six accounts are taken up two at a time; those that back off take no place in the selection.
    found = [errand for _ in range(3) for errand in start(limit=2)]
    assert [errand.address for errand in found] == [token]


def test_what_could_not_leave_is_due_as_before(programme: Any, start: Any, finish: Any) -> None:
    card, _ = programme.watched()
    programme.earn(card)
    errands = start()
    finish(errands, Result(Outcome.UNSENT, "refused"))
    assert programme.registration(card).attempts == 0
    assert start() == errands


def test_a_device_that_is_gone_is_forgotten(programme: Any, start: Any, finish: Any) -> None:
    card, _ = programme.watched()
    programme.earn(card)
    finish(start(), Result(Outcome.GONE))
    assert programme.registration(card) is None


@pytest.mark.parametrize("outcome", list(Outcome))
def test_a_device_that_registered_anew_meanwhile_is_told_at_its_new_token(
    outcome: Outcome, programme: Any, start: Any, finish: Any
) -> None:
    card, _ = programme.watched()
    programme.earn(card)
    to_old = start()
    new = programme.register(card, device=f"phone-{card.id}")
    finish(to_old, Result(outcome))
    assert [errand.address for errand in start()] == [new]


def test_a_card_that_changed_before_it_was_registered_is_pushed(programme: Any, start: Any) -> None:
    card = programme.issue()
    programme.earn(card)
    start()
    token = programme.register(card)
    assert [errand.address for errand in start()] == [token]


@ON_POSTGRESQL
def test_a_registration_that_races_a_change_is_never_missed(
    programme: Any, start: Any, database: Database
) -> None:
    """The device registers, uncommitted; the card changes; delivery looks; all in between."""
    card = programme.issue()
    with database.write(programme.programme_id) as session:
        registrations.register(
            session, card, device_id="phone", push_token="ab" * 32, now=programme.context.clock()
        )
        earning = threading.Thread(target=programme.earn, args=(card,))
        earning.start()
        earning.join(0.3)
        assert start() == []
    earning.join(10)
    assert [errand.address for errand in start()] == ["ab" * 32]


@ON_POSTGRESQL
def test_two_workers_never_have_the_same_wallet(
    programme: Any, context: Context, database: Database
) -> None:
    for _ in range(20):
        programme.earn(programme.watched()[0])
    with database.write_all() as session:
        wanted.take_up(session, now=context.clock(), limit=100)
    with database.write_all() as one, database.write_all() as other:
        first = wanted.claim(one, AppleRegistration, now=context.clock(), limit=12)
        second = wanted.claim(other, AppleRegistration, now=context.clock(), limit=12)
    assert (len(first), len(second)) == (12, 8)
    assert not {errand.wallet_id for errand in first} & {errand.wallet_id for errand in second}


@ON_POSTGRESQL
def test_an_account_in_somebody_elses_hands_is_passed_over(
    programme: Any, start: Any, database: Database
) -> None:
    (busy, busy_token), (free, free_token) = programme.watched(), programme.watched()
    start()
    programme.earn(busy)
    programme.earn(free)
    with database.write(programme.programme_id) as session:
        session.execute(select(Account.id).where(Account.id == busy.account_id).with_for_update())
        assert [errand.address for errand in start()] == [free_token]
    assert [errand.address for errand in start()] == [busy_token]


def _plan(session: Session, statement: str, is_sqlite: bool) -> str:
    if not is_sqlite:
        session.execute(text("SET LOCAL enable_seqscan = off"))
    explain = "EXPLAIN QUERY PLAN " if is_sqlite else "EXPLAIN "
    return "\n".join(str(row) for row in session.execute(text(explain + statement)))


def test_finding_what_is_behind_reads_nothing_else(database: Database) -> None:
    with database.read_all() as session:
        for table, index, condition in (
            ("accounts", "ix_accounts_behind", "version > delivered_version ORDER BY id"),
            ("cards", "ix_cards_behind", "version > delivered_version ORDER BY id"),
            (
                "apple_registrations",
                "ix_apple_registrations_due",
                "wanted_version > delivered_version AND next_attempt_at <= '2026-01-01' "
                "ORDER BY next_attempt_at",
            ),
        ):
            statement = f"SELECT id FROM {table} WHERE {condition} LIMIT 10"  # noqa: S608
            assert index in _plan(session, statement, database.is_sqlite)
