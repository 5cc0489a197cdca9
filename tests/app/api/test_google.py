"""What Google tells us, verified to the letter, and the logo that it fetches."""

import io
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import func, select

from app.clock import FixedClock
from app.config import Config
from app.context import Context
from app.db import Database
from app.delivery.models import GooglePass, SeenNonce
from app.demo.google import GoogleStandIn
from app.demo.google_http import HttpAnswer
from app.demo.google_signing import CallbackSigner
from app.keys import KeyRing
from tests.app.api.programmes import Programme

ISSUER = "3388000000022000000"


@pytest.fixture(scope="module")
def signer() -> CallbackSigner:
    return CallbackSigner()


def milliseconds(clock: FixedClock, **later: int) -> int:
    return int((clock() + timedelta(**later)).timestamp() * 1000)


@pytest.fixture
def context(
    database: Database, clock: FixedClock, tmp_path: Path, signer: CallbackSigner
) -> Context:
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    roots = tmp_path / "google-root-keys.json"
    roots.write_bytes(signer.root_keys(milliseconds(clock)))
    config = Config(
        data=data,
        database_url=database.url,
        url="http://127.0.0.1:8000",
        google_issuer_id=ISSUER,
        google_root_keys=roots,
    )
    return Context(config, database, KeyRing.open(config, now=clock), clock)


@pytest.fixture
def shop(context: Context) -> Programme:
    return Programme.open(context, "kaffa")


class Google:
    """Sends callbacks about the passes of a shop."""

    def __init__(self, signer: CallbackSigner, client: FlaskClient, clock: FixedClock) -> None:
        self.signer, self.client, self.clock = signer, client, clock

    def message(self, object_id: str, event: str = "save", nonce: str = "n1") -> dict[str, Any]:
        return {
            "classId": f"{ISSUER}.kaffa",
            "objectId": object_id,
            "eventType": event,
            "expTimeMillis": milliseconds(self.clock, minutes=10),
            "count": 1,
            "nonce": nonce,
        }

    def signed(self, message: dict[str, Any], recipient: str = ISSUER) -> bytes:
        return self.signer.sign(message, recipient, milliseconds(self.clock, days=1))

    def tell(self, object_id: str, event: str = "save", nonce: str = "n1") -> int:
        return self.send(self.signed(self.message(object_id, event, nonce)))

    def send(self, body: bytes) -> int:
        answer = self.client.post("/google/callback", data=body, content_type="application/json")
        return int(answer.status_code)


@pytest.fixture
def google(signer: CallbackSigner, client: FlaskClient, clock: FixedClock) -> Google:
    return Google(signer, client, clock)


@pytest.fixture
def saved(shop: Any) -> Any:
    """A card that has an object at Google, and when somebody saved it."""
    card = shop.issue()
    now = shop.context.clock()
    with shop.context.database.write(shop.programme_id) as session:
        session.add(
            GooglePass(card_id=card.id, object_id=f"{ISSUER}.{card.serial_number}", inserted_at=now)
        )

    def when() -> Any:
        with shop.context.database.read(shop.programme_id) as session:
            return session.scalar(select(GooglePass.saved_at).where(GooglePass.card_id == card.id))

    def where() -> str:
        with shop.context.database.read(shop.programme_id) as session:
            row = session.query(GooglePass).filter_by(card_id=card.id).one()
        return "removed" if row.removed_at else "saved" if row.saved_at else "offered"

    when.object_id = f"{ISSUER}.{card.serial_number}"  # type: ignore[attr-defined]
    when.where = where  # type: ignore[attr-defined]
    return when


def nonces(context: Context) -> int:
    with context.database.read_all() as session:
        return session.scalar(select(func.count()).select_from(SeenNonce)) or 0


def test_a_save_is_noted_and_a_removal_clears_it(
    google: Google, saved: Any, clock: FixedClock
) -> None:
    assert saved.where() == "offered"
    assert google.tell(saved.object_id) == 200
    assert saved() == clock()
    assert saved.where() == "saved"
    clock.advance(timedelta(minutes=1))
    assert google.tell(saved.object_id, "del", nonce="n2") == 200
    assert saved() is None
    assert saved.where() == "removed"
    clock.advance(timedelta(minutes=1))
    assert google.tell(saved.object_id, nonce="n3") == 200
    assert saved.where() == "saved"


def test_an_older_callback_that_comes_later_changes_nothing(
    google: Google, saved: Any, clock: FixedClock
) -> None:
    older = google.signed(google.message(saved.object_id, "save", nonce="older"))
    clock.advance(timedelta(seconds=30))
    assert google.tell(saved.object_id, "del", nonce="newer") == 200
    assert google.send(older) == 200
    assert saved.where() == "removed"


def test_a_nonce_counts_once(google: Google, saved: Any, context: Context) -> None:
    google.tell(saved.object_id, "save", nonce="same")
    assert google.tell(saved.object_id, "del", nonce="same") == 200
    assert saved() is not None
    assert nonces(context) == 1


def test_an_event_of_a_newer_kind_changes_nothing(google: Google, saved: Any) -> None:
    assert google.tell(saved.object_id, "archived") == 200
    assert saved() is None


def test_an_object_that_we_do_not_know_is_no_error(google: Google, saved: Any) -> None:
    assert google.tell(f"{ISSUER}.unknown") == 200
    assert saved() is None


