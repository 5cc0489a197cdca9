"""Many phones fetch at once: each version is built once, and never an older one served."""

import hashlib
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy import text, update

from app import create_app
from app.certs import make_dev_chain
from app.clock import FixedClock, system_clock
from app.context import Context
from app.delivery import kept, registrations
from app.delivery.apple_passes import ApplePasses
from app.delivery.kept import kept_of
from app.programmes.models import Programme as ProgrammeRow
from tests.app.api.apple_device import Device, auth, content

PHONES = 12

_ELSEWHERE = """
import hashlib, sys
from app.config import from_environment
from app.context import Context
from app.delivery.wallets import Wallets
data, url, pass_type, serial, token = sys.argv[1:]
context = Context.open(from_environment({
    "COUNTERFOIL_DATA": data, "COUNTERFOIL_DATABASE_URL": url,
    "COUNTERFOIL_URL": "http://127.0.0.1:8000"}))
desk = Wallets(context).desk
fetched = desk.fetch(pass_type, serial, authorization=token, since="")
print(hashlib.sha256(fetched.content).hexdigest())
context.database.dispose()
"""


class Ticking:
    """A clock that goes on by a second each time it is looked at: no two signatures are equal."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._lock = threading.Lock()

    def __call__(self) -> datetime:
        with self._lock:
            self._now += timedelta(seconds=1)
            return self._now


def at_once(count: int, what: Callable[[int], Any]) -> list[Any]:
    """Do something in so many threads, begun together."""
    start = threading.Barrier(count)

    def run(number: int) -> Any:
        start.wait(10)
        return what(number)

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(run, range(count)))


@pytest.fixture
def ticking(context: Context) -> APIFlask:
    return create_app(replace(context, clock=Ticking(context.clock())))


def test_a_pass_that_was_built_is_served_again_without_a_new_signature(
    shop: Any, device: Device, clock: FixedClock
) -> None:
    card = shop.issue()
    first = device.fetch(card, auth(shop, card)).data
    clock.advance(timedelta(hours=5))
    assert device.fetch(card, auth(shop, card)).data == first
    shop.earn(card)
    assert device.fetch(card, auth(shop, card)).data != first


def test_those_who_ask_for_one_pass_at_once_get_the_one_that_was_built(
    shop: Any, ticking: APIFlask
) -> None:
    card = shop.issue()

    def fetch(_number: int) -> bytes:
        return bytes(Device(ticking.test_client()).fetch(card, auth(shop, card)).data)

    for _ in range(3):
        assert len(set(at_once(PHONES, fetch))) == 1
        shop.earn(card)


def test_another_process_serves_what_this_one_has_built(
    shop: Any, device: Device, context: Context
) -> None:
    card = shop.issue()
    built = device.fetch(card, auth(shop, card)).data
    done = subprocess.run(
        [
            sys.executable, "-c", _ELSEWHERE, str(context.config.data), context.database.url,
            "pass.dev.counterfoil", card.serial_number, auth(shop, card),
        ],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == hashlib.sha256(built).hexdigest()


def test_each_of_many_phones_gets_its_own_pass(shop: Any, app: APIFlask) -> None:
    issued = [shop.issue() for _ in range(10 * PHONES)]
    for number, card in enumerate(issued[::3]):
        shop.earn(card, number + 1)

    def fetch(start: int) -> dict[str, Any]:
        phone = Device(app.test_client())
        return {
            card.serial_number: content(phone.fetch(card, auth(shop, card)))
            for card in issued[start::PHONES]
        }

    served: dict[str, Any] = {}
    for some in at_once(PHONES, fetch):
        served |= some
    assert all(found["serialNumber"] == serial for serial, found in served.items())
    balances = {
        serial: found["storeCard"]["headerFields"][0]["value"] for serial, found in served.items()
    }
    for number, card in enumerate(issued):
        assert balances[card.serial_number] == (0 if number % 3 else number // 3 + 1)


def test_no_phone_is_given_an_older_version_than_the_one_it_was_told_of(
    shop: Any, app: APIFlask
) -> None:
    card = shop.issue()
    told = [0]
    served = []

    def fetch(_number: int) -> None:
        phone = Device(app.test_client())
        while told[0] < 150:
            at_least = told[0]
            found = content(phone.fetch(card, auth(shop, card)))
            served.append((at_least, found["storeCard"]["headerFields"][0]["value"]))

    def earn_or_fetch(number: int) -> None:
        if number:
            fetch(number)
            return
        for _ in range(15):
            shop.earn(card)
            told[0] += 10

    at_once(5, earn_or_fetch)
    assert served
    assert all(balance >= at_least for at_least, balance in served)


def test_a_design_that_changed_is_not_served_as_it_was(
    shop: Any, device: Device, context: Context
) -> None:
    card = shop.issue()
    assert content(device.fetch(card, auth(shop, card)))["organizationName"] == "Café shop-1"
    with context.database.write_all() as session:
        session.execute(update(ProgrammeRow).values(name="Café Neu"))
    assert content(device.fetch(card, auth(shop, card)))["organizationName"] == "Café Neu"


def test_a_renewed_certificate_signs_what_is_served_from_there_on(
    shop: Any, device: Device, context: Context
) -> None:
    card = shop.issue()
    first = device.fetch(card, auth(shop, card)).data
    make_dev_chain(context.config, context.keys, now=context.clock())
    second = device.fetch(card, auth(shop, card)).data
    assert second != first
    assert device.fetch(card, auth(shop, card)).data == second


def test_a_pass_is_not_served_once_time_alone_has_changed_it(
    shop: Any, device: Device, clock: FixedClock
) -> None:
    """Points fall due and no worker has noted it yet."""
    card = shop.issue()
    shop.earn(card, 30, expires_at=clock() + timedelta(days=1))
    fields = content(device.fetch(card, auth(shop, card)))["storeCard"]["headerFields"]
    assert fields[0]["value"] == 30
    clock.advance(timedelta(days=2))
    fields = content(device.fetch(card, auth(shop, card)))["storeCard"]["headerFields"]
    assert fields[0]["value"] == 0


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_database_that_was_away_is_asked_again(
    shop: Any, device: Device, context: Context
) -> None:
    card = shop.issue()
    assert device.fetch(card, auth(shop, card)).status_code == 200
    with context.database.engine.connect() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
        connection.commit()
    assert device.fetch(card, auth(shop, card)).status_code == 200


def test_what_is_purged_is_overwritten_and_built_anew_for_who_asks(
    shop: Any, device: Device, context: Context, clock: FixedClock
) -> None:
    card, other = shop.issue(), shop.issue()
    passes = {each.id: device.fetch(each, auth(shop, each)).data for each in (card, other)}
    kept.purge(context, [card.id])
    assert [found for found, _ in kept_of(context).cards()] == [other.id]
    clock.advance(timedelta(seconds=5))
    assert device.fetch(card, auth(shop, card)).data != passes[card.id]
    assert device.fetch(other, auth(shop, other)).data == passes[other.id]


def test_what_changed_on_another_machine_is_purged_on_this_one(
    shop: Any, device: Device, context: Context, clock: FixedClock
) -> None:
    # Passes are kept by the machine's own time.
    clock.now = system_clock()
    changed, unchanged = shop.issue(), shop.issue()
    for card in (changed, unchanged):
        device.fetch(card, auth(shop, card))
    clock.advance(timedelta(minutes=1))
    shop.earn(changed)
    with context.database.read_all() as session:
        assert ApplePasses(context).forget_changed(session) == 1
        assert ApplePasses(context).forget_changed(session) == 0
    assert [found for found, _ in kept_of(context).cards()] == [unchanged.id]


def test_without_a_place_to_keep_them_passes_are_built_for_everybody(
    shop: Any, device: Device, context: Context, clock: FixedClock
) -> None:
    (context.config.data / kept.FILE).mkdir()
    card = shop.issue()
    first = device.fetch(card, auth(shop, card))
    clock.advance(timedelta(seconds=5))
    second = device.fetch(card, auth(shop, card))
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.data != second.data


def test_what_was_built_lasts_no_longer_than_its_certificate(
    shop: Any, device: Device, context: Context, clock: FixedClock
) -> None:
    card = shop.issue()
    assert device.fetch(card, auth(shop, card)).status_code == 200
    clock.advance(timedelta(days=400))
    assert device.fetch(card, auth(shop, card)).status_code == 503
    clock.advance(timedelta(days=-400))
    shutil.rmtree(context.config.certs_dir)
    assert device.fetch(card, auth(shop, card)).status_code == 401


def test_a_leaked_token_does_not_fill_the_table(shop: Any, app: APIFlask) -> None:
    card, unharmed = shop.issue(), shop.issue()
    client = app.test_client()
    statuses = [
        Device(client, f"device-{number}").register(card, auth(shop, card))
        for number in range(registrations.MOST_DEVICES + 2)
    ]
    assert statuses == [201] * registrations.MOST_DEVICES + [429, 429]
    assert Device(client, "device-0").register(card, auth(shop, card)) == 200
    assert Device(client, "one-more").register(card, auth(shop, unharmed)) == 401
    assert Device(client, "one-more").register(unharmed, auth(shop, unharmed)) == 201
    # Whoever goes makes room.
    assert Device(client, "device-3").unregister(card, auth(shop, card)) == 200
    assert Device(client, "one-more").register(card, auth(shop, card)) == 201
