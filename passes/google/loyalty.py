"""Renders a CardFace as Google's LoyaltyClass and LoyaltyObject.

Source: the discovery document of walletobjects v1; required fields as its prose marks them.
"""

from __future__ import annotations

import re
from typing import Any

from passes.card import CardFace, CardStatus
from passes.words import words

_IDENTIFIER = re.compile(r"[0-9]{1,20}\.[A-Za-z0-9._-]{1,100}", re.ASCII)
_INT32 = range(-(2**31), 2**31)

_STATES = {
    CardStatus.ACTIVE: "ACTIVE",
    CardStatus.BLOCKED: "INACTIVE",
    CardStatus.REPLACED: "INACTIVE",
    CardStatus.EXPIRED: "EXPIRED",
}
# What a card without it has to be told: in a PATCH, null clears and silence keeps.
_CLEARABLE = (
    "accountName",
    "secondaryLoyaltyPoints",
    "textModulesData",
    "linksModuleData",
)


def check_identifier(identifier: str) -> None:
    """Raise ValueError unless `identifier` is "issuer id.suffix" as Google takes it."""
    if not _IDENTIFIER.fullmatch(identifier):
        raise ValueError(
            f"a Google id is the issuer's number, a dot and [A-Za-z0-9._-]: {identifier!r}"
        )


def loyalty_class(
    face: CardFace,
    *,
    class_id: str,
    issuer_name: str,
    logo_url: str,
    hero_url: str | None = None,
    callback_url: str | None = None,
) -> dict[str, Any]:
    """Return the class that all cards of a programme share.

    Google fetches the pictures itself, so their addresses are public https. `callback_url` is
    told of saves and deletions. `reviewStatus` is always UNDER_REVIEW: Google rejects an
    update that echoes "approved". Raises ValueError for an id that Google would not take.
    """
    check_identifier(class_id)
    said = words(face.language)
    body: dict[str, Any] = {
        "id": class_id,
        "issuerName": issuer_name,
        "programName": face.programme_name,
        "programLogo": _image(logo_url, face.programme_name, face.language),
        "reviewStatus": "UNDER_REVIEW",
        "hexBackgroundColor": face.colours.background,
        "accountNameLabel": said.member,
        "accountIdLabel": said.card_number,
        "multipleDevicesAndHoldersAllowedStatus": "ONE_USER_ALL_DEVICES",
    }
    if hero_url is not None:
        body["heroImage"] = _image(hero_url, face.description, face.language)
    if callback_url is not None:
        body["callbackOptions"] = {"url": callback_url}
    return body


def loyalty_object(
    face: CardFace,
    *,
    object_id: str,
    class_id: str,
    rotating: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the object of one card, as it is inserted or replaced.

    With `rotating` (from `rotating_barcode`) the object has no static barcode.
    Raises ValueError for an id that Google would not take.
    """
    check_identifier(object_id)
    check_identifier(class_id)
    body = {"id": object_id, "classId": class_id} | _shown(face)
    if rotating is not None:
        body["rotatingBarcode"] = rotating
    else:
        body["barcode"] = _barcode(face)
    return body


def changes(
    face: CardFace, *, since: CardFace | None = None, notify: bool = True
) -> dict[str, Any]:
    """Return the body of a PATCH that brings a saved card to `face`.

    With `since`, the face that Google has, only fields that differ; empty where none does.
    Without, every field that can change, and null for those the card no longer has. The
    barcode is sent only where it differs from `since` and is static in both.
    `notify` asks for the notice on the phone (`notifyPreference`), of which Google allows three
    a pass in 24 hours; it goes with a changed balance only.
    """
    body: dict[str, Any] = {field: None for field in _CLEARABLE} | _shown(face)
    balance_changed = True
    if since is not None:
        before: dict[str, Any] = {field: None for field in _CLEARABLE} | _shown(since)
        body = {field: value for field, value in body.items() if before.get(field) != value}
        balance_changed = "loyaltyPoints" in body
        if face.code != since.code:
            body["barcode"] = _barcode(face)
    if notify and balance_changed:
        body["notifyPreference"] = "NOTIFY_ON_UPDATE"
    return body


def erased(notice: str) -> dict[str, Any]:
    """Return the PATCH that blanks a saved card whose member was erased, saying `notice`."""
    return {
        "state": "INACTIVE",
        "accountId": None,
        "accountName": None,
        "loyaltyPoints": None,
        "secondaryLoyaltyPoints": None,
        "linksModuleData": None,
        "barcode": None,
        "rotatingBarcode": None,
        "textModulesData": [{"id": "message", "body": notice}],
    }


def _shown(face: CardFace) -> dict[str, Any]:
    """Everything a card shows but its barcode."""
    said = words(face.language)
    body: dict[str, Any] = {
        "state": _STATES[face.status],
        "accountId": face.serial_number,
        "loyaltyPoints": _points(face.points_label, face.balance),
    }
    if face.member_name is not None:
        body["accountName"] = face.member_name
    if face.pending:
        body["secondaryLoyaltyPoints"] = _points(said.pending, face.pending)
    texts = [
        {"id": key, "header": header, "body": text}
        for key, header, text in (
            ("tier", said.tier, face.tier),
            ("message", said.message, face.message),
        )
        if text is not None
    ]
    if texts:
        body["textModulesData"] = texts
    if face.links:
        body["linksModuleData"] = {
            "uris": [
                {"id": f"link{number}", "uri": link.url, "description": link.label}
                for number, link in enumerate(face.links, start=1)
            ]
        }
    return body


def _points(label: str, points: int) -> dict[str, Any]:
    # Google's int has 32 bits; beyond, the number is still shown as text.
    kind, shown = ("int", points) if points in _INT32 else ("string", str(points))
    return {"label": label, "balance": {kind: shown}}


def _barcode(face: CardFace) -> dict[str, Any]:
    return {"type": "QR_CODE", "value": face.code, "renderEncoding": "UTF_8"}


def _image(url: str, description: str, language: str) -> dict[str, Any]:
    return {
        "sourceUri": {"uri": url},
        "contentDescription": {"defaultValue": {"language": language, "value": description}},
    }
