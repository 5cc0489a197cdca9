"""Owners choose the order and the names of fields; what a card is for stays where it is."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passes.apple import pass_json
from passes.apple.strings import table
from passes.arranging import arranged, fixed_keys
from passes.card import Arrangement, CardFace, CardKind, Section
from passes.google.loyalty import loyalty_class, loyalty_object
from passes.kinds import points_card
from passes.text import text
from tests.passes.apple.forge import issued, look
from tests.passes.faces import WHOLE, of_every_kind
from tests.passes.google.discovery import faults

FACES = of_every_kind(everything=True)
KEYS = sorted({slot.key for face in FACES.values() for slot in face.layout.slots} | {"nothing"})
GUEST = text({"en": "Guest", "de": "Gast", "lv": "Viesis", "ru": "Гость"}, "own.member")


def points(arrangement: Arrangement | None, **more: Any) -> CardFace:
    made = look(CardKind.POINTS, terms="Be nice", contact="Call us", arrangement=arrangement)
    return points_card(made, issued(**(WHOLE | more)), balance=1250, pending=7, tier="Gold")


def keys(face: CardFace, section: Section) -> list[str]:
    return [field.key for field in face.fields(section)]


def rendered(face: CardFace) -> dict[str, Any]:
    return pass_json.build(
        face,
        pass_type_identifier="pass.example",
        team_identifier="TEAM123456",
        web_service_url=None,
        authentication_token=None,
    )


def test_fields_follow_each_other_as_their_owner_says() -> None:
    arrangement = Arrangement(
        (
            ("tier", Section.SECONDARY),
            ("member", Section.AUXILIARY),
            ("pending", None),
            ("contact", Section.BACK),
        )
    )
    face = points(arrangement)
    assert keys(face, Section.HEADER) == ["balance"]
    assert keys(face, Section.SECONDARY) == ["tier"]
    assert keys(face, Section.AUXILIARY) == ["member"]
    assert keys(face, Section.BACK) == ["message", "contact", "terms", "number", "issued"]
    assert (face.balance, face.field("pending")) == (1250, None)
    member = face.field("member")
    assert member is not None and member.value == "Ada Kalniņa"


def test_a_field_is_called_as_its_owner_says_in_every_wallet_and_language() -> None:
    face = points(Arrangement(labels=(("member", GUEST),)))
    [field] = [each for each in rendered(face)["storeCard"]["secondaryFields"] if each["label"]][:1]
    assert (field["key"], field["label"]) == ("member", "own.member")
    assert table(face.look)["own.member"].said("lv") == "Viesis"
    names = {"class_id": "3388.c", "issuer_name": "X", "logo_url": "https://a.example/l.png"}
    told = loyalty_class(face, **names)
    assert told["accountNameLabel"] == "Guest" and faults("LoyaltyClass", told) == []


def test_a_name_that_is_not_shown_is_not_told_to_google() -> None:
    ids = {"object_id": "3388.o", "class_id": "3388.c"}
    assert loyalty_object(points(None), **ids)["accountName"] == "Ada Kalniņa"
    hidden = loyalty_object(points(Arrangement((("member", None),))), **ids)
    assert "accountName" not in hidden and "Ada" not in str(hidden)


@pytest.mark.parametrize("kind", CardKind)
@given(
    places=st.lists(
        st.tuples(st.sampled_from(KEYS), st.none() | st.sampled_from(list(Section))),
        max_size=12,
        unique_by=lambda each: each[0],
    )
)
def test_whatever_is_chosen_what_counts_stays_and_no_value_changes_its_field(
    kind: CardKind, places: list[tuple[str, Section | None]]
) -> None:
    face = FACES[kind]
    layout, order = arranged(face.layout, Arrangement(tuple(places)))
    made = replace(face, layout=layout, values=tuple(face.values[place] for place in order))
    for key in fixed_keys(face.layout):
        assert made.field(key) == face.field(key)
    header = made.fields(Section.HEADER)
    if face.fields(Section.HEADER):
        assert header[0] == face.fields(Section.HEADER)[0]
    chosen = dict(places)
    for slot in face.layout.slots:
        is_hidden = slot.key in chosen and chosen[slot.key] is None
        if slot.key not in fixed_keys(face.layout) and is_hidden:
            assert made.field(slot.key) is None
        else:
            assert made.field(slot.key) == face.field(slot.key)
    assert rendered(made)["serialNumber"] == face.serial_number
