"""What an open till does by itself: it comes back, sends, and learns what has changed meanwhile."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from scanner.commands import enrol_till
from scanner.config import Settings
from scanner.errors import CardRefused
from scanner.page import keeper as keeping
from scanner.page.desk import Desk
from scanner.page.keeper import Keeper
from scanner.sale import Counter
from scanner.unsent import State


@pytest.fixture
def desk(
    tmp_path: Path, running: Any, service: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Desk]:
    monkeypatch.setattr(keeping, "FIRST_PAUSE_SECONDS", 0.05)
    till = enrol_till(tmp_path, running.url, "GOOD-CODE")
    desk = Desk(Settings(tmp_path, timeout_seconds=1.0), till)
    desk.start()
    desk.ask(lambda: desk.sign_in("Anna", "271828"))
    keeper = Keeper(desk)
    keeper.start()
    yield desk
    keeper.stop()
    desk.stop()


def counter_of(desk: Desk) -> Counter:
    assert desk.counter is not None
    return desk.counter


def until(what: Callable[[], object], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.02)


def test_a_till_that_is_back_sends_everything_and_knows_what_was_blocked_meanwhile(
    desk: Desk, service: Any, make_card: Callable[..., str]
) -> None:
    counter = counter_of(desk)
    portal = (200, "text/html", b"<html>Welcome</html>")
    service.intervene, before = lambda path: portal, len(service.requests)
    readings = [counter.judge(make_card(number)) for number in (1, 2, 3)]
    for reading in readings:
        assert desk.ask(lambda reading=reading: counter.accrue(reading, 100, None).queued)
    until(lambda: desk.showing.fact("online") is False)
    # From when it asks for keys the sender knows, too, that the till was away.
    until(lambda: any(path == "/keys" for _, path, _ in list(service.requests)[before:]))
    assert desk.queue.count(State.WAITING) == 3 and not service.postings
    service.refused = {"0000000000000002": "blocked"}
    service.intervene = lambda path: None
    until(lambda: desk.showing.fact("online") and desk.showing.fact("all_sent_at"))
    assert desk.queue.count(State.WAITING) == 0 and len(service.postings) == 3
    # The service hears how many waited since when, and then that none does any more.
    until(lambda: service.told[-1] == ("0", None))
    waiting, oldest = next(each for each in service.told if each[0] == "3")
    assert (waiting, oldest is not None) == ("3", True)

    def refuses() -> bool:
        try:
            counter.judge(make_card(2))
        except CardRefused:
            return True
        return False

    until(refuses)
    assert counter.judge(make_card(1))


def test_an_open_till_asks_now_and_then_what_has_changed(
    desk: Desk, service: Any, make_card: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "REFRESH_SECONDS", 0.1)
    service.refused = {"0000000000000001": "replaced"}
    desk.went_offline()  # what happens every five minutes, and whenever the network was away
    until(lambda: len(counter_of(desk)._ring.refused) == 1)
    with pytest.raises(CardRefused):
        counter_of(desk).judge(make_card(1))
    service.refused = {}
    until(lambda: len(counter_of(desk)._ring.refused) == 0)
    assert counter_of(desk).judge(make_card(1))


def test_a_till_that_was_revoked_forgets_customers_and_cashiers_and_keeps_its_queue(
    desk: Desk, tmp_path: Path, service: Any, make_card: Callable[..., str]
) -> None:
    counter = counter_of(desk)
    desk.ask(lambda: desk.code(make_card()))
    reading = counter.judge(make_card())
    assert counter.last_known(reading) is not None and (tmp_path / "cashiers.json").exists()
    counter.online = False
    given = desk.ask(lambda: counter.accrue(reading, 100, None))
    assert given is not None and given.queued
    service.tokens.clear()
    until(lambda: not (tmp_path / "cashiers.json").exists())
    until(lambda: counter.last_known(reading) is None)
    assert desk.queue.get(given.posting_id) is not None
    assert desk.queue.count(State.WAITING) == 1
