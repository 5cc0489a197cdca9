"""Renders a CardFace as Apple's pass.json in the style storeCard.

Source: developer.apple.com/documentation/walletpasses/pass and the objects below it.
"""

from __future__ import annotations

import html
import json
import re
from datetime import date
from functools import lru_cache
from typing import Any

from passes.card import CardFace, CardStatus, Colours, Link, rgb
from passes.words import Words, words

MIN_TOKEN_LENGTH = 16
BALANCE_KEY = "balance"

# One encoder for all passes: json.dumps would make a new one each time.
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def build(
    face: CardFace,
    *,
    pass_type_identifier: str,
    team_identifier: str,
    web_service_url: str | None,
    authentication_token: str | None,
) -> dict[str, Any]:
    """Return pass.json for `face` as a dict.

    The balance stands in the header, the strip that stays visible in a stack, and is the one
    field with a change message: with two, iOS shows a generic alert and neither text.
    Address and token of the web service come together or not at all; without them the pass
    never updates. Raises ValueError where one is missing or the token is under 16 characters.
    """
    _check_service(web_service_url, authentication_token)
    content: dict[str, Any] = {
        "formatVersion": 1,
        "passTypeIdentifier": pass_type_identifier,
        "teamIdentifier": team_identifier,
        "serialNumber": face.serial_number,
        "organizationName": face.organisation,
        "description": face.description,
        "logoText": face.programme_name,
        "backgroundColor": css_colour(face.colours.background),
        "foregroundColor": css_colour(face.colours.foreground),
        "labelColor": css_colour(face.colours.label),
        "barcodes": [
            {
                "format": "PKBarcodeFormatQR",
                "message": face.code,
                "messageEncoding": "iso-8859-1",
            }
        ],
        "storeCard": _store_card(face, words(face.language)),
    }
    if not face.is_active:
        content["voided"] = True
    if web_service_url is not None:
        content["webServiceURL"] = web_service_url
        content["authenticationToken"] = authentication_token
    return content


def to_bytes(content: dict[str, Any]) -> bytes:
    """Return pass.json as UTF-8 bytes, without blanks."""
    return _ENCODER.encode(content).encode()


def render(
    face: CardFace,
    *,
    pass_type_identifier: str,
    team_identifier: str,
    web_service_url: str | None,
    authentication_token: str | None,
) -> bytes:
    """Return `to_bytes(build(...))`, three times as fast for many cards of one design.

    What such cards share is encoded once, with gaps left for what is each card's own.
    Raises as `build`.
    """
    _check_service(web_service_url, authentication_token)
    token = authentication_token
    name = face.member_name
    texts, gaps = _template(
        face.programme_name,
        face.organisation,
        face.description,
        face.points_label,
        face.colours,
        face.issued_on,
        face.tier,
        face.message,
        face.links,
        face.status,
        face.language,
        pass_type_identifier,
        team_identifier,
        web_service_url,
        name is not None,
        face.pending != 0,
    )
    encode = _ENCODER.encode
    own = {
        "serial": encode(face.serial_number),
        "code": encode(face.code),
        "balance": str(face.balance),
        "pending": str(face.pending),
        "name": "" if name is None else encode(name),
        "authentication_token": "" if token is None else encode(token),
    }
    parts = [texts[0]]
    for gap, text in zip(gaps, texts[1:], strict=True):
        parts += own[gap], text
    return "".join(parts).encode()


def css_colour(colour: str) -> str:
    """Return "#rrggbb" as the `rgb(r, g, b)` that Apple documents."""
    red, green, blue = rgb(colour)
    return f"rgb({red}, {green}, {blue})"


def _check_service(url: str | None, token: str | None) -> None:
    if (url is None) != (token is None):
        raise ValueError("the web service's address and its token come together")
    if token is not None and len(token) < MIN_TOKEN_LENGTH:
        raise ValueError(f"an authentication token has at least {MIN_TOKEN_LENGTH} characters")


# Stands in a template where a card's own value goes. JSON writes U+0000 as an escape, and a
# whole string of this form is nobody's text.
_GAP = re.compile(r'"\\u0000(\w+)\\u0000"', re.ASCII)


def _gap(name: str) -> Any:
    return f"\0{name}\0"


@lru_cache(maxsize=2048)
def _template(
    programme_name: str,
    organisation: str,
    description: str,
    points_label: str,
    colours: Colours,
    issued_on: date,
    tier: str | None,
    message: str | None,
    links: tuple[Link, ...],
    status: CardStatus,
    language: str,
    pass_type_identifier: str,
    team_identifier: str,
    web_service_url: str | None,
    has_name: bool,
    has_pending: bool,
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The JSON of a card cut at its gaps: the texts around them, and the gaps' names."""
    face = CardFace(
        programme_name=programme_name,
        organisation=organisation,
        description=description,
        serial_number=_gap("serial"),
        code=_gap("code"),
        balance=_gap("balance"),
        points_label=points_label,
        colours=colours,
        issued_on=issued_on,
        member_name=_gap("name") if has_name else None,
        tier=tier,
        pending=_gap("pending") if has_pending else 0,
        message=message,
        links=links,
        status=status,
        language=language,
    )
    content = build(
        face,
        pass_type_identifier=pass_type_identifier,
        team_identifier=team_identifier,
        web_service_url=web_service_url,
        authentication_token=None if web_service_url is None else _gap("authentication_token"),
    )
    pieces = _GAP.split(_ENCODER.encode(content))
    return tuple(pieces[::2]), tuple(pieces[1::2])


def _store_card(face: CardFace, said: Words) -> dict[str, Any]:
    # A % in the points' name would be read as a placeholder by iOS.
    points = face.points_label.replace("%", "%%")
    fields: dict[str, Any] = {
        "headerFields": [
            {
                "key": BALANCE_KEY,
                "label": face.points_label,
                "value": face.balance,
                "numberStyle": "PKNumberStyleDecimal",
                "changeMessage": said.now_have.replace("{points}", points),
            }
        ]
    }
    secondary: list[dict[str, Any]] = []
    if face.member_name is not None:
        secondary.append({"key": "member", "label": said.member, "value": face.member_name})
    if face.tier is not None:
        secondary.append({"key": "tier", "label": said.tier, "value": face.tier})
    if face.pending:
        secondary.append({"key": "pending", "label": said.pending, "value": face.pending})
    if secondary:
        fields["secondaryFields"] = secondary
    fields["backFields"] = _back(face, said)
    return fields


def _back(face: CardFace, said: Words) -> list[dict[str, Any]]:
    back: list[dict[str, Any]] = []
    if face.message is not None:
        back.append({"key": "message", "label": said.message, "value": face.message})
    for number, link in enumerate(face.links, start=1):
        address, label = html.escape(link.url), html.escape(link.label)
        back.append(
            {
                "key": f"link{number}",
                "label": link.label,
                "value": link.url,
                "attributedValue": f'<a href="{address}">{label}</a>',
            }
        )
    back.append({"key": "number", "label": said.card_number, "value": face.serial_number})
    back.append(
        {
            "key": "issued",
            "label": said.issued,
            # Midnight UTC, shown as that day whatever zone the phone is in.
            "value": f"{face.issued_on.isoformat()}T00:00:00Z",
            "dateStyle": "PKDateStyleMedium",
            "timeStyle": "PKDateStyleNone",
            "ignoresTimeZone": True,
        }
    )
    return back
