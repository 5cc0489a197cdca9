"""Google's classes, objects and save links, at a stand-in that holds bodies to Google's rules."""

import json
import logging
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from app.cards import service as cards
from app.clock import FixedClock
from app.config import Config
from app.context import Context
from app.delivery.google import GoogleSender
from app.delivery.google_api import GoogleApi, GoogleSilent, Pacer
from app.delivery.sending import Errand, Outcome
from app.delivery.status import status
from app.delivery.wallets import Wallets
from app.delivery.worker import Senders, deliver
from app.demo.google import GoogleStandIn
from app.errors import NotFound, Unavailable
from app.keys import KeyRing, Purpose
from passes import totp
from passes.card import CardStatus

ISSUER = "3388000000022000001"


@pytest.fixture(scope="module")
def account_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def google() -> Iterator[GoogleStandIn]:
    with GoogleStandIn(issuer_id=ISSUER) as google:
        yield google


@pytest.fixture
def config(config: Config, google: GoogleStandIn, account_key: rsa.RSAPrivateKey) -> Config:
    account = json.dumps(google.service_account(account_key)).encode()
    KeyRing.open(config).create(Purpose.GOOGLE_SERVICE, material=account)
    return replace(config, google_issuer_id=ISSUER, google_api_url=google.url)


@pytest.fixture
def wallets(context: Context) -> Wallets:
    return Wallets(context)


@pytest.fixture
def senders(context: Context, wallets: Wallets) -> Iterator[Senders]:
    senders = Senders(context, wallets)
    yield senders
    senders.close()


@pytest.fixture
def saved(programme: Any, wallets: Wallets, clock: FixedClock) -> Any:
    """A card whose object is at Google."""
    card = programme.issue()
    wallets.google.save_link(card.id, now=clock())
    return card


def shown(google: GoogleStandIn, card: Any) -> dict[str, Any]:
    return google.objects[f"{ISSUER}.{card.serial_number}"]


def points(google: GoogleStandIn, card: Any) -> int:
    balance: int = shown(google, card)["loyaltyPoints"]["balance"]["int"]
    return balance


def patches(google: GoogleStandIn) -> list[dict[str, Any]]:
    return [seen.body or {} for seen in google.requests if seen.method == "PATCH"]


class TestSaveLink:
    def test_the_link_saves_the_card_whose_object_was_inserted_before(
        self, programme: Any, wallets: Wallets, google: GoogleStandIn, clock: FixedClock
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
        self, saved: Any, wallets: Wallets, google: GoogleStandIn, clock: FixedClock
    ) -> None:
        google.requests.clear()
        google.fail(503)
        assert google.open_save_link(wallets.google.save_link(saved.id, now=clock()))
        assert google.requests == []

    def test_the_class_is_inserted_once_for_all_cards(
        self, programme: Any, saved: Any, wallets: Wallets, google: GoogleStandIn, clock: FixedClock
    ) -> None:
        google.requests.clear()
        wallets.google.save_link(programme.issue().id, now=clock())
        assert [seen.path.rpartition("/")[2] for seen in google.requests] == ["loyaltyObject"]

    def test_what_is_there_already_is_no_fault(
        self, programme: Any, context: Context, google: GoogleStandIn, clock: FixedClock
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
        self, programme: Any, wallets: Wallets, google: GoogleStandIn, clock: FixedClock
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
        self, programme: Any, wallets: Wallets, google: GoogleStandIn, clock: FixedClock
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
        self, programme: Any, context: Context, clock: FixedClock
    ) -> None:
        config = replace(context.config, google_api_url="http://127.0.0.1:9")
        google = Wallets(replace(context, config=config)).google
        with pytest.raises(Unavailable, match="does not answer"):
            google.save_link(programme.issue().id, now=clock())

    def test_an_account_that_google_does_not_know_is_unavailable(
        self, programme: Any, wallets: Wallets, google: GoogleStandIn, clock: FixedClock
    ) -> None:
        other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        google.trust(other.public_key(), "somebody@else")
        with pytest.raises(Unavailable, match="did not take"):
            wallets.google.save_link(programme.issue().id, now=clock())

    def test_an_unknown_card_is_not_found(self, wallets: Wallets, clock: FixedClock) -> None:
        with pytest.raises(NotFound):
            wallets.google.save_link("0" * 16, now=clock())

    def test_a_promised_link_works_once_delivery_has_made_the_object(
        self,
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
        self, saved: Any, context: Context, google: GoogleStandIn
    ) -> None:
        card = shown(google, saved)
        assert "barcode" not in card, "a static one would defeat it"
        rotating = card["rotatingBarcode"]
        assert rotating["valuePattern"].startswith(saved.code + "/")
        key = bytes.fromhex(rotating["totpDetails"]["parameters"][0]["key"])
        assert key == cards.totp_keys(context.keys, saved.id)[0]
        assert len(totp.totp(key, 1_750_000_000)) == 8

    def test_without_an_issuer_google_is_not_offered(self, context: Context) -> None:
        assert Wallets(context).google.available
        bare = replace(context, config=replace(context.config, google_issuer_id=None))
        assert not Wallets(bare).google.available


