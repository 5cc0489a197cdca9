"""Google's root keys are fetched, kept, renewed in time, and outlive a Google that is down."""

import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from app.clock import FixedClock
from app.context import Context
from app.db import Database
from app.delivery.google.roots import (
    ADDRESS,
    FetchedRootKeys,
    address_of,
    keep_fresh,
    state_of,
)
from app.demo.google import GoogleStandIn
from app.demo.google_http import HttpAnswer
from app.demo.google_signing import CallbackSigner
from app.errors import Unavailable
from tests.app.delivery.google.shop import ISSUER


class Google:
    """A stand-in whose list of root keys is a signer's, with an expiry of one's own."""

    def __init__(self, server: GoogleStandIn, clock: FixedClock) -> None:
        self.server, self.clock = server, clock
        self.address = f"{server.url}/root-keys"
        self.publish(CallbackSigner())

    def publish(self, signer: CallbackSigner, expires: timedelta = timedelta(days=365)) -> None:
        listed = json.loads(signer.root_keys(0))
        at = int((self.clock() + expires).timestamp() * 1000)
        listed["keys"][0]["keyExpiration"] = str(at)
        self.answer(json.dumps(listed).encode())
        self.signer = signer

    def answer(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.server.root_keys_answer = HttpAnswer(status, body, headers)

    @property
    def key(self) -> ec.EllipticCurvePublicKey:
        return self.signer._root.public_key()


@pytest.fixture
def served(clock: FixedClock) -> Iterator[Google]:
    with GoogleStandIn(issuer_id=ISSUER) as server:
        yield Google(server, clock)


@pytest.fixture
def roots(served: Google, database: Database) -> FetchedRootKeys:
    return FetchedRootKeys(database, served.address, timeout_seconds=1)


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "app.delivery.google.roots")


def test_keys_are_fetched_once_and_kept(
    roots: FetchedRootKeys, served: Google, database: Database, clock: FixedClock
) -> None:
    assert list(roots.good(clock())) == [served.key]
    served.server.refuse()
    assert list(roots.good(clock())) == [served.key]
    restarted = FetchedRootKeys(database, served.address)
    assert list(restarted.good(clock() + timedelta(days=30))) == [served.key], "Google is down"


def test_keys_are_renewed_every_day_and_sooner_where_they_expire_sooner(
    roots: FetchedRootKeys, served: Google, clock: FixedClock
) -> None:
    roots.good(clock())
    served.publish(CallbackSigner(), expires=timedelta(hours=32))
    clock.advance(timedelta(hours=23))
    assert list(roots.good(clock())) != [served.key]
    clock.advance(timedelta(hours=1))
    assert list(roots.good(clock())) == [served.key]
    served.publish(CallbackSigner())
    clock.advance(timedelta(hours=4))
    assert list(roots.good(clock())) == [served.key], "half its life was over"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"<html>Sign in</html>", 200),
        (b'{"keys": []}', 200),
        (b'{"keys": [{"keyValue": "AAAA", "protocolVersion": "ECv2SigningOnly"}]}', 200),
        (b" " * 100_000, 200),
        (b"{}", 500),
        (b"", 302),
    ],
)
def test_nonsense_never_replaces_a_good_list(
    body: bytes, status: int, roots: FetchedRootKeys, served: Google, clock: FixedClock
) -> None:
    roots.good(clock())
    served.answer(body, status)
    clock.advance(timedelta(days=2))
    assert not roots.refresh(clock())
    assert list(roots.good(clock())) == [served.key]


def test_a_list_of_expired_keys_never_replaces_a_good_one(
    roots: FetchedRootKeys, served: Google, clock: FixedClock
) -> None:
    before = served.key
    roots.good(clock())
    served.publish(CallbackSigner(), expires=timedelta(days=1))
    clock.advance(timedelta(days=2))
    assert list(roots.good(clock())) == [before]


def test_without_any_key_it_is_said_why_and_tried_again_soon(
    roots: FetchedRootKeys, served: Google, database: Database, clock: FixedClock
) -> None:
    served.server.refuse()
    with pytest.raises(Unavailable, match="cannot be fetched"):
        roots.good(clock())
    fetched_at, error = state_of(database, served.address)
    assert fetched_at is None
    assert error
    served.server.well()
    with pytest.raises(Unavailable):
        roots.good(clock())
    clock.advance(timedelta(seconds=16))
    assert list(roots.good(clock())) == [served.key]
    assert state_of(database, served.address) == (clock(), None)


def test_keys_that_have_all_expired_are_believed_no_more(
    roots: FetchedRootKeys, served: Google, clock: FixedClock
) -> None:
    served.publish(CallbackSigner(), expires=timedelta(days=3))
    roots.good(clock())
    served.server.refuse()
    clock.advance(timedelta(days=4))
    with pytest.raises(Unavailable):
        roots.good(clock())


def test_one_process_of_all_fetches(
    roots: FetchedRootKeys, served: Google, database: Database, clock: FixedClock
) -> None:
    others = [FetchedRootKeys(database, served.address) for _ in range(3)]
    assert [each.refresh(clock()) for each in (roots, *others)] == [True, False, False, False]


def test_an_unknown_root_key_makes_us_look_again_once_in_ten_minutes(
    roots: FetchedRootKeys, served: Google, clock: FixedClock
) -> None:
    roots.good(clock())
    served.publish(CallbackSigner())
    assert not roots.look_again(clock()), "they were fetched a moment ago"
    clock.advance(timedelta(minutes=11))
    assert roots.look_again(clock())
    assert list(roots.good(clock())) == [served.key]
    assert not roots.look_again(clock())


def test_they_are_renewed_although_google_tells_nothing(
    context: Context, served: Google, clock: FixedClock
) -> None:
    config = replace(
        context.config,
        url="https://cards.example.com",
        google_issuer_id=ISSUER,
        google_api_url=served.server.url,
    )
    keep_fresh(replace(context, config=config))
    assert state_of(context.database, served.address) == (clock(), None)


@pytest.mark.parametrize("without", [{"google_issuer_id": None}, {"url": "http://127.0.0.1:8000"}])
def test_who_hears_nothing_from_google_asks_for_no_keys(
    context: Context, served: Google, without: dict[str, Any]
) -> None:
    config = replace(
        context.config,
        **{
            "url": "https://cards.example.com",
            "google_issuer_id": ISSUER,
            "google_api_url": served.server.url,
        }
        | without,
    )
    keep_fresh(replace(context, config=config))
    assert state_of(context.database, served.address) == (None, None)


def test_they_come_from_google_unless_another_server_stands_in(context: Context) -> None:
    plain = replace(context.config, google_api_url="https://walletobjects.googleapis.com")
    assert address_of(plain) == ADDRESS == "https://pay.google.com/gp/m/issuer/keys"
    assert address_of(replace(plain, google_api_url="http://127.0.0.1:9")) == (
        "http://127.0.0.1:9/root-keys"
    )
