"""How well the texts of a poster can be read on its photo: measured where they stand. Pure."""

from __future__ import annotations

import io

from PIL import Image

from app.designer import contrast, poster
from passes.artwork import apple
from passes.card import CardFace

#: A letter stands on any part of its line: of so many parts one may be worse.
_SHARE_WORSE = 0.1
#: Into so many parts a line is cut: each about as wide as a letter.
_PARTS, _ROWS = 36, 3


def worst(face: CardFace) -> tuple[float, str] | None:
    """The lowest contrast of a line on the photo, and whose colour it is: "foreground" or "label".

    None where no picture fills the card. Raises `ImageError` for one that cannot be used.
    """
    if not face.look.is_poster:
        return None
    photo = Image.open(io.BytesIO(apple.images(face.look)["artwork.png"])).convert("RGB")
    colours = {"foreground": face.colours.foreground, "label": face.colours.label}
    return min(
        (_ratio(photo, band, colour, face.colours.background), name)
        for band in poster.bands(face)
        for name, colour in colours.items()
    )


def _ratio(photo: Image.Image, band: tuple[float, float, float], colour: str, ground: str) -> float:
    """The contrast that all but the worst parts of a line have."""
    top, bottom, shade = band
    box = (0, round(top * photo.height), photo.width, round(bottom * photo.height))
    # A part's mean is what the eye sees around a letter; single pixels are no ground.
    small = photo.crop(box).resize((_PARTS, _ROWS), Image.Resampling.BOX)
    pixels = small.tobytes()
    ratios = sorted(
        contrast.ratio(colour, contrast.mixed(f"#{pixels[at : at + 3].hex()}", ground, shade))
        for at in range(0, len(pixels), 3)
    )
    return ratios[int(len(ratios) * _SHARE_WORSE)]
