"""Apple's web service, asked as a device asks: it registers, it goes, it reports."""

import logging
import shutil
import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.app.api.apple_device import TOKEN, Device, auth, push_token


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
