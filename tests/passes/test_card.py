from datetime import UTC, date, datetime
from typing import Any

import pytest

from passes.card import CardFace, CardKind, Colours, Form, Layout, Section, Slot, rgb
from passes.errors import FaceError
from passes.extras import (
    Action,
    ActionKind,
    Beacon,
    CodeFormat,
    FurtherCode,
    Link,
    Moment,
    Nfc,
    Place,
)
from tests.passes.apple.forge import face, issued, look

SHOP = Action(ActionKind.SHOP, "https://a.example")
BEACON = Beacon("f8f589e9-9d29-4a5c-9f5c-1f5b7d0ea7a1")


def test_a_colour_is_three_numbers() -> None:
    assert rgb("#3b2314") == (59, 35, 20)


@pytest.mark.parametrize(
    "colour", ["3b2314", "#3B2314", "#3b231", "#3b23145", "red", "#3b2314\n", "#3b231\u0664"]
)
def test_only_one_way_of_writing_a_colour_is_taken(colour: str) -> None:
    with pytest.raises(ValueError, match="colour"):
        Colours("#000000", colour, "#ffffff")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"places": (Place(1, 2),) * 11}, "at most 10 places, not 11"),
        ({"beacons": (BEACON,) * 11}, "at most 10 beacons"),
        ({"actions": (SHOP,) * 3}, "at most 2 featured actions"),
        ({"links": (Link("a", "https://a.example"),) * 21}, "at most 20 links"),
        ({"stamps": 10}, "stamp card"),
        ({"kind": CardKind.STAMPS}, "between 1 and 24"),
        ({"kind": CardKind.STAMPS, "stamps": 25}, "between 1 and 24"),
        ({"app_launch_url": "beans://card"}, "App Store"),
    ],
)
def test_a_design_with_more_than_wallets_take_is_refused(
    changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(FaceError, match=said):
        look(**changes)


def test_equal_designs_are_equal_and_found_by_their_hash() -> None:
    assert look() == look()
    assert hash(look()) == hash(look())
    assert look(description="other") != look()
    assert look(logo=b"a") != look(logo=b"b")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"valid_until": datetime(2027, 1, 1)}, "zone"),  # noqa: DTZ001 - on purpose
        (
            {
                "valid_from": datetime(2027, 1, 2, tzinfo=UTC),
                "valid_until": datetime(2027, 1, 1, tzinfo=UTC),
            },
            "until a time after",
        ),
    ],
)
def test_a_validity_that_makes_no_sense_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(FaceError, match=said):
        issued(**changes)


@pytest.mark.parametrize(
    ("slots", "announced"),
    [
        ((Slot("a", Section.BACK, "A"), Slot("a", Section.BACK, "B")), None),
        ((Slot("a", Section.BACK, "A"),), "b"),
    ],
)
def test_a_layout_that_makes_no_sense_is_refused(
    slots: tuple[Slot, ...], announced: str | None
) -> None:
    with pytest.raises(FaceError):
        Layout(slots, announced)


@pytest.mark.parametrize(
    "slot", [{"key": "A b"}, {"key": ""}, {"form": Form.MONEY}, {"currency": "EUR"}]
)
def test_a_field_without_a_name_or_a_currency_is_refused(slot: dict[str, Any]) -> None:
    with pytest.raises(FaceError):
        Slot(**({"key": "a", "section": Section.BACK, "label": "A"} | slot))


def test_each_field_of_its_own_has_a_value() -> None:
    with pytest.raises(FaceError, match="value"):
        CardFace(look(), Layout((Slot("a", Section.BACK, "A"),)), issued(), ())


def test_a_face_says_what_pages_ask_it() -> None:
    card = face(balance=1, member_name="Ada", tier="Gold")
    assert (card.balance, card.points_label, card.member_name) == (1, "bean", "Ada")
    assert (card.programme_name, card.organisation) == ("Bean & Leaf", "Bean & Leaf Ltd")
    assert card.is_active
    assert [field.key for field in card.fields(Section.HEADER)] == ["balance", "tier"]
    assert card.field("tier") is not None
    assert card.field("nothing") is None


@pytest.mark.parametrize(
    "make",
    [
        lambda: Link("a", "javascript:alert(1)"),
        lambda: Link("a", "https://"),
        lambda: Link("a", "https://["),
        lambda: Link("a", "https://a.example/" + "x" * 2000),
        lambda: Action(ActionKind.SHOP, "http://a.example"),
        lambda: Place(91, 0),
        lambda: Place(0, float("nan")),
        lambda: Beacon("x"),
        lambda: Beacon(BEACON.proximity_uuid, major=65536),
        lambda: Nfc("x" * 65, "key"),
        lambda: Moment(datetime(2027, 1, 1)),  # noqa: DTZ001 - on purpose
        lambda: Moment(datetime(2027, 1, 2, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)),
    ],
)
def test_what_a_card_has_besides_is_checked(make: Any) -> None:
    with pytest.raises(FaceError):
        make()


@pytest.mark.parametrize(
    ("form", "good", "bad"),
    [
        (CodeFormat.EAN_13, "4006381333931", "4006381333930"),
        (CodeFormat.ITF, "1234", "123"),
        (CodeFormat.CODABAR, "A1234B", "E12"),
        (CodeFormat.CODE_39, "CARD 1", "card"),
        (CodeFormat.CODE_128, "Card 1", "Kārt"),
        (CodeFormat.PDF_417, "Karte ä", "карта"),
    ],
)
def test_a_further_code_holds_what_its_format_can(form: CodeFormat, good: str, bad: str) -> None:
    assert FurtherCode(form, good).message == good
    for wrong in (bad, "", "1" * 501):
        with pytest.raises(FaceError):
            FurtherCode(form, wrong)


def test_a_day_is_no_moment() -> None:
    assert issued(issued_on=date(2026, 1, 1)).valid_until is None
