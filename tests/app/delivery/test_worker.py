"""The background work as a whole: from a commit to the push, whatever else is down."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from app.clock import FixedClock, system_clock
from app.context import Context
from app.db import Database
from app.delivery.bringing import Senders, bring, deliver
from app.delivery.models import GooglePass
from app.delivery.status import status
from app.delivery.wallets import Wallets
from app.delivery.worker import Worker
from app.demo.apns import ApnsStandIn


@pytest.fixture
def senders(context: Context) -> Iterator[Senders]:
    senders = Senders(context, Wallets(context))
    yield senders
    senders.close()


@contextmanager
def working(context: Context, *, workers: int = 1, **options: float) -> Iterator[None]:
    """Background work going on, as in a process of its own."""
    stop = threading.Event()
    threads = [
        threading.Thread(target=Worker(context, Wallets(context), **options).run, args=(stop,))
        for _ in range(workers)
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(60)
            assert not thread.is_alive()


def behind(context: Context, wallet: str = "apple") -> int:
    with context.database.read_all() as session:
        return status(session)[wallet]["behind"]


def wait_until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to pass in time"
        time.sleep(0.02)


@pytest.fixture
def live(context: Context) -> Context:
    """The installation with a clock that runs."""
    return Context(context.config, context.database, context.keys, system_clock)


def test_a_step_pushes_what_changed_and_then_has_nothing_to_do(
    programme: Any, context: Context, senders: Senders, apns: ApnsStandIn
) -> None:
    card, token = programme.watched()
    programme.earn(card)
    assert behind(context) == 1
    while deliver(context, senders, now=context.clock()):
        pass
    assert [push.token for push in apns.pushes] == [token]
    assert behind(context) == 0


def test_one_round_by_hand_does_everything_that_is_due(
    programme: Any, context: Context, apns: ApnsStandIn
) -> None:
    for _ in range(7):
        programme.earn(programme.watched()[0])
    assert Worker(context, Wallets(context)).run_once() >= 7
    assert len(apns.pushes) == 7
    assert Worker(context, Wallets(context)).run_once() == 0


def test_a_round_ends_when_nobody_can_be_reached(
    programme: Any, context: Context, apns: ApnsStandIn
) -> None:
    programme.earn(programme.watched()[0])
    apns.refuse()
    Worker(context, Wallets(context)).run_once()
    assert behind(context) == 1
    apns.well()
    assert Worker(context, Wallets(context)).run_once() == 1
    assert behind(context) == 0


def test_ten_changes_while_behind_cost_one_push(
    programme: Any, context: Context, senders: Senders, apns: ApnsStandIn
) -> None:
    card, token = programme.watched()
    for _ in range(10):
        programme.earn(card)
    while deliver(context, senders, now=context.clock()):
        pass
    assert [push.token for push in apns.pushes] == [token]
    assert behind(context) == 0


def test_a_device_that_is_gone_is_removed(
    programme: Any, context: Context, senders: Senders, apns: ApnsStandIn
) -> None:
    card, token = programme.watched()
    programme.earn(card)
    apns.gone(token)
    deliver(context, senders, now=context.clock())
    assert programme.registration(card) is None
    assert behind(context) == 0


def test_what_a_killed_worker_had_leased_is_pushed_after_the_lease(
    programme: Any, context: Context, clock: FixedClock, senders: Senders, apns: ApnsStandIn
) -> None:
    """The worker dies after it has leased the wallet: nothing was noted, so it is pushed later."""
    card, token = programme.watched()
    programme.earn(card)

    class Killed(BaseException):
        pass

    class Dying:
        wallet, batch = senders.apple().wallet, 10

        def send(self, _errands: object) -> Any:
            raise Killed

        def close(self) -> None:
            pass

    with pytest.raises(Killed):
        bring(context, Dying(), now=clock())
    assert deliver(context, senders, now=clock()) == 0
    clock.advance(timedelta(seconds=60))
    assert deliver(context, senders, now=clock()) == 1
    assert [push.token for push in apns.pushes] == [token]


def test_without_certificates_passes_stay_behind_and_it_is_said_loudly_once(
    programme: Any, context: Context, senders: Senders, caplog: pytest.LogCaptureFixture
) -> None:
    card, _ = programme.watched()
    programme.earn(card)
    folder = context.config.certs_dir
    away = folder.rename(folder.with_name("away"))
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            deliver(context, senders, now=context.clock())
    said = [record for record in caplog.records if "NO PASS" in record.message]
    assert len(said) == 1
    assert behind(context) == 1
    away.rename(folder)
    deliver(context, senders, now=context.clock())
    assert behind(context) == 0


def test_a_commit_wakes_the_worker_each_time(
    programme: Any, live: Context, apns: ApnsStandIn
) -> None:
    """How soon a push leaves is measured (`make bench ONLY=commit_to_push_ms`), not tested."""
    card, token = programme.watched()
    with working(live, poll_seconds=600):
        for count in range(1, 6):
            programme.earn(card)
            assert apns.wait_for_push(token, count=count, timeout=60).token == token


def test_a_commit_of_another_process_wakes_the_worker(
    programme: Any, live: Context, apns: ApnsStandIn
) -> None:
    """Another engine on the same database stands for another process: its bell is its own."""
    card, token = programme.watched()
    elsewhere = Database(live.database.url)
    there = Context(live.config, elsewhere, live.keys, live.clock)
    Wallets(there)
    try:
        with working(live, poll_seconds=600):
            time.sleep(0.5)
            replace(programme, context=there).earn(card)
            assert apns.wait_for_push(token, timeout=60).token == token
    finally:
        elsewhere.dispose()


def test_a_google_that_is_down_keeps_no_push_waiting(
    programme: Any, live: Context, apns: ApnsStandIn
) -> None:
    config = replace(
        live.config, google_issuer_id="3388000000022", google_api_url="http://127.0.0.1:9"
    )
    context = replace(live, config=config)
    card, token = programme.watched()
    Wallets(context).google.promise_link(card.id, now=context.clock())
    with working(context):
        programme.earn(card)
        apns.wait_for_push(token, timeout=60)
    assert behind(context, "google") == 1
    with context.database.read_all() as session:
        row = session.query(GooglePass).one()
        assert row.attempts == 0


def test_two_workers_push_each_change_once(
    programme: Any, live: Context, apns: ApnsStandIn
) -> None:
    cards = [programme.watched() for _ in range(30)]
    with working(live, workers=2):
        for card, _ in cards:
            programme.earn(card)
        wait_until(lambda: behind(live) == 0)
    assert sorted(push.token for push in apns.pushes) == sorted(token for _, token in cards)


def test_an_error_in_one_step_never_ends_the_work(
    programme: Any, live: Context, apns: ApnsStandIn, caplog: pytest.LogCaptureFixture
) -> None:
    card, token = programme.watched()

    def rename(name: str, to: str) -> None:
        with live.database.engine.begin() as connection:
            connection.execute(text(f"ALTER TABLE {name} RENAME TO {to}"))

    with working(live):
        programme.earn(card)
        apns.wait_for_push(token)
        wait_until(lambda: behind(live) == 0)
        # Steps fail for as long as a table is away.
        rename("apple_registrations", "away")
        try:
            programme.earn(card)
            wait_until(lambda: "failed; it is tried again" in caplog.text)
        finally:
            rename("away", "apple_registrations")
        apns.wait_for_push(token, count=2)
    assert [push.token for push in apns.pushes] == [token] * 2
