import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passes.apple import pass_json
from passes.card import CardFace, CardStatus, Colours, Link
from tests.passes.apple import forge

faces = st.builds(
    CardFace,
    programme_name=st.text(),
    organisation=st.text(),
    description=st.text(),
    serial_number=st.text(),
    code=st.text(),
    balance=st.integers(),
    points_label=st.text(),
    colours=st.just(Colours("#3b2314", "#fff6e8", "#e0b070")),
    issued_on=st.dates(),
    member_name=st.none() | st.text(),
    tier=st.none() | st.text(),
    pending=st.integers(0, 1000),
    message=st.none() | st.text(),
    links=st.lists(st.builds(Link, st.text(), st.text()), max_size=2).map(tuple),
    status=st.sampled_from(CardStatus),
    language=st.sampled_from(["en", "de", "lv-LV", "ru", "xx"]),
)
services = st.just((None, None)) | st.tuples(
    st.just("https://cards.example.com"), st.text(min_size=16)
)


def built(card: CardFace) -> Any:
    return json.loads(pass_json.to_bytes(forge.content(card)))


def every_field(content: dict[str, Any]) -> list[dict[str, Any]]:
    return [field for fields in content["storeCard"].values() for field in fields]


@given(faces, services)
def test_rendering_fast_gives_the_bytes_of_building(
    card: CardFace, service: tuple[str | None, str | None]
) -> None:
    wanted: dict[str, Any] = {
        "pass_type_identifier": "pass.x",
        "team_identifier": "T",
        "web_service_url": service[0],
        "authentication_token": service[1],
    }
    try:
        plain = pass_json.to_bytes(pass_json.build(card, **wanted))
    except UnicodeEncodeError:
        return
    assert pass_json.render(card, **wanted) == plain


def test_the_balance_is_in_the_strip_that_sticks_out_of_a_stack() -> None:
    [header] = built(forge.face(balance=-3))["storeCard"]["headerFields"]
    assert (header["key"], header["label"], header["value"]) == ("balance", "beans", -3)


@pytest.mark.parametrize(
    ("language", "message"),
    [
        ("en", "You now have %@ beans"),
        ("de-AT", "Neuer Stand: %@ beans"),
        ("lv", "Jaunais atlikums: %@ beans"),
        ("ru", "Теперь у вас %@ beans"),
        ("fr", "You now have %@ beans"),
    ],
)
def test_the_balance_alone_speaks_on_the_lock_screen(language: str, message: str) -> None:
    card = forge.face(
        member_name="Ada",
        tier="Gold",
        pending=5,
        message="New roast",
        links=(Link("Shop", "https://example.com"),),
        language=language,
    )
    messages = {
        field["key"]: field["changeMessage"]
        for field in every_field(built(card))
        if "changeMessage" in field
    }
    assert messages == {"balance": message}


def test_a_percent_sign_in_the_points_name_is_not_a_placeholder() -> None:
    [header] = built(forge.face(points_label="% off"))["storeCard"]["headerFields"]
    assert header["changeMessage"] == "You now have %@ %% off"


def test_the_code_is_a_qr_code_in_latin_1() -> None:
    assert built(forge.face())["barcodes"] == [
        {
            "format": "PKBarcodeFormatQR",
            "message": "CF1:" + "A0" * 58,
            "messageEncoding": "iso-8859-1",
        }
    ]


@pytest.mark.parametrize("status", CardStatus)
def test_a_card_that_does_not_work_is_voided(status: CardStatus) -> None:
    assert built(forge.face(status=status)).get("voided", False) is (
        status is not CardStatus.ACTIVE
    )


def test_colours_are_written_as_apple_documents_them() -> None:
    content = built(forge.face())
    assert content["backgroundColor"] == "rgb(59, 35, 20)"
    assert content["foregroundColor"] == "rgb(255, 246, 232)"
    assert content["labelColor"] == "rgb(224, 176, 112)"


def test_what_a_card_does_not_have_is_not_shown() -> None:
    card = built(forge.face())["storeCard"]
    assert "secondaryFields" not in card
    assert [field["key"] for field in card["backFields"]] == ["number", "issued"]


def test_a_link_is_escaped_in_its_html() -> None:
    card = forge.face(links=(Link("<Menu>", "https://example.com/?a=1&b='2'"),))
    [link] = [field for field in every_field(built(card)) if field["key"] == "link1"]
    assert link["value"] == "https://example.com/?a=1&b='2'"
    assert link["attributedValue"] == (
        '<a href="https://example.com/?a=1&amp;b=&#x27;2&#x27;">&lt;Menu&gt;</a>'
    )


def test_dates_have_no_fraction_of_a_second() -> None:
    fields = every_field(built(forge.face(issued_on=date(2026, 2, 3))))
    assert [field["value"] for field in fields if field["key"] == "issued"] == [
        "2026-02-03T00:00:00Z"
    ]


@pytest.mark.parametrize("render", [pass_json.build, pass_json.render])
@pytest.mark.parametrize(
    "service",
    [("https://x.example", None), (None, forge.TOKEN), ("https://x.example", "fifteen letters")],
)
def test_half_a_web_service_or_a_short_token_is_refused(
    render: Any, service: tuple[str | None, str | None]
) -> None:
    with pytest.raises(ValueError, match="token"):
        render(
            forge.face(),
            pass_type_identifier="pass.x",
            team_identifier="T",
            web_service_url=service[0],
            authentication_token=service[1],
        )


def test_a_pass_without_a_web_service_says_nothing_of_one() -> None:
    content = pass_json.build(
        forge.face(),
        pass_type_identifier="pass.x",
        team_identifier="T",
        web_service_url=None,
        authentication_token=None,
    )
    assert not {"webServiceURL", "authenticationToken"} & content.keys()
