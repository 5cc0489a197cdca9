"""News are added aloud once, quietly where Google allows no notice, and never twice."""

from datetime import timedelta
from typing import Any

import pytest

from app.cards import news
from app.clock import FixedClock
from app.context import Context
from app.delivery.bringing import Senders
from app.demo.google import GoogleStandIn
from tests.app.delivery.google.shop import deliver, shown


def tell(context: Context, programme: Any, card: Any, text: str) -> None:
    with context.database.write(programme.programme_id) as session:
        news_id = news.publish(session, {"message": {"en": text}}, now=context.clock())
        told = [news.Told(card.id, card.account_id, {})]
        news.tell_cards(session, news_id, told, now=context.clock())


def added(google: GoogleStandIn) -> list[str]:
    """What was added aloud."""
    return [
        (seen.body or {})["message"]["body"]
        for seen in google.requests
        if seen.path.endswith("/addMessage") and seen.status == 200
    ]


@pytest.fixture
def quiet(saved: Any, context: Context, senders: Senders, clock: FixedClock) -> None:
    deliver(context, senders, now=clock())


@pytest.mark.usefixtures("quiet")
def test_news_are_told_aloud_and_replace_those_before(
    programme: Any,
    saved: Any,
    context: Context,
    senders: Senders,
    google: GoogleStandIn,
    clock: FixedClock,
) -> None:
    for number in range(1, 6):
        tell(context, programme, saved, f"News {number}")
        programme.earn(saved)
        deliver(context, senders, now=clock())
        assert [each["body"] for each in shown(google, saved)["messages"]] == [f"News {number}"]
        assert deliver(context, senders, now=clock()) == 0
    assert added(google) == ["News 1", "News 2", "News 3"], "Google shows three notices a day"
    assert shown(google, saved)["messages"][0]["messageType"] == "TEXT"
    assert shown(google, saved)["loyaltyPoints"]["balance"]["int"] == 50
    notified = [seen for seen in google.requests if "notifyPreference" in (seen.body or {})]
    assert notified == [], "the points' own notice would be a second one"
    clock.advance(timedelta(hours=24, seconds=1))
    tell(context, programme, saved, "News 6")
    deliver(context, senders, now=clock())
    asked = [seen.body or {} for seen in google.requests if seen.path.endswith("/addMessage")]
    assert asked[-1]["message"]["body"] == "News 6", "on the next day it is asked for again"
    assert [each["body"] for each in shown(google, saved)["messages"]] == ["News 6"]


@pytest.mark.usefixtures("quiet")
def test_a_quota_that_google_counted_fuller_leaves_the_news_on_the_card(
    programme: Any,
    saved: Any,
    context: Context,
    senders: Senders,
    google: GoogleStandIn,
    clock: FixedClock,
) -> None:
    google.fail(403, "quotaExceeded", times=1)
    tell(context, programme, saved, "A new roast")
    deliver(context, senders, now=clock())
    assert added(google) == []
    assert shown(google, saved)["messages"][0]["body"] == "A new roast"
    assert len(programme.google_pass(saved).notices) == 3
    assert deliver(context, senders, now=clock()) == 0


@pytest.mark.usefixtures("quiet")
def test_news_whose_answer_got_lost_are_not_told_again(
    programme: Any,
    saved: Any,
    context: Context,
    senders: Senders,
    google: GoogleStandIn,
    clock: FixedClock,
) -> None:
    google.fail(500, "backendError", times=1)
    tell(context, programme, saved, "A new roast")
    deliver(context, senders, now=clock())
    assert added(google) == [], "Google refused: it is asked again"
    clock.advance(timedelta(minutes=5))
    deliver(context, senders, now=clock())
    assert added(google) == ["A new roast"]
    with context.database.write(programme.programme_id) as session:
        # As if the worker had been killed between the request and its answer.
        row = session.merge(programme.google_pass(saved))
        row.told = {**(row.told or {}), "messages": ""}
        row.delivered_version, row.next_attempt_at = 2, clock()
    deliver(context, senders, now=clock())
    assert added(google) == ["A new roast"]
    assert [each["body"] for each in shown(google, saved)["messages"]] == ["A new roast"]
