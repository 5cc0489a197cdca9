"""What waits is counted; what was refused has three ways out, each on record."""

import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from scanner import backlog
from scanner.client import Client, encode
from scanner.errors import Refused, ScanError, TryLater
from scanner.sending import drain
from scanner.unsent import How, Posting, Queue, State

NOW = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=10)
PROGRAMME = "p"


def clock() -> datetime:
    return LATER


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
    def keep(amount: Any = 1200, *, programme: str = PROGRAMME, minutes: int = 0) -> Posting:
        at = NOW + timedelta(minutes=minutes)
        body = {
            "id": str(uuid.uuid4()), "occurred_at": at.isoformat(), "cashier_id": "anna",
            "code": make_card(), "amount_minor": amount, "currency": "EUR",
            "offline": True, "receipt": None, "lines": None,
        }  # fmt: skip
        posting = Posting(
            body["id"], programme, "accrual", "/accruals", encode(body), False, at,
            card_id="0000000000000001",
        )  # fmt: skip
        queue.keep(posting)
        return posting

    return keep


@pytest.fixture
def refused(queue: Queue, client: Client, service: Any, keep: Callable[..., Posting]) -> Posting:
    """An accrual that the service refused for good: its card is blocked there."""
    kept = keep()
    problem = b'{"status": 409, "code": "card_refused", "detail": "This card was blocked."}'
    service.intervene = lambda path: (409, "application/problem+json", problem)
    drain(queue, client, PROGRAMME, None, clock)
    service.intervene = lambda path: None
    return kept


def resolve(queue: Queue, client: Client, posting: Posting, how: How, **more: Any) -> Posting:
    facts = {"who": "Anna", "reason": "She was here", "now": LATER} | more
    return backlog.resolve(queue, client, posting.id, how, **facts)


def test_what_waits_is_counted_with_the_oldest_until_all_is_sent(
    queue: Queue, client: Client, keep: Callable[..., Posting]
) -> None:
    assert backlog.status(queue, PROGRAMME) == backlog.Status(0, None, None, 0, 0)
    for minutes in (3, 1):
        keep(minutes=minutes)
    keep(programme="another")
    now = backlog.status(queue, PROGRAMME)
    assert (now.waiting, now.oldest_at, now.elsewhere) == (2, NOW + timedelta(minutes=3), 1)
    assert not now.all_sent and now.last_sent_at is None
    drain(queue, client, PROGRAMME, None, clock)
    now = backlog.status(queue, PROGRAMME)
    assert now.all_sent and (now.last_sent_at, now.set_aside, now.elsewhere) == (LATER, 0, 1)
    assert now.as_json()["last_sent_at"] == LATER.isoformat()


def test_what_is_set_aside_says_why_and_what_can_be_done(
    queue: Queue, refused: Posting, keep: Callable[..., Posting], client: Client, service: Any
) -> None:
    [aside] = backlog.set_aside(queue)
    assert aside.posting.id == refused.id and aside.amount_minor == 1200
    assert "This card was blocked" in aside.reason
    assert aside.ways == (How.SEND_AGAIN, How.HAND_OVER, How.DROP)
    keep()
    assert drain(queue, client, PROGRAMME, None, clock).sent == 1  # nothing is in the way
    assert backlog.status(queue, PROGRAMME).set_aside == 1


def test_sent_again_it_is_there_once_and_on_record(
    queue: Queue, client: Client, service: Any, refused: Posting
) -> None:
    done = resolve(queue, client, refused, How.SEND_AGAIN)
    assert (done.state, done.reason) == (State.WAITING, None)
    assert drain(queue, client, PROGRAMME, None, clock).sent == 1
    assert list(service.postings) == [refused.id] and service.balance == 12
    [record] = queue.resolutions(refused.id)
    assert (record.how, record.who, record.at) == (How.SEND_AGAIN, "Anna", LATER)
    assert record.refusal is not None and "blocked" in record.refusal


