"""Draws a loyalty card the way an iPhone shows a `storeCard`.

Measures are iPhone points (a screen is 390 of them wide); `scale` turns them into pixels.
Texts in ASCII are in the font inside Pillow, all others in the one that paper has, which knows the
letters of every language that cards speak.
"""

from __future__ import annotations

import io
import math
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFilter, ImageFont

from app.printing.drawing import FONT_FILE

CARD_WIDTH = 374.0
CARD_HEIGHT = 500.0
CODE_CENTRE = (CARD_WIDTH / 2, 368.0)
CODE_BOX = 202.0
_HEADER = 62.0
_STRIP_HEIGHT = 143.5
_RADIUS = 13.0

Colour = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class CardLook:
    """What is printed on a card: colours as "#rrggbb", texts, and images as PNG bytes.

    `fields` is the row under the strip; a field is (label, value). `primary` lies on the strip,
    `second` in the header to the left of `header`.
    """

    logo_text: str = "Morning Glory"
    background: str = "#5b3a29"
    foreground: str = "#fff8ee"
    label: str = "#e3c9a8"
    header: tuple[str, str] | None = ("BEANS", "128")
    second: tuple[str, str] | None = None
    primary: tuple[str, str] | None = None
    fields: tuple[tuple[str, str], ...] = (("MEMBER", "Ada Kalnina"), ("TIER", "Gold"))
    alt_text: str | None = None
    logo: bytes | None = None
    strip: bytes | None = None
    code: bytes | None = None


def font_of(text: str, size: float) -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    """A font of `size` pixels that knows the letters of `text`."""
    if text.isascii():
        return ImageFont.load_default(max(1.0, size))
    # It is wider and taller than the other one at the same size.
    return ImageFont.truetype(FONT_FILE, max(1.0, size * 0.88))


