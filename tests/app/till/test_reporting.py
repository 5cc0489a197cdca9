"""What a till says of itself, and what the shop is shown of it."""

from datetime import timedelta
from typing import Any

import pytest

from app.clock import FixedClock
from app.till import access, reporting
from app.till.reporting import Presence, Seen


def seen(shop: Any, name: str = "Counter 1") -> Seen:
    with shop.context.database.read(shop.programme_id) as session:
        return {each.name: each for each in reporting.tills(session, now=shop.context.clock())}[
            name
        ]


def test_a_till_that_says_nothing_for_three_minutes_is_shown_as_silent(
    shop: Any, clock: FixedClock
) -> None:
    oldest = (clock() - timedelta(minutes=8)).isoformat()
    told = {
        "Counterfoil_Waiting": "3",
        "Counterfoil_Set_Aside": "1",
        "Counterfoil_Oldest": oldest,
    }
    clock.advance(timedelta(minutes=1))
    assert shop.ask("GET", "/keys", **told).status_code == 200
    found = seen(shop)
    assert (found.presence, found.location) == (Presence.ONLINE, "Old Town")
    assert (found.waiting, found.set_aside, found.seen_at) == (3, 1, clock())
    assert found.oldest_waiting_at == clock() - timedelta(minutes=9)
    clock.advance(timedelta(minutes=3, seconds=1))
    assert seen(shop).presence == Presence.SILENT
    shop.ask("GET", "/keys")
    assert (seen(shop).presence, seen(shop).waiting) == (Presence.ONLINE, 0)


def test_the_same_said_again_at_once_is_not_written_and_what_is_new_is(
    shop: Any, clock: FixedClock
) -> None:
    shop.ask("GET", "/keys", Counterfoil_Waiting="3")
    first = clock()
    clock.advance(timedelta(seconds=10))
    shop.ask("GET", "/keys", Counterfoil_Waiting="3")
    assert seen(shop).seen_at == first
    shop.ask("GET", "/keys", Counterfoil_Waiting="2")
    assert (seen(shop).seen_at, seen(shop).waiting) == (clock(), 2)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_makes_no_sense_in_a_report_counts_as_nothing(shop: Any, clock: FixedClock) -> None:
    for text in ("-1", "99999999999999999999", "three", "٣", "1e3", ""):
        assert shop.ask("GET", "/keys", Counterfoil_Waiting=text).status_code == 200
        assert seen(shop).waiting == 0
    for text in ("yesterday", "2026-06-01", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00+23:00"):
        assert shop.ask("GET", "/keys", Counterfoil_Oldest=text).status_code == 200
        at = seen(shop).oldest_waiting_at
        assert at is None or at <= clock()


def test_a_till_is_new_until_it_is_enrolled_and_gone_when_it_is_revoked(
    shop: Any, clock: FixedClock
) -> None:
    with shop.context.database.write(shop.programme_id) as session:
        till, _ = access.add_till(
            session, shop.programme_id, location="old-town", name="Counter 2", now=clock()
        )
    assert seen(shop, "Counter 2").presence == Presence.NEW
    with shop.context.database.write(shop.programme_id) as session:
        access.revoke(session, reporting.till_by_id(session, till.id), now=clock())
    assert seen(shop, "Counter 2").presence == Presence.REVOKED
