"""An Android phone with the card in Google Wallet, and the card's details.

Drawn from the very class and object that Google is sent. Where their parts stand follows
developers.google.com/wallet/retail/loyalty-cards/resources/template (loyalty) and …/offers.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from babel.dates import format_date
from babel.numbers import format_currency, format_decimal

from app.designer import brand, svg
from app.designer.brand import Pictures
from app.designer.contrast import ink_on
from app.designer.iphone import BackRow
from passes.card import CardFace, CardKind
from passes.google.loyalty import loyalty_class, loyalty_object
from passes.google.offer import offer_class, offer_object
from passes.text import said, text

WIDTH, HEIGHT = 390.0, 740.0
_CARD_WIDTH = 358.0
_HERO = _CARD_WIDTH * 336 / 1032
_CLASS, _OBJECT = "3388.design", "3388.preview"
_ADDRESS = "https://example.com/"
_OPEN = text(
    {
        "en": "Android phone with the card of {name} in Google Wallet",
        "de": "Android-Handy mit der Karte von {name} in Google Wallet",
        "lv": "Android tālrunis ar {name} karti Google makā",
        "ru": "Телефон Android с картой {name} в Google Кошельке",
    }
)
_VALID = text({"en": "Valid until", "de": "Gültig bis", "lv": "Derīgs līdz", "ru": "Действует до"})

Json = Mapping[str, Any]


def front(face: CardFace, language: str, pictures: Pictures = brand.NO_PICTURES) -> str:
    """The phone with the card open, as SVG."""
    shared, own = bodies(face)
    ground = str(shared["hexBackgroundColor"])
    ink = ink_on(ground)
    left, top = (WIDTH - _CARD_WIDTH) / 2, 76.0
    has_hero = "hero" in pictures.addresses or "heroImage" in own
    height = 520.0 + (_HERO if has_hero else 0)
    clip = (
        f'<clipPath id="card-android"><rect x="{left:g}" y="{top:g}" width="{_CARD_WIDTH:g}" '
        f'height="{height:g}" rx="28"/></clipPath>'
    )
    marks = [svg.box(left, top, _CARD_WIDTH, height, ground)]
    marks += _head(face, shared, language, pictures, left, top, ink)
    marks += _middle(shared, own, language, left, top + 84, ink)
    side = 190.0
    box_top = top + 236
    marks.append(
        svg.box(WIDTH / 2 - side / 2 - 16, box_top, side + 32, side + 32, "#fff", radius=16)
    )
    marks.append(svg.code(face.code, WIDTH / 2 - side / 2, box_top + 16, side))
    if own.get("accountId"):
        number = str(own["accountId"])
        marks.append(
            svg.words(
                WIDTH / 2, box_top + side + 54, number, 13, ink, room=_CARD_WIDTH, anchor="middle"
            )
        )
    if has_hero:
        at = top + height - _HERO
        marks.append(brand.strip(face, pictures, left, at, _CARD_WIDTH, _HERO, "hero-android"))
    name = said(face.look.programme_name, language)
    return svg.drawing(
        "android-front",
        _OPEN.said(language).format(name=name),
        WIDTH,
        HEIGHT,
        f'<rect class="designer-screen" width="{WIDTH:g}" height="{HEIGHT:g}" rx="36" '
        'fill="#f6f8fc"/>',
        '<g class="designer-ink">',
        svg.words(28, 38, "9:41", 14, "#1f1f1f", room=60, weight=500),
        "</g>",
        svg.circle(WIDTH / 2, 32, 9, "#000000"),
        f'{clip}<g clip-path="url(#card-android)">{"".join(marks)}</g>',
    )


def details(face: CardFace, language: str) -> list[BackRow]:
    """What the card's details list, in their order."""
    shared, own = bodies(face)
    rows = []
    for name, label in (("accountName", "accountNameLabel"), ("accountId", "accountIdLabel")):
        if own.get(name):
            rows.append(BackRow(worded(shared, label, language), str(own[name])))
    if shared.get("rewardsTier"):
        rows.append(
            BackRow(
                worded(shared, "rewardsTierLabel", language),
                worded(shared, "rewardsTier", language),
            )
        )
    if shared.get("finePrint"):
        title = worded(shared, "title", language)
        rows.append(BackRow(title, worded(shared, "finePrint", language)))
    for module in own.get("textModulesData", ()):
        rows.append(BackRow(worded(module, "header", language), worded(module, "body", language)))
    end = own.get("validTimeInterval", {}).get("end", {}).get("date")
    if end:
        when = datetime.fromisoformat(end)
        rows.append(BackRow(_VALID.said(language), format_date(when, "medium", locale=language)))
    for link in own.get("linksModuleData", {}).get("uris", ()):
        rows.append(BackRow(worded(link, "description", language), link["uri"], link["uri"]))
    return rows


