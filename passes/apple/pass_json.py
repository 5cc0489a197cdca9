"""Renders a CardFace as Apple's pass.json: storeCard or coupon, on iOS 27 as a poster too.

Source: developer.apple.com/documentation/walletpasses/pass and the objects below it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from json.encoder import encode_basestring
from typing import Any

from passes.apple.fields import Gap, Speaker, page_anchor, plain, poster_fields, style_fields
from passes.card import CardFace, CardKind, CardStatus, Issued, Layout, Look, rgb
from passes.errors import FaceError
from passes.extras import NOTHING_MORE, CodeFormat, Extras, Moment
from passes.text import Counted, said, sample

MIN_TOKEN_LENGTH = 16

_FORMATS = {
    CodeFormat.PDF_417: "PKBarcodeFormatPDF417",
    CodeFormat.AZTEC: "PKBarcodeFormatAztec",
    CodeFormat.CODE_128: "PKBarcodeFormatCode128",
    CodeFormat.CODE_39: "PKBarcodeFormatCode39",
    CodeFormat.CODABAR: "PKBarcodeFormatCodabar",
    CodeFormat.EAN_13: "PKBarcodeFormatEAN13",
    CodeFormat.ITF: "PKBarcodeFormatI2of5",
}

# One encoder for all passes: json.dumps would make a new one each time.
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def build(
    face: CardFace,
    *,
    pass_type_identifier: str,
    team_identifier: str,
    web_service_url: str | None,
    authentication_token: str | None,
    nfc_entitled: bool = False,
) -> dict[str, Any]:
    """Return pass.json for `face` as a dict.

    Texts that travel in all languages are named by their keys (see `passes.apple.strings`). One
    field alone has a change message: with two, iOS shows a generic alert and neither text.
    Address and token of the web service come together or not at all; without them the pass
    never updates. Raises ValueError where one is missing or the token is under 16 characters,
    FaceError for NFC without the entitlement, which phones refuse.
    """
    _check_service(web_service_url, authentication_token)
    look, speak = face.look, Speaker(face)
    content: dict[str, Any] = {
        "formatVersion": 1,
        "passTypeIdentifier": pass_type_identifier,
        "teamIdentifier": team_identifier,
        "serialNumber": face.serial_number,
        "organizationName": speak(look.organisation),
        "description": speak(look.description),
        "logoText": speak(look.programme_name),
        "backgroundColor": css_colour(look.colours.background),
        "foregroundColor": css_colour(look.colours.foreground),
        "labelColor": css_colour(look.colours.label),
        "barcodes": _barcodes(face),
    }
    if look.is_poster:
        content["posterGeneric"] = poster_fields(face)
    # Also the fallback of a poster, for the systems before iOS 27.
    content["coupon" if face.kind is CardKind.COUPON else "storeCard"] = style_fields(face)
    content |= _relevance(face) | _rights(face, nfc_entitled)
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
    nfc_entitled: bool = False,
) -> bytes:
    """Return `to_bytes(build(...))`, many times as fast for many cards of one design.

    What such cards share is encoded once, with gaps left for what is each card's own.
    Raises as `build`.
    """
    _check_service(web_service_url, authentication_token)
    issued, layout = face.issued, face.layout
    until = issued.valid_until
    template = _template(
        face.look,
        layout,
        issued.status is CardStatus.ACTIVE,
        issued.language,
        until is not None,
        issued.page is not None,
        None if issued.extras is NOTHING_MORE else issued.extras,
        pass_type_identifier,
        team_identifier,
        web_service_url,
        nfc_entitled,
    )
    own = [
        encode_basestring(issued.serial_number),
        encode_basestring(issued.code),
        "" if authentication_token is None else encode_basestring(authentication_token),
        "" if until is None else f'"{_moment(until)}"',
        *_page(issued),
    ]
    for slot, value in zip(layout.own, face.values, strict=True):
        if isinstance(value, str):
            own.append(encode_basestring(value))
        elif slot.label.__class__ is Counted:
            assert isinstance(value, int) and isinstance(slot.label, Counted)  # noqa: S101
            number = sample(value)
            own += str(value), slot.label.quoted_label(number), slot.label.quoted_change(number)
        else:
            own.append(str(value) if value.__class__ is int else _ENCODER.encode(plain(value)))
    parts = list(template.parts)
    for place, number in template.places:
        parts[place] = own[number]
    return "".join(parts).encode()


def _page(issued: Issued) -> tuple[str, str]:
    if issued.page is None:
        return "", ""
    anchor = page_anchor(issued.language, issued.page)
    return encode_basestring(issued.page), encode_basestring(anchor)


def css_colour(colour: str) -> str:
    """Return "#rrggbb" as the `rgb(r, g, b)` that Apple documents."""
    red, green, blue = rgb(colour)
    return f"rgb({red}, {green}, {blue})"


def _check_service(url: str | None, token: str | None) -> None:
    if (url is None) != (token is None):
        raise ValueError("the web service's address and its token come together")
    if token is not None and len(token) < MIN_TOKEN_LENGTH:
        raise ValueError(f"an authentication token has at least {MIN_TOKEN_LENGTH} characters")


def _barcodes(face: CardFace) -> list[dict[str, str]]:
    """The codes in order of preference; QR, which every phone knows and tills read, is last."""
    codes = [(_FORMATS[code.format], code.message) for code in face.issued.extras.codes]
    return [
        {"format": form, "message": message, "messageEncoding": "iso-8859-1"}
        for form, message in (*codes, ("PKBarcodeFormatQR", face.code))
    ]


def _relevance(face: CardFace) -> dict[str, Any]:
    """Where and when the phone offers the card, and until when it is good."""
    look, found = face.look, dict[str, Any]()
    if look.places:
        found["locations"] = [
            {"latitude": place.latitude, "longitude": place.longitude}
            | ({} if place.said is None else {"relevantText": said(place.said, face.language)})
            for place in look.places
        ]
    if look.beacons:
        found["beacons"] = [
            {
                name: value
                for name, value in (
                    ("proximityUUID", beacon.proximity_uuid),
                    ("major", beacon.major),
                    ("minor", beacon.minor),
                    ("relevantText", beacon.said and said(beacon.said, face.language)),
                )
                if value is not None
            }
            for beacon in look.beacons
        ]
    if face.issued.extras.moments:
        found["relevantDates"] = [_relevant(moment) for moment in face.issued.extras.moments]
    until = face.issued.valid_until
    if until is not None:
        found["expirationDate"] = until if isinstance(until, Gap) else _moment(until)
    return found


def _rights(face: CardFace, nfc_entitled: bool) -> dict[str, Any]:
    """What holder and phone may do with the pass."""
    look, found = face.look, dict[str, Any]()
    if not face.is_active:
        found["voided"] = True
    if look.sharing_prohibited:
        found["sharingProhibited"] = True
    if look.store_identifiers:
        found["associatedStoreIdentifiers"] = list(look.store_identifiers)
    if look.app_launch_url is not None:
        found["appLaunchURL"] = look.app_launch_url
    if look.actions:
        found["featuredActions"] = [
            {"identifier": f"action{number}", "type": action.kind.value, "url": action.url}
            for number, action in enumerate(look.actions, start=1)
        ]
    nfc = face.issued.extras.nfc
    if nfc is not None:
        if not nfc_entitled:
            raise FaceError(
                "phones refuse a pass with NFC under a certificate without Apple's entitlement: "
                "ask Apple for it, or leave NFC out"
            )
        found["nfc"] = {"message": nfc.message, "encryptionPublicKey": nfc.public_key} | (
            {"requiresAuthentication": True} if nfc.requires_authentication else {}
        )
    return found


def _relevant(moment: Moment) -> dict[str, str]:
    if moment.end is None:
        return {"date": _moment(moment.start)}
    return {"startDate": _moment(moment.start), "endDate": _moment(moment.end)}


def _moment(moment: datetime) -> str:
    """A date as phones take it: to the second; with fractions they refuse the pass."""
    when = moment.astimezone(UTC)
    return f"{when.replace(tzinfo=None, microsecond=0).isoformat()}Z"


# Stands in a template where a card's own value goes. JSON writes U+0000 as an escape, and a
# whole string of this form is nobody's text.
_GAP = re.compile(r'"\\u0000(\w+)\\u0000"', re.ASCII)


@dataclass(frozen=True, slots=True)
class _Template:
    """The JSON of a card in pieces; `places` says which of them is which own value."""

    parts: tuple[str, ...]
    places: tuple[tuple[int, int], ...]


@lru_cache(maxsize=2048)
def _template(
    look: Look,
    layout: Layout,
    is_active: bool,
    language: str,
    has_end: bool,
    has_page: bool,
    extras: Extras | None,
    pass_type_identifier: str,
    team_identifier: str,
    web_service_url: str | None,
    nfc_entitled: bool,
) -> _Template:
    """The JSON of a card cut at its gaps, in the order in which `render` has what fills them."""
    issued = Issued(
        serial_number=Gap.of("serial"),
        code=Gap.of("code"),
        issued_on=date.min,
        status=CardStatus.ACTIVE if is_active else CardStatus.BLOCKED,
        language=language,
        extras=extras or NOTHING_MORE,
    )
    # Past their checks, which a gap would not pass.
    if has_end:
        object.__setattr__(issued, "valid_until", Gap.of("valid_until"))
    if has_page:
        object.__setattr__(issued, "page", Gap.of("page"))
    content = build(
        CardFace(look, layout, issued, tuple(Gap.of(f"own_{slot.key}") for slot in layout.own)),
        pass_type_identifier=pass_type_identifier,
        team_identifier=team_identifier,
        web_service_url=web_service_url,
        authentication_token=None if web_service_url is None else Gap.of("authentication_token"),
        nfc_entitled=nfc_entitled,
    )
    names = ["serial", "code", "authentication_token", "valid_until", "page", "page_anchor"]
    for slot in layout.own:
        names.append(f"own_{slot.key}")
        if isinstance(slot.label, Counted):
            names += f"label_{slot.key}", f"change_{slot.key}"
    pieces = _GAP.split(_ENCODER.encode(content))
    places = [(place, names.index(name)) for place, name in enumerate(pieces) if place % 2]
    return _Template(tuple(pieces), tuple(places))
