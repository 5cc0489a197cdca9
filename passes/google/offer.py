"""Renders the CardFace of a coupon as Google's OfferClass and OfferObject.

Source: the discovery document of walletobjects v1; required fields as its prose marks them.
"""

from __future__ import annotations

from typing import Any

from passes.card import CardFace, CardKind
from passes.errors import FaceError
from passes.google import parts
from passes.google.parts import check_identifier
from passes.text import Text, Words

#: Shown by the class (title, fine print) or by Google itself (validity).
_ELSEWHERE = frozenset({"offer", "terms", "number", "valid_until"})


def offer_class(
    face: CardFace,
    *,
    class_id: str,
    issuer_name: str,
    logo_url: str,
    hero_url: str | None = None,
    callback_url: str | None = None,
    may_be_nearby: bool = False,
) -> dict[str, Any]:
    """Return the class that all coupons of one offer share, as `loyalty_class` for cards.

    Raises FaceError for the face of something else than a coupon, ValueError for an id that
    Google would not take.
    """
    check_identifier(class_id)
    look = face.look
    body: dict[str, Any] = {
        "id": class_id,
        "issuerName": issuer_name,
        "redemptionChannel": "INSTORE",
        "reviewStatus": "UNDER_REVIEW",
        "hexBackgroundColor": look.colours.background,
        "titleImage": parts.image(logo_url, look.programme_name),
        "multipleDevicesAndHoldersAllowedStatus": "ONE_USER_ALL_DEVICES",
    }
    body |= parts.worded("title", _title(face)) | parts.worded("provider", look.programme_name)
    if look.terms is not None:
        body |= parts.worded("finePrint", look.terms)
    if hero_url is not None:
        body["heroImage"] = parts.image(hero_url, look.description)
    if callback_url is not None:
        body["callbackOptions"] = {"url": callback_url}
    if may_be_nearby and look.places:
        body["merchantLocations"] = parts.nearby(look)
    return body


def offer_object(face: CardFace, *, object_id: str, class_id: str) -> dict[str, Any]:
    """Return the object of one coupon. Its code is static: it is good once, wherever shown.

    Raises FaceError and ValueError as `offer_class`.
    """
    check_identifier(object_id)
    check_identifier(class_id)
    if parts.is_blank(face):
        return {"id": object_id, "classId": class_id, "state": parts.state(face)}
    return {"id": object_id, "classId": class_id, "barcode": parts.barcode(face)} | _shown(face)


def _title(face: CardFace) -> Words:
    offer = face.field("offer")
    if face.kind is not CardKind.COUPON or offer is None or not isinstance(offer.value, str | Text):
        raise FaceError(f"a {face.kind} card is no offer: Google takes it as a loyalty card")
    return offer.value


def _shown(face: CardFace) -> dict[str, Any]:
    _title(face)
    return {"state": parts.state(face)} | parts.without_nothing(
        (
            ("textModulesData", parts.text_modules(face, _ELSEWHERE)),
            ("linksModuleData", parts.links(face)),
            ("validTimeInterval", parts.validity(face)),
            ("passConstraints", parts.constraints(face.look)),
        )
    )
