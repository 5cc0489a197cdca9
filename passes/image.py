"""Pictures: a code as PNG or SVG, and a design's images where the owner has not uploaded any."""

from __future__ import annotations

import unicodedata

import qrcode
from PIL import Image, ImageDraw, ImageFont
from qrcode.exceptions import DataOverflowError

from passes.card import Colours, rgb
from passes.errors import ImageError
from passes.png import png_bytes

QUIET_MODULES = 4
_MAX_TEXT = 2000
_MAX_SIDE_PX = 8192
# Drawn larger and shrunk, for smooth edges.
_OVERSAMPLING = 4

# Apple's sizes in points; the file name says the scale.
_ICON, _LOGO, _STRIP = 38, 50, (375, 144)
_SCALES = ((1, ""), (2, "@2x"), (3, "@3x"))


def code_png(text: str, *, module_px: int = 8, quiet: int = QUIET_MODULES) -> bytes:
    """Return `text` as a QR code in a black and white PNG.

    A module is `module_px` pixels wide and `quiet` modules of white surround the code (four by
    ISO/IEC 18004; fewer only where the paper around is white anyway).
    Raises ImageError where the text does not fit a code or the picture would be absurdly large.
    """
    rows = code_modules(text)
    if module_px < 1 or quiet < 0:
        raise ImageError("a module is at least one pixel wide and the margin not negative")
    side = len(rows) + 2 * quiet
    if side * module_px > _MAX_SIDE_PX:
        raise ImageError(f"the picture would be wider than {_MAX_SIDE_PX} pixels")
    image = Image.new("1", (side, side), 1)
    for y, row in enumerate(rows):
        for x, dark in enumerate(row):
            if dark:
                image.putpixel((x + quiet, y + quiet), 0)
    scaled = image.resize((side * module_px, side * module_px), Image.Resampling.NEAREST)
    return png_bytes(scaled)


def code_svg(text: str, *, quiet: int = QUIET_MODULES) -> str:
    """Return `text` as a QR code in SVG, one unit a module, `quiet` modules of white around.

    It carries no text of its own: give it an `aria-label` where it is placed.
    Raises ImageError where the text does not fit a code.
    """
    rows = code_modules(text)
    if quiet < 0:
        raise ImageError("the margin is not negative")
    side = len(rows) + 2 * quiet
    path: list[str] = []
    for y, row in enumerate(rows):
        x = 0
        while x < len(row):
            end = x
            while end < len(row) and row[end]:
                end += 1
            if end > x:
                path.append(f"M{x + quiet} {y + quiet}h{end - x}v1h-{end - x}z")
            x = end + 1
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" '
        f'shape-rendering="crispEdges"><path fill="#fff" d="M0 0h{side}v{side}H0z"/>'
        f'<path d="{"".join(path)}"/></svg>\n'
    )


def code_modules(text: str) -> list[list[bool]]:
    """Return the modules of `text` as a QR code at level M, row by row, True where dark.

    Text in the alphanumeric set (every card code) is written in that mode, in one segment, in
    the smallest version that holds it. Raises ImageError where it does not fit.
    """
    if not text or len(text) > _MAX_TEXT:
        raise ImageError(f"a code holds between 1 and {_MAX_TEXT} characters, not {len(text)}")
    code = qrcode.QRCode(error_correction=qrcode.ERROR_CORRECT_M, border=0)
    code.add_data(text, optimize=0)
    try:
        code.make(fit=True)
    except (DataOverflowError, ValueError):
        raise ImageError("the text is too long for a QR code at level M") from None
    return [[bool(dark) for dark in row] for row in code.modules]


def default_images(colours: Colours, name: str) -> dict[str, bytes]:
    """Draw the images of a design in the brand's colours: Apple's file names to PNG bytes.

    icon (38×38 points), logo (50×50) and strip (375×144) at one, two and three pixels a point.
    `name` gives the initial. Equal arguments give equal bytes.
    """
    images = default_marks(colours, name)
    for scale, suffix in _SCALES:
        images[f"strip{suffix}.png"] = png_bytes(
            rings(colours, (_STRIP[0] * scale, _STRIP[1] * scale))
        )
    return images


def default_marks(colours: Colours, name: str) -> dict[str, bytes]:
    """Icon and logo of `default_images`."""
    images: dict[str, bytes] = {}
    for scale, suffix in _SCALES:
        images[f"icon{suffix}.png"] = png_bytes(mark(colours, name, _ICON * scale))
        images[f"logo{suffix}.png"] = png_bytes(mark(colours, name, _LOGO * scale, filled=False))
    return images


def mark(colours: Colours, name: str, side: int, *, filled: bool = True) -> Image.Image:
    """The initial on a ticket with its two notches, `side` pixels square.

    An icon fills its square, a logo is transparent around the ticket.
    """
    width = height = side * _OVERSAMPLING
    ground, ink = rgb(colours.background), rgb(colours.foreground)
    image = Image.new("RGBA", (width, height), (*ground, 255) if filled else (*ink, 0))
    draw = ImageDraw.Draw(image)
    inset = height // 8
    draw.rounded_rectangle(
        (inset, inset, width - inset - 1, height - inset - 1), radius=height // 6, fill=(*ink, 255)
    )
    notch, hole = height // 11, (*ground, 255) if filled else (*ink, 0)
    for x in (inset, width - inset - 1):
        draw.ellipse((x - notch, height // 2 - notch, x + notch, height // 2 + notch), fill=hole)
    initial = _initial(name)
    centre = (width / 2, height / 2)
    if initial:
        font = ImageFont.load_default(height * 0.5)
        draw.text(centre, initial, font=font, fill=(*ground, 255), anchor="mm")
    else:
        radius = height // 6
        draw.ellipse(
            (centre[0] - radius, centre[1] - radius, centre[0] + radius, centre[1] + radius),
            outline=(*ground, 255),
            width=height // 14,
        )
    return image.resize((side, side), Image.Resampling.LANCZOS)


def _initial(name: str) -> str:
    """The first letter that the built-in font can draw (it has ASCII alone), or nothing."""
    for character in unicodedata.normalize("NFKD", name.strip())[:1]:
        if character.isascii() and character.isalnum():
            return character.upper()
    return ""


def rings(colours: Colours, size: tuple[int, int]) -> Image.Image:
    """Quiet rings of the label colour over the background, running out to the right."""
    width, height = size[0] * 2, size[1] * 2
    ground, ink = rgb(colours.background), rgb(colours.label)
    image = Image.new("RGB", (width, height), ground)
    draw = ImageDraw.Draw(image)
    centre = (int(width * 0.86), int(height * 0.62))
    rings = 9
    for ring in range(rings, 0, -1):
        # The innermost ring is the strongest; text on the left stays on plain ground.
        share = 0.05 + 0.20 * (rings - ring) / (rings - 1)
        shade = tuple(round(g + (i - g) * share) for g, i in zip(ground, ink, strict=True))
        radius = int(height * 0.16 * ring)
        draw.ellipse(
            (centre[0] - radius, centre[1] - radius, centre[0] + radius, centre[1] + radius),
            fill=(shade[0], shade[1], shade[2]),
        )
    return image.resize(size, Image.Resampling.LANCZOS)
