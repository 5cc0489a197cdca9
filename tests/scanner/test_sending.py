"""Each kept posting reaches the service exactly once, whatever comes between."""

import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from scanner.cashiers import Cashier
from scanner.client import Client, encode
from scanner.errors import TillRevoked
from scanner.sending import ABANDONED, drain, resend
from scanner.unsent import Posting, Queue, State

NOW = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)
PROGRAMME = "p"


def clock() -> datetime:
    return NOW


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Queue]:
    with Queue(tmp_path) as queue:
        yield queue


@pytest.fixture
def client(running: Any, service: Any) -> Iterator[Client]:
    service.tokens.add("token")
    with Client(running.url, "token") as client:
        yield client


@pytest.fixture
def keep(queue: Queue, make_card: Callable[..., str]) -> Callable[..., Posting]:
    """Keeps an accrual of 12.00, or what is asked for."""

    def keep(*, offline: bool = True, amount_minor: Any = 1200) -> Posting:
        body = {
            "id": str(uuid.uuid4()), "occurred_at": NOW.isoformat(), "cashier_id": "anna",
            "code": make_card(), "amount_minor": amount_minor, "currency": "EUR",
            "offline": offline, "receipt": None, "lines": None,
        }  # fmt: skip
        posting = Posting(
            body["id"], PROGRAMME, "accrual", "/accruals", encode(body), not offline, NOW
        )
        queue.keep(posting)
        return posting

    return keep


def reversal(queue: Queue, of: str) -> Posting:
    body = {
        "id": str(uuid.uuid4()), "occurred_at": NOW.isoformat(), "cashier_id": "anna",
        "posting_id": of, "offline": True, "reason": None, "amount_minor": None,
    }  # fmt: skip
    posting = Posting(
        body["id"], PROGRAMME, "reversal", "/reversals", encode(body), False, NOW, after_id=of
    )
    queue.keep(posting)
    return posting


def test_what_waits_goes_oldest_first(
    queue: Queue, client: Client, service: Any, keep: Callable[..., Posting]
) -> None:
    kept = [keep().id for _ in range(5)]
    assert drain(queue, client, PROGRAMME, None, clock).sent == 5
    assert list(service.postings) == kept
    assert queue.count(State.WAITING) == 0


def test_a_refused_posting_is_set_aside_with_its_reason_and_blocks_nothing(
    queue: Queue, client: Client, service: Any, keep: Callable[..., Posting]
) -> None:
    keep()
    bad = keep(amount_minor="twelve")
    keep()
    report = drain(queue, client, PROGRAMME, None, clock)
    assert (report.sent, len(report.set_aside), report.stopped) == (2, 1, None)
    aside = queue.get(bad.id)
    assert aside is not None and aside.state is State.SET_ASIDE
    assert aside.reason is not None and "amount_minor" in aside.reason


def test_a_posting_that_breaks_the_service_blocks_nothing(
    queue: Queue, client: Client, service: Any, keep: Callable[..., Posting]
) -> None:
    kept = [keep() for _ in range(3)]
    content = b'{"status": 500, "code": "internal", "title": "Broken"}'

    def break_on_the_first(path: str) -> tuple[int, str, bytes] | None:
        broken = service.requests[-1][2] == kept[0].body
        return (500, "application/problem+json", content) if broken else None

    service.intervene = break_on_the_first
    assert drain(queue, client, PROGRAMME, None, clock).sent == 2
    assert [posting.id for posting in queue.all(State.WAITING)] == [kept[0].id]


def test_without_a_network_everything_stays(
    queue: Queue, client: Client, running: Any, keep: Callable[..., Posting]
) -> None:
    for _ in range(3):
        keep()
    running.stop()
    report = drain(queue, client, PROGRAMME, None, clock)
    assert report.sent == 0 and report.stopped is not None
    assert queue.count(State.WAITING) == 3


def test_an_answer_that_was_lost_doubles_nothing(
    queue: Queue, client: Client, service: Any, keep: Callable[..., Posting]
) -> None:
    keep()
    service.stall("/accruals", after=True).opened.set()  # done, and hung up without a word
    assert drain(queue, client, PROGRAMME, None, clock).sent == 0
    assert len(service.postings) == 1
    service.gate = None
    assert drain(queue, client, PROGRAMME, None, clock).sent == 1
    assert len(service.postings) == 1


