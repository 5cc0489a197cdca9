from dataclasses import replace
from typing import Any

import pytest

from passes.card import CardFace, CardKind, CardStatus
from passes.extras import Extras, Link
from passes.google.loyalty import loyalty_class, loyalty_object
from passes.google.rotating import rotating_barcode
from tests.passes.apple.forge import face
from tests.passes.faces import BEANS, GOLD, of_every_kind
from tests.passes.google.discovery import faults

CLASS_ID = "3388000000022000000.beans"
OBJECT_ID = "3388000000022000000.8f14e45fceea167a"


def full(**changes: Any) -> CardFace:
    """A card with everything, and what a test is about changed."""
    given: dict[str, Any] = {
        "member_name": "Ada",
        "tier": "Gold",
        "pending": 7,
        "message": "New roast",
        "links": (Link("Shop", "https://example.com"),),
    }
    return face(**(given | changes))


FULL = full()


def class_of(**more: Any) -> dict[str, Any]:
    wanted = {"issuer_name": "Bean & Leaf Ltd", "logo_url": "https://example.com/logo.png"}
    return loyalty_class(face(), **({"class_id": CLASS_ID} | wanted | more))


def object_of(card: Any = FULL, **more: Any) -> dict[str, Any]:
    return loyalty_object(card, **({"object_id": OBJECT_ID, "class_id": CLASS_ID} | more))


def test_a_class_is_what_google_documents() -> None:
    assert faults("LoyaltyClass", class_of()) == []
    whole = class_of(
        hero_url="https://example.com/hero.png", callback_url="https://cards.example.com/google"
    )
    assert faults("LoyaltyClass", whole) == []
    assert whole["callbackOptions"] == {"url": "https://cards.example.com/google"}


def test_a_class_always_asks_for_review() -> None:
    assert class_of()["reviewStatus"] == "UNDER_REVIEW"


@pytest.mark.parametrize(
    "card",
    [FULL, face(), face(balance=2**31), face(balance=-(2**31) - 1), face(language="lv")],
)
def test_an_object_is_what_google_documents(card: Any) -> None:
    assert faults("LoyaltyObject", object_of(card)) == []
    rotating = rotating_barcode("A" * 120, bytes(20))
    assert faults("LoyaltyObject", object_of(card, rotating=rotating)) == []


def test_the_witness_sees_what_google_would_refuse() -> None:
    body = object_of()
    assert faults("LoyaltyObject", body | {"colour": "red"}) == ["LoyaltyObject.colour is unknown"]
    assert faults("LoyaltyObject", body | {"state": "BLOCKED"}) != []
    assert faults("LoyaltyObject", {"id": OBJECT_ID}) != []
    assert faults("LoyaltyObject", body | {"accountId": 7}) != []


def test_the_code_is_the_barcode() -> None:
    assert object_of()["barcode"] == {
        "type": "QR_CODE",
        "value": FULL.code,
        "renderEncoding": "UTF_8",
    }


def test_a_rotating_object_has_no_static_barcode() -> None:
    rotating = rotating_barcode("A" * 120, bytes(20))
    body = object_of(rotating=rotating)
    assert body["rotatingBarcode"] == rotating
    assert "barcode" not in body


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (CardStatus.ACTIVE, "ACTIVE"),
        (CardStatus.BLOCKED, "INACTIVE"),
        (CardStatus.REPLACED, "INACTIVE"),
        (CardStatus.EXPIRED, "EXPIRED"),
        (CardStatus.USED, "COMPLETED"),
    ],
)
def test_the_status_is_the_state(status: CardStatus, state: str) -> None:
    assert object_of(face(status=status))["state"] == state


def test_the_points_are_a_number_with_their_name_in_every_language() -> None:
    points = object_of(face(balance=2, counted=BEANS))["loyaltyPoints"]
    assert points["balance"] == {"int": 2}
    assert points["label"] == "beans"
    assert points["localizedLabel"] == {
        "defaultValue": {"language": "en", "value": "beans"},
        "translatedValues": [
            {"language": "de", "value": "Bohnen"},
            {"language": "lv", "value": "pupiņas"},
            {"language": "ru", "value": "зерна"},
        ],
    }
    second = object_of()["secondaryLoyaltyPoints"]
    assert (second["label"], second["balance"]) == ("Pending", {"int": 7})


