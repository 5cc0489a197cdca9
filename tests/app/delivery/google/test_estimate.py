"""What a marketer is told before many cards change, and what the owner sees of Google's side."""

from typing import Any

import pytest
from sqlalchemy import update

from app.clock import FixedClock
from app.context import Context
from app.delivery.bringing import Senders
from app.delivery.google.estimate import estimate
from app.delivery.google.status import google_state
from app.delivery.models import GooglePass
from app.demo.google import GoogleStandIn
from tests.app.delivery.google.shop import issue_many


def test_a_hundred_thousand_single_updates_take_83_minutes() -> None:
    found = estimate(100_000)
    assert found.at_most_seconds == 5000
    assert found.at_least_seconds == 20
    assert str(found) == "100,000 updates take 20 s to 83 min at Google's 20 requests a second"


@pytest.mark.parametrize(
    ("updates", "said"),
    [
        (0, "nothing is waiting"),
        (1, "1 updates take 1 s at Google's 20 requests a second"),
        (2400, "2,400 updates take 1 s to 2 min at Google's 20 requests a second"),
        (1_000_000, "1,000,000 updates take 3 min to 13.9 h at Google's 20 requests a second"),
    ],
)
def test_it_is_said_in_words(updates: int, said: str) -> None:
    assert str(estimate(updates)) == said


def test_the_state_counts_where_passes_are_and_what_waits(
    programme: Any, context: Context, senders: Senders, google: GoogleStandIn, clock: FixedClock
) -> None:
    cards = issue_many(programme, context, senders, 6, clock)
    for card, values in (
        (cards[0], {"saved_at": clock()}),
        (cards[1], {"saved_at": clock()}),
        (cards[2], {"removed_at": clock()}),
    ):
        with context.database.write_all() as session:
            session.execute(
                update(GooglePass).where(GooglePass.card_id == card.id).values(**values)
            )
    programme.earn(cards[0])
    with context.database.read_all() as session:
        state = google_state(session, context)
    assert (state.saved, state.removed, state.offered) == (2, 1, 3)
    assert state.waiting.updates == 1
    assert state.root_keys_from == f"{google.url}/root-keys"
    assert state.root_keys_fetched_at is None
