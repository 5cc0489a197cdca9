"""Pictures as they are uploaded: made ready to be kept, or refused in the reader's language."""

from __future__ import annotations

from app.errors import Invalid, NotFound
from app.languages import Lazy, _, lazy
from passes.artwork import keep
from passes.errors import ImageError

_KEPT = {
    "logo": keep.kept_logo,
    "hero": keep.kept_hero,
    "icon": keep.kept_icon,
    "poster": keep.kept_poster,
}
_WORDS: dict[str, Lazy] = {
    "no_picture": lazy(
        "The file is no picture that can be read. Save it as PNG, JPEG or WebP and upload it "
        "again; renaming a file is not enough."
    ),
    "too_large": lazy(
        "The file has %(size)s MB; at most %(most)s are taken. Save it smaller, for example as "
        "JPEG."
    ),
    "too_many_pixels": lazy("The picture has more than %(most)s million pixels. Make it smaller."),
    "too_small": lazy(
        "The picture has %(width)s×%(height)s pixels; at least %(least)s are needed, or phones "
        "show it blurred."
    ),
    "logo_small": lazy(
        "The picture has %(width)s×%(height)s pixels without its margins: Google Wallet would show "
        "it blurred. Upload one of at least 330 pixels, or a wide one of at least 850."
    ),
    "too_wide": lazy(
        "The picture has %(width)s×%(height)s pixels: it is too wide. Cut it to the shape that is "
        "asked for."
    ),
    "too_tall": lazy(
        "The picture has %(width)s×%(height)s pixels: it is too tall. Cut it to the shape that is "
        "asked for."
    ),
    "transparent": lazy("The picture is transparent all over. Upload one that shows something."),
    "too_detailed": lazy(
        "The picture has so much fine detail that it stays too large however it is saved. Upload "
        "a smoother one."
    ),
}


def kept_picture(name: str, data: bytes) -> bytes:
    """The picture in an upload, alone and no larger than needed; call it before the transaction.

    Raises `Invalid`, by the picture's name, for what cannot be used: it says what to do.
    """
    if name not in _KEPT:
        raise NotFound(_("There is no such picture."))
    try:
        return _KEPT[name](data)
    except ImageError as error:
        words = _WORDS.get(error.code)
        said = str(error) if words is None else _(words.message, **error.facts)
        raise Invalid(said, {name: [said]}) from error
