"""Receivers that mean harm, and how long what was sent is kept."""

import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from app.clock import FixedClock
from app.errors import Conflict, Invalid, NotFound
from app.webhooks import sending, service
from app.webhooks.models import Delivery, Event, Try
from tests.app.webhooks.conftest import Line
from tests.app.webhooks.receiver import NAME, drip, flood, redirect


class TestHostileReceivers:
    def test_a_redirect_is_not_followed(self, line: Line) -> None:
        line.add()
        line.shop.issue()
        line.remote.answers = [redirect(f"https://{NAME}:{line.remote.port}/elsewhere")]
        line.work()
        assert [each.path for each in line.remote.heard] == ["/hook"]
        [(_, [only])] = line.log()
        assert only.status == 302

    def test_an_answer_is_read_and_kept_up_to_a_bound(self, line: Line) -> None:
        line.add()
        line.shop.issue()
        line.remote.answers = [flood(50_000_000)]
        line.work()
        [(_, [only])] = line.log()
        assert only.status == 200 and len(only.answer) <= 1000 and "\x00" not in only.answer

    def test_whoever_drips_is_cut_off_at_the_deadline(self, line: Line) -> None:
        line.add()
        line.shop.issue()
        line.deadline_seconds = 0.5
        line.remote.answers = [drip(20)]
        begun = time.monotonic()
        line.work()
        assert time.monotonic() - begun < 5
        [(_, [only])] = line.log()
        assert only.status is None and "within 0.5 seconds" in only.answer

    def test_a_certificate_of_another_name_is_refused(self, line: Line) -> None:
        line.add()
        with line.context.database.write(line.shop.programme_id) as session:
            endpoint = service.endpoint_by(session, line.endpoint_id)
            endpoint.url = f"https://other.example:{line.remote.port}/hook"
        line.shop.issue()
        line.work()
        assert line.remote.heard == []
        [(_, [only])] = line.log()
        assert "certificate is not good" in only.answer

    def test_a_name_that_turns_private_later_is_refused_then(self, line: Line) -> None:
        line.add()
        line.shop.issue()
        line.resolver = line.remote.resolver("10.0.0.7")
        line.work()
        [(_, [only])] = line.log()
        assert only.status is None and "public addresses only" in only.answer

    def test_the_connection_goes_to_the_address_that_was_checked(self, line: Line) -> None:
        """A name that is public when it is looked at and private a moment later."""
        line.add()
        line.shop.issue()
        asked: list[str] = []

        def rebinding(host: str, port: int, **_: Any) -> Any:
            asked.append(host)
            address = "127.0.0.1" if len(asked) == 1 else "10.0.0.7"
            return [(2, 1, 6, "", (address, port))]

        line.resolver = rebinding
        line.work()
        assert asked == [NAME]
        assert len(line.remote.heard) == 1


class TestKeeping:
    def test_what_is_old_is_forgotten(self, line: Line, clock: FixedClock) -> None:
        line.add()
        line.shop.issue()
        line.work()
        clock.advance(service.KEPT - timedelta(seconds=1))
        assert sending.clear(line.context, now=clock()) == 0
        clock.advance(timedelta(seconds=2))
        assert sending.clear(line.context, now=clock()) == 2
        with line.context.database.read_all() as session:
            for table in (Event, Delivery, Try):
                assert session.scalar(select(func.count()).select_from(table)) == 0

    def test_sent_again_by_hand_it_is_the_same_message(self, line: Line) -> None:
        line.add()
        line.shop.issue()
        line.work()
        [(delivery, _)] = line.log()
        with line.context.database.write(line.shop.programme_id) as session:
            endpoint = service.endpoint_by(session, line.endpoint_id)
            service.resend(session, endpoint, delivery.event_id, now=line.context.clock())
            with pytest.raises(NotFound):
                service.resend(session, endpoint, "nonsense", now=line.context.clock())
        line.work()
        first, second = line.remote.heard
        assert first.headers["webhook-id"] == second.headers["webhook-id"]
        assert first.body == second.body

    def test_a_test_goes_past_what_waits_and_is_tried_once(self, line: Line) -> None:
        line.add()
        line.shop.issue()
        line.remote.answers = [500, 500]
        line.work()
        answer = sending.send_test(
            line.context, line.sender, line.endpoint_id, now=line.context.clock()
        )
        assert (answer.status, line.remote.types()[-1]) == (500, "webhook.test")
        answer = sending.send_test(
            line.context, line.sender, line.endpoint_id, now=line.context.clock()
        )
        assert answer.status == 204
        assert line.work() == 0

    def test_removed_it_is_told_nothing_and_nobody_pays_for_it(self, line: Line) -> None:
        line.add()
        line.shop.issue()
        with line.context.database.write(line.shop.programme_id) as session:
            service.remove(session, service.endpoint_by(session, line.endpoint_id))
        line.work()
        line.shop.issue()
        assert line.remote.heard == []
        with line.context.database.read_all() as session:
            events = session.scalars(select(Event)).all()
            assert [event.spread for event in events] == [True]

    def test_an_endpoint_is_added_once_with_events_that_there_are(self, line: Line) -> None:
        line.add()
        with pytest.raises(Conflict):
            line.add()
        with pytest.raises(Invalid, match=r"points\.accrued"):
            line.add("points.lost", path="/other")

    def test_a_private_address_is_not_added(self, line: Line) -> None:
        config = line.shop.context.config
        for url in ("https://10.0.0.1/", "https://169.254.169.254/latest", "https://localhost/"):
            with pytest.raises(Invalid):
                service.check_address(url, config)
        local = replace(config, webhooks_local=True)
        service.check_address("http://127.0.0.1:9/hook", local)
        with pytest.raises(Invalid):
            service.check_address("http://10.0.0.1:9/hook", local)
