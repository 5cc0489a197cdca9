import json
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passes.apple import pass_json, strings
from passes.card import CardFace, CardKind, CardStatus
from passes.errors import FaceError
from passes.extras import Extras, Link, Nfc
from passes.text import counted
from tests.passes.apple import forge
from tests.passes.faces import BEANS, COFFEE, GOLD, SHOP, faces, of_every_kind

services = st.just((None, None)) | st.tuples(
    st.just("https://cards.example.com"), st.text(min_size=16)
)


def built(card: CardFace, **more: Any) -> Any:
    return json.loads(pass_json.to_bytes(forge.content(card, **more)))


def every_field(content: dict[str, Any]) -> list[dict[str, Any]]:
    return [field for fields in content["storeCard"].values() for field in fields]


def spoken(card: CardFace, key: str, language: str = "en") -> str:
    """A text of the pass in the words of a language."""
    table = strings.read(strings.files(card.look)[f"{language}.lproj/pass.strings"])
    return table.get(key, key)


def wanted(url: str | None = None, token: str | None = None) -> dict[str, Any]:
    return {
        "pass_type_identifier": "pass.x",
        "team_identifier": "T",
        "web_service_url": url,
        "authentication_token": token,
    }


@given(faces, services)
def test_rendering_fast_gives_the_bytes_of_building(
    card: CardFace, service: tuple[str | None, str | None]
) -> None:
    try:
        plain = pass_json.to_bytes(pass_json.build(card, **wanted(*service)))
    except UnicodeEncodeError:
        return
    assert pass_json.render(card, **wanted(*service)) == plain


@pytest.mark.parametrize("everything", [True, False])
@pytest.mark.parametrize("kind", CardKind)
def test_every_kind_renders_fast_as_it_is_built(kind: CardKind, everything: bool) -> None:
    card = of_every_kind(everything=everything)[kind]
    plain = pass_json.to_bytes(pass_json.build(card, **wanted()))
    assert pass_json.render(card, **wanted()) == plain


@pytest.mark.parametrize("kind", CardKind)
def test_a_coupon_is_a_coupon_and_all_else_a_store_card(kind: CardKind) -> None:
    content = built(of_every_kind(everything=False)[kind])
    style = "coupon" if kind is CardKind.COUPON else "storeCard"
    assert [name for name in ("coupon", "storeCard", "posterGeneric") if name in content] == [style]


def test_the_balance_is_in_the_strip_that_sticks_out_of_a_stack() -> None:
    card = forge.face(balance=-3, tier="Gold")
    header, tier = built(card)["storeCard"]["headerFields"]
    assert (header["key"], spoken(card, header["label"]), header["value"]) == (
        "balance",
        "beans",
        -3,
    )
    assert (spoken(card, tier["label"]), tier["value"]) == ("Tier", "Gold")


@pytest.mark.parametrize(
    ("language", "message"),
    [
        ("en", "You now have %@ beans"),
        ("de", "Neuer Stand: %@ beans"),
        ("lv", "Jaunais atlikums: %@ beans"),
        ("ru", "Теперь у вас %@ beans"),
    ],
)
def test_the_balance_alone_speaks_on_the_lock_screen(language: str, message: str) -> None:
    card = forge.face(
        member_name="Ada",
        tier="Gold",
        pending=5,
        message="New roast",
        links=(Link("Shop", "https://example.com"),),
    )
    messages = {
        field["key"]: spoken(card, field["changeMessage"], language)
        for field in every_field(built(card))
        if "changeMessage" in field
    }
    assert messages == {"balance": message}


def test_news_may_speak_instead_of_the_balance() -> None:
    card = forge.face(message="New roast", announce_message=True)
    messages = {
        field["key"]: field["changeMessage"]
        for field in every_field(built(card))
        if "changeMessage" in field
    }
    assert messages == {"message": "%@"}


@pytest.mark.parametrize("kind", CardKind)
def test_every_kind_has_exactly_one_change_to_tell_and_tells_the_value(kind: CardKind) -> None:
    card = of_every_kind(everything=True)[kind]
    content = built(card)
    for style in ("coupon", "storeCard", "posterGeneric"):
        told = [
            spoken(card, field["changeMessage"], language)
            for fields in content.get(style, {}).values()
            for field in fields
            if "changeMessage" in field
            for language in ("en", "de", "lv", "ru")
        ]
        assert len(told) == (4 if style in content else 0)
        assert all("%@" in message for message in told)


