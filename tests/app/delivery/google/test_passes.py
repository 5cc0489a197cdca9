"""Classes, objects and save links: what is made at Google when a customer taps."""

import base64
import json
import threading
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from app.cards import service as cards
from app.clock import FixedClock
from app.context import Context
from app.delivery.bringing import Senders
from app.delivery.google.pace import SharedPacer
from app.delivery.wallets import Wallets
from app.demo.google import GoogleStandIn
from app.errors import NotFound, Unavailable
from passes import totp
from tests.app.delivery.google.shop import ISSUER, deliver, shown


def test_the_link_saves_the_card_whose_object_was_inserted_before(
    programme: Any, wallets: Wallets, google: GoogleStandIn, clock: FixedClock
) -> None:
    card = programme.issue()
    link = wallets.google.save_link(card.id, now=clock())
    assert len(link.rpartition("/")[2]) < 1800
    saved = google.open_save_link(link)
    assert saved["accountId"] == card.serial_number
    assert list(google.classes) == [f"{ISSUER}.kaffa"]
    row = programme.google_pass(card)
    assert (row.object_id, row.delivered_version) == (f"{ISSUER}.{card.serial_number}", 2)


def test_a_second_tap_asks_google_nothing(
    saved: Any, wallets: Wallets, google: GoogleStandIn, clock: FixedClock
) -> None:
    google.requests.clear()
    google.fail(503)
    assert google.open_save_link(wallets.google.save_link(saved.id, now=clock()))
    assert google.requests == []


def test_the_class_is_inserted_once_for_all_cards(
    programme: Any, saved: Any, wallets: Wallets, google: GoogleStandIn, clock: FixedClock
) -> None:
    google.requests.clear()
    wallets.google.save_link(programme.issue().id, now=clock())
    assert [seen.path.rpartition("/")[2] for seen in google.requests] == ["loyaltyObject"]


def test_what_is_there_already_is_no_fault(
    programme: Any, context: Context, google: GoogleStandIn, clock: FixedClock
) -> None:
    card = programme.issue()
    Wallets(context).google.save_link(card.id, now=clock())
    # Another installation on the same issuer, or a backup from before: 409 for both.
    with context.database.write(programme.programme_id) as session:
        session.delete(programme.google_pass(card))
    link = Wallets(context).google.save_link(card.id, now=clock())
    assert google.open_save_link(link)
    row = programme.google_pass(card)
    assert row.delivered_version == 0, "it may show an older state: delivery looks at it"


def test_many_taps_at_once_make_one_object(
    programme: Any, wallets: Wallets, google: GoogleStandIn, clock: FixedClock
) -> None:
    card = programme.issue()
    links: list[str] = []
    threads = [
        threading.Thread(
            target=lambda: links.append(wallets.google.save_link(card.id, now=clock()))
        )
        for _ in range(5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(links) == 5
    assert len(google.objects) == 1


def test_an_ill_google_is_told_to_the_customer_in_plain_words(
    programme: Any, wallets: Wallets, google: GoogleStandIn, clock: FixedClock
) -> None:
    card = programme.issue()
    for ill in (
        lambda: google.fail(503),
        google.deny,
        lambda: google.fail(429, "rateLimitExceeded"),
    ):
        ill()
        with pytest.raises(Unavailable, match="Google Wallet"):
            wallets.google.save_link(card.id, now=clock())
        google.well()
    assert programme.google_pass(card) is None
    assert wallets.google.save_link(card.id, now=clock())


def test_a_google_that_nobody_answers_for_is_unavailable(
    programme: Any, context: Context, clock: FixedClock
) -> None:
    config = replace(context.config, google_api_url="http://127.0.0.1:9")
    google = Wallets(replace(context, config=config)).google
    with pytest.raises(Unavailable, match="does not answer"):
        google.save_link(programme.issue().id, now=clock())


def test_an_account_that_google_does_not_know_is_unavailable(
    programme: Any, wallets: Wallets, google: GoogleStandIn, clock: FixedClock
) -> None:
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    google.trust(other.public_key(), "somebody@else")
    with pytest.raises(Unavailable, match="did not take"):
        wallets.google.save_link(programme.issue().id, now=clock())


def test_an_unknown_card_is_not_found(wallets: Wallets, clock: FixedClock) -> None:
    with pytest.raises(NotFound):
        wallets.google.save_link("0" * 16, now=clock())


def test_a_promised_link_works_once_delivery_has_made_the_object(
    programme: Any,
    wallets: Wallets,
    senders: Senders,
    google: GoogleStandIn,
    clock: FixedClock,
) -> None:
    card = programme.issue()
    link = wallets.google.promise_link(card.id, now=clock())
    assert google.requests == []
    deliver(wallets.google._context, senders, now=clock())
    assert google.open_save_link(link)["accountId"] == card.serial_number


def test_the_barcode_rotates_with_the_cards_own_key(
    saved: Any, context: Context, google: GoogleStandIn
) -> None:
    card = shown(google, saved)
    assert "barcode" not in card, "a static one would defeat it"
    rotating = card["rotatingBarcode"]
    assert rotating["valuePattern"].startswith(saved.code + "/")
    key = bytes.fromhex(rotating["totpDetails"]["parameters"][0]["key"])
    assert key == cards.totp_keys(context.keys, saved.id)[0]
    assert len(totp.totp(key, 1_750_000_000)) == 8


def test_without_an_issuer_google_is_not_offered(context: Context) -> None:
    assert Wallets(context).google.available
    bare = replace(context, config=replace(context.config, google_issuer_id=None))
    assert not Wallets(bare).google.available


def test_the_key_of_the_rotating_code_never_travels_in_a_link(
    saved: Any, wallets: Wallets, context: Context, google: GoogleStandIn, clock: FixedClock
) -> None:
    link = wallets.google.save_link(saved.id, now=clock())
    _, claims, _ = link.rpartition("/")[2].split(".")
    read = base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)).decode()
    named = json.loads(read)["payload"]["loyaltyObjects"]
    assert named == [{"id": shown(google, saved)["id"], "classId": f"{ISSUER}.kaffa"}]
    for key in cards.totp_keys(context.keys, saved.id):
        assert key.hex() not in read
        assert base64.b64encode(key).decode()[:-2] not in read
    assert saved.code not in read


def test_two_cards_have_two_keys(
    programme: Any, wallets: Wallets, google: GoogleStandIn, clock: FixedClock
) -> None:
    for _ in range(2):
        wallets.google.save_link(programme.issue().id, now=clock())
    first, second = (
        card["rotatingBarcode"]["totpDetails"]["parameters"][0]["key"]
        for card in google.objects.values()
    )
    assert first != second


def test_a_tap_does_not_wait_behind_a_long_queue(
    programme: Any, wallets: Wallets, google: GoogleStandIn, clock: FixedClock, context: Context
) -> None:
    SharedPacer(context.database, f"google {ISSUER}", clock=clock).hold(60)
    with pytest.raises(Unavailable, match="again in a minute"):
        wallets.google.save_link(programme.issue().id, now=clock())
    assert google.requests == []
