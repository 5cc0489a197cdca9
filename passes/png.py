"""Saves pictures as PNG, as small as they get without losing a pixel."""

from __future__ import annotations

import io
import sys
from typing import TypeAlias, cast

from PIL import Image, ImageChops

_PALETTE = 256
_Bands: TypeAlias = tuple[int, ...]
_OPAQUE = (255, 255)


def png_bytes(image: Image.Image, *, optimize: bool = True) -> bytes:
    """`image` as PNG; what has few colours names them once, in half the bytes.

    A pass is fetched over the air, many times. With `optimize` the last few per cents are saved
    too, which takes longer than they are worth for a large picture.
    """
    out = io.BytesIO()
    _with_palette(image).save(out, "PNG", optimize=optimize)
    return out.getvalue()


def _with_palette(image: Image.Image) -> Image.Image:
    if image.mode == "RGBA" and image.getchannel("A").getextrema() == _OPAQUE:
        image = image.convert("RGB")
    colours = image.getcolors(_PALETTE) if image.mode in ("RGB", "RGBA") else None
    if colours is None:
        return image
    if image.mode == "RGBA":
        return _named(image, [bytes(cast(_Bands, colour)) for _, colour in colours])
    drawn = image.quantize(_PALETTE, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    same = ImageChops.difference(drawn.convert("RGB"), image).getbbox() is None
    return drawn if same else image


def _named(image: Image.Image, colours: list[bytes]) -> Image.Image:
    """A picture that one sees through, with a palette of all its colours, red to opacity.

    Those of which nothing is seen stay apart too: no pixel is another afterwards.
    """
    # The least opaque first: a PNG says how opaque colours are up to the last that is not fully.
    colours.sort(key=lambda each: (each[3], each))
    numbers = {int.from_bytes(each, sys.byteorder): number for number, each in enumerate(colours)}
    pixels = memoryview(image.tobytes()).cast("I")
    named = Image.frombytes("P", image.size, bytes(map(numbers.__getitem__, pixels)))
    named.putpalette(b"".join(colours), "RGBA")
    return named
