"""A design's pictures at Apple's sizes: one, two and three pixels a point.

Source: developer.apple.com/design/human-interface-guidelines/wallet, "Pass images".
"""

from __future__ import annotations

from functools import lru_cache

from PIL import Image

from passes import image as drawn
from passes.artwork.draw import Rgb, Size, centred, filled, inside, on_ground, png
from passes.artwork.stamps import draw_stamps
from passes.artwork.upload import HERO, LOGO, POSTER, opened
from passes.card import CardKind, Look, rgb
from passes.text import LANGUAGES, said

ICON, LOGO_BOX, STRIP = (38, 38), (160, 50), (375, 144)
PRIMARY_LOGO_BOX, ARTWORK = (126, 30), (358, 448)
_SCALES = ((1, ""), (2, "@2x"), (3, "@3x"))
#: How much of an icon's square the logo takes.
_ICON_SHARE = 0.78


@lru_cache(maxsize=64)
def images(look: Look) -> dict[str, bytes]:
    """The files of a design, by their names in the pass; a stamp card's strip is not among them.

    Raises ImageError for an upload that cannot be used. Treat the answer as read-only: it is
    shared. Equal designs give equal bytes.
    """
    made: dict[str, bytes] = {}
    logo = None if look.logo is None else opened(look.logo, LOGO)
    ground = rgb(look.colours.background)
    if logo is None:
        made |= drawn.default_marks(look.colours, said(look.programme_name, LANGUAGES[0]))
    for scale, suffix in _SCALES:
        if logo is not None:
            icon = centred(logo, _times(ICON, scale), ground, _ICON_SHARE)
            made[f"icon{suffix}.png"] = png(icon.convert("RGB"))
            made[f"logo{suffix}.png"] = png(inside(logo, _times(LOGO_BOX, scale)))
        if look.kind is not CardKind.STAMPS:
            made[f"strip{suffix}.png"] = png(picture_across(look, _times(STRIP, scale)))
        if look.is_poster:
            if logo is not None:
                small = inside(logo, _times(PRIMARY_LOGO_BOX, scale))
                made[f"primaryLogo{suffix}.png"] = png(small)
            made[f"artwork{suffix}.png"] = png(_artwork(look, _times(ARTWORK, scale)))
    return made


@lru_cache(maxsize=512)
def stamp_strips(look: Look, stamps: int) -> dict[str, bytes]:
    """The strip of a stamp card with `stamps` of the stamps that it takes, in all sizes."""
    return {
        f"strip{suffix}.png": png(
            draw_stamps(
                picture_across(look, _times(STRIP, scale)), look.colours, stamps, look.stamps
            )
        )
        for scale, suffix in _SCALES
    }


def picture_across(look: Look, size: Size) -> Image.Image:
    """The picture across the card in pixels: the upload's middle, or rings in brand colours."""
    if look.hero is None:
        return drawn.rings(look.colours, size)
    return on_ground(filled(opened(look.hero, HERO), size), rgb(look.colours.background))


def _artwork(look: Look, size: Size) -> Image.Image:
    """What fills a poster; from the picture across the card where no poster was uploaded."""
    ground = rgb(look.colours.background)
    if look.poster is not None:
        return on_ground(filled(opened(look.poster, POSTER), size), ground)
    band = picture_across(look, (size[0], round(size[1] * 0.62)))
    image = Image.new("RGB", size, ground)
    image.paste(band, (0, 0))
    _fade(image, ground, start=round(size[1] * 0.38), end=band.height)
    return image


def _fade(image: Image.Image, ground: Rgb, *, start: int, end: int) -> None:
    """Let the picture run out into `ground` between the rows `start` and `end`."""
    mask = Image.linear_gradient("L").resize((image.width, end - start))
    image.paste(Image.new("RGB", mask.size, ground), (0, start), mask)


def _times(points: Size, scale: int) -> Size:
    return points[0] * scale, points[1] * scale
