"""A design is kept as a version; every pass comes to show it, in steps."""

from pathlib import Path

import pytest
from sqlalchemy import select

from app.cards.models import Card
from app.clock import FixedClock
from app.config import Config
from app.context import Context
from app.db import Database
from app.errors import Invalid, NotFound
from app.keys import KeyRing
from app.ledger.models import Account
from app.programmes import design_releases, designs
from app.programmes.design_releases import picture, releases
from app.programmes.face_rows import face_from, kept_share, row_of
from app.programmes.faces import face_of
from app.programmes.service import add_location, change_settings
from passes.card import CardFace, Section
from passes.text import said
from tests.app.api.programmes import Programme
from tests.passes.artwork.pictures import opened, photo, wordmark


@pytest.fixture
def context(database: Database, clock: FixedClock, tmp_path: Path) -> Context:
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    config = Config(data=data, database_url=database.url, url="http://127.0.0.1:8000")
    return Context(config, database, KeyRing.open(config, now=clock), clock)


@pytest.fixture
def kaffa(context: Context) -> Programme:
    return Programme.open(context, "kaffa")


def change(programme: Programme, **changes: object) -> None:
    context = programme.context
    read = designs.read_changes(changes)
    with context.database.write(programme.programme_id) as session:
        designs.change(session, programme.programme_id, read, now=context.clock())


def versions(programme: Programme) -> dict[str, int]:
    with programme.context.database.read(programme.programme_id) as session:
        return {each.id: each.version for each in session.scalars(select(Account))}


def spread(context: Context, limit: int) -> int:
    with context.database.write_all() as session:
        return designs.spread(session, context.clock(), limit)


def face(programme: Programme, card: Card) -> CardFace:
    """The face by both ways, which are one."""
    context, now = programme.context, programme.context.clock()
    with context.database.read(programme.programme_id) as session:
        fresh = session.scalars(select(Card).where(Card.id == card.id)).one()
        row = row_of(session, card.id, now=now)
        made = face_from(session, context.keys, row, now=now)
        assert face_of(session, context.keys, fresh, now=now) == made
    # From now on nothing but the row is read for it.
    share = kept_share(row)
    assert share is not None
    assert face_from(None, context.keys, row, now=now, share=share) == made
    return made


def test_a_card_shows_what_its_owner_gave(kaffa: Programme) -> None:
    card = kaffa.issue()
    assert face(kaffa, card).look.logo is None
    change(kaffa, logo=wordmark(), links=[("Menu", "https://kaffa.example/menu")], terms="Be nice.")
    look = face(kaffa, card).look
    assert look.logo is not None and opened(look.logo).size == (900, 300)
    assert [(link.label, link.url) for link in look.links] == [
        ("Menu", "https://kaffa.example/menu")
    ]
    assert look.terms == "Be nice."
    change(kaffa, logo=None, links=None)
    look = face(kaffa, card).look
    assert (look.logo, look.links, look.terms) == (None, (), "Be nice.")


def test_of_an_upload_only_the_picture_is_kept_and_no_more_of_it_than_a_pass_needs(
    kaffa: Programme,
) -> None:
    change(kaffa, hero=photo(4000, 1600) + b"<?php")
    look = face(kaffa, kaffa.issue()).look
    assert look.hero is not None
    assert look.hero.startswith(b"\xff\xd8") and b"<?php" not in look.hero
    assert len(look.hero) < 1_500_000


def test_locations_with_coordinates_are_places_of_the_card(kaffa: Programme) -> None:
    context, card = kaffa.context, kaffa.issue()
    with context.database.write(kaffa.programme_id) as session:
        add_location(session, kaffa.programme_id, slug="port", name="Port", now=context.clock())
        designs.change(
            session,
            kaffa.programme_id,
            {},
            places={"port": (56.9496, 24.1052)},
            now=context.clock(),
        )
    [place] = face(kaffa, card).look.places
    assert (place.latitude, place.longitude, place.said) == (56.9496, 24.1052, "Port")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"logo": b"no picture"}, "Save the logo as PNG, JPEG or WebP"),
        ({"hero": wordmark(400, 200)}, "needs at least 1125×432"),
        ({"kind": "company"}, "show the company by themselves"),
        ({"links": [("Menu", "javascript:alert(1)")]}, "begins with https"),
        ({"links": [("", "https://kaffa.example")]}, "1 to 60 characters"),
        ({"links": [("Menu", "https://kaffa.example")] * 21}, "at most 20 links"),
        ({"terms": "x" * 4001}, "1 to 4000 characters"),
        ({"terms": "\x1b[2J"}, "type it as plain text"),
    ],
)
def test_what_no_card_can_show_is_refused_with_what_to_do(
    changes: dict[str, object], says: str
) -> None:
    with pytest.raises(Invalid, match=says):
        designs.read_changes(changes)


def test_a_place_is_on_earth_and_of_the_programme(kaffa: Programme) -> None:
    context, now = kaffa.context, kaffa.context.clock()
    with context.database.write(kaffa.programme_id) as session:
        add_location(session, kaffa.programme_id, slug="port", name="Port", now=now)
    for places, error in (
        ({"port": (91.0, 0.0)}, Invalid),
        ({"port": (float("nan"), 0.0)}, Invalid),
        ({"moon": (1.0, 1.0)}, NotFound),
    ):
        with (
            pytest.raises(error),
            context.database.write(kaffa.programme_id) as session,
        ):
            designs.change(session, kaffa.programme_id, {}, places=places, now=now)


