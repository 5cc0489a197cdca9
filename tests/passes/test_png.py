"""Pictures as PNG: smaller where they may be, and never another picture."""

import io
import random

import pytest
from PIL import Image, ImageChops

from passes.card import Colours
from passes.image import rings
from passes.png import png_bytes


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def plainly(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()


def test_a_drawn_picture_takes_half_the_bytes_and_is_the_same() -> None:
    drawn = rings(Colours("#1f3d2b", "#ffffff", "#c9e4d2"), (750, 288))
    data = png_bytes(drawn)
    assert len(data) < 0.7 * len(plainly(drawn))
    assert ImageChops.difference(opened(data).convert("RGB"), drawn).getbbox() is None


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "1"])
def test_any_picture_comes_out_as_it_went_in(mode: str) -> None:
    chance = random.Random(7)
    noise = Image.frombytes("RGBA", (64, 48), chance.randbytes(64 * 48 * 4)).convert(mode)
    again = opened(png_bytes(noise)).convert(mode)
    assert again.tobytes() == noise.tobytes()


def test_what_one_sees_through_keeps_its_colours_and_how_much_is_seen_of_each() -> None:
    chance = random.Random(8)
    colours = [chance.randbytes(3) + bytes([alpha]) for alpha in (0, 0, 3, 128, 254, 255, 255)]
    pixels = b"".join(chance.choices(colours, k=120 * 90))
    drawn = Image.frombytes("RGBA", (120, 90), pixels)
    data = png_bytes(drawn)
    assert len(data) < 0.7 * len(plainly(drawn))
    assert opened(data).mode == "P"
    assert opened(data).convert("RGBA").tobytes() == drawn.tobytes()


def test_a_picture_that_is_all_opaque_names_its_colours_without_opacity() -> None:
    drawn = rings(Colours("#1f3d2b", "#ffffff", "#c9e4d2"), (375, 144)).convert("RGBA")
    again = opened(png_bytes(drawn))
    assert "transparency" not in again.info
    assert again.convert("RGBA").tobytes() == drawn.tobytes()