def test_handed_over_it_waits_for_a_manager_as_it_was_sent(
    queue: Queue, client: Client, service: Any, refused: Posting
) -> None:
    done = resolve(queue, client, refused, How.HAND_OVER)
    assert done.state is State.HANDED_OVER
    said = service.handed_over[refused.id]
    assert encode(said["posting"]) == refused.body
    assert (said["kind"], said["reason"]) == ("accrual", "She was here")
    assert backlog.status(queue, PROGRAMME).set_aside == 0
    assert drain(queue, client, PROGRAMME, None, clock).sent == 0


def test_handed_over_though_it_arrived_it_is_sent(
    queue: Queue, client: Client, service: Any, refused: Posting
) -> None:
    answer = {"posting_id": refused.id, "status": "posted", "points": 12}
    service.postings[refused.id] = ("accrual", {}, answer)
    assert resolve(queue, client, refused, How.HAND_OVER).state is State.SENT


def test_handing_over_needs_the_service_and_changes_nothing_without_it(
    queue: Queue, running: Any, refused: Posting
) -> None:
    running.stop()
    with Client(running.url, "token") as client, pytest.raises(TryLater):
        resolve(queue, client, refused, How.HAND_OVER)
    assert [aside.posting.id for aside in backlog.set_aside(queue)] == [refused.id]
    assert queue.resolutions() == []


def test_what_not_even_a_manager_could_let_in_stays_and_is_told(
    queue: Queue, client: Client, keep: Callable[..., Posting]
) -> None:
    nonsense = keep("twelve")
    drain(queue, client, PROGRAMME, None, clock)
    with pytest.raises(Refused, match="manager"):
        resolve(queue, client, nonsense, How.HAND_OVER)
    assert backlog.status(queue, PROGRAMME).set_aside == 1


def test_dropped_it_is_never_sent_and_stays_on_record(
    queue: Queue, client: Client, service: Any, refused: Posting
) -> None:
    assert resolve(queue, client, refused, How.DROP).state is State.DROPPED
    drain(queue, client, PROGRAMME, None, clock)
    assert not service.postings and not service.handed_over
    queue.forget_old(LATER + timedelta(days=31))
    kept = queue.get(refused.id)
    assert kept is not None and kept.reason is not None and "blocked" in kept.reason
    [record] = queue.resolutions()
    assert (record.how, record.reason, record.who) == (How.DROP, "She was here", "Anna")


@pytest.mark.parametrize("how", [How.DROP, How.HAND_OVER])
def test_giving_up_wants_a_reason(queue: Queue, client: Client, refused: Posting, how: How) -> None:
    with pytest.raises(ScanError, match="Say why"):
        resolve(queue, client, refused, how, reason="  ")
    assert queue.resolutions() == []


def test_a_posting_is_resolved_once(queue: Queue, client: Client, refused: Posting) -> None:
    resolve(queue, client, refused, How.DROP)
    for how in How:
        with pytest.raises(ScanError, match="resolved already"):
            resolve(queue, client, refused, how)
    assert len(queue.resolutions()) == 1


def test_what_waits_or_was_sent_is_nothing_to_resolve(
    queue: Queue, client: Client, keep: Callable[..., Posting]
) -> None:
    kept = keep()
    for _ in range(2):
        with pytest.raises(ScanError, match="set aside"):
            resolve(queue, client, kept, How.DROP)
        drain(queue, client, PROGRAMME, None, clock)


def test_a_redemption_cannot_be_handed_over(queue: Queue, client: Client) -> None:
    queue.keep(Posting("c", PROGRAMME, "capture", "/holds/h/capture", b"{}", True, NOW))
    queue.set_aside("c", "The hold is over.", NOW)
    [aside] = backlog.set_aside(queue)
    assert aside.ways == (How.SEND_AGAIN, How.DROP)
    with pytest.raises(ScanError, match="manager"):
        backlog.resolve(queue, client, "c", How.HAND_OVER, who="Anna", reason="x", now=NOW)
