"""What the previews show is what the passes of the same face show."""

import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
from hypothesis import given, settings

from app.designer import android, brand, iphone, poster, svg
from app.designer.brand import Pictures
from passes.apple.fields import poster_fields, style_fields
from passes.card import Arrangement, CardFace, CardKind, Section
from passes.extras import Action, ActionKind
from passes.kinds import points_card
from passes.text import LANGUAGES, said
from passes.words import NO_NEWS
from passes.written import written
from tests.passes.apple.forge import issued, look
from tests.passes.faces import WHOLE, cards, looks, of_every_kind

FACES = of_every_kind(everything=True)
SVG = "{http://www.w3.org/2000/svg}"
IMAGE = f"{SVG}image"
POSTER = Pictures({"poster": "/p/poster"}, {"poster": 0.8})
TAGS = "svg g rect circle path polygon text image clipPath".split()
UPLOADED = Pictures(
    {"logo": "/p/logo", "hero": "/p/hero", "icon": "/p/icon"},
    {"logo": 3.0, "hero": 2.5, "icon": 1.0},
)


def drawn(picture: str) -> ET.Element:
    root = ET.fromstring(picture)  # noqa: S314 - our own
    for element in root.iter():
        assert element.tag.removeprefix(SVG) in TAGS
        assert not {"style", "onload", "onclick"} & element.attrib.keys()
    assert root.get("aria-label")
    return root


def texts(picture: str) -> list[str]:
    return [element.text or "" for element in drawn(picture).iter(f"{SVG}text")]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", CardKind)
def test_an_iphone_shows_the_fields_of_the_front(kind: CardKind, language: str) -> None:
    face = FACES[kind]
    shown = texts(iphone.front(face, language))
    header = face.fields(Section.HEADER)[0]
    assert svg.plain(written(header, language)) in shown
    assert header.label_in(language).upper() in shown
    for field in face.fields(Section.PRIMARY):
        assert svg.plain(written(field, language)) in shown
    stacked = texts(iphone.stacked(face, language))
    assert svg.plain(written(header, language)) in stacked
    assert said(face.look.programme_name, language) in stacked or kind is CardKind.CLUB


@pytest.mark.parametrize("kind", CardKind)
def test_what_lies_below_the_top_strip_is_covered_in_a_stack(kind: CardKind) -> None:
    """The next card is drawn after it, and begins where the strip ends."""
    root = drawn(iphone.stacked(FACES[kind], "en"))
    ours = root.find(".//*[@clip-path='url(#card-stack)']")
    assert ours is not None
    top = float(ours[0].get("y", ""))
    group = root.find(".//*[@clip-path='url(#screen)']")
    assert group is not None
    after = list(group)[list(group).index(ours) + 1 :]
    assert float(after[0].get("y", "")) == top + iphone.STICKS_OUT
    assert float(after[0].get("width", "")) == iphone.CARD_WIDTH


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", CardKind)
def test_the_backs_list_what_the_passes_have(kind: CardKind, language: str) -> None:
    face = FACES[kind]
    rows = iphone.back(face, language)
    assert rows[0].value == "New roast"
    assert {row.url for row in rows if row.url} == {link.url for link in face.links}
    values = [row.value for row in rows]
    for field in face.fields(Section.BACK):
        assert written(field, language) in values
    details = android.details(face, language)
    assert face.serial_number in [row.value for row in details] or kind is CardKind.COUPON


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", CardKind)
def test_the_back_lists_the_fields_of_the_pass_in_their_order(
    kind: CardKind, language: str
) -> None:
    told = FACES[kind]
    quiet = of_every_kind(everything=False)[kind]
    paged = replace(told, issued=replace(told.issued, page="https://cards.example/card/x"))
    for face in (told, quiet, paged):
        rows, fields = iphone.back(face, language), style_fields(face)["backFields"]
        for row, field in zip(rows, fields, strict=True):
            own = face.field(field["key"])
            if row.url is not None:
                assert field["value"] == row.url and row.value == row.label
            elif own is None:
                assert (field["key"], row.value) == ("message", said(NO_NEWS, language))
            else:
                assert row == iphone.BackRow(own.label_in(language), written(own, language))
    assert iphone.back(quiet, "de")[0] == iphone.BackRow("Neues", "Noch nichts Neues")