def rgb(colour: str) -> Colour:
    """Turn "#rrggbb" or Apple's "rgb(r, g, b)" into three numbers."""
    if colour.startswith("#"):
        return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
    red, green, blue = (int(part) for part in colour.removeprefix("rgb(").rstrip(")").split(","))
    return red, green, blue


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """`one` with `share` (0..1) of `other` in it."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


class Pen:
    """Draws on an image in points."""

    def __init__(self, image: Image.Image, scale: float) -> None:
        self.image = image
        self.scale = scale
        self._draw = ImageDraw.Draw(image)

    def text(
        self,
        at: tuple[float, float],
        text: str,
        size: float,
        colour: Colour,
        *,
        anchor: str = "ls",
        bold: bool = False,
        width: float | None = None,
    ) -> None:
        """Write `text` with its baseline at `at`; shrink it to `width` where that is given."""
        font = font_of(text, size * self.scale)
        if width is not None and (length := font.getlength(text)) > width * self.scale:
            size *= width * self.scale / length
            font = font_of(text, size * self.scale)
        stroke = size * self.scale / 46 if bold else 0
        place = (at[0] * self.scale, at[1] * self.scale)
        self._draw.text(place, text, colour, font, anchor=anchor, stroke_width=stroke)

    def length(self, text: str, size: float) -> float:
        """How wide `text` is, in points."""
        return font_of(text, size * self.scale).getlength(text) / self.scale

    def box(
        self, left: float, top: float, right: float, bottom: float, radius: float, colour: Colour
    ) -> None:
        """Fill a box with round corners."""
        corners = [v * self.scale for v in (left, top, right, bottom)]
        self._draw.rounded_rectangle(corners, radius * self.scale, colour)

    def paste(self, picture: bytes, left: float, top: float, width: float, height: float) -> float:
        """Put a PNG into the given box, keeping its ratio; returns its width in points."""
        with Image.open(io.BytesIO(picture)) as opened:
            drawn = opened.convert("RGBA")
        ratio = min(width / drawn.width, height / drawn.height) * self.scale
        size = (max(1, round(drawn.width * ratio)), max(1, round(drawn.height * ratio)))
        drawn = drawn.resize(size, Image.Resampling.LANCZOS)
        self.image.paste(drawn, (round(left * self.scale), round(top * self.scale)), drawn)
        return drawn.width / self.scale


def draw_card(look: CardLook, *, scale: float = 2.0) -> Image.Image:
    """The card alone, with transparent round corners, CARD_WIDTH × CARD_HEIGHT points.

    Without `look.code` the place of the code (CODE_BOX wide, centred on CODE_CENTRE) stays free.
    """
    size = (round(CARD_WIDTH * scale), round(CARD_HEIGHT * scale))
    background, foreground, label = rgb(look.background), rgb(look.foreground), rgb(look.label)
    image = Image.new("RGB", size, background)
    pen = Pen(image, scale)
    _draw_strip(pen, look, background)
    left = 16.0
    if look.logo is not None:
        left = 22 + pen.paste(look.logo, 12, 10, 160, 42)
    if look.logo_text:
        room = CARD_WIDTH - left - (104 if look.second is None else 102 + _header_width(pen, look))
        pen.text((left, 39), look.logo_text, 20, foreground, bold=True, width=room)
    if look.header is not None:
        right = CARD_WIDTH - 14
        pen.text((right, 21), look.header[0].upper(), 10.5, label, anchor="rs", bold=True)
        pen.text((right, 47), look.header[1], 25, foreground, anchor="rs", width=130)
    if look.second is not None and look.header is not None:
        right = CARD_WIDTH - 28 - _header_width(pen, look)
        pen.text((right, 21), look.second[0].upper(), 10.5, label, anchor="rs", bold=True, width=66)
        pen.text((right, 47), look.second[1], 20, foreground, anchor="rs", width=66)
    if look.primary is not None:
        pen.text((16, _HEADER + 76), look.primary[1], 46, foreground, width=CARD_WIDTH - 32)
        pen.text((16, _HEADER + 98), look.primary[0], 14, foreground, width=CARD_WIDTH - 32)
    _draw_fields(pen, look.fields, label, foreground)
    if look.code is not None:
        _draw_code(pen, look.code, look.alt_text)
    image.putalpha(_rounded_mask(size, _RADIUS * scale))
    return image


def _header_width(pen: Pen, look: CardLook) -> float:
    """How wide the header field is that stands at the right edge."""
    name, value = look.header or ("", "")
    return min(130.0, max(pen.length(name.upper(), 10.5), pen.length(value, 25)))


def _draw_fields(
    pen: Pen, fields: tuple[tuple[str, str], ...], label: Colour, foreground: Colour
) -> None:
    """The row under the strip: the first field at the left edge, the last at the right."""
    shown = fields[:4]
    share = (CARD_WIDTH - 32) / max(1, len(shown))
    for index, (name, value) in enumerate(shown):
        last = index == len(shown) - 1 and index > 0
        at = CARD_WIDTH - 16 if last else 16 + share * index
        anchor = "rs" if last else "ls"
        top = _HEADER + _STRIP_HEIGHT
        room = share - 8
        pen.text((at, top + 22), name.upper(), 10.5, label, anchor=anchor, bold=True, width=room)
        pen.text((at, top + 44), value, 18, foreground, anchor=anchor, width=room)


def _draw_code(pen: Pen, code: bytes, alt_text: str | None) -> None:
    """The white box with the code, as Wallet draws it."""
    x, y = CODE_CENTRE
    half = CODE_BOX / 2
    pen.box(x - half, y - half, x + half, y + half + (16 if alt_text else 0), 6, (255, 255, 255))
    pen.paste(code, x - half + 4, y - half + 4, CODE_BOX - 8, CODE_BOX - 8)
    if alt_text:
        pen.text((x, y + half + 8), alt_text, 11, (60, 60, 67), anchor="ms", width=CODE_BOX - 16)


def _draw_strip(pen: Pen, look: CardLook, background: Colour) -> None:
    """The picture across the card: the pass's own, or soft rings in the brand's colours."""
    scale = pen.scale
    size = (round(CARD_WIDTH * scale), round(_STRIP_HEIGHT * scale))
    if look.strip is not None:
        with Image.open(io.BytesIO(look.strip)) as opened:
            strip = opened.convert("RGB").resize(size, Image.Resampling.LANCZOS)
    else:
        strip = Image.new("RGB", size, mix(background, (0, 0, 0), 0.18))
        draw = ImageDraw.Draw(strip)
        tone = rgb(look.label)
        for index in range(7):
            x = (index * 61 + 20) * scale
            y = (62 + 26 * math.sin(index * 1.9)) * scale
            for ring in range(4):
                radius = (44 - 11 * ring) * scale
                colour = mix(background, tone, 0.12 + 0.13 * ring)
                draw.ellipse((x - radius, y - radius, x + radius, y + radius), colour)
        strip = strip.filter(ImageFilter.GaussianBlur(0.6 * scale))
    pen.image.paste(strip, (0, round(_HEADER * scale)))


def _rounded_mask(size: tuple[int, int], radius: float) -> Image.Image:
    """An alpha channel with smooth round corners, drawn four times as large and reduced."""
    mask = Image.new("L", (size[0] * 2, size[1] * 2), 0)
    ImageDraw.Draw(mask).rounded_rectangle(
        (0, 0, size[0] * 2 - 1, size[1] * 2 - 1), radius * 2, 255
    )
    return mask.resize(size, Image.Resampling.BOX)