def test_a_posting_made_online_is_brought_later_without_its_cashier(
    queue: Queue, client: Client, service: Any, keep: Callable[..., Posting]
) -> None:
    keep(offline=False)
    gone = Cashier("anna", "Anna", "cashier", "a session that has ended")
    assert drain(queue, client, PROGRAMME, gone, clock).sent == 1
    assert drain(queue, client, PROGRAMME, None, clock).sent == 0
    assert len(service.postings) == 1


def test_a_posting_that_arrived_after_all_is_not_made_again(
    queue: Queue, client: Client, service: Any, keep: Callable[..., Posting]
) -> None:
    """The first body overtakes the one that needs no cashier: their id lets one of them in."""
    kept = keep(offline=False)
    real = service._post

    def overtaken(kind: str, shape: Any, raw: bytes, session: str | None) -> Any:
        if raw != kept.body:
            service.sessions.add("late")
            real(kind, shape, kept.body, "late")
        return real(kind, shape, raw, session)

    service._post = overtaken
    assert drain(queue, client, PROGRAMME, None, clock).sent == 1
    assert len(service.postings) == 1


def test_a_reversal_never_overtakes_what_it_takes_back(
    queue: Queue, client: Client, service: Any, keep: Callable[..., Posting]
) -> None:
    first = keep()
    back = reversal(queue, first.id)
    busy = b'{"status": 503, "code": "unavailable", "title": "Busy"}'
    service.intervene = lambda path: (
        (503, "application/problem+json", busy) if path == "/accruals" else None
    )
    drain(queue, client, PROGRAMME, None, clock)
    assert not service.postings
    service.intervene = lambda path: None
    assert drain(queue, client, PROGRAMME, None, clock).sent == 2
    assert list(service.postings) == [first.id, back.id] and service.balance == 0


def test_a_hold_nobody_finished_is_given_up(queue: Queue, client: Client, service: Any) -> None:
    hold = Posting("h", PROGRAMME, "hold", "/holds", b"{}", True, NOW - timedelta(minutes=6))
    queue.keep(hold)
    drain(queue, client, PROGRAMME, None, clock)
    kept = queue.get("h")
    assert kept is not None and kept.reason == ABANDONED and not service.requests


def test_a_revoked_till_keeps_its_queue(
    queue: Queue, client: Client, service: Any, keep: Callable[..., Posting]
) -> None:
    keep()
    service.tokens.clear()
    with pytest.raises(TillRevoked):
        drain(queue, client, PROGRAMME, None, clock)
    assert queue.count(State.WAITING) == 1


def test_postings_of_another_programme_stay_where_they_are(
    queue: Queue, client: Client, service: Any, keep: Callable[..., Posting]
) -> None:
    keep()
    assert drain(queue, client, "another", None, clock).sent == 0
    assert not service.postings and queue.count(State.WAITING) == 1


def test_sending_again_doubles_nothing_and_restores_what_the_service_lost(
    queue: Queue, client: Client, service: Any, keep: Callable[..., Posting]
) -> None:
    for offline in (True, False):
        keep(offline=offline)
    drain(queue, client, PROGRAMME, None, clock)
    before = dict(service.postings)
    assert resend(queue, client, PROGRAMME, None, clock, NOW - timedelta(hours=1)).sent == 2
    assert service.postings == before
    service.postings.clear()  # restored from an older backup
    assert resend(queue, client, PROGRAMME, None, clock, NOW - timedelta(hours=1)).sent == 2
    assert service.postings.keys() == before.keys()
    assert resend(queue, client, PROGRAMME, None, clock, NOW + timedelta(hours=1)).sent == 0