def test_the_buttons_of_ios_27_stand_below_the_card_in_the_phone_s_words() -> None:
    plain = FACES[CardKind.POINTS]
    actions = (
        Action(ActionKind.CALL, "tel:+37120000000"),
        Action(ActionKind.ORDER, "https://kaffa.example/order"),
    )
    for count in (1, 2):
        face = replace(plain, look=replace(plain.look, actions=actions[:count]))
        for shown in (texts(iphone.front(face, "de")), texts(poster.front(face, "de", POSTER))):
            words = [each for each in shown if each in ("Anrufen", "Bestellen")]
            assert words == ["Anrufen", "Bestellen"][:count]
    assert "Anrufen" not in texts(iphone.front(plain, "de"))
    # Every kind of button has its words, in every language.
    for kind in ActionKind:
        one = (Action(kind, "https://kaffa.example/x"),)
        face = replace(plain, look=replace(plain.look, actions=one))
        assert len({texts(iphone.front(face, language))[-2] for language in LANGUAGES}) >= 3


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", CardKind)
def test_a_poster_shows_the_fields_that_ios_27_shows_of_the_pass(
    kind: CardKind, language: str
) -> None:
    face = FACES[kind]
    shown, made = texts(poster.front(face, language, POSTER)), poster_fields(face)
    left_out = poster.left_out(face)
    for name, most in (("headerFields", 1), ("primaryFields", 4), ("footerFields", 1)):
        for number, field in enumerate(made.get(name, ())):
            own = face.field(field["key"])
            assert own is not None
            value = svg.plain(written(own, language))
            is_there = any(value in each or each.rstrip("…") in value for each in shown)
            assert is_there == (number < most), (own.key, shown)
            assert (own.key in left_out) == (number >= most)
    drawn_at = [
        each.get("href") for each in drawn(poster.front(face, language, POSTER)).iter(IMAGE)
    ]
    assert drawn_at == ["/p/poster"]


@pytest.mark.parametrize("kind", CardKind)
def test_an_android_phone_shows_what_google_is_told(kind: CardKind) -> None:
    face = FACES[kind]
    shown = texts(android.front(face, "de"))
    shared, own = android.bodies(face)
    if kind is CardKind.COUPON:
        assert "Gratis-Kaffee" in shown
    else:
        points = own["loyaltyPoints"]
        assert android.worded(points, "label", "de") in shown
        assert svg.plain(android.balance(points["balance"], "de")) in shown
        assert android.worded(shared, "programName", "de") in shown


def test_uploads_are_shown_at_their_addresses_and_nothing_is_fetched_for_what_is_drawn() -> None:
    face = FACES[CardKind.POINTS]
    for picture in (iphone.front, iphone.stacked, android.front):
        assert not list(drawn(picture(face, "en")).iter(f"{SVG}image"))
        images = drawn(picture(face, "en", UPLOADED)).iter(f"{SVG}image")
        used = {each.get("href") for each in images}
        assert used and used <= set(UPLOADED.addresses.values())


def test_as_many_stamps_are_drawn_as_the_card_takes() -> None:
    face = FACES[CardKind.STAMPS]
    plain = list(drawn(iphone.front(FACES[CardKind.POINTS], "en")).iter(f"{SVG}circle"))
    stamped = list(drawn(iphone.front(face, "en")).iter(f"{SVG}circle"))
    assert len(stamped) - len(plain) == face.look.stamps
    assert len(list(drawn(iphone.front(face, "en")).iter(f"{SVG}polygon"))) == 1


@settings(max_examples=60, deadline=None)
@given(looks, cards)
def test_hostile_texts_stay_texts(made_look: object, made: object) -> None:
    code = replace(made, code="CF1:A")  # type: ignore[type-var]
    face = points_card(made_look, code, balance=5)  # type: ignore[arg-type]
    evil = "\"><script>alert(1)</script><x a='\x00\x08"
    face = replace(face, look=replace(face.look, programme_name=evil, organisation=evil))
    for picture in (iphone.front, iphone.stacked, poster.front, android.front):
        assert not list(drawn(picture(face, "lv")).iter(f"{SVG}script"))


def test_long_texts_stay_within_their_room() -> None:
    long = points_card(
        look(CardKind.POINTS, programme_name="W" * 80),
        issued(**(WHOLE | {"member_name": "Maximiliane-Alexandra von Hohenstein-Weißenfels"})),
        balance=2_000_000_000,
        pending=1_000_000_000,
        tier="Platinum Diamond Ambassador",
    )
    for picture in (iphone.front(long, "de"), poster.front(long, "de"), android.front(long, "de")):
        root = drawn(picture)
        width = float(root.get("viewBox", "").split()[2])
        for element in root.iter(f"{SVG}text"):
            wide = svg.measured(element.text or "", float(element.get("font-size", "")))
            at = float(element.get("x", ""))
            left = {"start": at, "end": at - wide, "middle": at - wide / 2}[
                element.get("text-anchor", "")
            ]
            assert left >= 0 and left + wide <= width + 1, element.text


def test_fields_without_room_on_the_front_are_named() -> None:
    assert iphone.left_out(FACES[CardKind.POINTS]) == []
    crowd = Arrangement(
        tuple((key, Section.SECONDARY) for key in ("number", "issued", "terms", "contact"))
    )
    made = look(CardKind.POINTS, terms="x", contact="y", arrangement=crowd)
    face: CardFace = points_card(made, issued(**WHOLE), balance=1, pending=2, tier="Gold")
    assert iphone.left_out(face) == ["member", "pending"]
    assert brand.NO_PICTURES.addresses == {}
