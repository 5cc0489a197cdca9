"""The counter without a network: what it gives, takes back, refuses and says."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from passes.code import Outcome
from scanner.cashiers import Cashier
from scanner.check import load_keys
from scanner.client import Client
from scanner.commands import enrol_till, refresh_keys
from scanner.errors import CardRefused, ConfigError, QueueError, Refused, ScanError
from scanner.known import KnownCards
from scanner.sale import Counter
from scanner.unsent import Posting, Queue, State

OTHER = "0b7c5d9e-0000-4000-8000-000000000002"


class Watch:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def counter(tmp_path: Path, running: Any, service: Any, watch: Watch) -> Iterator[Counter]:
    """A cashier who signed in online; the network goes when a test says so."""
    till = enrol_till(tmp_path, running.url, "GOOD-CODE")
    with Queue(tmp_path) as queue, Client(till.service, till.token) as client:
        cashier = client.sign_in("Anna", "271828")
        ring = load_keys(tmp_path, till.programme.id)
        yield Counter(till, queue, client, ring, cashier, clock=watch)


def test_the_network_gone_a_card_is_shown_as_last_known_with_its_age(
    counter: Counter, watch: Watch, make_card: Callable[..., str]
) -> None:
    text = make_card()
    reading = counter.judge(text)
    assert counter.last_known(reading) is None
    counter.look_up(text)
    counter.accrue(reading, 1200, None)
    watch.now += timedelta(hours=3)
    counter.online = False
    last = counter.last_known(reading)
    assert last is not None
    assert (last.name, last.tier, last.balance) == ("Ada Kalnina", "Gold", 12)
    assert last.age(watch.now) == timedelta(hours=3)
    assert counter.refused_age is not None and counter.refused_age >= timedelta(hours=2, minutes=59)


def test_a_card_that_the_service_refuses_is_not_remembered(
    counter: Counter, service: Any, make_card: Callable[..., str]
) -> None:
    text = make_card()
    reading = counter.judge(text)
    counter.look_up(text)
    service._present = lambda data: {
        "outcome": "blocked", "message": "Blocked.", "card": {"card_id": "0000000000000001"},
    }  # fmt: skip
    with pytest.raises(CardRefused) as refused:
        counter.look_up(text)
    assert refused.value.outcome is Outcome.BLOCKED
    assert counter.last_known(reading) is None


def test_without_a_network_nothing_is_redeemed_and_nothing_is_kept_of_it(
    counter: Counter, make_card: Callable[..., str]
) -> None:
    counter.online = False
    with pytest.raises(ScanError, match="Offline: points can be given now, but not redeemed"):
        counter.redeem(counter.judge(make_card()), 10, None, None)
    assert counter.queue.all() == []


def test_without_a_network_points_are_taken_back_for_a_minute_once(
    counter: Counter, watch: Watch, service: Any, make_card: Callable[..., str]
) -> None:
    reading = counter.judge(make_card())
    counter.online = False
    given = [counter.accrue(reading, 1000, None).posting_id for _ in range(2)]
    watch.now += timedelta(seconds=59)
    first = counter.reverse(given[0], "Undo")
    assert counter.reverse(given[0], "Undo") == first  # pressed twice
    watch.now += timedelta(seconds=2)
    with pytest.raises(ScanError, match="for a minute"):
        counter.reverse(given[1], "Undo")
    assert [each.kind for each in counter.queue.all()] == ["accrual", "accrual", "reversal"]
    counter.online = True
    counter.send_waiting()
    assert service.balance == 10 and service.kinds == ["accrual", "accrual", "reversal"]


def test_without_a_network_nothing_but_what_this_till_gave_is_taken_back(
    counter: Counter, make_card: Callable[..., str]
) -> None:
    counter.online = False
    stranger = "5f0c2f3c-0000-4000-8000-00000000000f"
    with pytest.raises(ScanError, match="that this till gave"):
        counter.reverse(stranger, None)
    given = counter.accrue(counter.judge(make_card()), 1000, None)
    back = counter.reverse(given.posting_id, None)
    with pytest.raises(ScanError, match="that this till gave"):
        counter.reverse(back.posting_id, None)


def test_nothing_is_promised_where_nothing_can_be_kept(
    counter: Counter, service: Any, make_card: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scanner.queue_file.ROOM_BYTES", 1 << 60)
    with pytest.raises(QueueError, match="nearly full"):
        counter.accrue(counter.judge(make_card()), 1000, None)
    assert counter.queue.all() == [] and not service.postings


def test_what_was_refused_says_so_and_leaves_the_next_customer_alone(
    counter: Counter, service: Any, make_card: Callable[..., str]
) -> None:
    problem = b'{"status": 409, "code": "card_refused", "detail": "This card was blocked."}'
    service.intervene = lambda path: (
        (409, "application/problem+json", problem) if path == "/accruals" else None
    )
    with pytest.raises(Refused, match="blocked"):
        counter.accrue(counter.judge(make_card(1)), 1000, None)
    service.intervene = lambda path: None
    assert counter.accrue(counter.judge(make_card(2)), 1000, None).answer


class TestEnrollingAgain:
    def waiting(self, folder: Path, programme_id: str) -> None:
        with Queue(folder) as queue:
            queue.keep(
                Posting("w", programme_id, "accrual", "/accruals", b"{}", False, datetime.now(UTC))
            )

    def test_for_another_programme_it_is_refused_while_something_waits(
        self, tmp_path: Path, running: Any, service: Any
    ) -> None:
        first = enrol_till(tmp_path, running.url, "GOOD-CODE")
        self.waiting(tmp_path, OTHER)
        service.enrolment_codes.add("NEXT-CODE")
        with pytest.raises(ConfigError, match="another programme"):
            enrol_till(tmp_path, running.url, "NEXT-CODE")
        with Queue(tmp_path) as queue:
            assert queue.count(State.WAITING) == 1
        assert refresh_keys(tmp_path, first).keys  # it is what it was

    def test_for_the_same_programme_it_goes_on_with_what_waits(
        self, tmp_path: Path, running: Any, service: Any
    ) -> None:
        first = enrol_till(tmp_path, running.url, "GOOD-CODE")
        self.waiting(tmp_path, first.programme.id)
        KnownCards(tmp_path).note("a" * 16, {"member": {"name": "Ada"}}, datetime.now(UTC))
        service.enrolment_codes.add("NEXT-CODE")
        again = enrol_till(tmp_path, running.url, "NEXT-CODE")
        assert again.token != first.token and again.secret == first.secret
        with Queue(tmp_path) as queue:
            assert queue.count(State.WAITING) == 1
        asked = [body for _, path, body in service.requests if path == "/enrolments"]
        assert first.programme.id.encode() in asked[1] and b"programme_id" not in asked[0]


def test_a_session_that_was_signed_in_offline_gives_points_under_the_cashiers_name(
    counter: Counter, service: Any, make_card: Callable[..., str]
) -> None:
    alone = Counter(
        counter.till, counter.queue, counter._client, counter._ring,
        Cashier("anna", "Anna", "cashier"),
    )  # fmt: skip
    given = alone.accrue(alone.judge(make_card()), 1000, None)
    assert given.queued
    counter.send_waiting()
    assert service.postings[given.posting_id][1]["cashier_id"] == "anna"
