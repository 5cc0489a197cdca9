"""Who watches learns which phones have the newest pass; nobody else's fetches are noted."""

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from app.delivery import fetches
from app.delivery.fetches import Fetches, PassFetch, fetched_since
from app.delivery.wallets import Wallets
from tests.app.api.apple_device import Device, auth


def test_a_fetch_is_noted_while_somebody_watches(shop: Any, device: Device, app: Any) -> None:
    context = shop.context
    wallets: Wallets = app.extensions["counterfoil.wallets"]
    card, now = shop.issue(), context.clock()
    token = auth(shop, card)
    assert device.fetch(card, token).status_code == 200
    wallets.desk.fetches.flush()
    with context.database.write(shop.programme_id) as session:
        assert session.scalars(select(PassFetch)).all() == [], "nobody watches"
        fetches.watch(session, shop.programme_id, until=now + timedelta(hours=1))
    wallets.desk.fetches = Fetches(context)
    context.clock.advance(timedelta(minutes=1))
    assert device.fetch(card, "0" * 40).status_code == 401
    answer = device.fetch(card, token)
    assert answer.status_code == 200
    wallets.desk.fetches.flush()
    with context.database.read(shop.programme_id) as session:
        assert session.scalars(select(PassFetch)).one().fetched_at == context.clock()
        assert fetched_since(session, shop.programme_id, context.clock()) == 1
    context.clock.advance(timedelta(minutes=1))
    # What a device has already it need not fetch: it has the newest, which is what is asked.
    assert device.fetch(card, token, since=answer.headers["Last-Modified"]).status_code == 304
    wallets.desk.fetches.flush()
    with context.database.read(shop.programme_id) as session:
        assert session.scalars(select(PassFetch)).one().fetched_at == context.clock()


def test_the_noting_ends_by_itself(shop: Any) -> None:
    context, card = shop.context, shop.issue()
    with context.database.write(shop.programme_id) as session:
        fetches.watch(session, shop.programme_id, until=context.clock())
    noted = Fetches(context)
    noted.note(shop.programme_id, card.id, context.clock())
    noted.flush()
    with context.database.read(shop.programme_id) as session:
        assert fetched_since(session, shop.programme_id, context.clock()) == 0


def test_two_processes_may_note_the_same_card(shop: Any) -> None:
    context, card = shop.context, shop.issue()
    with context.database.write(shop.programme_id) as session:
        fetches.watch(session, shop.programme_id, until=context.clock() + timedelta(hours=1))
    both = [Fetches(context), Fetches(context)]
    for each in both:
        each.note(shop.programme_id, card.id, context.clock())
    for each in both:
        each.flush()
    with context.database.read(shop.programme_id) as session:
        assert fetched_since(session, shop.programme_id, context.clock()) == 1