def test_the_holders_language_stands_in_for_languages_that_we_do_not_speak() -> None:
    points = object_of(face(balance=21, counted=BEANS, language="ru-LV"))["loyaltyPoints"]
    assert points["label"] == "зерно"
    assert points["localizedLabel"]["defaultValue"] == {"language": "ru", "value": "зерно"}


def test_numbers_dates_and_money_are_written_as_each_language_writes_them() -> None:
    card = of_every_kind(everything=True)[CardKind.DISCOUNT]
    modules = {module["id"]: module for module in object_of(card)["textModulesData"]}
    left = modules["until_next"]["localizedBody"]
    written = {item["language"]: item["value"] for item in left["translatedValues"]}
    assert left["defaultValue"]["value"] == "€65.50"
    assert written == {"de": "65,50\u00a0€", "lv": "65,50\u00a0€", "ru": "65,50\u00a0€"}
    issued = modules["issued"]["localizedBody"]
    assert issued["defaultValue"]["value"] == "Nov 23, 2026"
    assert issued["translatedValues"][0]["value"] == "23.11.2026"
    assert object_of(card)["secondaryLoyaltyPoints"]["balance"] == {
        "money": {"micros": "1234500000", "currencyCode": "EUR"}
    }


@pytest.mark.parametrize(
    ("kind", "balance"),
    [
        (CardKind.POINTS, {"int": 1250}),
        (CardKind.COMPANY, {"int": -5}),
        (CardKind.STAMPS, {"string": "3/10"}),
        (CardKind.DISCOUNT, {"string": "7.5\u00a0%"}),
        (CardKind.CLUB, {"string": "Nov 23, 2027"}),
    ],
)
def test_what_counts_on_a_card_is_what_google_shows_large(
    kind: CardKind, balance: dict[str, Any]
) -> None:
    assert object_of(of_every_kind(everything=True)[kind])["loyaltyPoints"]["balance"] == balance


@pytest.mark.parametrize("everything", [True, False])
@pytest.mark.parametrize("kind", [kind for kind in CardKind if kind is not CardKind.COUPON])
def test_cards_of_every_kind_are_what_google_documents(kind: CardKind, everything: bool) -> None:
    card = of_every_kind(everything=everything)[kind]
    shared = loyalty_class(
        card,
        class_id=CLASS_ID,
        issuer_name="Bean & Leaf Ltd",
        logo_url="https://example.com/logo.png",
        wide_logo_url="https://example.com/wide.png",
        may_be_nearby=True,
    )
    hero = "https://example.com/hero-3.png"
    assert faults("LoyaltyClass", shared) == []
    assert faults("LoyaltyObject", object_of(card, hero_url=hero)) == []


def test_a_card_is_good_from_when_to_when_and_not_to_be_copied() -> None:
    body = object_of(of_every_kind(everything=True)[CardKind.CLUB])
    assert body["validTimeInterval"] == {
        "start": {"date": "2026-11-23T00:00:00Z"},
        "end": {"date": "2027-11-23T22:59:59Z"},
    }
    assert body["passConstraints"] == {"screenshotEligibility": "INELIGIBLE"}


def test_a_tier_of_the_design_is_the_classes_and_a_cards_own_is_the_cards() -> None:
    gold = face(tier=None)
    of_gold = loyalty_class(
        replace(gold, look=replace(gold.look, tier=GOLD)),
        class_id=CLASS_ID,
        issuer_name="Bean & Leaf Ltd",
        logo_url="https://example.com/logo.png",
    )
    assert (of_gold["rewardsTier"], of_gold["rewardsTierLabel"]) == ("Gold", "Tier")
    assert faults("LoyaltyClass", of_gold) == []
    modules = object_of(face(tier="Silver"))["textModulesData"]
    assert [module["body"] for module in modules if module["id"] == "tier"] == ["Silver"]


def test_a_members_coupons_come_with_the_card() -> None:
    linked = tuple(f"3388.coupon{number}" for number in range(51))
    body = object_of(face(extras=Extras(linked=linked)))
    assert body["linkedObjectIds"] == list(linked[:50])


@pytest.mark.parametrize(
    "identifier", ["beans", "3388.", "3388.be ans", "3388.bean/s", "x.beans", "3388.b\n", "3388.ä"]
)
def test_an_id_that_google_does_not_take_is_refused(identifier: str) -> None:
    with pytest.raises(ValueError, match="Google id"):
        class_of(class_id=identifier)
    with pytest.raises(ValueError, match="Google id"):
        object_of(object_id=identifier)