def test_what_google_did_not_sign_for_us_is_401(google: Google, saved: Any) -> None:
    message = google.message(saved.object_id)
    good = google.signed(message)
    forged = CallbackSigner().sign(message, ISSUER, milliseconds(google.clock, days=1))
    altered = json.loads(good)
    altered["signedMessage"] = altered["signedMessage"].replace("save", "dele")
    for body in (
        forged,
        json.dumps(altered).encode(),
        google.signed(message, recipient="3388000000099999999"),
        b"",
        b"{}",
        b"[" * 30_000,
        os.urandom(500),
    ):
        answer = google.client.post("/google/callback", data=body)
        assert answer.status_code == 401
        assert answer.content_type == "application/problem+json"
        assert answer.json["code"] == "not_from_google"
    assert saved() is None


def test_a_body_that_is_too_large_is_413(google: Google) -> None:
    assert google.send(b"x" * 40_000) == 413


def test_an_expired_message_is_401_and_its_nonce_is_forgotten_in_time(
    google: Google, saved: Any, context: Context, clock: FixedClock
) -> None:
    old = google.signed(google.message(saved.object_id, nonce="old"))
    assert google.send(old) == 200
    clock.advance(timedelta(minutes=11))
    assert google.send(old) == 401
    clock.advance(timedelta(hours=2))
    assert google.tell(saved.object_id, nonce="new") == 200
    assert nonces(context) == 1


@pytest.mark.parametrize("nonce", ["x" * 121, "a\0b"])
def test_an_id_that_fits_no_table_is_401(nonce: str, google: Google, saved: Any) -> None:
    assert google.tell(saved.object_id, nonce=nonce) == 401


def test_renewed_root_keys_are_read_without_a_restart(
    google: Google, saved: Any, context: Context, clock: FixedClock
) -> None:
    assert google.tell(saved.object_id) == 200
    renewed = CallbackSigner()
    assert context.config.google_root_keys is not None
    context.config.google_root_keys.write_bytes(renewed.root_keys(milliseconds(clock)) + b"\n")
    assert google.tell(saved.object_id, nonce="n2") == 401
    google.signer = renewed
    assert google.tell(saved.object_id, "del", nonce="n3") == 200
    assert saved() is None


def test_broken_root_keys_are_named_to_the_operator_and_nothing_is_believed(
    google: Google, saved: Any, context: Context
) -> None:
    assert context.config.google_root_keys is not None
    context.config.google_root_keys.write_bytes(b"<html>")
    assert google.tell(saved.object_id) == 503
    assert saved() is None


def test_the_logo_is_a_picture_that_anybody_may_fetch(shop: Any, client: FlaskClient) -> None:
    answer = client.get(f"/google/logo/{shop.slug}.png")
    assert (answer.status_code, answer.content_type) == (200, "image/png")
    assert Image.open(io.BytesIO(answer.data)).size == (660, 660)
    assert client.get("/google/logo/none.png").status_code == 404
    assert client.get(f"/google/wide-logo/{shop.slug}.png").status_code == 404, "it has none"


def test_without_an_issuer_callbacks_are_not_taken(
    shop: Any, context: Context, google: Google
) -> None:
    from app import create_app

    bare = replace(context, config=replace(context.config, google_issuer_id=None))
    answer = create_app(bare).test_client().post("/google/callback", data=b"{}")
    assert answer.status_code == 503


class TestFetchedKeys:
    """Without a file of the operator's own, the keys come from Google's list."""

    @pytest.fixture
    def server(self, signer: CallbackSigner, clock: FixedClock) -> Iterator[GoogleStandIn]:
        with GoogleStandIn(issuer_id=ISSUER) as server:
            server.root_keys_answer = HttpAnswer(200, signer.root_keys(milliseconds(clock)), {})
            yield server

    @pytest.fixture
    def context(self, context: Context, server: GoogleStandIn) -> Context:
        config = replace(context.config, google_root_keys=None, google_api_url=server.url)
        return replace(context, config=config)

    def test_a_callback_is_believed_with_keys_that_are_fetched_for_it(
        self, google: Google, saved: Any, server: GoogleStandIn
    ) -> None:
        assert google.tell(saved.object_id) == 200
        server.refuse()
        assert google.tell(saved.object_id, "del", nonce="n2") == 200
        assert saved.where() == "removed"

    def test_without_keys_google_is_asked_to_come_back(
        self, google: Google, saved: Any, server: GoogleStandIn, clock: FixedClock
    ) -> None:
        server.refuse()
        assert google.tell(saved.object_id) == 503
        assert saved.where() == "offered"
        server.well()
        clock.advance(timedelta(minutes=1))
        assert google.tell(saved.object_id) == 200

    def test_a_root_key_that_is_new_is_looked_for(
        self, google: Google, saved: Any, server: GoogleStandIn, clock: FixedClock
    ) -> None:
        assert google.tell(saved.object_id) == 200
        google.signer = CallbackSigner()
        server.root_keys_answer = HttpAnswer(200, google.signer.root_keys(milliseconds(clock)), {})
        assert google.tell(saved.object_id, nonce="n2") == 401
        clock.advance(timedelta(minutes=15))
        assert google.tell(saved.object_id, "del", nonce="n3") == 200

    def test_a_forger_makes_us_ask_google_no_more_than_that(
        self, google: Google, saved: Any, server: GoogleStandIn, clock: FixedClock
    ) -> None:
        assert google.tell(saved.object_id) == 200
        good, google.signer = google.signer, CallbackSigner()
        server.refuse()
        clock.advance(timedelta(minutes=15))
        for number in range(3):
            assert google.tell(saved.object_id, "del", nonce=f"forged-{number}") == 401
        google.signer = good
        assert google.tell(saved.object_id, "del", nonce="n2") == 200
