"""Renders a CardFace as Google's LoyaltyClass and LoyaltyObject; coupons are in `offer`.

Source: the discovery document of walletobjects v1; required fields as its prose marks them.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from passes import words
from passes.card import CardFace, Field, Form, Look, Section
from passes.google import parts
from passes.google.parts import check_identifier
from passes.text import Text
from passes.written import written

__all__ = ["check_identifier", "loyalty_class", "loyalty_object"]

_INT32 = range(-(2**31), 2**31)
_MICROS = 1_000_000
#: The number beside the main one: the first of these that a card has.
_SECOND = ("pending", "spent", "ready")


def loyalty_class(
    face: CardFace,
    *,
    class_id: str,
    issuer_name: str,
    logo_url: str,
    hero_url: str | None = None,
    wide_logo_url: str | None = None,
    callback_url: str | None = None,
    may_be_nearby: bool = False,
) -> dict[str, Any]:
    """Return the class that all cards of a design share; nothing of one card is in it.

    Google fetches the pictures itself, so their addresses are public https. `callback_url` is
    told of saves and deletions. `may_be_nearby` says that Google lets this issuer name places
    (others are answered 400). `reviewStatus` is always UNDER_REVIEW: Google rejects an update
    that echoes "approved". Raises ValueError for an id that Google would not take.
    """
    check_identifier(class_id)
    look = face.look
    body: dict[str, Any] = {
        "id": class_id,
        "issuerName": issuer_name,
        "programLogo": parts.image(logo_url, look.programme_name),
        "reviewStatus": "UNDER_REVIEW",
        "hexBackgroundColor": look.colours.background,
        "multipleDevicesAndHoldersAllowedStatus": "ONE_USER_ALL_DEVICES",
    }
    body |= parts.worded("programName", look.programme_name)
    body |= parts.worded("accountNameLabel", _called(look, words.MEMBER, "member"))
    body |= parts.worded("accountIdLabel", _called(look, words.CARD_NUMBER, "number"))
    if look.tier is not None:
        body |= parts.worded("rewardsTier", look.tier)
        body |= parts.worded("rewardsTierLabel", _called(look, words.TIER, "tier"))
    if hero_url is not None:
        body["heroImage"] = parts.image(hero_url, look.description)
    if wide_logo_url is not None:
        body["wideProgramLogo"] = parts.image(wide_logo_url, look.programme_name)
    if callback_url is not None:
        body["callbackOptions"] = {"url": callback_url}
    if may_be_nearby and look.places:
        body["merchantLocations"] = parts.nearby(look)
    return body


def loyalty_object(
    face: CardFace,
    *,
    object_id: str,
    class_id: str,
    rotating: dict[str, Any] | None = None,
    hero_url: str | None = None,
) -> dict[str, Any]:
    """Return the object of one card, as it is inserted or replaced.

    With `rotating` (from `rotating_barcode`) the object has no static barcode. `hero_url` is a
    picture of this card alone: the stamps it has. An erased card is an inactive object with
    nothing in it. Raises ValueError for an id that Google would not take.
    """
    check_identifier(object_id)
    check_identifier(class_id)
    if parts.is_blank(face):
        return {"id": object_id, "classId": class_id, "state": parts.state(face)}
    body = {"id": object_id, "classId": class_id} | _shown(face, hero_url)
    if face.issued.extras.linked:
        body["linkedObjectIds"] = _linked(face)
    if rotating is not None:
        body["rotatingBarcode"] = rotating
    else:
        body["barcode"] = parts.barcode(face)
    return body


def _shown(face: CardFace, hero_url: str | None) -> dict[str, Any]:
    """Everything a card shows but its barcode."""
    main = next(iter(face.fields(Section.HEADER)), None)
    second = next((found for key in _SECOND if (found := face.field(key)) is not None), None)
    elsewhere = {"member", "number", "message"} | {
        field.key for field in (main, second) if field is not None
    }
    if face.look.tier is not None:
        elsewhere.add("tier")
    look, language = face.look, face.language
    return {
        "state": parts.state(face),
        "accountId": face.serial_number,
    } | parts.without_nothing(
        (
            ("loyaltyPoints", None if main is None else _points(main, language)),
            ("accountName", face.member_name if face.field("member") else None),
            ("secondaryLoyaltyPoints", None if second is None else _points(second, language)),
            ("textModulesData", parts.text_modules(face, frozenset(elsewhere))),
            ("linksModuleData", parts.links(face)),
            ("messages", parts.messages(face)),
            ("validTimeInterval", parts.validity(face)),
            ("passConstraints", parts.constraints(look)),
            ("heroImage", None if hero_url is None else parts.image(hero_url, look.description)),
        )
    )


def _called(look: Look, label: Text, key: str) -> Text:
    """What the field *key* is called: as the owner wishes, or as always."""
    labels = look.arrangement.labels if look.arrangement is not None else ()
    return dict(labels).get(key, label)


def _points(field: Field, language: str) -> dict[str, Any]:
    value = field.value
    if field.form is Form.MONEY and isinstance(value, int | Decimal):
        # An int64 is a string in Google's JSON.
        money = {"micros": str(int(value * _MICROS)), "currencyCode": field.currency}
        return parts.label(field, language) | {"balance": {"money": money}}
    # Google's int has 32 bits; beyond, the number is still shown as text.
    if isinstance(value, int) and value in _INT32:
        return parts.label(field, language) | {"balance": {"int": value}}
    return parts.label(field, language) | {"balance": {"string": written(field, language)}}


def _linked(face: CardFace) -> list[str]:
    for identifier in face.issued.extras.linked:
        check_identifier(identifier)
    return list(face.issued.extras.linked[: parts.MAX_LINKED])
