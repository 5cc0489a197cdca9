"""What became of a message: pushed by Apple, fetched by the phone, failed and why; and results."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.campaigns import arriving, results, service
from app.campaigns.models import CampaignState
from app.cards.service import card_by_id
from app.clock import FixedClock
from app.delivery.fetches import PassFetch
from app.delivery.models import AppleRegistration, GooglePass
from app.insight.lift import Verdict
from app.mail.models import OutgoingMail
from app.members.service import Contact
from tests.app.campaigns.conftest import Shop


@pytest.fixture
def sent(shop: Shop, clock: FixedClock) -> Iterator[tuple[str, list[Any]]]:
    cards = shop.crowd(4)
    campaign_id = shop.send()
    shop.work()
    clock.advance(timedelta(seconds=1))
    yield campaign_id, cards


def test_pushed_failed_and_fetched_are_told_apart(
    shop: Shop, clock: FixedClock, sent: tuple[str, list[Any]]
) -> None:
    campaign_id, cards = sent
    assert shop.states(campaign_id) == {"sent": 4}
    with shop.context.database.write(shop.programme_id) as session:
        wallets = {row.card_id: row for row in session.scalars(select(AppleRegistration))}
        for card in cards[:2]:
            wallets[card.id].delivered_version = 100
            wallets[card.id].delivered_at = clock()
        wallets[cards[2].id].attempts = 3
        wallets[cards[2].id].last_error = "Apple answered 429 TooManyRequests"
    shop.work()
    assert shop.states(campaign_id) == {"pushed": 2, "failed": 1, "sent": 1}
    assert shop.campaign(campaign_id).counts["reason:too_many_requests"] == 1
    with shop.context.database.write(shop.programme_id) as session:
        for card in (cards[0], cards[3]):
            session.add(
                PassFetch(programme_id=shop.programme_id, card_id=card.id, fetched_at=clock())
            )
        before = clock() - timedelta(days=1)
        session.add(
            PassFetch(programme_id=shop.programme_id, card_id=cards[1].id, fetched_at=before)
        )
        wallets = {row.card_id: row for row in session.scalars(select(AppleRegistration))}
        wallets[cards[2].id].delivered_version = 100
    clock.advance(timedelta(seconds=30))
    shop.work()
    assert shop.states(campaign_id) == {"fetched": 2, "pushed": 2}, "a fetch before it is no fetch"
    assert "reason:too_many_requests" not in shop.campaign(campaign_id).counts


def test_fetches_are_found_however_many_there_are(
    shop: Shop, clock: FixedClock, sent: tuple[str, list[Any]]
) -> None:
    campaign_id, cards = sent
    shop.arrive()
    shop.work()
    with shop.context.database.write(shop.programme_id) as session:
        for card in cards:
            session.add(
                PassFetch(programme_id=shop.programme_id, card_id=card.id, fetched_at=clock())
            )
    for _ in range(6):
        clock.advance(timedelta(seconds=20))
        with shop.context.database.write(shop.programme_id) as session:
            campaign = service.campaign_by_id(session, campaign_id, locked=True)
            arriving.look(session, campaign, shop.reaching, now=clock(), limit=4)
    assert shop.states(campaign_id) == {"fetched": 4}


def test_a_result_is_counted_as_by_hand_and_says_no_more_than_it_may(
    shop: Shop, clock: FixedClock
) -> None:
    cards = {card.account_id: card for card in shop.crowd(150)}
    limits = {"limits": {"hold_out_percent": 50, "per_week": 0}, "measure_days": 7}
    campaign_id = shop.send(limits)
    shop.work()
    shop.arrive()
    clock.advance(timedelta(hours=1))
    shop.work()
    assert shop.campaign(campaign_id).state == CampaignState.DONE
    rows = shop.recipients(campaign_id)
    reached = [row for row in rows if not row.held_out]
    held = [row for row in rows if row.held_out]
    for number, row in enumerate(reached):
        shop.buy(cards[row.account_id], 10, at=clock() - timedelta(days=3))
        if number % 2:
            shop.buy(cards[row.account_id], 10 + number % 3)
    for row in held[:5]:
        shop.buy(cards[row.account_id], 10)
    clock.advance(timedelta(days=8))
    shop.buy(cards[held[-1].account_id], 50)
    for _ in range(3):
        shop.work()
        clock.advance(timedelta(days=1))
    found = results.Result(shop.campaign(campaign_id))
    assert found.is_whole
    assert (found.reached.people, found.held_out.people) == (len(reached), len(held))
    assert (found.reached.came, found.held_out.came) == (len(reached) // 2, 5)
    spent = [(10 + n % 3) * 100 for n in range(len(reached)) if n % 2]
    assert found.reached.sums["spend"][:2] == [sum(spent), sum(each**2 for each in spent)]
    assert found.held_out.sums["points"] == [50, 500, 5000]
    assert found.came.verdict == Verdict.WORKED
    assert found.came.low < found.came.difference < found.came.high


def test_who_came_no_more_often_is_said_to_have(shop: Shop, clock: FixedClock) -> None:
    cards = {card.account_id: card for card in shop.crowd(120)}
    campaign_id = shop.send({"limits": {"hold_out_percent": 50, "per_week": 0}})
    shop.work()
    for group in (True, False):
        rows = [row for row in shop.recipients(campaign_id) if row.held_out is group]
        for row in rows[: len(rows) // 3]:
            shop.buy(cards[row.account_id])
    clock.advance(timedelta(hours=1))
    shop.work()
    found = results.Result(shop.campaign(campaign_id))
    assert not found.is_whole
    assert found.came.verdict == Verdict.NOT_SHOWN
    assert found.came.low < 0 < found.came.high


def test_a_letter_goes_besides_once_and_to_nobody_without_an_address(
    shop: Shop, clock: FixedClock
) -> None:
    named = shop.member(Contact(name="Ada", email="ada@example.com"))
    shop.member()
    content = {
        "message": {"en": "{name}, hello"},
        "article": {"en": ["A roast", "You have {points}."]},
        "email": True,
    }
    shop.buy(named, 7)
    shop.send({"content": content})
    shop.work()
    shop.work()
    with shop.context.database.read(shop.programme_id) as session:
        letters = list(session.scalars(select(OutgoingMail)))
        member_id = card_by_id(session, named.id).member_id
    assert [letter.member_id for letter in letters] == [member_id]
    assert letters[0].subject == "A roast"
    assert "[[name]], hello" in letters[0].text and "You have 7." in letters[0].text
    assert letters[0].unsubscribe == "messages" and "Ada" not in letters[0].text


def test_a_card_at_google_waits_in_a_queue_of_its_own(shop: Shop, clock: FixedClock) -> None:
    both, google = shop.member(), shop.member(phone=False)
    with shop.context.database.write(shop.programme_id) as session:
        for card in (both, google):
            session.add(
                GooglePass(
                    programme_id=shop.programme_id,
                    card_id=card.id,
                    object_id=f"3388.{card.serial_number}",
                    inserted_at=clock(),
                    wanted_version=2,
                    delivered_version=2,
                )
            )
    campaign_id = shop.send()
    shop.work()
    lanes = {row.account_id: row.lane for row in shop.recipients(campaign_id)}
    assert lanes == {both.account_id: "apple", google.account_id: "google"}
    with shop.context.database.write(shop.programme_id) as session:
        for row in session.scalars(select(GooglePass)):
            row.delivered_version, row.delivered_at = 100, clock()
    clock.advance(timedelta(seconds=1))
    shop.work()
    assert shop.states(campaign_id) == {"pushed": 2}, "one wallet that has it is enough"
