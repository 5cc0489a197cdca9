"""Somebody is erased: Google's object is blanked, and the phones are woken for a void pass."""

from typing import Any

import pytest

from app.cards.models import Card
from app.clock import FixedClock
from app.context import Context
from app.delivery import leaving, registrations
from app.delivery.bringing import Senders, deliver
from app.delivery.status import card_wallets
from app.delivery.wallets import Wallets
from app.demo.apns import ApnsStandIn
from app.demo.google import GoogleStandIn
from app.members.reads import Reader
from app.members.service import Contact
from app.programmes.service import programme_by_id
from app.web.joining import join
from tests.app.delivery.google.shop import ISSUER, shown

TOKEN = "a1" * 32


@pytest.fixture
def liga(programme: Any, context: Context, wallets: Wallets, clock: FixedClock) -> Card:
    """A card with a name, on a phone of either kind."""
    with context.database.write(programme.programme_id) as session:
        card = join(
            session,
            context.keys,
            programme_by_id(session, programme.programme_id),
            Contact("Līga Ozola", "liga@example.com"),
            language="lv",
            source="web",
            now=clock(),
        ).card
    wallets.google.save_link(card.id, now=clock())
    with context.database.write(programme.programme_id) as session:
        registrations.register(session, card, device_id="phone", push_token=TOKEN, now=clock())
    return card


def erase(context: Context, card: Card) -> None:
    reader = Reader("cli", "root")
    leaving.erase(context, card.programme_id, card.id, reader, now=context.clock())


def settle(context: Context, senders: Senders) -> None:
    while deliver(context, senders, now=context.clock()):
        pass


def test_both_wallets_are_told_and_google_keeps_nothing(
    programme: Any,
    liga: Card,
    context: Context,
    senders: Senders,
    google: GoogleStandIn,
    apns: ApnsStandIn,
) -> None:
    programme.earn(liga)
    settle(context, senders)
    assert shown(google, liga)["accountName"] == "Līga Ozola"
    pushes = len(apns.pushes)
    erase(context, liga)
    settle(context, senders)
    left = {name: value for name, value in shown(google, liga).items() if value is not None}
    assert left.pop("state") == "INACTIVE"
    assert left.keys() <= {"id", "classId", "kind", "version", "hasUsers"}
    assert [push.token for push in apns.pushes[pushes:]] == [TOKEN]
    with context.database.read_all() as session:
        assert not any(each.is_behind for each in card_wallets(session, liga.id))


def test_an_erasure_while_google_is_down_reaches_it_later(
    liga: Card, context: Context, senders: Senders, google: GoogleStandIn, clock: FixedClock
) -> None:
    settle(context, senders)
    google.refuse()
    erase(context, liga)
    deliver(context, senders, now=clock())
    google.well()
    settle(context, senders)
    assert shown(google, liga)["state"] == "INACTIVE"
    assert shown(google, liga).get("accountName") is None


def test_a_link_to_a_card_erased_before_it_was_saved_makes_an_empty_object(
    programme: Any,
    context: Context,
    wallets: Wallets,
    senders: Senders,
    google: GoogleStandIn,
    clock: FixedClock,
) -> None:
    card = programme.issue()
    wallets.google.promise_link(card.id, now=clock())
    erase(context, card)
    settle(context, senders)
    body = google.objects.get(f"{ISSUER}.{card.serial_number}", {"state": "INACTIVE"})
    assert body["state"] == "INACTIVE"
    assert "rotatingBarcode" not in body
