"""Pictures as owners upload them."""

from __future__ import annotations

import io
from functools import cache

from PIL import Image, ImageDraw


@cache
def photo(width: int = 1300, height: int = 520, *, form: str = "JPEG") -> bytes:
    """Something like a photograph: soft noise in colours."""
    noise = [Image.effect_noise((width // 8, height // 8), 90) for _ in range(3)]
    image = Image.merge("RGB", noise).resize((width, height))
    return saved(image, form)


def wordmark(width: int = 900, height: int = 300, *, margin: int = 0) -> bytes:
    """A light logo on nothing, with `margin` of nothing around it."""
    image = Image.new("RGBA", (width + 2 * margin, height + 2 * margin))
    box = (margin, margin, margin + width - 1, margin + height - 1)
    ImageDraw.Draw(image).rectangle(box, fill=(255, 246, 232, 255))
    return saved(image, "PNG")


def saved(image: Image.Image, form: str) -> bytes:
    """`image` as bytes of a format."""
    out = io.BytesIO()
    image.save(out, form)
    return out.getvalue()


def opened(data: bytes) -> Image.Image:
    """The picture in `data`, which is a PNG."""
    return Image.open(io.BytesIO(data), formats=("PNG",))
