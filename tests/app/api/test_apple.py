"""Apple's web service, asked as a device asks: every row of Apple's table, on both databases."""

import io
import itertools
import json
import logging
import shutil
import threading
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from app.cards import service as cards
from app.cards.models import Card
from app.cards.service import apple_token
from app.certs import make_dev_chain
from app.clock import FixedClock
from app.config import Config
from app.context import Context
from app.db import Database
from app.keys import KeyRing
from passes.card import CardStatus
from tests.app.api.programmes import Programme

PASS_TYPE = "pass.dev.counterfoil"
TOKEN = "a1" * 32


@pytest.fixture(scope="session")
def certified(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with certificates, made once."""
    data = tmp_path_factory.mktemp("certified") / "data"
    data.mkdir(mode=0o700)
    config = Config(data=data, database_url="sqlite://", url="http://127.0.0.1:8000")
    make_dev_chain(config, KeyRing.open(config), now=datetime(2026, 6, 1, tzinfo=UTC))
    return data


@pytest.fixture
def context(database: Database, clock: FixedClock, certified: Path, tmp_path: Path) -> Context:
    data = tmp_path / "data"
    shutil.copytree(certified, data)
    config = Config(data=data, database_url=database.url, url="http://127.0.0.1:8000")
    return Context(config, database, KeyRing.open(config, now=clock), clock)


@pytest.fixture
def open_shop(context: Context) -> Callable[[], Programme]:
    numbers = itertools.count(1)
    return lambda: Programme.open(context, f"shop-{next(numbers)}")


class Device:
    """A phone: its id, its push token, and what it asks."""

    def __init__(self, client: FlaskClient, name: str = "3f2a9c") -> None:
        self.client = client
        self.name = name

    def registration(self, card: Any, pass_type: str = PASS_TYPE) -> str:
        serial = card if isinstance(card, str) else card.serial_number
        return f"/v1/devices/{self.name}/registrations/{pass_type}/{serial}"

    def register(self, card: Any, auth: str, body: Any = None, **more: Any) -> int:
        if "data" not in more:
            more["json"] = {"pushToken": TOKEN} if body is None else body
        answer = self.client.post(self.registration(card), headers={"Authorization": auth}, **more)
        return int(answer.status_code)

    def unregister(self, card: Any, auth: str) -> int:
        headers = {"Authorization": auth}
        return int(self.client.delete(self.registration(card), headers=headers).status_code)

    def changed(self, tag: str | None = None, pass_type: str = PASS_TYPE) -> Any:
        query = {} if tag is None else {"passesUpdatedSince": tag}
        return self.client.get(
            f"/v1/devices/{self.name}/registrations/{pass_type}", query_string=query
        )

    def fetch(self, card: Any, auth: str, since: str | None = None, method: str = "GET") -> Any:
        serial = card if isinstance(card, str) else card.serial_number
        headers = {"Authorization": auth} | ({"If-Modified-Since": since} if since else {})
        return self.client.open(f"/v1/passes/{PASS_TYPE}/{serial}", method=method, headers=headers)


@pytest.fixture
def device(client: FlaskClient) -> Device:
    return Device(client)


def auth(shop: Any, card: Card) -> str:
    return f"ApplePass {apple_token(shop.context.keys, card)}"


def content(answer: Any) -> dict[str, Any]:
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        found: dict[str, Any] = json.loads(archive.read("pass.json"))
        return found


def push_token(shop: Any, device: str = "3f2a9c") -> str:
    with shop.context.database.engine.connect() as connection:
        statement = text("SELECT push_token FROM apple_registrations WHERE device_id = :device")
        return str(connection.scalar(statement, {"device": device}))


class TestRegistering:
    def test_a_new_registration_is_201_and_the_same_again_200(
        self, shop: Any, device: Device
    ) -> None:
        card = shop.issue()
        assert device.register(card, auth(shop, card)) == 201
        assert device.register(card, auth(shop, card)) == 200

    def test_a_changed_push_token_is_stored(self, shop: Any, device: Device) -> None:
        card = shop.issue()
        device.register(card, auth(shop, card))
        assert device.register(card, auth(shop, card), {"pushToken": "B2" * 32}) == 200
        assert push_token(shop) == "b2" * 32

    def test_two_devices_may_watch_one_pass(self, shop: Any, client: FlaskClient) -> None:
        card = shop.issue()
        for name in ("one", "two"):
            assert Device(client, name).register(card, auth(shop, card)) == 201

    def test_a_wrong_token_is_401(self, shop: Any, device: Device) -> None:
        card = shop.issue()
        right = auth(shop, card)
        wrong = right[:-1] + ("0" if right[-1] != "0" else "1")
        for given in ("", "ApplePass", "ApplePass ", wrong, right.replace("ApplePass", "Bearer")):
            assert device.register(card, given) == 401
            assert device.unregister(card, given) == 401
            assert device.fetch(card, given).status_code == 401

    def test_the_same_device_asking_many_times_at_once_is_registered_once(
        self, shop: Any, device: Device
    ) -> None:
        card = shop.issue()
        statuses: list[int] = []
        threads = [
            threading.Thread(
                target=lambda: statuses.append(device.register(card, auth(shop, card)))
            )
            for _ in range(6)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        assert sorted(statuses) == [200, 200, 200, 200, 200, 201]

    def test_a_body_without_a_good_push_token_is_400(self, shop: Any, device: Device) -> None:
        card = shop.issue()
        for body in (
            b"",
            b"{",
            b"[]",
            b"null",
            b'"x"',
            b"\xff\xfe",
            b"{}",
            b'{"pushToken": 7}',
            b'{"pushToken": ""}',
            b'{"pushToken": "xyz"}',
            b'{"pushToken": "abc"}',
            b'{"pushToken": "' + b"ab" * 101 + b'"}',
            b'{"pushToken": "ab\\u0000"}',
            b"[" * 3000,
        ):
            assert device.register(card, auth(shop, card), data=body) == 400, body

    def test_a_body_that_is_too_large_is_413(self, shop: Any, device: Device) -> None:
        card = shop.issue()
        assert device.register(card, auth(shop, card), data=b"x" * 5000) == 413

    def test_a_device_id_that_is_none_is_400(self, shop: Any, client: FlaskClient) -> None:
        card = shop.issue()
        for name in ("x" * 101, "a%00b", "a%0Ab", "%E2%98%83", "a b"):
            assert Device(client, name).register(card, auth(shop, card)) == 400, name
            assert Device(client, name).unregister(card, auth(shop, card)) == 200, name
            assert Device(client, name).changed().status_code == 204, name

    def test_unregistering_is_200_also_when_it_was_done_before(
        self, shop: Any, device: Device
    ) -> None:
        card = shop.issue()
        device.register(card, auth(shop, card))
        assert device.unregister(card, auth(shop, card)) == 200
        assert device.unregister(card, auth(shop, card)) == 200
        shop.earn(card)
        assert device.changed().status_code == 204


class TestWalls:
    def test_no_answer_tells_whether_a_serial_exists(self, shop: Any, device: Device) -> None:
        card = shop.issue()
        wrong = "ApplePass " + "0" * 64
        for serial in ("0" * 32, "x", "%00", "'; DROP TABLE cards", "☃"):
            unknown = device.fetch(serial, wrong)
            known = device.fetch(card, wrong)
            assert (unknown.status_code, unknown.data) == (known.status_code, known.data)
            assert unknown.status_code == 401
            assert dict(unknown.headers) == dict(known.headers)
            assert device.register(serial, wrong) == 401
            assert device.unregister(serial, wrong) == 401

    def test_a_token_opens_its_own_pass_and_no_other(
        self, open_shop: Callable[[], Any], device: Device
    ) -> None:
        one, other = open_shop(), open_shop()
        mine, neighbour, foreign = one.issue(), one.issue(), other.issue()
        for card in (neighbour, foreign):
            assert device.fetch(card, auth(one, mine)).status_code == 401
            assert device.register(card, auth(one, mine)) == 401
            assert device.unregister(card, auth(one, mine)) == 401

    def test_another_pass_type_is_not_ours(self, shop: Any, device: Device) -> None:
        card = shop.issue()
        device.register(card, auth(shop, card))
        shop.earn(card)
        assert device.changed(pass_type="pass.other").status_code == 204
        path = device.registration(card, "pass.other")
        headers = {"Authorization": auth(shop, card)}
        for method in ("POST", "DELETE"):
            answer = device.client.open(
                path, method=method, headers=headers, json={"pushToken": TOKEN}
            )
            assert answer.status_code == 401
        answer = device.client.get(f"/v1/passes/pass.other/{card.serial_number}", headers=headers)
        assert answer.status_code == 401

    def test_without_a_certificate_nothing_is_known(self, shop: Any, device: Device) -> None:
        card = shop.issue()
        shutil.rmtree(shop.context.config.certs_dir)
        assert device.fetch(card, auth(shop, card)).status_code == 401
        assert device.changed().status_code == 204


class TestListing:
    def test_an_unknown_device_is_204(self, shop: Any, device: Device) -> None:
        answer = device.changed()
        assert (answer.status_code, answer.data) == (204, b"")

    def test_without_a_tag_everything_is_listed(self, shop: Any, device: Device) -> None:
        issued = [shop.issue() for _ in range(3)]
        for card in issued:
            device.register(card, auth(shop, card))
        answer = device.changed()
        assert answer.status_code == 200
        assert answer.content_type == "application/json"
        assert set(answer.json) == {"serialNumbers", "lastUpdated"}
        assert answer.json["serialNumbers"] == [card.serial_number for card in issued]

    def test_a_tag_lists_what_changed_since(self, shop: Any, device: Device) -> None:
        issued = [shop.issue() for _ in range(3)]
        for card in issued:
            device.register(card, auth(shop, card))
        tag = device.changed().json["lastUpdated"]
        assert device.changed(tag).status_code == 204
        shop.earn(issued[1])
        newer = device.changed(tag).json
        assert newer["serialNumbers"] == [issued[1].serial_number]
        assert device.changed(newer["lastUpdated"]).status_code == 204
        # An old tag lists everything since it was made, however often it is used.
        shop.earn(issued[0])
        both = {issued[0].serial_number, issued[1].serial_number}
        assert set(device.changed(tag).json["serialNumbers"]) == both

    def test_two_changes_within_one_second_are_both_listed(self, shop: Any, device: Device) -> None:
        card = shop.issue()
        device.register(card, auth(shop, card))
        shop.earn(card)
        tag = device.changed().json["lastUpdated"]
        shop.earn(card)
        assert device.changed(tag).json["serialNumbers"] == [card.serial_number]

    def test_a_pass_added_later_is_listed(self, shop: Any, device: Device) -> None:
        first, second = shop.issue(), shop.issue()
        device.register(first, auth(shop, first))
        tag = device.changed().json["lastUpdated"]
        device.register(second, auth(shop, second))
        assert device.changed(tag).json["serialNumbers"] == [second.serial_number]

    def test_a_tag_that_is_not_ours_lists_everything(self, shop: Any, device: Device) -> None:
        card = shop.issue()
        device.register(card, auth(shop, card))
        for tag in ("", "0", "1749000000", "☃", "A" * 7000, "\0", "AQ" * 9):
            assert device.changed(tag).json["serialNumbers"] == [card.serial_number], tag

    def test_a_blocked_card_is_a_change(self, shop: Any, device: Device) -> None:
        card = shop.issue()
        device.register(card, auth(shop, card))
        tag = device.changed().json["lastUpdated"]
        with shop.context.database.write(shop.programme_id) as session:
            cards.set_status(session, card.id, CardStatus.BLOCKED, now=shop.context.clock())
        assert device.changed(tag).json["serialNumbers"] == [card.serial_number]

    def test_passes_of_several_programmes_on_one_phone_are_listed_together(
        self, open_shop: Callable[[], Any], device: Device
    ) -> None:
        shops = [open_shop(), open_shop()]
        issued = [shop.issue() for shop in shops]
        for shop, card in zip(shops, issued, strict=True):
            device.register(card, auth(shop, card))
        listed = device.changed().json["serialNumbers"]
        assert set(listed) == {card.serial_number for card in issued}


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
class TestOutOfOrder:
    """Two open PostgreSQL transactions never make a device lose a serial, whoever commits first."""

    RAISE = text(
        "UPDATE accounts SET version = version + 1, "
        "changed_at = changed_at + interval '1 second' WHERE id = :id"
    )

    def test_a_change_that_began_first_and_was_committed_last_is_listed(
        self, shop: Any, device: Device
    ) -> None:
        first, second = shop.issue(), shop.issue()
        for card in (first, second):
            device.register(card, auth(shop, card))
        tag = device.changed().json["lastUpdated"]
        engine = shop.context.database.engine
        with engine.connect() as early, engine.connect() as late:
            early.execute(self.RAISE, {"id": first.account_id})
            late.execute(self.RAISE, {"id": second.account_id})
            late.commit()
            told = device.changed(tag).json
            assert told["serialNumbers"] == [second.serial_number]
            early.commit()
        told = device.changed(told["lastUpdated"]).json
        assert told["serialNumbers"] == [first.serial_number]
        assert device.changed(told["lastUpdated"]).status_code == 204

    def test_two_hundred_changes_in_any_order_are_all_told(self, shop: Any, device: Device) -> None:
        issued = [shop.issue() for _ in range(10)]
        for card in issued:
            device.register(card, auth(shop, card))
        told = device.changed().json
        tag, oldest = told["lastUpdated"], told["lastUpdated"]
        engine = shop.context.database.engine
        for turn in range(20):
            fetched: set[str] = set()
            open_ones = [engine.connect() for _ in issued]
            try:
                for connection, card in zip(open_ones, issued, strict=True):
                    connection.execute(self.RAISE, {"id": card.account_id})
                # Committed backwards, or from the middle out; the device asks in between.
                order = open_ones[::-1] if turn % 2 else open_ones[5:] + open_ones[:5]
                for count, connection in enumerate(order):
                    connection.commit()
                    if count % 3 == turn % 3:
                        answer = device.changed(tag)
                        if answer.status_code == 200:
                            tag = answer.json["lastUpdated"]
                            fetched |= set(answer.json["serialNumbers"])
            finally:
                for connection in open_ones:
                    connection.close()
            answer = device.changed(tag)
            if answer.status_code == 200:
                tag = answer.json["lastUpdated"]
                fetched |= set(answer.json["serialNumbers"])
            assert fetched == {card.serial_number for card in issued}
        assert len(device.changed(oldest).json["serialNumbers"]) == 10


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


class TestLog:
    def test_what_a_device_reports_is_logged(
        self, client: FlaskClient, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.WARNING, "app.api.apple"):
            answer = client.post("/v1/log", json={"logs": ["passbook: no icon", 7]})
        assert answer.status_code == 200
        assert "a device reports: passbook: no icon" in caplog.messages

    def test_a_device_writes_no_lines_of_its_own(
        self, client: FlaskClient, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.WARNING, "app.api.apple"):
            client.post(
                "/v1/log", json={"logs": ["a\nERROR forged \x1b[31m☃"] * 300 + ["x" * 9000]}
            )
        assert len(caplog.messages) == 50
        assert all(message.isascii() and message.isprintable() for message in caplog.messages)

    def test_a_log_that_is_too_large_or_none_is_refused(self, client: FlaskClient) -> None:
        assert client.post("/v1/log", data=b"x" * 70_000).status_code == 413
        for body in (b"", b"{", b"[]", b'{"logs": "x"}', b"{}"):
            assert client.post("/v1/log", data=body).status_code == 400


def test_the_address_in_the_pass_is_the_configured_one(
    shop: Any, context: Context, clock: FixedClock
) -> None:
    from app.delivery.wallets import Wallets

    elsewhere = replace(context, config=replace(context.config, url="https://cards.example.com"))
    card = shop.issue()
    with context.database.read(shop.programme_id) as session:
        built = Wallets(elsewhere).apple.build(session, card, now=clock())
    with zipfile.ZipFile(io.BytesIO(built)) as archive:
        found = json.loads(archive.read("pass.json"))
    assert found["webServiceURL"] == "https://cards.example.com"