@pytest.mark.parametrize(
    ("balance", "english", "latvian", "russian"),
    [
        (0, "beans", "pupiņu", "зёрен"),
        (1, "bean", "pupiņa", "зерно"),
        (2, "beans", "pupiņas", "зерна"),
        (11, "beans", "pupiņu", "зёрен"),
        (21, "beans", "pupiņa", "зерно"),
        (-101, "beans", "pupiņa", "зерно"),
        (1_000_005, "beans", "pupiņas", "зёрен"),
    ],
)
def test_points_stand_in_the_plural_of_each_language(
    balance: int, english: str, latvian: str, russian: str
) -> None:
    card = forge.face(balance=balance, counted=BEANS)
    [header] = built(card)["storeCard"]["headerFields"]
    said = [spoken(card, header["label"], language) for language in ("en", "lv", "ru")]
    assert said == [english, latvian, russian]
    assert spoken(card, header["changeMessage"], "ru") == f"Теперь у вас %@ {russian}"


def test_a_percent_sign_in_the_points_name_is_not_a_placeholder() -> None:
    card = forge.face(counted=counted({"en": {"other": "% off"}}))
    [header] = built(card)["storeCard"]["headerFields"]
    assert spoken(card, header["changeMessage"]) == "You now have %@ %% off"


def test_a_text_that_the_design_has_travels_by_its_key_and_another_in_the_holders_words() -> None:
    known = forge.face(tier=GOLD, vocabulary=(GOLD,), language="lv")
    assert built(known)["storeCard"]["headerFields"][1]["value"] == GOLD.key
    assert spoken(known, GOLD.key, "lv") == "Zelts"
    unknown = forge.face(tier=GOLD, language="lv")
    assert built(unknown)["storeCard"]["headerFields"][1]["value"] == "Zelts"


def test_what_is_a_cards_own_changes_no_table_of_strings() -> None:
    first, other = forge.face(), forge.face(balance=7, member_name="Ada", message="Hi", tier="Gold")
    assert strings.files(first.look) is strings.files(other.look)


def test_the_code_is_a_qr_code_in_latin_1() -> None:
    assert built(forge.face())["barcodes"] == [
        {
            "format": "PKBarcodeFormatQR",
            "message": "CF1:" + "A0" * 58,
            "messageEncoding": "iso-8859-1",
        }
    ]


def test_further_codes_come_first_and_qr_last() -> None:
    formats = [
        code["format"] for code in built(of_every_kind(everything=True)[CardKind.CLUB])["barcodes"]
    ]
    assert formats == ["PKBarcodeFormatEAN13", "PKBarcodeFormatQR"]


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
    assert [field["key"] for field in card["backFields"]] == ["message", "number", "issued"]


def test_a_link_is_escaped_in_its_html() -> None:
    card = forge.face(links=(Link("<Menu>", "https://example.com/?a=1&b='2'"),))
    [link] = [field for field in every_field(built(card)) if field["key"] == "link1"]
    assert link["value"] == "https://example.com/?a=1&b='2'"
    assert link["attributedValue"] == (
        "<a href='https://example.com/?a=1&amp;b=&#x27;2&#x27;'>&lt;Menu&gt;</a>"
    )


def test_a_link_is_called_by_its_name_in_each_language() -> None:
    card = forge.face(links=(SHOP,))
    [link] = [field for field in every_field(built(card)) if field["key"] == "link1"]
    assert spoken(card, link["attributedValue"], "de") == (
        "<a href='https://a.example/?a=1&amp;b=2'>Laden</a>"
    )
    own = forge.face(extras=Extras(links=(SHOP,)), language="ru")
    [link] = [field for field in every_field(built(own)) if field["key"] == "link1"]
    assert link["attributedValue"] == "<a href='https://a.example/?a=1&amp;b=2'>Магазин</a>"


