"""What is kept of an upload: the picture alone, no larger than the largest pass needs it."""

from __future__ import annotations

import io

from PIL import Image

from passes.artwork.draw import Size, inside, png
from passes.artwork.upload import HERO, LOGO, POSTER, Wanted, opened

#: A little more than is advised on upload; of the narrowest shape still what is required.
_LOGO_BOX, _HERO_BOX, _POSTER_BOX = (1320, 660), (2200, 1700), (1600, 2800)
_QUALITY = 92


def kept_logo(data: bytes) -> bytes:
    """The logo in `data` as PNG, without what else the file held. Raises ImageError."""
    return _kept(data, LOGO, _LOGO_BOX, as_png=True)


def kept_hero(data: bytes) -> bytes:
    """The picture across the card as JPEG, PNG where one sees through it. Raises ImageError."""
    return _kept(data, HERO, _HERO_BOX)


def kept_poster(data: bytes) -> bytes:
    """The poster as JPEG, PNG where one sees through it. Raises ImageError."""
    return _kept(data, POSTER, _POSTER_BOX)


def _kept(data: bytes, wanted: Wanted, box: Size, *, as_png: bool = False) -> bytes:
    picture = opened(data, wanted)
    if picture.width > box[0] or picture.height > box[1]:
        picture = inside(picture, box)
    if as_png or _is_seen_through(picture):
        return png(picture)
    out = io.BytesIO()
    picture.convert("RGB").save(out, "JPEG", quality=_QUALITY)
    return out.getvalue()


def _is_seen_through(picture: Image.Image) -> bool:
    return picture.getchannel("A").getextrema() != (255, 255)
