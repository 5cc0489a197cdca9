"""Telling shop systems, over real connections: signed, in order, and not for ever."""

import json
import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import standardwebhooks
from sqlalchemy import func, select

from app.clock import FixedClock
from app.errors import NotFound
from app.webhooks import sending, service
from app.webhooks.models import Endpoint
from app.webhooks.sending import FIRST_PAUSE, LONGEST_PAUSE, PATIENCE, pause_after
from tests.app.webhooks.conftest import Line
from tests.app.webhooks.receiver import NAME, refuse


@pytest.fixture
def present(clock: FixedClock) -> FixedClock:
    """The witness knows no other time than the machine's."""
    clock.now = datetime.now(UTC)
    return clock


class TestMessages:
    def test_what_happens_arrives_signed_and_the_witness_believes_it(
        self, present: FixedClock, line: Line
    ) -> None:
        line.add()
        card = line.shop.issue()
        posted = line.shop.accrue(card, 1250).json
        assert line.work() > 0
        assert line.remote.types() == ["card.issued", "points.accrued"]
        heard = line.remote.heard[1]
        told = standardwebhooks.Webhook(line.secret).verify(heard.body, heard.headers)
        assert told["type"] == "points.accrued"
        assert told["data"]["posting_id"] == posted["posting_id"]
        assert datetime.fromisoformat(told["timestamp"]) == present()
        assert heard.headers["webhook-id"].startswith("evt_")
        assert heard.headers["content-type"] == "application/json"
        assert (heard.path, heard.headers["host"]) == ("/hook", f"{NAME}:{line.remote.port}")
        assert heard.server_name == NAME

    def test_the_witness_refuses_a_changed_message_and_another_secret(
        self, present: FixedClock, line: Line
    ) -> None:
        line.add()
        line.shop.issue()
        line.work()
        [heard] = line.remote.heard
        with pytest.raises(standardwebhooks.WebhookVerificationError):
            standardwebhooks.Webhook(line.secret).verify(heard.body + b" ", heard.headers)
        other = "whsec_" + "A" * 43 + "="
        with pytest.raises(standardwebhooks.WebhookVerificationError):
            standardwebhooks.Webhook(other).verify(heard.body, heard.headers)

    def test_while_a_secret_is_rotated_both_are_good_for_a_day(
        self, present: FixedClock, line: Line
    ) -> None:
        line.add()
        old = line.secret
        with line.context.database.write(line.shop.programme_id) as session:
            endpoint = service.endpoint_by(session, line.endpoint_id)
            new = service.rotate_secret(session, line.context.keys, endpoint, now=present())
        line.shop.issue()
        line.work()
        [heard] = line.remote.heard
        for secret in (old, new):
            standardwebhooks.Webhook(secret).verify(heard.body, heard.headers)
        present.advance(service.OLD_SECRET_LIFE)
        line.shop.issue()
        line.work()
        assert len(line.remote.heard[1].headers["webhook-signature"].split()) == 1

    def test_no_secret_is_kept_in_the_clear(self, line: Line) -> None:
        line.add()
        kept = line.endpoint().secret
        assert line.secret.encode() not in kept and line.secret[6:].encode() not in kept

    def test_an_endpoint_is_told_what_it_wants(self, line: Line) -> None:
        line.add("points.accrued")
        line.shop.accrue(line.shop.issue())
        line.work()
        assert line.remote.types() == ["points.accrued"]

    def test_nothing_of_a_person_is_told(self, line: Line) -> None:
        from app.members.service import Contact
        from app.programmes.service import programme_by_id
        from app.web.joining import join

        line.add()
        with line.context.database.write(line.shop.programme_id) as session:
            join(
                session,
                line.context.keys,
                programme_by_id(session, line.shop.programme_id),
                Contact("Ilze Kalniņa", "ilze@example.com"),
                language="lv",
                source="web",
                now=line.context.clock(),
            )
        line.work()
        [heard] = line.remote.heard
        assert b"Ilze" not in heard.body and b"ilze" not in heard.body


class TestOrder:
    def test_what_does_not_arrive_holds_back_what_follows(
        self, line: Line, clock: FixedClock
    ) -> None:
        line.add("points.accrued")
        card = line.shop.issue()
        for amount in (100, 200, 300):
            line.shop.accrue(card, amount)
        line.remote.answers = [204, 500]
        line.work()
        assert len(line.remote.heard) == 2
        clock.advance(FIRST_PAUSE)
        line.work()
        points = [json.loads(each.body)["data"]["points"] for each in line.remote.heard]
        assert points == [1, 2, 2, 3]
        # The same message, tried again, has the same id and the same text.
        second, third = line.remote.heard[1], line.remote.heard[2]
        assert second.headers["webhook-id"] == third.headers["webhook-id"]
        assert second.body == third.body

    def test_one_that_is_down_keeps_no_other_waiting(self, line: Line) -> None:
        down = line.add()
        with line.context.database.write(line.shop.programme_id) as session:
            endpoint = service.endpoint_by(session, down)
            endpoint.url = f"https://{NAME}:1/hook"
        line.add()
        line.shop.issue()
        line.work()
        assert line.remote.types() == ["card.issued"]
        assert line.endpoint(down).failing_since is not None
        assert line.endpoint().failing_since is None

    def test_two_workers_at_once_tell_each_message_once_and_in_order(self, line: Line) -> None:
        line.add("points.accrued")
        card = line.shop.issue()
        for number in range(60):
            line.shop.accrue(card, 100 * (number + 1))
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: line.work(), range(4)))
        line.work()
        points = [json.loads(each.body)["data"]["points"] for each in line.remote.heard]
        assert points == list(range(1, 61))


