from dataclasses import replace
from typing import Any

import pytest

from passes.card import CardStatus, Link
from passes.google.loyalty import changes, erased, loyalty_class, loyalty_object
from passes.google.rotating import rotating_barcode
from tests.passes.apple.forge import face
from tests.passes.google.discovery import faults

CLASS_ID = "3388000000022000000.beans"
OBJECT_ID = "3388000000022000000.8f14e45fceea167a"
FULL = face(
    member_name="Ada",
    tier="Gold",
    pending=7,
    message="New roast",
    links=(Link("Shop", "https://example.com"),),
)


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
    assert faults("LoyaltyObject", changes(card), patch=True) == []
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
    ],
)
def test_the_status_is_the_state(status: CardStatus, state: str) -> None:
    assert object_of(face(status=status))["state"] == state


def test_the_points_are_a_number_with_their_name() -> None:
    assert object_of()["loyaltyPoints"] == {"label": "beans", "balance": {"int": 120}}
    assert object_of()["secondaryLoyaltyPoints"] == {"label": "Pending", "balance": {"int": 7}}


def test_a_patch_of_a_new_balance_sends_the_balance_and_asks_for_a_notice() -> None:
    assert changes(replace(FULL, balance=130), since=FULL) == {
        "loyaltyPoints": {"label": "beans", "balance": {"int": 130}},
        "notifyPreference": "NOTIFY_ON_UPDATE",
    }


def test_a_patch_can_be_silent_once_the_notices_are_used_up() -> None:
    assert "notifyPreference" not in changes(replace(FULL, balance=130), since=FULL, notify=False)
    assert "notifyPreference" not in changes(FULL, notify=False)


def test_nothing_changed_is_nothing_sent() -> None:
    assert changes(FULL, since=FULL) == {}


def test_another_change_does_not_use_up_a_notice() -> None:
    assert changes(replace(FULL, member_name="Ada L."), since=FULL) == {"accountName": "Ada L."}


def test_what_a_card_no_longer_has_is_cleared() -> None:
    bare = face()
    assert changes(bare, since=FULL) == {
        "accountName": None,
        "secondaryLoyaltyPoints": None,
        "textModulesData": None,
        "linksModuleData": None,
    }
    assert changes(bare).items() >= changes(bare, since=FULL).items()


def test_a_new_code_is_sent_and_an_old_one_is_not() -> None:
    assert "barcode" not in changes(FULL)
    assert changes(replace(FULL, code="CF1:B"), since=FULL)["barcode"]["value"] == "CF1:B"


def test_an_erased_card_keeps_nothing_of_the_member() -> None:
    body = erased("This card was erased.")
    assert faults("LoyaltyObject", body, patch=True) == []
    after = object_of(FULL) | body
    left = {name for name, value in after.items() if value is not None}
    assert left == {"id", "classId", "state", "textModulesData"}
    assert after["state"] == "INACTIVE"
    assert "Ada" not in str(after)


@pytest.mark.parametrize(
    "identifier", ["beans", "3388.", "3388.be ans", "3388.bean/s", "x.beans", "3388.b\n", "3388.ä"]
)
def test_an_id_that_google_does_not_take_is_refused(identifier: str) -> None:
    with pytest.raises(ValueError, match="Google id"):
        class_of(class_id=identifier)
    with pytest.raises(ValueError, match="Google id"):
        object_of(object_id=identifier)
