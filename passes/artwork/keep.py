"""What is kept of an upload: the picture alone, no larger than the largest pass needs it."""

from __future__ import annotations

import io
from collections.abc import Callable

from PIL import Image

from passes.artwork.draw import Size, inside, png
from passes.artwork.upload import HERO, ICON, LOGO, POSTER, Wanted, opened, opened_logo
from passes.errors import ImageError

#: A little more than is advised on upload; of the narrowest shape still what is required.
_LOGO_BOX, _HERO_BOX, _POSTER_BOX = (1320, 660), (2200, 1700), (1600, 2800)
_ICON_BOX = (660, 660)
#: So that a design with all its pictures stays small enough for one line of a backup.
MAX_KEPT_BYTES = 1_500_000
#: The first of these at which a picture is small enough.
_QUALITIES = (92, 80, 65)


def kept_logo(data: bytes) -> bytes:
    """The logo in `data` as PNG, or WebP if that is large, alone. Raises ImageError."""
    return _kept(opened_logo(data), LOGO, _LOGO_BOX, is_drawn=True)


def kept_hero(data: bytes) -> bytes:
    """The picture across the card as JPEG, not where one sees through it. Raises ImageError."""
    return _kept(opened(data, HERO), HERO, _HERO_BOX)


def kept_icon(data: bytes) -> bytes:
    """The icon in `data` as PNG, or WebP if that is large, alone. Raises ImageError."""
    return _kept(opened(data, ICON), ICON, _ICON_BOX, is_drawn=True)


def kept_poster(data: bytes) -> bytes:
    """The poster as JPEG, not where one sees through it. Raises ImageError."""
    return _kept(opened(data, POSTER), POSTER, _POSTER_BOX)


def _kept(picture: Image.Image, wanted: Wanted, box: Size, *, is_drawn: bool = False) -> bytes:
    if picture.width > box[0] or picture.height > box[1]:
        picture = inside(picture, box)
    if is_drawn or _is_seen_through(picture):
        tries = [lambda: png(picture), *(_as("WEBP", picture, quality) for quality in _QUALITIES)]
    else:
        tries = [_as("JPEG", picture.convert("RGB"), quality) for quality in _QUALITIES]
    for made in (each() for each in tries):
        if len(made) <= MAX_KEPT_BYTES:
            return made
    raise ImageError(
        f"The picture has so much fine detail that it takes more than {MAX_KEPT_BYTES / 1e6} MB "
        f"however it is saved. Upload a smoother one, such as {wanted.advice}.",
        "too_detailed",
    )


def _as(form: str, picture: Image.Image, quality: int) -> Callable[[], bytes]:
    def saved() -> bytes:
        out = io.BytesIO()
        # Only WebP knows of a method; its best ones take seconds.
        picture.save(out, form, quality=quality, method=1)
        return out.getvalue()

    return saved


def _is_seen_through(picture: Image.Image) -> bool:
    return picture.getchannel("A").getextrema() != (255, 255)