class TestTrying:
    def test_pauses_grow_threefold_to_six_hours_with_jitter(self) -> None:
        pauses = [pause_after(tries, 1.0) for tries in range(1, 30)]
        assert pauses[0] == FIRST_PAUSE and pauses[1] == 3 * FIRST_PAUSE
        assert pauses[-1] == LONGEST_PAUSE
        assert pause_after(5, 0.0) == pause_after(5, 1.0) / 2

    @pytest.mark.parametrize("status", [301, 400, 404, 429, 500, 503])
    def test_anything_but_success_is_tried_again(
        self, line: Line, clock: FixedClock, status: int
    ) -> None:
        line.add()
        line.shop.issue()
        line.remote.answers = [status]
        line.work()
        assert line.work() == 0
        clock.advance(FIRST_PAUSE)
        line.work()
        [(delivery, tries)] = line.log()
        assert [each.status for each in tries] == [status, 204]
        assert (delivery.status, delivery.tries) == ("delivered", 2)
        assert line.endpoint().failing_since is None

    def test_a_retry_after_is_waited_for(self, line: Line, clock: FixedClock) -> None:
        line.add()
        line.shop.issue()
        line.remote.answers = [refuse(429, retry_after=600)]
        line.work()
        clock.advance(timedelta(seconds=599))
        line.work()
        assert len(line.remote.heard) == 1
        clock.advance(timedelta(seconds=1))
        line.work()
        assert len(line.remote.heard) == 2

    def test_after_days_of_silence_it_is_disabled_said_and_can_be_enabled(
        self, line: Line, clock: FixedClock, caplog: pytest.LogCaptureFixture
    ) -> None:
        line.add()
        line.shop.issue()
        line.remote.answers = [500] * 200
        tries = 0
        with caplog.at_level(logging.ERROR):
            while line.endpoint().disabled_at is None:
                line.work()
                tries += 1
                clock.advance(LONGEST_PAUSE)
        assert clock() - timedelta(days=7) < line.endpoint().disabled_at
        assert 15 < tries < 40
        assert line.endpoint().failing_since is not None
        assert f"{PATIENCE.days} days" in caplog.text and "webhook enable" in caplog.text
        line.shop.session = line.shop.sign_in()
        line.shop.accrue(line.shop.issue())
        heard = len(line.remote.heard)
        line.work()
        assert len(line.remote.heard) == heard
        line.remote.answers = []
        with line.context.database.write(line.shop.programme_id) as session:
            service.enable(session, service.endpoint_by(session, line.endpoint_id))
        line.work()
        # Nothing that happened meanwhile is lost.
        assert line.remote.types()[heard:] == ["card.issued", "card.issued", "points.accrued"]

    def test_an_endpoint_that_says_it_is_gone_is_disabled_at_once(self, line: Line) -> None:
        line.add()
        line.shop.issue()
        line.remote.answers = [410]
        line.work()
        assert "410" in str(line.endpoint().disabled_reason)

    def test_killed_between_sending_and_noting_it_is_sent_again_with_the_same_id(
        self, line: Line, clock: FixedClock
    ) -> None:
        line.add()
        line.shop.issue()
        with line.context.database.write_all() as session:
            sending.spread(session, clock(), 100)
            errands = sending.claim(line.context, session, clock())
        line.sender.run(errands)
        line.work()
        assert len(line.remote.heard) == 1
        clock.advance(sending.LEASE)
        line.work()
        first, second = line.remote.heard
        assert first.headers["webhook-id"] == second.headers["webhook-id"]


def test_another_programme_is_told_nothing(open_shop: Any, line: Line) -> None:
    line.add()
    theirs = open_shop()
    theirs.accrue(theirs.issue())
    with line.context.database.write(theirs.programme_id) as session:
        with pytest.raises(NotFound):
            service.endpoint_by(session, line.endpoint_id)
        assert session.scalar(select(func.count()).select_from(Endpoint)) == 0
    line.work()
    assert line.remote.heard == []


def test_the_background_work_tells_by_itself(line: Line) -> None:
    from app.delivery.wallets import Wallets
    from app.delivery.worker import Worker

    line.add()
    worker = Worker(line.context, Wallets(line.context), poll_seconds=0.05)
    worker._webhooks = line.sender
    stop = threading.Event()
    thread = threading.Thread(target=worker.run, args=(stop,), daemon=True)
    thread.start()
    line.shop.issue()
    end = time.monotonic() + 60
    while not line.remote.heard and time.monotonic() < end:
        time.sleep(0.05)
    stop.set()
    thread.join()
    assert line.remote.types() == ["card.issued"]
