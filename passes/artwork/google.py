"""A design's pictures at Google's sizes, for its servers to fetch.

Source: developers.google.com/wallet/retail/loyalty-cards/resources/brand-guidelines: a square logo
of at least 660 pixels that is masked to a circle, a wide logo, a hero of 1032×336.
"""

from __future__ import annotations

from functools import lru_cache

from passes import image as drawn
from passes.artwork.apple import across, opened_hero
from passes.artwork.draw import centred, filled, inside, on_ground, png
from passes.artwork.stamps import draw_stamps
from passes.artwork.upload import ICON, LOGO, opened
from passes.card import Look, rgb
from passes.text import LANGUAGES, said

LOGO_SIZE, WIDE_LOGO_BOX, HERO_SIZE = (660, 660), (1280, 400), (1032, 336)
#: A circle is cut out of the logo: what lies within this share of the square stays.
_SAFE_SHARE, _TICKET_SHARE = 0.62, 0.84


@lru_cache(maxsize=64)
def logo(look: Look) -> bytes:
    """The square logo, on the brand's background. Raises ImageError for an unusable upload."""
    ground = rgb(look.colours.background)
    if look.icon is not None:
        return png(on_ground(filled(opened(look.icon, ICON), LOGO_SIZE), ground))
    if look.logo is None:
        name = said(look.programme_name, LANGUAGES[0])
        ticket = drawn.mark(look.colours, name, LOGO_SIZE[0])
        return png(centred(ticket, LOGO_SIZE, ground, _TICKET_SHARE).convert("RGB"))
    return png(centred(opened(look.logo, LOGO), LOGO_SIZE, ground, _SAFE_SHARE).convert("RGB"))


@lru_cache(maxsize=64)
def wide_logo(look: Look) -> bytes | None:
    """The logo over the width of the card; None where none was uploaded that is wide."""
    if look.logo is None:
        return None
    picture = opened(look.logo, LOGO)
    if picture.width < 2 * picture.height:
        return None
    return png(inside(picture, WIDE_LOGO_BOX))


@lru_cache(maxsize=512)
def hero(look: Look, stamps: int | None = None) -> bytes:
    """The picture across the card; on a stamp card with `stamps` drawn into it."""
    picture = across(opened_hero(look), look.colours, HERO_SIZE)
    if stamps is not None:
        picture = draw_stamps(picture, look.colours, stamps, look.stamps)
    return png(picture)
