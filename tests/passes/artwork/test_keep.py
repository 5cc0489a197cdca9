"""Of an upload the picture is kept, small enough whatever it is, and good for every wallet."""

import io
from typing import Any

import pytest
from PIL import Image, PngImagePlugin

from passes.artwork import check_hero, check_logo, check_poster
from passes.artwork.keep import MAX_KEPT_BYTES, kept_hero, kept_icon, kept_logo, kept_poster
from passes.errors import ImageError
from tests.passes.artwork.pictures import opened, photo, saved, wordmark


def noise(width: int, height: int) -> Image.Image:
    return Image.merge("RGB", [Image.effect_noise((width, height), 200) for _ in range(3)])


def test_what_is_kept_can_be_used_as_the_upload_could() -> None:
    check_logo(kept_logo(wordmark(900, 150)))
    check_logo(kept_logo(wordmark(1000, 2000)))
    check_hero(kept_hero(photo(5000, 1000)))
    check_hero(kept_hero(photo(1125, 432)))
    check_poster(kept_poster(photo(2000, 5000)))


def test_a_logo_stays_as_it_was_drawn() -> None:
    kept = opened(kept_logo(wordmark())).convert("RGBA")
    assert kept.getpixel((5, 5)) == (255, 246, 232, 255)


def test_a_picture_is_kept_without_what_else_the_file_held() -> None:
    assert b"<?php" not in kept_hero(photo() + b"<?php")


def told_on(form: str, size: tuple[int, int]) -> bytes:
    """A picture whose file says more than it shows, wherever its form has room for that."""
    exif, more = Image.Exif(), dict[str, Any]()
    exif[0x010E] = "SECRET: taken at home"
    if form == "PNG":
        more["pnginfo"] = PngImagePlugin.PngInfo()
        more["pnginfo"].add_text("Comment", "SECRET")
        more["pnginfo"].add_itxt("XML:com.adobe.xmp", "SECRET", zip=False)
    else:
        more["xmp"] = b"SECRET"
        more |= {"comment": b"SECRET"} if form == "JPEG" else {}
    out = io.BytesIO()
    image = Image.open(io.BytesIO(photo(*size)))
    image.save(out, form, exif=exif, icc_profile=b"SECRET" * 40, **more)
    return out.getvalue() + b"SECRET<script>alert(1)</script>PK\x03\x04"


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_nothing_that_the_file_says_besides_is_kept(form: str) -> None:
    hero, square = told_on(form, (1300, 520)), told_on(form, (660, 660))
    assert b"SECRET" in hero and b"SECRET" in square
    for kept in (kept_hero(hero), kept_logo(square), kept_icon(square)):
        told = Image.open(io.BytesIO(kept)).info
        assert b"SECRET" not in kept and "SECRET" not in str(told)
        assert not told.keys() & {"icc_profile", "exif", "comment", "xmp", "Comment"}
        assert b"<script" not in kept and b"PK\x03\x04" not in kept


def test_what_would_be_large_is_saved_smaller_or_refused() -> None:
    assert len(kept_logo(saved(noise(1320, 660), "PNG"))) <= MAX_KEPT_BYTES
    with pytest.raises(ImageError, match="Upload a smoother one"):
        kept_hero(saved(noise(2200, 1700), "JPEG"))
