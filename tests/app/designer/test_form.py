"""What is typed is kept as it is; of what is right a design is made, of the rest it is said why."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.designer import form
from app.designer.filling import typed_of
from app.languages import speaking
from passes.card import CardKind

COLOURS = {"background": "#3b2a20", "foreground": "#fff8ee", "label": "#e2c9a6"}
FULL = {
    "kind": "club",
    "background": "#000000",
    "foreground": "#FFFFFF",
    "label": "#cccccc",
    "name_en": "Kaffa Club",
    "name_lv": "Kafijas klubs",
    "terms_de": "Eine Karte\r\nje Person",
    "contact_en": "Call us",
    "label_member_en": "Guest",
    "label_member_ru": "Гость",
    "field_tier_place": "secondary",
    "field_tier_order": "2",
    "field_member_place": "auxiliary",
    "field_member_order": "1",
    "field_issued_place": "hidden",
    "link_0_url": "https://kaffa.example/menu",
    "link_0_en": "Menu",
    "link_0_de": "Karte",
    "link_3_url": "tel:+37120000000",
    "link_3_en": "Call",
    "place_port": "56.9496, 24.1052",
    "beacon_0_uuid": "f8f589e9-9d29-4a5c-9f5c-1f5b7d0ea7a1",
    "beacon_0_major": "1",
    "beacon_0_text": "Hello",
    "action_0_kind": "shop",
    "action_0_url": "https://kaffa.example/shop",
    "time_0_from": "2026-12-24T09:00",
    "time_0_until": "2026-12-24T18:00",
    "app_ids": "284910350, 310633997",
    "app_url": "kaffa://card",
    "no_sharing": "yes",
    "valid_until": "2027-12-31",
    "code_aztec": "yes",
}


def read(**typed: str) -> form.Drafted:
    return form.read(typed, colours=COLOURS, locations=["port", "town"], time_zone="Europe/Riga")


def test_all_that_a_design_may_have_can_be_typed() -> None:
    found = read(**FULL)
    assert found.problems == {}
    assert found.kind is CardKind.CLUB
    assert found.colours == {"background": "#000000", "foreground": "#ffffff", "label": "#cccccc"}
    assert found.read["name"] == {"en": "Kaffa Club", "lv": "Kafijas klubs"}
    assert found.read["terms"] == {"de": "Eine Karte\nje Person"}
    assert found.read["contact"] == "Call us"
    assert found.read["labels"] == {"member": {"en": "Guest", "ru": "Гость"}}
    assert found.read["fields"] == [
        ["member", "auxiliary"],
        ["tier", "secondary"],
        ["issued", None],
    ]
    assert found.read["links"] == [
        [{"en": "Menu", "de": "Karte"}, "https://kaffa.example/menu"],
        ["Call", "tel:+37120000000"],
    ]
    assert found.places == {"port": (56.9496, 24.1052), "town": None}
    extras = found.extras
    assert extras["times"] == [("2026-12-24T09:00:00+02:00", "2026-12-24T18:00:00+02:00")]
    assert extras["app_store_ids"] == [284910350, 310633997]
    assert (extras["codes"], extras["no_sharing"], extras["nfc_key"]) == (["aztec"], True, None)


def test_what_is_published_is_shown_in_the_fields_and_read_the_same() -> None:
    found = read(**FULL)
    content: dict[str, Any] = dict(found.read) | {
        "kind": str(found.kind),
        "colours": found.colours,
        "places": {slug: list(at) for slug, at in found.places.items() if at},
        "extras": {name: value for name, value in found.extras.items() if value is not None},
    }
    again = read(**typed_of(content, time_zone="Europe/Riga"))
    assert (again.problems, again) == ({}, found)
    elsewhere = typed_of(content, time_zone="UTC")
    assert elsewhere["time_0_from"] == "2026-12-24T07:00"
    assert ZoneInfo("UTC")


@pytest.mark.parametrize(
    ("typed", "field", "says"),
    [
        ({"background": "blue"}, "background", "#1a2b3c"),
        ({"background": "url(//evil.example)"}, "background", "#1a2b3c"),
        ({"kind": "company"}, "kind", "Choose"),
        ({"name_en": "x" * 41}, "name_en", "At most 40"),
        ({"name_lv": "a\x00b"}, "name_lv", "cannot be shown"),
        ({"label_tier_de": "x" * 31}, "label_tier_de", "At most 30"),
        ({"field_tier_place": "middle"}, "field_tier_place", "place on the card"),
        ({"field_tier_place": "back", "field_tier_order": "-1"}, "field_tier_order", "1 to 99"),
        ({"link_0_url": "javascript:alert(1)", "link_0_en": "x"}, "link_0_url", "https://"),
        ({"link_0_url": "https://a.example"}, "link_0_en", "stands for the link"),
        ({"place_port": "nowhere"}, "place_port", "degrees"),
        ({"place_port": "91, 0"}, "place_port", "degrees"),
        ({"place_port": "nan, 0"}, "place_port", "degrees"),
        ({"beacon_0_uuid": "x"}, "beacon_0_uuid", "UUID"),
        (
            {"beacon_0_uuid": "f8f589e9-9d29-4a5c-9f5c-1f5b7d0ea7a1", "beacon_0_major": "65536"},
            "beacon_0_major",
            "65535",
        ),
        (
            {"action_0_kind": "dance", "action_0_url": "https://a.example"},
            "action_0_kind",
            "button",
        ),
        ({"action_0_kind": "shop", "action_0_url": "http://a.example"}, "action_0_url", "https"),
        ({"time_0_until": "2026-12-24T09:00"}, "time_0_from", "begins"),
        (
            {"time_0_from": "2026-12-24T09:00", "time_0_until": "2026-12-23T09:00"},
            "time_0_until",
            "before it begins",
        ),
        ({"app_ids": "id12"}, "app_ids", "App Store"),
        ({"app_url": "kaffa://card"}, "app_ids", "number"),
        ({"valid_until": "tomorrow"}, "valid_until", "day"),
        ({"nfc_key": "MFkw"}, "nfc_key", "P-256"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_the_rest_goes_on(
    typed: dict[str, str], field: str, says: str
) -> None:
    found = read(**({"name_de": "Kaffa"} | typed))
    assert list(found.problems) == [field]
    assert says in found.problems[field][0]
    assert found.read["name"] == {"de": "Kaffa"}
    with speaking("de"):
        german = read(**typed).problems[field][0]
    assert german != found.problems[field][0]


names = st.sampled_from([*FULL, "field_tier_order", "label_x_lv", "link_19_url", "nfc_key"])


@given(st.dictionaries(names, st.text(max_size=60), max_size=12))
def test_whatever_is_typed_a_design_can_be_made_of_it(typed: dict[str, str]) -> None:
    found = form.read(typed, colours=COLOURS, locations=["port"], time_zone="UTC")
    assert set(found.problems) <= {*form.known(dict.fromkeys(found.problems, ""))}
    assert found.colours.keys() == COLOURS.keys()


def test_only_fields_of_the_designer_are_kept() -> None:
    typed = {
        "kind": "points",
        "form_token": "x",
        "is_admin": "1",
        "name_fr": "x",
        "link_0_en": "y",
    }
    assert form.known(typed) == {"kind": "points", "link_0_en": "y"}
    assert len(form.known({"terms_en": "x" * 9000})["terms_en"]) == form.LONGEST_VALUE
    flood = {f"label_x{number}_en": "x" * 5000 for number in range(2000)}
    assert sum(map(len, form.known(flood).values())) == form.MOST_CHARACTERS
