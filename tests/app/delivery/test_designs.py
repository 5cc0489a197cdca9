"""What an owner gave is what Google is told, at addresses of ours."""

import uuid
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app import create_app
from app.cards.models import Card
from app.clock import FixedClock
from app.config import Config
from app.context import Context
from app.db import Database
from app.delivery.google.look import class_body, object_body
from app.keys import KeyRing
from app.ledger.models import Account
from app.ledger.postings import Circumstances, Given, Present, Request
from app.programmes import designs, giving
from app.programmes.faces import face_of
from app.programmes.service import change_settings, programme_by_id
from app.programmes.terms import rulebook_of
from tests.app.api.programmes import Programme
from tests.passes.artwork.pictures import photo, wordmark

URL = "https://cards.kaffa.example"


@pytest.fixture
def kaffa(database: Database, clock: FixedClock, tmp_path: Path) -> Programme:
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    config = Config(data=data, database_url=database.url, url=URL)
    return Programme.open(
        Context(config, database, KeyRing.open(config, now=clock), clock), "kaffa"
    )


def bodies(kaffa: Programme, card: Card) -> tuple[dict[str, Any], dict[str, Any]]:
    """The class and the object."""
    context = kaffa.context
    with context.database.read(kaffa.programme_id) as session:
        programme = programme_by_id(session, kaffa.programme_id)
        fresh = session.scalars(select(Card).where(Card.id == card.id)).one()
        face = face_of(session, context.keys, fresh, now=context.clock())
        return (
            class_body(face, programme, context.config, class_id="1.kaffa"),
            object_body(
                face,
                programme,
                context.config,
                object_id="1.a",
                class_id="1.kaffa",
                totp_key=bytes(32),
            ),
        )


def address(picture: dict[str, Any]) -> str:
    return str(picture["sourceUri"]["uri"])


def test_google_is_told_where_the_pictures_are(kaffa: Programme) -> None:
    context, card = kaffa.context, kaffa.issue()
    drawn, _ = bodies(kaffa, card)
    assert "heroImage" not in drawn
    read = designs.read_changes(
        {"logo": wordmark(), "hero": photo(), "links": [("Menu", "https://kaffa.example")]}
    )
    with context.database.write(kaffa.programme_id) as session:
        designs.change(session, kaffa.programme_id, read, now=context.clock())
    told, of_card = bodies(kaffa, card)
    assert address(told["programLogo"]) != address(drawn["programLogo"]), "Google keeps the old one"
    assert of_card["linksModuleData"]["uris"][0]["uri"] == "https://kaffa.example"
    client = create_app(context).test_client()
    for name in ("programLogo", "wideProgramLogo", "heroImage"):
        assert address(told[name]).startswith(f"{URL}/google/")
        answer = client.get(address(told[name]).removeprefix(URL))
        assert (answer.status_code, answer.mimetype) == (200, "image/png")


def test_google_is_told_the_tier_in_every_language(kaffa: Programme) -> None:
    context, card = kaffa.context, kaffa.issue()
    tiers = {"levels": [{"code": "gold", "at_least": 5, "names": {"en": "Gold", "lv": "Zelts"}}]}
    with context.database.write(kaffa.programme_id) as session:
        change_settings(session, kaffa.programme_id, {"tiers": tiers}, valid_from=context.clock())
        account = session.scalars(select(Account).where(Account.id == card.account_id)).one()
        account.tier = "gold"
    _, of_card = bodies(kaffa, card)
    [tier] = [each for each in of_card["textModulesData"] if each["id"] == "tier"]
    assert tier["body"] == "Gold"
    said = {each["language"]: each["value"] for each in tier["localizedBody"]["translatedValues"]}
    assert said["lv"] == "Zelts"


def test_google_is_told_where_the_picture_with_the_stamps_is(kaffa: Programme) -> None:
    context, card = kaffa.context, kaffa.issue()
    stamps = [{"code": "coffee", "names": {"en": "Coffee card"}, "size": 4}]
    with context.database.write(kaffa.programme_id) as session:
        change_settings(session, kaffa.programme_id, {"stamps": stamps}, valid_from=context.clock())
        read = designs.read_changes({"kind": "stamps"})
        designs.change(session, kaffa.programme_id, read, now=context.clock())
    client, seen = create_app(context).test_client(), set()
    for count in range(4):
        _, of_card = bodies(kaffa, card)
        found = address(of_card["heroImage"])
        assert f"/google/stamps/{count}/kaffa.png?v=" in found
        answer = client.get(found.removeprefix(URL))
        assert (answer.status_code, answer.mimetype) == (200, "image/png")
        seen.add(answer.data)
        with context.database.write(kaffa.programme_id) as session:
            now = context.clock()
            giving.post(
                session,
                rulebook_of(session, kaffa.programme_id, now),
                Request(str(uuid.uuid4()), "present", bytes(32)),
                Present(
                    card.account_id, (Given("stamps", "coffee", 1, "by hand"),), "for the test"
                ),
                Circumstances(now),
                now=now,
            )
    assert len(seen) == 4, "each number has a picture of its own"
    assert client.get("/google/stamps/5/kaffa.png").status_code == 404
    assert client.get("/google/stamps/101/kaffa.png").status_code == 404