def test_dates_have_no_fraction_of_a_second() -> None:
    moment = datetime(2027, 1, 2, 3, 4, 5, 678901, tzinfo=timezone(timedelta(hours=2)))
    content = built(forge.face(issued_on=date(2026, 2, 3), valid_until=moment))
    assert content["expirationDate"] == "2027-01-02T01:04:05Z"
    assert [field["value"] for field in every_field(content) if field["key"] == "issued"] == [
        "2026-02-03T00:00:00Z"
    ]


def test_numbers_money_and_shares_are_left_to_the_phone_to_write() -> None:
    content = built(of_every_kind(everything=True)[CardKind.DISCOUNT])
    shown = {field["key"]: field for field in every_field(content)}
    assert (
        shown["discount"] | {"value": 0.075, "numberStyle": "PKNumberStylePercent"}
        == shown["discount"]
    )
    assert (shown["spent"]["value"], shown["spent"]["currencyCode"]) == (1234.5, "EUR")


def test_where_when_and_for_whom_a_pass_is_are_as_apple_documents() -> None:
    content = built(of_every_kind(everything=True)[CardKind.POINTS])
    assert content["locations"] == [
        {"latitude": 56.95, "longitude": 24.1, "relevantText": "Beans nearby"},
        {"latitude": 0, "longitude": 0},
    ]
    assert content["beacons"] == [
        {
            "proximityUUID": "f8f589e9-9d29-4a5c-9f5c-1f5b7d0ea7a1",
            "major": 1,
            "minor": 2,
            "relevantText": "Hello",
        }
    ]
    assert content["relevantDates"] == [
        {"startDate": "2026-12-24T09:00:00Z", "endDate": "2027-11-23T22:59:59Z"},
        {"date": "2027-11-23T22:59:59Z"},
    ]
    assert content["sharingProhibited"] is True
    assert content["associatedStoreIdentifiers"] == [284910350]
    assert content["appLaunchURL"] == "beans://card"
    assert content["featuredActions"] == [
        {"identifier": "action1", "type": "shop", "url": "https://a.example/shop"}
    ]


def test_a_poster_brings_its_fallback_for_older_systems() -> None:
    content = built(of_every_kind(everything=True)[CardKind.COUPON])
    poster = content["posterGeneric"]
    assert [field["key"] for field in poster["headerFields"]] == ["valid_until"]
    assert [field["key"] for field in poster["primaryFields"]] == ["offer", "member"]
    assert content["coupon"]["primaryFields"][0]["value"] == COFFEE.key


def test_a_poster_shows_no_more_than_there_is_room_for() -> None:
    poster = built(of_every_kind(everything=True)[CardKind.COMPANY])["posterGeneric"]
    assert len(poster["headerFields"]) == 1
    assert len(poster["primaryFields"]) <= 4
    assert len(poster.get("footerFields", ())) <= 2


def test_nfc_is_refused_without_the_entitlement() -> None:
    card = forge.face(extras=Extras(nfc=Nfc("8f14e45f", "key", requires_authentication=True)))
    for make in (pass_json.build, pass_json.render):
        with pytest.raises(FaceError, match="entitlement"):
            make(card, **wanted())
    assert pass_json.build(card, **wanted(), nfc_entitled=True)["nfc"] == {
        "message": "8f14e45f",
        "encryptionPublicKey": "key",
        "requiresAuthentication": True,
    }


@pytest.mark.parametrize("render", [pass_json.build, pass_json.render])
@pytest.mark.parametrize(
    "service",
    [("https://x.example", None), (None, forge.TOKEN), ("https://x.example", "fifteen letters")],
)
def test_half_a_web_service_or_a_short_token_is_refused(
    render: Any, service: tuple[str | None, str | None]
) -> None:
    with pytest.raises(ValueError, match="token"):
        render(forge.face(), **wanted(*service))


def test_a_pass_without_a_web_service_says_nothing_of_one() -> None:
    content = pass_json.build(forge.face(), **wanted())
    assert not {"webServiceURL", "authenticationToken"} & content.keys()


def test_the_end_of_a_cards_time_is_its_own() -> None:
    moment = datetime(2027, 1, 1, tzinfo=UTC)
    later = pass_json.render(forge.face(valid_until=moment + timedelta(days=1)), **wanted())
    assert b'"expirationDate":"2027-01-02T00:00:00Z"' in later
    assert b"expirationDate" not in pass_json.render(forge.face(), **wanted())
