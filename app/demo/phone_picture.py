"""Draws a phone with a pass open in Wallet, in the pass's own colours and pictures."""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import date
from typing import Any

from babel.dates import format_date
from babel.numbers import format_currency, format_decimal, format_percent
from PIL import Image, ImageDraw

from app.demo.card_picture import CARD_HEIGHT, CARD_WIDTH, CardLook, Pen, draw_card
from app.demo.pass_check import CheckedPass
from passes.image import code_png
from passes.text import text

_DONE = text({"en": "Done", "de": "Fertig", "lv": "Gatavs", "ru": "Готово"})
_UPDATED = text(
    {
        "en": "updated just now",
        "de": "gerade aktualisiert",
        "lv": "tikko atjaunināts",
        "ru": "обновлено только что",
    }
)
_VOID = text(
    {
        "en": "This card is no longer valid",
        "de": "Diese Karte ist nicht mehr gültig",
        "lv": "Šī karte vairs nav derīga",
        "ru": "Эта карта больше не действует",
    }
)
_SCREEN = (390.0, 700.0)
_BEZEL = 9.0
_SCALE = 2.0
_OVERSAMPLING = 2


def draw_pass(checked: CheckedPass, language: str = "en") -> bytes:
    """The phone's front with the card on it: PNG at two pixels a point, transparent around.

    The phone speaks `language` (ISO 639-1).
    """
    scale = _SCALE * _OVERSAMPLING
    width, height = _SCREEN[0] + 2 * _BEZEL, _SCREEN[1] + 2 * _BEZEL
    size = (round(width * scale), round(height * scale))
    image = Image.new("RGB", size, (28, 29, 33))
    pen = Pen(image, scale)
    pen.box(_BEZEL, _BEZEL, width - _BEZEL, height - _BEZEL, 48, (242, 242, 247))
    ink = (20, 20, 22)
    pen.text((_BEZEL + 48, 47), "9:41", 17, ink, bold=True)
    pen.box(_BEZEL + 132, 22, _BEZEL + 258, 57, 17.5, (0, 0, 0))
    pen.box(width - 70, 34, width - 44, 47, 4, ink)
    pen.text((width - 24, 88), _DONE.said(language), 17, (10, 122, 255), anchor="rs")
    card = draw_card(look_of(checked, language), scale=scale)
    left, top = round((width - CARD_WIDTH) / 2 * scale), round(108 * scale)
    shadow = Image.new("L", card.size, 0)
    shadow.paste(52, (0, 0), card.getchannel("A"))
    image.paste((120, 120, 128), (left, top + round(2 * scale)), shadow)
    image.paste(card, (left, top), card)
    below = 108 + CARD_HEIGHT
    if checked.content.get("voided"):
        pen.text((width / 2, below + 34), _VOID.said(language), 15, ink, anchor="ms", width=340)
    else:
        issuer = checked.said(checked.content["organizationName"], language)
        updated = f"{issuer} · {_UPDATED.said(language)}"
        pen.text((width / 2, below + 34), updated, 13, (130, 130, 138), anchor="ms", width=340)
    pen.box(width / 2 - 68, height - _BEZEL - 15, width / 2 + 68, height - _BEZEL - 10, 2.5, ink)
    mask = Image.new("L", size, 0)
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, size[0] - 1, size[1] - 1), 57 * scale, 255)
    image.putalpha(mask)
    small = (size[0] // _OVERSAMPLING, size[1] // _OVERSAMPLING)
    out = io.BytesIO()
    image.resize(small, Image.Resampling.LANCZOS).save(out, "PNG", optimize=True)
    return out.getvalue()


def look_of(checked: CheckedPass, language: str = "en") -> CardLook:
    """What a pass shows on its front, as `draw_card` and the filmed counter draw it."""
    content, style, files = checked.content, checked.style, checked.files

    def pairs(name: str) -> list[tuple[str, str]]:
        return [_pair(checked, field, language) for field in style.get(name, ())]

    header, primary = pairs("headerFields"), pairs("primaryFields")
    barcodes = content.get("barcodes", ())
    return CardLook(
        logo_text=checked.said(str(content.get("logoText", "")), language),
        background=str(content.get("backgroundColor", "rgb(255, 255, 255)")),
        foreground=str(content.get("foregroundColor", "rgb(0, 0, 0)")),
        label=str(content.get("labelColor", "rgb(90, 90, 96)")),
        header=header[0] if header else None,
        second=header[1] if len(header) > 1 else None,
        primary=primary[0] if primary else None,
        fields=(*pairs("secondaryFields"), *pairs("auxiliaryFields")),
        alt_text=barcodes[0].get("altText") if barcodes else None,
        logo=_best(files, "logo"),
        strip=_best(files, "strip"),
        code=code_png(barcodes[0]["message"]) if barcodes else None,
    )


def _pair(checked: CheckedPass, field: Mapping[str, Any], language: str) -> tuple[str, str]:
    """Label and value of a field, as a phone of that language writes them."""
    value = field["value"]
    label = checked.said(str(field.get("label", "")), language)
    if "dateStyle" in field:
        day = date.fromisoformat(str(value).partition("T")[0])
        return label, str(format_date(day, "medium", locale=language))
    if field.get("numberStyle") == "PKNumberStylePercent":
        return label, str(format_percent(value, "#,##0.###\u00a0%", locale=language))
    if "currencyCode" in field:
        return label, str(format_currency(value, field["currencyCode"], locale=language))
    if isinstance(value, str):
        return label, checked.said(value, language)
    return label, str(format_decimal(value, locale=language))


def _best(files: Mapping[str, bytes], name: str) -> bytes | None:
    """The sharpest of an image's sizes."""
    for suffix in ("@3x", "@2x", ""):
        if (found := files.get(f"{name}{suffix}.png")) is not None:
            return found
    return None
