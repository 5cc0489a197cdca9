"""Whoever was sent a message or given a coupon did not come of their own accord."""

from datetime import timedelta
from typing import Any

import pytest
from click.testing import CliRunner

from app.benefits.models import Coupon
from app.campaigns.models import Campaign, Recipient, State
from app.campaigns.nudges import NUDGES
from app.cli import cli
from app.clock import FixedClock
from app.delivery.wallets import Wallets
from app.delivery.worker import Worker
from app.insight import folding, reading
from app.insight.periods import Period
from app.insight.rules import ASKED_DAYS

DAY = timedelta(days=1)


def figures(shop: Any) -> reading.Figures:
    today = shop.context.clock().date()
    with shop.context.database.read(shop.programme_id) as session:
        return reading.figures(
            session, shop.programme_id, Period(today - 60 * DAY, today + 2 * DAY)
        )


def follow(shop: Any) -> None:
    for _ in range(3):
        while True:
            with shop.context.database.write_all() as session:
                if not folding.step(session, shop.context.clock(), nudges=NUDGES):
                    break


def send(shop: Any, card: Any, campaign_id: str, **facts: Any) -> None:
    with shop.context.database.write(shop.programme_id) as session:
        session.add(
            Recipient(
                campaign_id=campaign_id,
                account_id=card.account_id,
                lane="page",
                draw=0,
                due_at=shop.context.clock(),
                sent_at=shop.context.clock(),
                **facts,
            )
        )


def test_who_came_after_a_message_or_a_coupon_did_not_come_unasked(
    shop: Any, clock: FixedClock
) -> None:
    told, held_out, with_coupon, late, alone = (shop.issue() for _ in range(5))
    cards = (told, held_out, with_coupon, late, alone)
    with shop.context.database.write(shop.programme_id) as session:
        campaign = Campaign(
            name="Come", plan={}, seed="0" * 32, created_at=clock.now, changed_at=clock.now
        )
        session.add(campaign)
        session.flush()
        campaign_id = campaign.id
    for card in cards:
        assert shop.accrue(card).status_code == 201
    clock.advance(DAY)
    send(shop, told, campaign_id, state=State.PUSHED)
    send(shop, held_out, campaign_id, state=State.HELD_OUT, held_out=True)
    send(shop, late, campaign_id, state=State.FETCHED)
    with shop.context.database.write(shop.programme_id) as session:
        session.add(
            Coupon(
                account_id=with_coupon.account_id,
                what="cake",
                offer={},
                valid_from=clock.now,
                issued_at=clock.now,
                changed_at=clock.now,
            )
        )
    clock.advance(5 * DAY)
    shop.session = shop.sign_in()
    for card in cards:
        if card is not late:
            assert shop.accrue(card).status_code == 201
    clock.advance(ASKED_DAYS * DAY)
    shop.session = shop.sign_in()
    assert shop.accrue(late).status_code == 201
    follow(shop)
    found = figures(shop)
    assert (found.came, found.came_again) == (5, 5)
    # Held out, after more than two weeks, and without any message at all.
    assert found.came_unasked == 3
    assert found.unasked_rate == pytest.approx(0.6)


def test_the_service_itself_keeps_up_and_a_command_makes_all_of_it_anew(
    shop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        assert shop.accrue(shop.issue()).status_code == 201
    context = shop.context
    worker = Worker(context, Wallets(context))
    for _ in range(3):
        worker._fold()
    seen = figures(shop)
    assert (seen.visits, seen.came, seen.members) == (3, 3, 3)
    monkeypatch.setenv("COUNTERFOIL_DATA", str(context.config.data))
    monkeypatch.setenv("COUNTERFOIL_DATABASE_URL", context.config.database_url)
    monkeypatch.setenv("COUNTERFOIL_URL", "http://127.0.0.1:8000")
    answer = CliRunner().invoke(cli, ["insight", "rebuild"])
    assert answer.exit_code == 0, answer.output
    assert "Everything is counted." in answer.output
    assert figures(shop) == seen
