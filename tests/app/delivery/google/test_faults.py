"""Whatever ails Google: afterwards every object is up to date, and nothing answered is sent again.

Each fault meets a crowd (one batch) and a single card. The stand-in notes which calls it answered
whole; what was answered well and then sent again would be the fault of ours that is looked for.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from app.cards import service as cards
from app.clock import FixedClock
from app.context import Context
from app.delivery.bringing import Senders
from app.demo.google import GoogleStandIn
from passes.card import CardStatus
from tests.app.delivery.google.shop import changes, deliver, issue_many, points, shown

#: More than are sent side by side: they go in a batch.
CROWD = 7


@dataclass(frozen=True)
class Fault:
    """An ill of Google's, and how many of a crowd's cards it reaches at the first try."""

    name: str
    begin: Callable[[GoogleStandIn], None]
    reached: int = 0


FAULTS = [
    Fault("refused connection", GoogleStandIn.refuse),
    Fault("reset in mid-answer", lambda google: google.break_off(after_parts=3), reached=3),
    Fault("reset before any answer", lambda google: google.break_off(times=3)),
    Fault(
        "429 with Retry-After",
        lambda google: google.fail(429, "rateLimitExceeded", retry_after=7),
    ),
    Fault("503", lambda google: google.fail(503)),
    Fault("rate-limit 403", lambda google: google.fail(403, "rateLimitExceeded")),
    Fault("quotaExceeded 403", GoogleStandIn.exceed_quota, reached=CROWD),
    Fault("silence", GoogleStandIn.silent),
    Fault("a part of a batch fails", lambda google: google.fail(500, times=4), reached=CROWD - 4),
]


@pytest.fixture
def timeout_seconds(request: pytest.FixtureRequest) -> float:
    """Nobody waits long for a Google that is known to be silent."""
    return 0.5 if "silence" in request.node.name else 10.0


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_after_a_fault_all_is_up_to_date_and_nothing_answered_was_sent_again(
    fault: Fault,
    programme: Any,
    context: Context,
    senders: Senders,
    google: GoogleStandIn,
    clock: FixedClock,
) -> None:
    issued = issue_many(programme, context, senders, CROWD, clock)
    for met in (issued, issued[:1]):
        google.requests.clear()
        before = {card.id: points(google, card) for card in met}
        for card in met:
            programme.earn(card)
        fault.begin(google)
        deliver(context, senders, now=clock())
        if met is issued:
            assert sum(seen.status == 200 for seen in changes(google)) == fault.reached
        google.well()
        for _ in range(3):
            clock.advance(timedelta(seconds=20))
            while deliver(context, senders, now=clock()):
                pass
        assert {card.id: points(google, card) - 10 for card in met} == before
        answered = Counter(seen.path for seen in changes(google) if seen.status == 200)
        assert set(answered.values()) == {1}
    for card in issued:
        row = programme.google_pass(card)
        assert (row.delivered_version, row.next_attempt_at) == (row.wanted_version, None)
        assert row.last_error is None


def set_status(programme: Any, card: Any, status: CardStatus) -> None:
    now = programme.context.clock()
    with programme.context.database.write(programme.programme_id) as session:
        cards.set_status(session, card.id, status, now=now)


def test_what_google_was_told_without_an_answer_is_told_again_even_if_it_changed_back(
    programme: Any,
    saved: Any,
    context: Context,
    senders: Senders,
    google: GoogleStandIn,
    clock: FixedClock,
) -> None:
    """Google did it and the answer was lost; then the card is as it was before."""
    set_status(programme, saved, CardStatus.BLOCKED)
    google.break_off()
    deliver(context, senders, now=clock())
    assert shown(google, saved)["state"] == "INACTIVE"
    assert programme.google_pass(saved).told["state"] == ""
    set_status(programme, saved, CardStatus.ACTIVE)
    clock.advance(timedelta(seconds=5))
    deliver(context, senders, now=clock())
    assert shown(google, saved)["state"] == "ACTIVE"


def test_a_notice_that_was_not_answered_counts(
    programme: Any,
    saved: Any,
    context: Context,
    senders: Senders,
    google: GoogleStandIn,
    clock: FixedClock,
) -> None:
    programme.earn(saved)
    google.break_off()
    deliver(context, senders, now=clock())
    assert len(programme.google_pass(saved).notices) == 1


def test_back_off_is_as_long_as_google_asks_and_holds_everybody(
    programme: Any,
    saved: Any,
    context: Context,
    senders: Senders,
    google: GoogleStandIn,
    clock: FixedClock,
) -> None:
    other = programme.issue()
    senders._google._passes.save_link(other.id, now=clock())
    programme.earn(saved)
    google.fail(429, "rateLimitExceeded", times=1, retry_after=30)
    deliver(context, senders, now=clock())
    google.requests.clear()
    programme.earn(other)
    clock.advance(timedelta(seconds=10))
    deliver(context, senders, now=clock())
    assert google.requests == [], "another card waits as well"
    clock.advance(timedelta(seconds=24))
    while deliver(context, senders, now=clock()):
        pass
    assert [points(google, card) for card in (saved, other)] == [10, 10]
