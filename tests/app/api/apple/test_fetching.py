"""A device fetches its pass: the newest, or nothing where it has that one already."""

import io
import json
import logging
import zipfile
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from app.cards import service as cards
from app.clock import FixedClock
from app.context import Context
from app.delivery.wallets import Wallets
from passes.card import CardStatus
from tests.app.api.apple_device import Device, auth, content


class TestFetching:
    def test_a_pass_is_served_with_its_type_and_date(self, shop: Any, device: Device) -> None:
        card = shop.issue()
        answer = device.fetch(card, auth(shop, card))
        assert answer.status_code == 200
        assert answer.content_type == "application/vnd.apple.pkpass"
        assert answer.headers["Last-Modified"] == "Mon, 01 Jun 2026 09:00:00 GMT"
        found = content(answer)
        assert found["serialNumber"] == card.serial_number
        assert found["webServiceURL"] == "http://127.0.0.1:8000"
        assert f"ApplePass {found['authenticationToken']}" == auth(shop, card)

    def test_head_is_get_without_the_pass(self, shop: Any, device: Device) -> None:
        card = shop.issue()
        got = device.fetch(card, auth(shop, card))
        head = device.fetch(card, auth(shop, card), method="HEAD")
        assert (head.status_code, head.data) == (200, b"")
        for name in ("Content-Type", "Last-Modified"):
            assert head.headers[name] == got.headers[name]
        assert device.fetch(card, "ApplePass x", method="HEAD").status_code == 401

    def test_what_the_device_has_is_304(self, shop: Any, device: Device) -> None:
        card = shop.issue()
        date = device.fetch(card, auth(shop, card)).headers["Last-Modified"]
        for method in ("GET", "HEAD"):
            answer = device.fetch(card, auth(shop, card), since=date, method=method)
            assert (answer.status_code, answer.data) == (304, b"")

    def test_a_fetch_right_after_a_change_sees_it(self, shop: Any, device: Device) -> None:
        card = shop.issue()
        date = device.fetch(card, auth(shop, card)).headers["Last-Modified"]
        # Several changes within one second: each has a date of its own.
        for number in range(1, 4):
            shop.earn(card)
            answer = device.fetch(card, auth(shop, card), since=date)
            assert answer.status_code == 200
            balance = content(answer)["storeCard"]["headerFields"][0]["value"]
            assert balance == 10 * number
            date = answer.headers["Last-Modified"]
        assert device.fetch(card, auth(shop, card), since=date).status_code == 304

    def test_if_modified_since_is_compared_to_the_second(self, shop: Any, device: Device) -> None:
        card = shop.issue()
        for since, status in (
            ("Mon, 01 Jun 2026 08:59:59 GMT", 200),
            ("Mon, 01 Jun 2026 09:00:00 GMT", 304),
            ("Mon, 01 Jun 2026 09:00:01 GMT", 304),
            ("Mon, 01 Jun 2026 09:00:00 -0000", 304),
            ("yesterday", 200),
            ("Mon, 99 Jun 9999999 09:00:00 GMT", 200),
            ("x" * 5000, 200),
        ):
            assert device.fetch(card, auth(shop, card), since=since).status_code == status, since

    def test_a_pass_that_phones_would_refuse_is_not_served(
        self, shop: Any, device: Device, clock: FixedClock, caplog: pytest.LogCaptureFixture
    ) -> None:
        card = shop.issue()
        clock.advance(timedelta(days=400))
        with caplog.at_level(logging.ERROR, "app.delivery.wallets"):
            for _ in range(2):
                assert device.fetch(card, auth(shop, card)).status_code == 503
        assert len([text for text in caplog.messages if "expired on 2027-" in text]) == 1

    def test_a_blocked_or_replaced_card_is_served_as_void(
        self, shop: Any, device: Device, clock: FixedClock
    ) -> None:
        blocked, replaced = shop.issue(), shop.issue()
        clock.advance(timedelta(seconds=5))
        with shop.context.database.write(shop.programme_id) as session:
            cards.set_status(session, blocked.id, CardStatus.BLOCKED, now=clock())
            cards.replace_card(session, shop.context.keys, replaced.id, now=clock())
        for card in (blocked, replaced):
            answer = device.fetch(card, auth(shop, card), since="Mon, 01 Jun 2026 09:00:00 GMT")
            assert answer.status_code == 200
            assert content(answer)["voided"] is True


def test_the_address_in_the_pass_is_the_configured_one(
    shop: Any, context: Context, clock: FixedClock
) -> None:
    elsewhere = replace(context, config=replace(context.config, url="https://cards.example.com"))
    card = shop.issue()
    with context.database.read(shop.programme_id) as session:
        built = Wallets(elsewhere).apple.build(session, card, now=clock())
    with zipfile.ZipFile(io.BytesIO(built)) as archive:
        found = json.loads(archive.read("pass.json"))
    assert found["webServiceURL"] == "https://cards.example.com"
