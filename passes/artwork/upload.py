"""Opens what an owner uploads: hostile until proved to be a picture of a useful size and shape.

Sizes: developer.apple.com/design/human-interface-guidelines/wallet at three pixels a point, and
developers.google.com/wallet/retail/loyalty-cards/resources/brand-guidelines.
"""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass

from PIL import Image, ImageOps

from passes.errors import ImageError

MAX_BYTES = 10_000_000
#: Decoded, four bytes each: what one upload may take of the memory.
MAX_PIXELS = 40_000_000
_FORMATS = ("PNG", "JPEG", "WEBP")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an upload has to be: its least size in pixels, and the shapes that still fit."""

    name: str
    width: int
    height: int
    narrowest: float
    widest: float
    advice: str


LOGO = Wanted("logo", 160, 150, 0.5, 6.0, "a logo of 660×660 pixels, or a wide one of 1320×413")
#: Google's square logo has 409 pixels for a drawing, its wide one 1280×400: what is smaller than
#: these is enlarged there by more than a quarter, or by more than half where it is wide.
_LEAST_SIDE, _LEAST_WIDE = 330, (850, 270)
HERO = Wanted("picture across the card", 1125, 432, 1.2, 5.0, "a photo of 1920×800 pixels")
ICON = Wanted("icon", 330, 330, 0.9, 1.1, "a square icon of 660×660 pixels")
POSTER = Wanted("poster", 1074, 1344, 0.4, 1.1, "a photo held upright, of 1400×1750 pixels")


def check_logo(data: bytes) -> None:
    """Raise ImageError, saying what to do, unless `data` can be a design's logo."""
    opened_logo(data)


def check_hero(data: bytes) -> None:
    """Raise ImageError, saying what to do, unless `data` can be the picture across a card."""
    opened(data, HERO)


def check_icon(data: bytes) -> None:
    """Raise ImageError, saying what to do, unless `data` can be a design's icon."""
    opened(data, ICON)


def check_poster(data: bytes) -> None:
    """Raise ImageError, saying what to do, unless `data` can fill a card (iOS 27)."""
    opened(data, POSTER)


def opened_logo(data: bytes) -> Image.Image:
    """Return a logo that is uploaded, as `opened`; large enough for every wallet besides.

    Raises ImageError for what `opened` refuses, and for what Google would show much enlarged.
    """
    picture = opened(data, LOGO)
    width, height = picture.size
    is_wide = width >= 2 * height
    if is_wide and width < _LEAST_WIDE[0] and height < _LEAST_WIDE[1]:
        needed = f"a wide logo needs a width of at least {_LEAST_WIDE[0]}"
    elif not is_wide and max(width, height) < _LEAST_SIDE:
        needed = f"a logo needs at least {_LEAST_SIDE} on its longer side"
    else:
        return picture
    raise ImageError(
        f"The picture has {width}×{height} pixels without its margins; {needed}, or Google Wallet "
        f"shows it blurred. Upload {LOGO.advice}.",
        "logo_small",
        width=width,
        height=height,
    )


def opened(data: bytes, wanted: Wanted) -> Image.Image:
    """Return the picture in `data` as RGBA, upright, without transparent margins.

    Raises ImageError, whose text says what to do, for what is no PNG, JPEG or WebP, is damaged,
    too small or large, or of another shape than `wanted`.
    """
    if len(data) > MAX_BYTES:
        raise ImageError(
            f"The file has {len(data) / 1e6:.1f} MB; at most {MAX_BYTES // 10**6} are taken. "
            "Save it smaller, for example as JPEG.",
            "too_large",
            size=f"{len(data) / 1e6:.1f}",
            most=MAX_BYTES // 10**6,
        )
    picture = _decoded(data, wanted)
    width, height = picture.size
    if width < wanted.width or height < wanted.height:
        raise ImageError(
            f"The picture has {width}×{height} pixels; the {wanted.name} needs at least "
            f"{wanted.width}×{wanted.height}, or phones show it blurred. Upload {wanted.advice}.",
            "too_small",
            width=width,
            height=height,
            least=f"{wanted.width}×{wanted.height}",
        )
    if not wanted.narrowest <= width / height <= wanted.widest:
        shape = "wide" if width / height > wanted.widest else "tall"
        raise ImageError(
            f"The picture has {width}×{height} pixels, too {shape} for the {wanted.name}. "
            f"Upload {wanted.advice}, or cut it to that shape.",
            f"too_{shape}",
            width=width,
            height=height,
        )
    return picture


def _decoded(data: bytes, wanted: Wanted) -> Image.Image:
    no_picture = ImageError(
        f"The file is no picture that can be read. Save the {wanted.name} as PNG, JPEG or WebP "
        "and upload it again; renaming a file is not enough.",
        "no_picture",
    )
    too_many = ImageError(
        f"The picture has more than {MAX_PIXELS // 10**6} million pixels. Make it smaller: "
        f"{wanted.advice} is enough.",
        "too_many_pixels",
        most=MAX_PIXELS // 10**6,
    )
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            # Told by the header, before anything is unpacked.
            if image.width * image.height > MAX_PIXELS:
                raise too_many
            image.load()
            picture = ImageOps.exif_transpose(image).convert("RGBA")
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise too_many from None
    except (
        OSError,
        SyntaxError,
        ValueError,
        EOFError,
        IndexError,
        KeyError,
        OverflowError,
        TypeError,
        MemoryError,
        struct.error,
        zlib.error,
    ):
        raise no_picture from None
    box = picture.getchannel("A").getbbox()
    if box is None:
        raise ImageError(
            "The picture is transparent all over. Upload one that shows something.", "transparent"
        )
    alone = picture.crop(box)
    # Comments, colour profiles and the like would be written into every file made of it.
    alone.info = {}
    return alone
