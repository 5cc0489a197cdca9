"""Postings with a date that cannot be believed, and the manager who decides on them."""

import threading
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.cards import service as cards
from app.cards.errors import CardRefused
from app.clock import FixedClock
from app.errors import Conflict, Invalid, NotFound
from app.ledger.models import Entry
from app.staff.service import person_by_id
from app.till import waiting
from passes.card import CardStatus

on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
OLD = timedelta(days=20)


def put_aside(shop: Any, card: Any, occurred_at: datetime, **more: Any) -> dict[str, Any]:
    """Send an accrual that waits; its body."""
    body: dict[str, Any] = shop.accrual(card, offline=True, occurred_at=occurred_at.isoformat())
    answer = shop.ask("POST", "/accruals", body | more)
    assert answer.status_code == 202, answer.json
    return body | more


def decide(shop: Any, posting_id: str, *, approved: bool = True) -> Any:
    with shop.context.database.write(shop.programme_id) as session:
        manager = person_by_id(session, shop.staff["Marta"])
        return waiting.decide(
            session, posting_id, manager, approved=approved, now=shop.context.clock()
        )


def ids(shop: Any) -> list[str]:
    with shop.context.database.read(shop.programme_id) as session:
        return [row.posting_id for row in waiting.waiting(session)]


def entries(shop: Any) -> list[Entry]:
    with shop.context.database.read(shop.programme_id) as session:
        return list(session.scalars(select(Entry)))


@on_sqlite
class TestDecisions:
    def test_what_waits_is_listed_the_oldest_first(self, shop: Any, clock: FixedClock) -> None:
        sent = []
        for _ in range(3):
            sent.append(put_aside(shop, shop.issue(), clock() - OLD)["id"])
            clock.advance(timedelta(minutes=1))
        assert ids(shop) == sent

    def test_an_approved_posting_counts_under_its_own_date(
        self, shop: Any, clock: FixedClock
    ) -> None:
        card, then = shop.issue(), clock() - OLD
        lines = [{"item": "Flat white", "quantity": 2, "amount_minor": 1250}]
        body = put_aside(shop, card, then, lines=lines, receipt="R-17")
        answer = decide(shop, body["id"])
        assert (answer["status"], answer["points"], answer["late"]) == ("posted", 12, True)
        [entry] = entries(shop)
        assert (entry.occurred_at, entry.till_id is not None) == (then, True)
        assert (ids(shop), shop.balance(card)) == ([], 12)

    def test_a_refused_posting_never_counts(self, shop: Any, clock: FixedClock) -> None:
        card = shop.issue()
        body = put_aside(shop, card, clock() - OLD)
        assert decide(shop, body["id"], approved=False) is None
        assert (ids(shop), entries(shop)) == ([], [])
        again = shop.ask("POST", "/accruals", body)
        assert (again.status_code, again.headers["Idempotent-Replay"]) == (202, "true")
        assert entries(shop) == []

    @pytest.mark.parametrize("first", [True, False])
    @pytest.mark.parametrize("second", [True, False])
    def test_a_decision_is_made_once(
        self, shop: Any, clock: FixedClock, first: bool, second: bool
    ) -> None:
        card = shop.issue()
        body = put_aside(shop, card, clock() - OLD)
        decide(shop, body["id"], approved=first)
        with pytest.raises(Conflict, match="decided already"):
            decide(shop, body["id"], approved=second)
        assert shop.balance(card) == (12 if first else 0)

    def test_who_decided_is_written_down(self, shop: Any, clock: FixedClock) -> None:
        body = put_aside(shop, shop.issue(), clock() - OLD)
        clock.advance(timedelta(hours=1))
        decide(shop, body["id"], approved=False)
        with shop.context.database.read(shop.programme_id) as session:
            [row] = session.scalars(select(waiting.WaitingPosting))
        assert (row.decided_by_id, row.decided_at) == (shop.staff["Marta"], clock())
        assert row.approved is False

    def test_nothing_of_that_id_waits(
        self, shop: Any, open_shop: Callable[[], Any], clock: FixedClock
    ) -> None:
        body = put_aside(shop, shop.issue(), clock() - OLD)
        for where, posting_id in ((open_shop(), body["id"]), (shop, str(uuid.uuid4()))):
            with pytest.raises(NotFound):
                decide(where, posting_id)
        assert ids(shop) == [body["id"]]


