import io
import re
from datetime import date

import pytest
import zxingcpp
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from PIL import Image
from pyzbar import pyzbar

from passes.card import Colours
from passes.code import CardCode, encode, rotating_text
from passes.errors import ImageError
from passes.image import code_modules, code_png, code_svg, default_images

COLOURS = Colours("#3b2314", "#fff6e8", "#e0b070")
STATIC = encode(
    CardCode(1, bytes(range(8)), date(2026, 11, 23)),
    Ed25519PrivateKey.from_private_bytes(bytes(32)),
)
ROTATING = rotating_text(STATIC, 1_795_000_000, "07081804")


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


@pytest.mark.parametrize(("text", "version"), [(STATIC, 5), (ROTATING, 6)])
def test_a_card_code_is_drawn_in_its_version_at_level_m(text: str, version: int) -> None:
    image = opened(code_png(text, module_px=4, quiet=4))
    assert image.size == ((17 + 4 * version + 8) * 4,) * 2
    found = zxingcpp.read_barcodes(image.convert("L"))
    assert [(code.text, code.ec_level) for code in found] == [(text, "M")]
    assert [code.data.decode() for code in pyzbar.decode(image.convert("L"))] == [text]


def test_the_quiet_zone_is_white_and_as_wide_as_asked() -> None:
    image = opened(code_png(STATIC, module_px=3, quiet=4)).convert("L")
    inked = image.point(lambda value: 255 - value).getbbox()
    assert inked == (12, 12, image.width - 12, image.height - 12)


def test_the_svg_has_the_modules_of_the_code() -> None:
    svg = code_svg(STATIC, quiet=2)
    assert 'viewBox="0 0 41 41"' in svg
    ground, ink = re.findall(r"<path (.*?)/>", svg)
    assert ground.startswith('fill="#fff"')
    drawn = {
        (int(x) + step - 2, int(y) - 2)
        for x, y, run in re.findall(r"M(\d+) (\d+)h(\d+)", ink)
        for step in range(int(run))
    }
    rows = code_modules(STATIC)
    assert drawn == {(x, y) for y, row in enumerate(rows) for x, dark in enumerate(row) if dark}


def test_another_text_is_drawn_too() -> None:
    address = "https://cards.example.com/join/beans?from=poster"
    [found] = zxingcpp.read_barcodes(opened(code_png(address)).convert("L"))
    assert found.text == address


@pytest.mark.parametrize("text", ["", "x" * 2001, "ü" * 1999])
def test_a_text_that_fits_no_code_is_refused(text: str) -> None:
    with pytest.raises(ImageError):
        code_png(text)


@pytest.mark.parametrize("options", [{"module_px": 0}, {"quiet": -1}, {"module_px": 1000}])
def test_an_absurd_size_is_refused(options: dict[str, int]) -> None:
    with pytest.raises(ImageError):
        code_png(STATIC, **options)


def test_the_default_images_have_the_sizes_apple_draws() -> None:
    sizes = {name: opened(data).size for name, data in default_images(COLOURS, "Beans").items()}
    assert sizes == {
        "icon.png": (38, 38),
        "icon@2x.png": (76, 76),
        "icon@3x.png": (114, 114),
        "logo.png": (50, 50),
        "logo@2x.png": (100, 100),
        "logo@3x.png": (150, 150),
        "strip.png": (375, 144),
        "strip@2x.png": (750, 288),
        "strip@3x.png": (1125, 432),
    }


def test_the_default_images_are_in_the_brands_colours() -> None:
    images = default_images(COLOURS, "Beans")
    assert opened(images["icon.png"]).convert("RGB").getpixel((0, 0)) == (59, 35, 20)
    assert opened(images["strip.png"]).convert("RGB").getpixel((0, 0)) == (59, 35, 20)
    assert opened(images["logo.png"]).convert("RGBA").getpixel((0, 0))[3] == 0


def test_equal_designs_have_equal_images_and_names_tell_them_apart() -> None:
    assert default_images(COLOURS, "Beans") == default_images(COLOURS, "Beans")
    assert default_images(COLOURS, "Beans") != default_images(COLOURS, "Leaves")


def test_a_name_in_any_script_has_a_mark() -> None:
    marks = {default_images(COLOURS, name)["icon.png"] for name in ("Āboliņš", "Абв", "漢", "")}
    assert len(marks) == 2  # the letter A, and the ring that stands for what cannot be drawn
