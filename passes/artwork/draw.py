"""How an upload is brought to a size, and PNG bytes made of it."""

from __future__ import annotations

from PIL import Image, ImageOps

from passes.png import png_bytes

Size = tuple[int, int]
Rgb = tuple[int, int, int]

#: Above this a photograph is saved with 256 colours: a pass is fetched over the air, many times.
_LARGE_BYTES = 250_000
_SMALL_PIXELS = 100_000


def mixed(one: Rgb, other: Rgb, share: float) -> Rgb:
    """`one` with `share` (0 to 1) of `other` in it."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def filled(picture: Image.Image, size: Size) -> Image.Image:
    """`picture` scaled to cover `size`, its middle kept, what juts out cut off."""
    return ImageOps.fit(picture, size, Image.Resampling.LANCZOS)


def inside(picture: Image.Image, size: Size) -> Image.Image:
    """`picture` scaled to the largest that lies within `size`, its shape kept."""
    ratio = min(size[0] / picture.width, size[1] / picture.height)
    scaled = (max(1, round(picture.width * ratio)), max(1, round(picture.height * ratio)))
    return picture.resize(scaled, Image.Resampling.LANCZOS)


def centred(picture: Image.Image, size: Size, ground: Rgb | None, share: float) -> Image.Image:
    """`picture` in the middle of `size`, within `share` of it; transparent without a `ground`."""
    canvas = Image.new("RGBA", size, (*ground, 255) if ground else (0, 0, 0, 0))
    drawn = inside(picture, (round(size[0] * share), round(size[1] * share)))
    at = ((size[0] - drawn.width) // 2, (size[1] - drawn.height) // 2)
    canvas.alpha_composite(drawn, at)
    return canvas


def on_ground(picture: Image.Image, ground: Rgb) -> Image.Image:
    """`picture` without transparency, over `ground`."""
    canvas = Image.new("RGBA", picture.size, (*ground, 255))
    canvas.alpha_composite(picture.convert("RGBA"))
    return canvas.convert("RGB")


def png(image: Image.Image) -> bytes:
    """`image` as PNG; a large photograph with 256 colours, dithered."""
    data = _saved(image)
    if len(data) > _LARGE_BYTES and image.mode == "RGB":
        # Found fast first: the best palette takes seconds, and dithering hides the difference.
        palette = image.quantize(256, method=Image.Quantize.FASTOCTREE)
        return _saved(image.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG))
    return data


def _saved(image: Image.Image) -> bytes:
    return png_bytes(image, optimize=image.width * image.height < _SMALL_PIXELS)
