from typing import Any

import pytest

from passes.card import CardFace, CardKind, CardStatus
from passes.errors import FaceError
from passes.google.offer import offer_class, offer_object
from passes.kinds import coupon
from tests.passes.apple.forge import face, issued, look
from tests.passes.faces import of_every_kind
from tests.passes.google.discovery import faults

CLASS_ID = "3388000000022000000.coffee-for-one"
OBJECT_ID = "3388000000022000000.8f14e45fceea167a"
FULL = of_every_kind(everything=True)[CardKind.COUPON]
BARE = of_every_kind(everything=False)[CardKind.COUPON]


def class_of(card: CardFace = FULL, **more: Any) -> dict[str, Any]:
    wanted = {"issuer_name": "Bean & Leaf Ltd", "logo_url": "https://example.com/logo.png"}
    return offer_class(card, **({"class_id": CLASS_ID} | wanted | more))


def object_of(card: CardFace = FULL, **more: Any) -> dict[str, Any]:
    return offer_object(card, **({"object_id": OBJECT_ID, "class_id": CLASS_ID} | more))


@pytest.mark.parametrize("card", [FULL, BARE])
def test_a_coupon_is_what_google_documents(card: CardFace) -> None:
    whole = class_of(
        card,
        hero_url="https://example.com/hero.png",
        callback_url="https://cards.example.com/google",
        may_be_nearby=True,
    )
    assert faults("OfferClass", whole) == []
    assert faults("OfferClass", class_of(card)) == []
    assert faults("OfferObject", object_of(card)) == []


def test_the_offer_is_the_title_in_every_language() -> None:
    body = class_of()
    assert body["title"] == "Free coffee"
    titles = {
        item["language"]: item["value"] for item in body["localizedTitle"]["translatedValues"]
    }
    assert titles == {"de": "Gratis-Kaffee", "lv": "Bezmaksas kafija", "ru": "Кофе даром"}
    assert body["localizedFinePrint"]["defaultValue"]["value"] == "One each"


def test_a_used_coupon_goes_to_the_archive() -> None:
    used = coupon(look(CardKind.COUPON), issued(status=CardStatus.USED), offer="Free coffee")
    assert object_of(used)["state"] == "COMPLETED"


def test_what_is_no_coupon_is_no_offer() -> None:
    with pytest.raises(FaceError, match="loyalty"):
        class_of(face())
    with pytest.raises(FaceError, match="loyalty"):
        object_of(face())


@pytest.mark.parametrize("identifier", ["beans", "3388.", "3388.be ans"])
def test_an_id_that_google_does_not_take_is_refused(identifier: str) -> None:
    with pytest.raises(ValueError, match="Google id"):
        class_of(class_id=identifier)
    with pytest.raises(ValueError, match="Google id"):
        object_of(object_id=identifier)