def test_an_accrual_that_was_refused_goes_together_with_what_takes_it_back(
    queue: Queue, client: Client, service: Any, keep: Callable[..., Posting]
) -> None:
    """Neither was made: nobody has to look at either, and nothing waits for ever."""
    bad = keep(amount_minor="twelve")
    back = reversal(queue, bad.id)
    drain(queue, client, PROGRAMME, None, clock)
    assert not service.postings
    states = [kept.state for kept in (queue.get(bad.id), queue.get(back.id)) if kept]
    assert states == [State.DROPPED, State.DROPPED]


def test_a_service_that_knows_the_id_from_before_the_till_was_enrolled_anew_has_the_posting(
    queue: Queue, client: Client, service: Any, keep: Callable[..., Posting]
) -> None:
    problem = b'{"status": 409, "code": "posting_id_reused", "title": "Conflict"}'
    kept, strange = keep(), keep()
    queue.attempted(kept.id)
    service.intervene = lambda path: (409, "application/problem+json", problem)
    report = drain(queue, client, PROGRAMME, None, clock)
    assert report.sent == 1 and [posting.id for posting, _ in report.set_aside] == [strange.id]


def test_a_long_backlog_goes_several_at_a_time_those_of_one_card_in_their_order(
    queue: Queue, client: Client, service: Any, make_card: Callable[..., str]
) -> None:
    kept: dict[str, list[str]] = {}
    for number in range(300):
        card = number % 7
        body = {
            "id": str(uuid.uuid4()), "occurred_at": NOW.isoformat(), "cashier_id": "anna",
            "code": make_card(card), "amount_minor": 100, "currency": "EUR",
            "offline": True, "receipt": None, "lines": None,
        }  # fmt: skip
        queue.keep(
            Posting(
                body["id"], PROGRAMME, "accrual", "/accruals", encode(body), False, NOW,
                card_id=f"{card:016x}",
            )
        )  # fmt: skip
        kept.setdefault(body["code"], []).append(body["id"])
    assert drain(queue, client, PROGRAMME, None, clock).sent == 300
    came: dict[str, list[str]] = {}
    for posting_id, (_, body, _) in service.postings.items():
        came.setdefault(body["code"], []).append(posting_id)
    assert came == kept


def test_answers_lost_now_and_then_stop_nothing(
    queue: Queue, client: Client, service: Any, keep: Callable[..., Posting]
) -> None:
    kept = [keep().id for _ in range(20)]
    calls = iter(range(10**6))
    service.hangs_up = lambda path: next(calls) % 3 == 0  # done, and no word about it
    reports = [drain(queue, client, PROGRAMME, None, clock) for _ in range(2)]
    assert [report.stopped for report in reports] == [None, None]
    assert sum(report.sent for report in reports) == 20 and reports[0].sent > 15
    assert list(service.postings) == kept


def test_only_so_many_are_sent_as_are_asked_for(
    queue: Queue, client: Client, service: Any, keep: Callable[..., Posting]
) -> None:
    kept = [keep().id for _ in range(5)]
    assert drain(queue, client, PROGRAMME, None, clock, most=2).sent == 2
    assert list(service.postings) == kept[:2]


def test_postings_that_the_service_stumbles_over_never_hold_up_the_rest(
    queue: Queue, client: Client, service: Any, keep: Callable[..., Posting]
) -> None:
    """However many of them stand at the head of the queue."""
    kept = [keep() for _ in range(20)]
    poison = {posting.body for posting in kept[:9]}
    content = b'{"status": 500, "code": "internal", "title": "Broken"}'
    service.intervene = lambda path: (
        (500, "application/problem+json", content) if service.requests[-1][2] in poison else None
    )
    assert drain(queue, client, PROGRAMME, None, clock).sent == 11
    assert [posting.id for posting in queue.all(State.WAITING)] == [each.id for each in kept[:9]]


def test_a_service_that_stumbles_over_everything_is_left_alone(
    queue: Queue, client: Client, service: Any, keep: Callable[..., Posting]
) -> None:
    for _ in range(50):
        keep()
    content = b'{"status": 503, "code": "unavailable", "title": "Busy"}'
    service.intervene = lambda path: (503, "application/problem+json", content)
    report = drain(queue, client, PROGRAMME, None, clock)
    assert report.stopped is not None and len(service.requests) <= 5