def bodies(face: CardFace) -> tuple[dict[str, Any], dict[str, Any]]:
    """The class and the object of a face, as Google would be told but for ids and addresses."""
    issuer, logo = said(face.look.organisation, "en"), f"{_ADDRESS}logo.png"
    if face.kind is CardKind.COUPON:
        return (
            offer_class(face, class_id=_CLASS, issuer_name=issuer, logo_url=logo),
            offer_object(face, object_id=_OBJECT, class_id=_CLASS),
        )
    hero = f"{_ADDRESS}hero.png" if face.kind is CardKind.STAMPS else None
    return (
        loyalty_class(face, class_id=_CLASS, issuer_name=issuer, logo_url=logo),
        loyalty_object(face, object_id=_OBJECT, class_id=_CLASS, hero_url=hero),
    )


def worded(body: Json, name: str, language: str) -> str:
    """A text of Google's in a language: translated where it is, else as it stands."""
    localized = body.get(f"localized{name[0].upper()}{name[1:]}")
    if localized:
        for each in (*localized.get("translatedValues", ()), localized["defaultValue"]):
            if each["language"] == language:
                return str(each["value"])
    return str(body.get(name, ""))


def _head(
    face: CardFace,
    shared: Json,
    language: str,
    pictures: Pictures,
    x: float,
    y: float,
    ink: str,
) -> list[str]:
    """The round logo and who issues the card; a wide logo stands for both."""
    if pictures.shapes.get("logo", 1.0) >= 2 and "logo" in pictures.addresses:
        address = pictures.addresses["logo"]
        return [svg.picture(address, x + 20, y + 18, 200, 44, fit="xMinYMid meet")]
    issuer = worded(shared, "provider" if face.kind is CardKind.COUPON else "issuerName", language)
    return [
        brand.round_mark(face, pictures, x + 20, y + 20, 40, "logo-android"),
        svg.words(x + 72, y + 46, issuer, 16, ink, room=_CARD_WIDTH - 96, weight=500),
        f'<rect x="{x:g}" y="{y + 76:g}" width="{_CARD_WIDTH:g}" height="1" fill="{ink}" '
        'opacity="0.2"/>',
    ]


def _middle(shared: Json, own: Json, language: str, x: float, y: float, ink: str) -> list[str]:
    """The programme's name (or the offer), then what counts, left and right."""
    title = worded(shared, "programName" if "programName" in shared else "title", language)
    marks = [svg.words(x + 20, y + 34, title, 24, ink, room=_CARD_WIDTH - 40, shrinks=0.7)]
    for name, at, anchor in (
        ("loyaltyPoints", x + 20, "start"),
        ("secondaryLoyaltyPoints", x + _CARD_WIDTH - 20, "end"),
    ):
        points = own.get(name)
        if not points:
            continue
        label, value = worded(points, "label", language), balance(points["balance"], language)
        room = _CARD_WIDTH / 2 - 28
        marks.append(svg.words(at, y + 76, label, 12, ink, room=room, anchor=anchor, weight=500))
        marks.append(svg.words(at, y + 100, value, 20, ink, room=room, anchor=anchor, shrinks=0.6))
    tier = next((each for each in own.get("textModulesData", ()) if each["id"] == "tier"), None)
    if tier is not None and "secondaryLoyaltyPoints" not in own:
        at, room = x + _CARD_WIDTH - 20, _CARD_WIDTH / 2 - 28
        label, value = worded(tier, "header", language), worded(tier, "body", language)
        marks.append(svg.words(at, y + 76, label, 12, ink, room=room, anchor="end", weight=500))
        marks.append(svg.words(at, y + 100, value, 20, ink, room=room, anchor="end", shrinks=0.6))
    return marks


def balance(value: Json, language: str) -> str:
    """Google's balance as its phones write it."""
    if "money" in value:
        amount = Decimal(value["money"]["micros"]) / 1_000_000
        return str(format_currency(amount, value["money"]["currencyCode"], locale=language))
    if "int" in value:
        return str(format_decimal(value["int"], locale=language))
    return str(value.get("string", ""))
