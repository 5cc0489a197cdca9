"""Whatever APNs suffers from: when it is well again every card is up to date, and no push that
was answered was sent again."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from app.clock import FixedClock
from app.context import Context
from app.delivery.apns import ApnsSender
from app.delivery.bringing import bring
from app.delivery.lanes import Progress
from app.delivery.status import status
from app.demo.apns import ApnsStandIn

CARDS = 8


@dataclass
class Shop:
    """Cards on devices, and the steps that bring them up to date."""

    programme: Any
    context: Context
    clock: FixedClock
    sender: ApnsSender
    apns: ApnsStandIn
    cards: list[Any]
    tokens: list[str]

    def step(self) -> Progress | None:
        return bring(self.context, self.sender, now=self.clock(), jitter=lambda: 1.0)

    def change_all(self) -> None:
        for card in self.cards:
            self.programme.earn(card)

    def recover(self) -> None:
        """APNs is well again, and time goes by."""
        self.apns.well()
        for _ in range(40):
            if not self.behind():
                break
            self.clock.advance(timedelta(seconds=15))
            self.step()

    def behind(self) -> int:
        with self.context.database.read_all() as session:
            totals: dict[str, Any] = status(session)
            return int(totals["apple"]["behind"])

    def pushed(self) -> Counter[str]:
        return Counter(push.token for push in self.apns.pushes)


@pytest.fixture
def shop(programme: Any, context: Context, clock: FixedClock, apns: ApnsStandIn) -> Iterator[Shop]:
    """Eight cards on devices, and a connection that is open."""
    sender = ApnsSender(context, answer_seconds=0.4)
    watched = [programme.watched() for _ in range(CARDS)]
    shop = Shop(
        programme,
        context,
        clock,
        sender,
        apns,
        [card for card, _ in watched],
        [token for _, token in watched],
    )
    programme.earn(shop.cards[0])
    shop.step()
    assert shop.behind() == 0
    apns.pushes.clear()
    apns.received.clear()
    yield shop
    sender.close()


@contextmanager
def when_received(apns: ApnsStandIn, count: int, then: Callable[[], None]) -> Iterator[None]:
    """Do something the moment so many pushes have come in."""

    def watch() -> None:
        end = time.monotonic() + 30
        while len(apns.received) < count and time.monotonic() < end:
            time.sleep(0.002)
        then()

    thread = threading.Thread(target=watch)
    thread.start()
    yield
    thread.join(60)


@pytest.mark.parametrize(
    "ill",
    [
        lambda apns: apns.refuse(),
        lambda apns: apns.reset_next(3),
        lambda apns: apns.cut(),
        lambda apns: apns.go_away(),
        lambda apns: apns.stream_limit(1),
        lambda apns: apns.fail(429, "TooManyRequests", times=3, retry_after=5),
        lambda apns: apns.fail(503, "Shutdown", times=3),
        lambda apns: apns.silent(),
    ],
    ids=["refused", "reset", "cut", "goaway", "one stream", "429", "503", "silence"],
)
def test_after_any_fault_every_card_is_up_to_date_and_was_pushed_once(
    ill: Callable[[ApnsStandIn], None], shop: Shop
) -> None:
    shop.change_all()
    ill(shop.apns)
    shop.step()
    shop.recover()
    assert shop.behind() == 0
    assert shop.pushed() == Counter(shop.tokens)


def test_a_connection_that_is_cut_in_full_flight_loses_no_push(shop: Shop) -> None:
    """Every push has arrived and none was answered: all are sent again, once."""
    shop.change_all()
    shop.apns.slow(30)
    with when_received(shop.apns, CARDS, shop.apns.cut):
        shop.step()
    assert not shop.apns.pushes
    shop.recover()
    assert shop.behind() == 0
    assert shop.pushed() == Counter(shop.tokens)


def test_what_was_answered_before_the_cut_is_not_sent_again(shop: Shop) -> None:
    """The limit is one stream: some have their answer when the connection goes, one waits."""
    shop.change_all()
    shop.apns.stream_limit(1)
    shop.apns.slow(0.05)
    with when_received(shop.apns, 4, shop.apns.cut):
        shop.step()
    answered = shop.pushed()
    assert 3 <= sum(answered.values()) < CARDS
    shop.recover()
    assert shop.behind() == 0
    assert shop.pushed() == Counter(shop.tokens)


def test_a_goaway_in_full_flight_sends_nothing_twice(shop: Shop) -> None:
    shop.change_all()
    shop.apns.slow(0.1)
    with when_received(shop.apns, CARDS, shop.apns.go_away):
        shop.step()
    shop.recover()
    assert shop.pushed() == Counter(shop.tokens)


def test_a_device_that_is_gone_is_forgotten_and_the_others_are_told(shop: Shop) -> None:
    shop.change_all()
    shop.apns.gone(shop.tokens[3])
    shop.step()
    assert shop.behind() == 0
    assert shop.programme.registration(shop.cards[3]) is None
    assert shop.pushed() == Counter(token for token in shop.tokens if token != shop.tokens[3])


@pytest.mark.parametrize(("code", "reason"), [(429, "TooManyRequests"), (503, "Shutdown")])
def test_a_device_that_has_to_wait_keeps_no_other_waiting(
    code: int, reason: str, shop: Shop
) -> None:
    slow = shop.tokens[5]
    shop.apns.fail(code, reason, token=slow, retry_after=60)
    for _ in range(3):
        shop.change_all()
        shop.clock.advance(timedelta(seconds=5))
        shop.step()
    assert shop.behind() == 1
    assert shop.pushed() == Counter({token: 3 for token in shop.tokens if token != slow})
    assert shop.apns.answers[(code, reason)] == 1, "asked to wait a minute, it was left alone"
    shop.recover()
    assert shop.behind() == 0
    assert shop.pushed()[slow] == 1, "three changes while it had to wait are one push"
