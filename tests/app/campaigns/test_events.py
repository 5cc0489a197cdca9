"""What is waited for is told once for each time that it happens."""

from datetime import UTC, datetime, timedelta
from typing import Any

from app.campaigns import service
from app.clock import FixedClock
from app.ledger.models import TierChange
from app.members.service import Contact
from tests.app.campaigns.conftest import Shop


def waiting_for(event: str, **more: Any) -> dict[str, Any]:
    return {"when": {"kind": "event", "event": event, **more}}


def told(shop: Shop, campaign_id: str) -> list[tuple[str, str]]:
    return sorted((row.account_id, row.occasion) for row in shop.recipients(campaign_id))


def test_who_joins_is_welcomed_and_who_was_there_is_not(shop: Shop, clock: FixedClock) -> None:
    shop.member()
    clock.advance(timedelta(seconds=1))
    campaign_id = shop.send(waiting_for("joined", days=2))
    new = shop.member()
    for _ in range(4):
        clock.advance(timedelta(days=1))
        shop.work()
    assert told(shop, campaign_id) == [(new.account_id, "joined")]
    row = shop.recipients(campaign_id)[0]
    assert row.sent_at is not None and row.sent_at >= new.issued_at + timedelta(days=2)
    shop.do(service.stop, campaign_id)
    shop.member()
    clock.advance(timedelta(days=3))
    shop.work()
    assert len(told(shop, campaign_id)) == 1


def test_who_stays_away_is_told_after_each_last_visit(shop: Shop, clock: FixedClock) -> None:
    away, faithful, long_gone = shop.crowd(3)
    shop.buy(away)
    shop.buy(faithful)
    shop.buy(long_gone, at=clock() - timedelta(days=90))
    campaign_id = shop.send(waiting_for("lapsed", days=30))
    for _ in range(36):
        clock.advance(timedelta(days=1))
        shop.buy(faithful)
        shop.know()
        shop.work()
    assert told(shop, campaign_id) == [(away.account_id, "lapsed:2026-06-01")]
    shop.buy(away)
    for _ in range(31):
        clock.advance(timedelta(days=1))
        shop.buy(faithful)
        shop.know()
        shop.work()
    assert told(shop, campaign_id) == [
        (away.account_id, "lapsed:2026-06-01"),
        (away.account_id, "lapsed:2026-07-07"),
    ]


def test_points_that_expire_and_birthdays_are_told_before(shop: Shop, clock: FixedClock) -> None:
    rich, poor = shop.crowd(2)
    # Until the end of 10 June in Riga.
    expires_at = datetime(2026, 6, 10, 21, tzinfo=UTC)
    shop.buy(rich, 80, expires_at=expires_at)
    shop.buy(poor, 3, expires_at=expires_at)
    born = shop.member(Contact(birthday="06-12"))
    expiring = shop.send(waiting_for("expiring", days=7, least_points=10))
    birthday = shop.send(waiting_for("birthday", days=3))
    moments = {}
    for _ in range(14):
        shop.work()
        for each in (expiring, birthday):
            for row in shop.recipients(each):
                moments.setdefault((row.account_id, row.occasion), clock().date().isoformat())
        clock.advance(timedelta(days=1))
    assert moments == {
        (rich.account_id, "expiring:2026-06-10"): "2026-06-03",
        (born.account_id, "birthday:2026"): "2026-06-09",
    }


def test_a_tier_that_is_reached_is_told(shop: Shop, clock: FixedClock) -> None:
    campaign_id = shop.send(waiting_for("tier", tiers=["gold"]))
    up, silver = shop.crowd(2)
    with shop.context.database.write(shop.programme_id) as session:
        for card, tier in ((up, "gold"), (silver, "silver")):
            session.add(
                TierChange(
                    programme_id=shop.programme_id, account_id=card.account_id, from_tier=None,
                    to_tier=tier, reason="earned", counted=1, effective_from=clock(),
                    recorded_at=clock(), actor_kind="system",
                )
            )  # fmt: skip
    for _ in range(3):
        shop.work()
        clock.advance(timedelta(minutes=1))
    [(account_id, occasion)] = told(shop, campaign_id)
    assert account_id == up.account_id and occasion.startswith("tier:")


def test_the_segment_holds_for_events_too(shop: Shop, clock: FixedClock) -> None:
    campaign_id = shop.send(
        waiting_for("joined") | {"segment": {"is": "language", "languages": ["lv"]}}
    )
    clock.advance(timedelta(seconds=1))
    shop.member(language="en")
    latvian = shop.member(language="lv")
    shop.work()
    assert told(shop, campaign_id) == [(latvian.account_id, "joined")]