@on_sqlite
class TestDates:
    def test_a_date_to_come_counts_as_of_its_arrival(self, shop: Any, clock: FixedClock) -> None:
        card, arrived = shop.issue(), clock()
        body = put_aside(shop, card, arrived + timedelta(days=365))
        clock.advance(timedelta(hours=1))
        answer = decide(shop, body["id"])
        assert (answer["standing"]["balance"], answer["standing"]["pending"]) == (12, 0)
        assert entries(shop)[0].occurred_at == arrived

    @pytest.mark.parametrize("date", ["9999-12-31T23:59:59-12:00", "2030-01-01T00:00:00Z"])
    def test_the_last_of_all_dates_is_one_to_come(self, shop: Any, date: str) -> None:
        card = shop.issue()
        body = put_aside(shop, card, datetime.fromisoformat(date))
        decide(shop, body["id"])
        assert shop.balance(card) == 12

    @pytest.mark.parametrize("date", ["0001-01-01T00:00:00+12:00", "1999-01-01T00:00:00+00:00"])
    def test_a_date_before_all_rules_is_refused_in_words(self, shop: Any, date: str) -> None:
        body = put_aside(shop, shop.issue(), datetime.fromisoformat(date))
        with pytest.raises((Invalid, NotFound), match=r"date|day"):
            decide(shop, body["id"])
        assert ids(shop) == [body["id"]]
        decide(shop, body["id"], approved=False)
        assert ids(shop) == []


@on_sqlite
class TestWhatItMeets:
    def test_a_card_blocked_since_was_good_on_that_day(self, shop: Any, clock: FixedClock) -> None:
        card = shop.issue()
        clock.advance(timedelta(days=30))
        shop.session = shop.sign_in()
        body = put_aside(shop, card, clock() - OLD)
        with shop.context.database.write(shop.programme_id) as session:
            cards.set_status(session, card.id, CardStatus.BLOCKED, now=clock())
        assert decide(shop, body["id"])["points"] == 12

    def test_with_a_card_that_was_blocked_then_it_goes_on_waiting(
        self, shop: Any, clock: FixedClock
    ) -> None:
        card = shop.issue()
        with shop.context.database.write(shop.programme_id) as session:
            cards.set_status(session, card.id, CardStatus.BLOCKED, now=clock())
        clock.advance(timedelta(days=30))
        shop.session = shop.sign_in()
        body = put_aside(shop, card, clock() - OLD)
        with pytest.raises(CardRefused):
            decide(shop, body["id"])
        assert (ids(shop), entries(shop)) == ([body["id"]], [])

    def test_a_return_that_waits_takes_the_points_when_it_is_let_in(
        self, shop: Any, clock: FixedClock
    ) -> None:
        card = shop.issue()
        posted = shop.accrue(card).json["posting_id"]
        body = shop.posting(
            posting_id=posted,
            offline=True,
            reason="cold",
            occurred_at=(clock() + timedelta(days=1)).isoformat(),
        )
        answer = shop.ask("POST", "/reversals", body)
        assert (answer.status_code, answer.json["kind"]) == (202, "reversal")
        assert shop.balance(card) == 12
        decided = decide(shop, body["id"])
        assert (decided["kind"], decided["points"], shop.balance(card)) == ("reversal", -12, 0)
        with pytest.raises(Conflict):
            decide(shop, body["id"])
        assert shop.balance(card) == 0

    def test_a_return_of_what_waits_itself_waits_for_that_first(
        self, shop: Any, clock: FixedClock
    ) -> None:
        card = shop.issue()
        accrual = put_aside(shop, card, clock() - OLD)
        body = shop.posting(
            posting_id=accrual["id"],
            offline=True,
            occurred_at=(clock() - OLD + timedelta(minutes=5)).isoformat(),
        )
        assert shop.ask("POST", "/reversals", body).status_code == 202
        with pytest.raises(NotFound):
            decide(shop, body["id"])
        decide(shop, accrual["id"])
        decide(shop, body["id"])
        assert (shop.balance(card), ids(shop)) == (0, [])


def test_the_same_posting_sent_twice_at_once_waits_once(shop: Any, clock: FixedClock) -> None:
    then = (clock() - OLD).isoformat()
    body = shop.accrual(shop.issue(), offline=True, occurred_at=then)
    start = threading.Barrier(4)
    answers: list[Any] = []

    def send() -> None:
        start.wait()
        answers.append(shop.ask("POST", "/accruals", body))

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status_code for answer in answers] == [202] * 4
    assert len({answer.text for answer in answers}) == 1
    assert ids(shop) == [body["id"]]
