"""The face that is made of one row is the face that is put together piece by piece."""

from datetime import timedelta
from pathlib import Path

import pytest

from app.cards import news
from app.cards import service as cards
from app.cards.models import Card
from app.clock import FixedClock
from app.config import Config
from app.context import Context
from app.db import Database
from app.errors import NotFound
from app.keys import KeyRing
from app.members import service as members
from app.members.service import Contact
from app.programmes.face_rows import face_from, row_of, rows_by_serial
from app.programmes.faces import face_of
from passes.card import CardStatus
from tests.app.api.programmes import Programme


@pytest.fixture
def programme(database: Database, clock: FixedClock, tmp_path: Path) -> Programme:
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    config = Config(data=data, database_url=database.url, url="http://127.0.0.1:8000")
    context = Context(config, database, KeyRing.open(config, now=clock), clock)
    return Programme.open(context, "kaffa")


def check(programme: Programme, card: Card) -> None:
    context = programme.context
    now = context.clock()
    with context.database.read(programme.programme_id) as session:
        fresh = cards.card_by_id(session, card.id)
        expected = face_of(session, context.keys, fresh, now=now)
        row = row_of(session, card.id, now=now)
        assert face_from(session, context.keys, row, now=now) == expected
        many = rows_by_serial(session.connection(), [card.serial_number, "none"], now=now)
        # To the letter: a pass is found again by how its row is written.
        assert repr(many) == repr({card.serial_number: row})


def test_of_cards_in_every_state_the_faces_are_the_same(
    programme: Programme, clock: FixedClock
) -> None:
    context = programme.context
    fresh, named, blocked, replaced, earned = (programme.issue() for _ in range(5))
    with context.database.write(programme.programme_id) as session:
        member = members.add_member(
            session,
            context.keys,
            programme.programme_id,
            Contact("Ada Lovelace", "ada@example.com"),
            language="lv",
            now=clock(),
        )
        row = cards.card_by_id(session, named.id)
        row.member_id, row.language = member.id, "lv"
        cards.set_status(session, blocked.id, CardStatus.BLOCKED, now=clock())
        cards.replace_card(session, context.keys, replaced.id, now=clock())
    programme.earn(earned, 70)
    for card in (fresh, named, blocked, replaced, earned):
        check(programme, card)


def test_points_that_expire_or_become_available_are_seen_at_their_time(
    programme: Programme, clock: FixedClock
) -> None:
    card = programme.issue()
    programme.earn(card, 30, expires_at=clock() + timedelta(days=2))
    programme.earn(card, 5, available_from=clock() + timedelta(days=1))
    for passing in (False, True, True):
        check(programme, card)
        with programme.context.database.read(programme.programme_id) as session:
            assert row_of(session, card.id, now=clock()).is_passing is passing
        clock.advance(timedelta(days=1))


def test_an_unknown_card_has_no_face(programme: Programme, clock: FixedClock) -> None:
    with (
        programme.context.database.read(programme.programme_id) as session,
        pytest.raises(NotFound),
    ):
        row_of(session, "00" * 8, now=clock())


def test_news_are_shown_by_both_until_they_are_forgotten(
    programme: Programme, clock: FixedClock
) -> None:
    context, card = programme.context, programme.issue()
    with context.database.write(programme.programme_id) as session:
        content = {
            "message": {"en": "{name}, your {points} points wait."},
            "article": {"en": ["A new roast", "From Ethiopia."]},
        }
        news_id = news.publish(session, content, now=clock())
        told = news.Told(card.id, card.account_id, {"points": 7})
        news.tell_cards(session, news_id, [told], now=clock())
    check(programme, card)
    with context.database.read(programme.programme_id) as session:
        face = face_of(session, context.keys, cards.card_by_id(session, card.id), now=clock())
    assert face.issued.message == "Your 7 points wait.", "who gave no name is not called by one"
    assert face.issued.article == ("A new roast", "From Ethiopia.")
    assert face.layout.announced == "message"
    programme.earn(card, 30)
    check(programme, card)
    with context.database.read(programme.programme_id) as session:
        row = row_of(session, card.id, now=clock())
        later = face_from(session, context.keys, row, now=clock())
    assert later.layout.announced == "balance", "what came last is what the lock screen tells"
    assert later.issued.message == face.issued.message
