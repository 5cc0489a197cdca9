"""A design's pictures at Apple's sizes: one, two and three pixels a point.

Source: developer.apple.com/design/human-interface-guidelines/wallet, "Pass images".
"""

from __future__ import annotations

from functools import lru_cache

from PIL import Image

from passes import image as drawn
from passes.artwork import upload
from passes.artwork.draw import Rgb, Size, centred, filled, inside, on_ground, png
from passes.artwork.stamps import draw_stamps
from passes.artwork.upload import HERO, LOGO, POSTER, opened
from passes.card import CardKind, Colours, Look, rgb
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
    hero, poster = opened_hero(look), None
    if look.is_poster and look.poster is not None:
        poster = opened(look.poster, POSTER)
    ground = rgb(look.colours.background)
    if logo is None:
        made |= drawn.default_marks(look.colours, said(look.programme_name, LANGUAGES[0]))
    icon = None if look.icon is None else opened(look.icon, upload.ICON)
    for scale, suffix in _SCALES:
        if icon is not None:
            made[f"icon{suffix}.png"] = png(on_ground(filled(icon, _times(ICON, scale)), ground))
        elif logo is not None:
            small = centred(logo, _times(ICON, scale), ground, _ICON_SHARE)
            made[f"icon{suffix}.png"] = png(small.convert("RGB"))
        if logo is not None:
            made[f"logo{suffix}.png"] = png(inside(logo, _times(LOGO_BOX, scale)))
        if look.kind is not CardKind.STAMPS:
            made[f"strip{suffix}.png"] = png(across(hero, look.colours, _times(STRIP, scale)))
        if look.is_poster:
            if logo is not None:
                small = inside(logo, _times(PRIMARY_LOGO_BOX, scale))
                made[f"primaryLogo{suffix}.png"] = png(small)
            artwork = _artwork(poster, hero, look.colours, _times(ARTWORK, scale))
            made[f"artwork{suffix}.png"] = png(artwork)
    return made


@lru_cache(maxsize=512)
def stamp_strips(look: Look, stamps: int) -> dict[str, bytes]:
    """The strip of a stamp card with `stamps` of the stamps that it takes, in all sizes."""
    hero = opened_hero(look)
    made: dict[str, bytes] = {}
    for scale, suffix in _SCALES:
        ground = across(hero, look.colours, _times(STRIP, scale))
        made[f"strip{suffix}.png"] = png(draw_stamps(ground, look.colours, stamps, look.stamps))
    return made


def opened_hero(look: Look) -> Image.Image | None:
    """The upload for the picture across the card; None where there is none."""
    return None if look.hero is None else opened(look.hero, HERO)


def across(hero: Image.Image | None, colours: Colours, size: Size) -> Image.Image:
    """The picture across the card in pixels: the upload's middle, or rings in brand colours."""
    if hero is None:
        return drawn.rings(colours, size)
    return on_ground(filled(hero, size), rgb(colours.background))


def _artwork(
    poster: Image.Image | None, hero: Image.Image | None, colours: Colours, size: Size
) -> Image.Image:
    """What fills a poster; from the picture across the card where no poster was uploaded."""
    ground = rgb(colours.background)
    if poster is not None:
        return on_ground(filled(poster, size), ground)
    band = across(hero, colours, (size[0], round(size[1] * 0.62)))
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
