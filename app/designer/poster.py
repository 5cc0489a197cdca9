"""An iPhone of iOS 27 with the card open as a poster: one photo fills it.

Which fields stand on it follows developer.apple.com/videos/play/wwdc2026/209 and
developer.apple.com/documentation/walletpasses/creating-a-poster-generic-pass: logo, one header
field, at most four primary ones, the first of the footer's, and the code. How far apart they stand
is Wallet's own; the artwork has its shape of 358×448 points.
"""

from __future__ import annotations

from collections.abc import Sequence

from app.designer import brand, svg
from app.designer.brand import Pictures
from app.designer.iphone import CARD_WIDTH, HEIGHT, WIDTH, actions, screen
from passes.card import CardFace, Field, Section
from passes.text import said, text
from passes.written import written

CARD_HEIGHT = CARD_WIDTH * 448 / 358
MOST_PRIMARY = 4
_INSET, _SIDE, _FOOTER = 16.0, 116.0, 34.0
#: How much of the ground's colour lies on the photo below the fields, from top to bottom.
_SHADES = (0.12, 0.24, 0.36, 0.48, 0.6, 0.7)

_OPEN = text(
    {
        "en": "iPhone of iOS 27 with the card of {name} as a poster",
        "de": "iPhone mit iOS 27 und der Karte von {name} als Poster",
        "lv": "iPhone ar iOS 27 un {name} karti kā plakātu",
        "ru": "iPhone с iOS 27 и карта {name} в виде плаката",
    }
)


def front(face: CardFace, language: str, pictures: Pictures = brand.NO_PICTURES) -> str:
    """The phone with the poster open, as SVG."""
    left, top = (WIDTH - CARD_WIDTH) / 2, 108.0
    clip = (
        f'<clipPath id="card-poster"><rect x="{left:g}" y="{top:g}" width="{CARD_WIDTH:g}" '
        f'height="{CARD_HEIGHT:g}" rx="22"/></clipPath>'
    )
    name = said(face.look.programme_name, language)
    return svg.drawing(
        "iphone-poster",
        _OPEN.said(language).format(name=name),
        WIDTH,
        HEIGHT,
        screen(),
        clip,
        '<g clip-path="url(#card-poster)">',
        _artwork(face, pictures, left, top),
        *_head(face, language, pictures, left, top),
        *_foot(face, language, left, top + CARD_HEIGHT),
        "</g>",
        *actions(face, language, left, top + CARD_HEIGHT + 14),
    )


def left_out(face: CardFace) -> list[str]:
    """The keys of fields that are on the front of the card and that the poster has no room for."""
    header, primary = _fields(face)
    return [field.key for field in (*header[1:], *primary[MOST_PRIMARY:])[1:]]


def bands(face: CardFace) -> list[tuple[float, float, float]]:
    """Where texts stand on the photo: from top to bottom in shares of the card's height, and how
    much of the ground's colour lies on the photo there."""
    header, primary = _fields(face)
    has_footer = bool((*header[1:], *primary[MOST_PRIMARY:])[:1])
    end = CARD_HEIGHT - (_FOOTER if has_footer else 12.0)
    fields = end - _SIDE - 12 - 20 - 52
    found = [(10.0, 52.0, 0.0)]
    if primary:
        found.append((fields, fields + 44, _SHADES[2]))
    if has_footer:
        found.append((CARD_HEIGHT - 28, CARD_HEIGHT - 8, _SHADES[-1]))
    return [(top / CARD_HEIGHT, bottom / CARD_HEIGHT, shade) for top, bottom, shade in found]


def _fields(face: CardFace) -> tuple[Sequence[Field], Sequence[Field]]:
    sections = (Section.PRIMARY, Section.SECONDARY, Section.AUXILIARY)
    return face.fields(Section.HEADER), [
        field for section in sections for field in face.fields(section)
    ]


def _artwork(face: CardFace, pictures: Pictures, x: float, y: float) -> str:
    """The photo; without one, the picture across the card, as the pass is made."""
    ground = svg.box(x, y, CARD_WIDTH, CARD_HEIGHT, face.colours.background)
    address = pictures.addresses.get("poster")
    if address is not None:
        return ground + svg.picture(address, x, y, CARD_WIDTH, CARD_HEIGHT)
    band = CARD_HEIGHT * 0.62
    return ground + brand.strip(face, pictures, x, y, CARD_WIDTH, band, "strip-poster")


def _head(face: CardFace, language: str, pictures: Pictures, x: float, y: float) -> list[str]:
    """The logo, and the one field that sticks out of a stack."""
    marks, right = [], x + CARD_WIDTH - _INSET
    header, _primary = _fields(face)
    for field in header[:1]:
        label, value = field.label_in(language), written(field, language)
        marks.append(
            svg.words(
                right, y + 24, label, 12, face.colours.label, room=150, anchor="end", weight=600
            )
        )
        marks.append(
            svg.words(
                right, y + 48, value, 22, face.colours.foreground, room=150, anchor="end",
                weight=600, shrinks=0.45,
            )
        )  # fmt: skip
    if "logo" in pictures.addresses:
        marks.append(brand.logo(face, pictures, x + _INSET, y + 16, 126, 30)[0])
    else:
        name = said(face.look.programme_name, language)
        marks.append(
            svg.words(
                x + _INSET, y + 40, name, 18, face.colours.foreground, room=180, weight=600,
                shrinks=0.75,
            )
        )  # fmt: skip
    return marks


def _foot(face: CardFace, language: str, x: float, bottom: float) -> list[str]:
    """What stands on the photo's lower part: fields, the code, and the line at the very bottom."""
    header, primary = _fields(face)
    fields, footer = primary[:MOST_PRIMARY], (*header[1:], *primary[MOST_PRIMARY:])[:1]
    end = bottom - (_FOOTER if footer else 12.0)
    code_top = end - _SIDE - 12
    fields_top = code_top - 20 - (52.0 if fields else 0.0)
    marks = _shade(face, x, fields_top - 28, bottom)
    share = (CARD_WIDTH - 2 * _INSET) / max(1, len(fields))
    for number, field in enumerate(fields):
        at, room = x + _INSET + share * number, share - 8
        label, value = field.label_in(language), written(field, language)
        marks.append(
            svg.words(
                at, fields_top + 16, label, 12, face.colours.label, room=room, weight=600,
                shrinks=0.85,
            )
        )  # fmt: skip
        marks.append(
            svg.words(
                at, fields_top + 38, value, 17, face.colours.foreground, room=room, weight=600,
                shrinks=0.65,
            )
        )  # fmt: skip
    middle = x + CARD_WIDTH / 2
    left, around = middle - _SIDE / 2, _SIDE + 16
    marks.append(svg.box(left - 8, code_top - 8, around, around, "#fff", radius=8))
    marks.append(svg.code(face.code, left, code_top, _SIDE))
    for field in footer:
        line = f"{field.label_in(language)}: {written(field, language)}"
        marks.append(
            svg.words(
                middle, bottom - 13, line, 13, face.colours.foreground, anchor="middle",
                room=CARD_WIDTH - 2 * _INSET,
            )
        )  # fmt: skip
    return marks


def _shade(face: CardFace, x: float, top: float, bottom: float) -> list[str]:
    """The ground's colour over the photo, so that what stands on it can be read."""
    step = 12.0
    marks = []
    for number, share in enumerate(_SHADES):
        is_last = number == len(_SHADES) - 1
        y = top + number * step
        tall = bottom - y if is_last else step
        veil = svg.box(x, y, CARD_WIDTH, tall, face.colours.background)
        marks.append(f'<g opacity="{share:g}">{veil}</g>')
    return marks