class TestDelivery:
    def test_a_change_is_one_patch_with_a_notice(
        self,
        programme: Any,
        saved: Any,
        context: Context,
        senders: Senders,
        google: GoogleStandIn,
        clock: FixedClock,
    ) -> None:
        assert deliver(context, senders, now=clock()) > 0, "the fresh card is taken up"
        assert patches(google) == []
        for _ in range(10):
            programme.earn(saved)
        deliver(context, senders, now=clock())
        assert points(google, saved) == 100
        assert [body["notifyPreference"] for body in patches(google)] == ["NOTIFY_ON_UPDATE"]
        assert "rotatingBarcode" in shown(google, saved)
        assert deliver(context, senders, now=clock()) == 0

    def test_a_blocked_card_becomes_inactive(
        self,
        programme: Any,
        saved: Any,
        context: Context,
        senders: Senders,
        google: GoogleStandIn,
        clock: FixedClock,
    ) -> None:
        with context.database.write(programme.programme_id) as session:
            cards.set_status(session, saved.id, CardStatus.BLOCKED, now=clock())
        deliver(context, senders, now=clock())
        assert shown(google, saved)["state"] == "INACTIVE"

    def test_beyond_three_notices_the_points_still_change(
        self,
        programme: Any,
        saved: Any,
        context: Context,
        senders: Senders,
        google: GoogleStandIn,
        clock: FixedClock,
    ) -> None:
        for number in range(1, 6):
            programme.earn(saved)
            deliver(context, senders, now=clock())
            assert points(google, saved) == 10 * number
        assert [seen.status for seen in google.requests if seen.method == "PATCH"] == [
            200, 200, 200, 403, 200, 403, 200,
        ]  # fmt: skip

    def test_an_object_that_is_gone_is_inserted_again(
        self,
        programme: Any,
        saved: Any,
        context: Context,
        senders: Senders,
        google: GoogleStandIn,
        clock: FixedClock,
    ) -> None:
        google.objects.clear()
        google.classes.clear()
        programme.earn(saved)
        deliver(context, senders, now=clock())
        assert points(google, saved) == 10
        assert list(google.classes) == [f"{ISSUER}.kaffa"]

    @pytest.mark.parametrize(
        ("status_code", "reason"),
        [(429, "rateLimitExceeded"), (403, "rateLimitExceeded"), (500, "x"), (503, "backendError")],
    )
    def test_a_google_that_asks_for_time_gets_it(
        self,
        status_code: int,
        reason: str,
        programme: Any,
        saved: Any,
        context: Context,
        senders: Senders,
        google: GoogleStandIn,
        clock: FixedClock,
    ) -> None:
        programme.earn(saved)
        google.fail(status_code, reason, times=1, retry_after=30)
        deliver(context, senders, now=clock())
        assert str(status_code) in programme.google_pass(saved).last_error
        clock.advance(timedelta(seconds=29))
        deliver(context, senders, now=clock())
        assert points(google, saved) == 0
        clock.advance(timedelta(seconds=5))
        deliver(context, senders, now=clock())
        assert points(google, saved) == 10

    def test_a_refusal_is_shown_in_words_and_tried_again_much_later(
        self,
        programme: Any,
        saved: Any,
        context: Context,
        senders: Senders,
        google: GoogleStandIn,
        clock: FixedClock,
    ) -> None:
        programme.earn(saved)
        google.deny()
        deliver(context, senders, now=clock())
        assert "permissionDenied" in programme.google_pass(saved).last_error
        with context.database.read_all() as session:
            totals = status(session)["google"]
        assert totals == {"passes": 1, "delivered": 0, "behind": 1, "failed": 1}
        google.well()
        clock.advance(timedelta(hours=1))
        deliver(context, senders, now=clock())
        assert points(google, saved) == 10

    def test_once_google_is_found_down_the_rest_of_the_batch_is_spared(
        self,
        programme: Any,
        context: Context,
        wallets: Wallets,
        clock: FixedClock,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        issued = [programme.issue() for _ in range(12)]
        config = replace(context.config, google_api_url="http://127.0.0.1:9")
        down = replace(context, config=config)
        sender = GoogleSender(down, Wallets(down).google)
        errands = [
            Errand(number, card.id, f"{ISSUER}.{card.serial_number}", 2, 0)
            for number, card in enumerate(issued)
        ]
        try:
            results = sender.send(errands)
        finally:
            sender.close()
        assert {result.outcome for result in results} == {Outcome.UNSENT}

    def test_a_card_that_cannot_be_shown_keeps_no_other_waiting(
        self,
        programme: Any,
        saved: Any,
        context: Context,
        wallets: Wallets,
        google: GoogleStandIn,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        programme.earn(saved)
        sender = GoogleSender(context, wallets.google)
        errands = [
            Errand(1, "0" * 16, f"{ISSUER}.none", 3, 0),
            Errand(2, saved.id, f"{ISSUER}.{saved.serial_number}", 3, 0),
        ]
        with caplog.at_level(logging.CRITICAL, "app.delivery.google"):
            results = sender.send(errands)
        sender.close()
        assert [result.outcome for result in results] == [Outcome.REFUSED, Outcome.DELIVERED]
        assert points(google, saved) == 10


def test_requests_keep_the_pace() -> None:
    pacer = Pacer(rate=100)
    started = time.monotonic()
    threads = [threading.Thread(target=pacer.wait) for _ in range(21)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - started >= 0.2


def test_a_google_that_is_silent_is_given_up(
    google: GoogleStandIn, account_key: rsa.RSAPrivateKey
) -> None:
    account = google.service_account(account_key)
    api = GoogleApi(account, google.url, Pacer(), timeout_seconds=0.3)
    google.silent()
    with pytest.raises(GoogleSilent, match="no answer"):
        api.request("PATCH", f"loyaltyObject/{ISSUER}.x", {})


def test_nobody_is_asked_but_the_addresses_that_were_given(
    google: GoogleStandIn, account_key: rsa.RSAPrivateKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """google-auth by itself asks iamcredentials.googleapis.com, with the token, in a thread."""
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        # Whatever goes beyond this machine has to pass here.
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.getsockname()[1]}")
        api = GoogleApi(google.service_account(account_key), google.url, Pacer())
        assert api.request("PATCH", f"loyaltyObject/{ISSUER}.x", {}).status == 404
        proxy.settimeout(0.3)
        with pytest.raises(TimeoutError):
            proxy.accept()