def test_a_changed_design_marks_every_account_once_a_few_at_a_time(kaffa: Programme) -> None:
    context = kaffa.context
    other = Programme.open(context, "other")
    other.issue()
    for _ in range(5):
        kaffa.issue()
    before, theirs = versions(kaffa), versions(other)
    change(kaffa, terms="Be nice.")
    assert versions(kaffa) == before, "not within the owner's own transaction"
    assert [spread(context, 2) for _ in range(4)] == [2, 2, 1, 0]
    assert versions(kaffa) == {each: version + 1 for each, version in before.items()}
    assert versions(other) == theirs


def test_a_change_in_the_midst_of_another_begins_anew(kaffa: Programme) -> None:
    for _ in range(3):
        kaffa.issue()
    before = versions(kaffa)
    change(kaffa, terms="One.")
    assert spread(kaffa.context, 2) == 2
    change(kaffa, terms="Two.")
    while spread(kaffa.context, 2):
        pass
    assert all(version > before[each] for each, version in versions(kaffa).items())


def test_an_account_shows_its_tier_in_every_language(kaffa: Programme) -> None:
    context, card = kaffa.context, kaffa.issue()
    with context.database.write(kaffa.programme_id) as session:
        names = {"en": "Gold", "lv": "Zelts"}
        tiers = {"levels": [{"code": "gold", "at_least": 100, "names": names}]}
        change_settings(session, kaffa.programme_id, {"tiers": tiers}, valid_from=context.clock())
    assert face(kaffa, card).field("tier") is None
    with context.database.write(kaffa.programme_id) as session:
        session.scalars(select(Account).where(Account.id == card.account_id)).one().tier = "gold"
    shown = face(kaffa, card)
    found = shown.field("tier")
    assert found is not None
    assert not isinstance(found.value, int)
    assert [said(found.value, language) for language in ("en", "lv", "de")] == [
        "Gold",
        "Zelts",
        "Gold",
    ]
    assert found.value in shown.look.vocabulary


GUEST = {"en": "Guest", "de": "Gast", "lv": "Viesis", "ru": "Гость"}


def test_texts_and_fields_are_the_owners_in_every_language(kaffa: Programme) -> None:
    change(
        kaffa,
        name={"en": "Kaffa Club", "lv": "Kafijas klubs"},
        terms={"de": "Eine Karte je Person."},
        contact="hello@kaffa.example",
        labels={"number": GUEST},
        fields=[["issued", None], ["contact", "back"]],
        links=[({"en": "Menu", "ru": "Меню"}, "https://kaffa.example")],
    )
    made = face(kaffa, kaffa.issue())
    look = made.look
    assert [said(look.programme_name, each) for each in ("en", "lv", "ru")] == [
        "Kaffa Club",
        "Kafijas klubs",
        "Kaffa Club",
    ]
    change(kaffa, name={"lv": "Kafijas klubs"})
    named = face(kaffa, kaffa.issue()).look.programme_name
    assert [said(named, each) for each in ("en", "lv", "ru")] == [
        "Café kaffa",
        "Kafijas klubs",
        "Café kaffa",
    ]
    assert look.terms is not None and said(look.terms, "lv") == "Eine Karte je Person."
    assert [each.key for each in made.fields(Section.BACK)] == ["contact", "terms", "number"]
    number = made.field("number")
    assert number is not None and number.label_in("lv") == "Viesis"
    assert said(look.links[0].label, "ru") == "Меню"


def test_a_design_that_was_published_is_kept_whole_and_can_be_published_again(
    kaffa: Programme,
) -> None:
    context, now = kaffa.context, kaffa.context.clock()
    change(kaffa, logo=wordmark(), terms="Be nice.")
    black = {"background": "#000000", "foreground": "#ffffff", "label": "#ffffff"}
    with context.database.write(kaffa.programme_id) as session:
        read = designs.read_changes({"logo": None, "terms": "Be nicer.", "icon": photo(400, 400)})
        designs.change(session, kaffa.programme_id, read, colours=black, by="Ada", now=now)
        newest, first = releases(session, kaffa.programme_id)
        assert (newest.number, newest.published_by, first.number) == (2, "Ada", 1)
        assert (newest.content["colours"], first.content["terms"]) == (black, "Be nice.")
        assert set(newest.pictures) == {"icon"} and set(first.pictures) == {"logo"}
        logo = picture(session, kaffa.programme_id, first.pictures["logo"])
        assert opened(logo).size == (900, 300)
    assert face(kaffa, kaffa.issue()).look.colours.background == "#000000"
    look = face(kaffa, kaffa.issue()).look
    assert look.icon is not None and look.logo is None


def test_old_releases_are_forgotten_with_the_pictures_that_only_they_show(
    kaffa: Programme, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(design_releases, "MOST_KEPT", 2)
    change(kaffa, logo=wordmark())
    change(kaffa, logo=wordmark(900, 400))
    change(kaffa, logo=None)
    with kaffa.context.database.write(kaffa.programme_id) as session:
        assert [each.number for each in releases(session, kaffa.programme_id)] == [3, 2]
        assert design_releases.forget_pictures(session, kaffa.programme_id, frozenset()) == 1
        with pytest.raises(NotFound, match="no such design"):
            design_releases.release(session, kaffa.programme_id, 1)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"name": "x" * 41}, "1 to 40 characters"),
        ({"name": {"fr": "Carte"}}, "write it in en, de, lv, ru"),
        ({"labels": {"member": {"en": "x" * 31}}}, "1 to 30 characters"),
        ({"fields": [["member", "middle"]]}, "not in 'middle'"),
        ({"fields": [["member", "back"], ["member", None]]}, "Name each field once"),
        ({"icon": wordmark(400, 600)}, "too tall for the icon"),
    ],
)
def test_what_no_card_can_say_is_refused_with_what_to_do(
    changes: dict[str, object], says: str
) -> None:
    with pytest.raises(Invalid, match=says):
        designs.read_changes(changes)
