import io
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from passes.artwork import check_hero, check_logo, check_poster
from passes.artwork.keep import kept_logo
from passes.artwork.upload import LOGO, MAX_BYTES, opened
from passes.errors import ImageError
from tests.passes.artwork.pictures import photo, saved, wordmark


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_a_photo_is_taken_however_it_is_saved(form: str) -> None:
    check_hero(photo(form=form))
    check_poster(photo(1200, 1500, form=form))
    check_logo(photo(660, 660, form=form))


def test_a_photo_is_turned_as_the_camera_held_it() -> None:
    image = Image.new("RGB", (1500, 1200), (200, 10, 10))
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    out = io.BytesIO()
    image.save(out, "JPEG", exif=exif)
    check_poster(out.getvalue())
    with pytest.raises(ImageError, match="too wide"):
        check_poster(saved(Image.new("RGB", (1900, 1400)), "JPEG"))


def test_nothing_around_a_logo_is_cut_off() -> None:
    assert opened(wordmark(900, 300, margin=200), LOGO).size == (900, 300)


@pytest.mark.parametrize("size", [(330, 330), (165, 330), (330, 166), (850, 150), (540, 270)])
def test_a_logo_may_be_as_small_as_google_can_show(size: tuple[int, int]) -> None:
    check_logo(wordmark(*size))
    check_logo(kept_logo(wordmark(*size)))


def refusal(data: bytes) -> str:
    with pytest.raises(ImageError) as caught:
        check_logo(data)
    return str(caught.value)


def bomb(width: int, height: int) -> bytes:
    """A PNG of few bytes that says it has many pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        summed = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", summed)

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    packed = zlib.compress(bytes(1000))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "no picture that can be read"),
        (b"%PDF-1.7", "no picture that can be read"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "Save the logo as PNG, JPEG or WebP"),
        (saved(Image.new("RGB", (660, 660)), "GIF"), "no picture that can be read"),
        (photo(form="PNG")[:2000], "no picture that can be read"),
        (bomb(700, 700), "no picture that can be read"),
        (bomb(7000, 7000), "more than 40 million pixels"),
        (bomb(11_000, 11_000), "more than 40 million pixels"),
        (bomb(60_000, 60_000), "more than 40 million pixels"),
        (bytes(MAX_BYTES + 1), "at most 10 are taken"),
        (wordmark(159, 300), "needs at least 160×150"),
        (wordmark(300, 149), "Upload a logo of 660×660 pixels"),
        (wordmark(160, 150), "at least 330 on its longer side"),
        (wordmark(329, 329, margin=100), "has 329×329 pixels without its margins"),
        (wordmark(849, 269), "a wide logo needs a width of at least 850"),
        (wordmark(1300, 200), "too wide for the logo"),
        (wordmark(200, 500), "too tall for the logo"),
        (saved(Image.new("RGBA", (660, 660)), "PNG"), "transparent all over"),
    ],
)
def test_an_upload_that_cannot_be_used_is_refused_with_what_to_do(data: bytes, said: str) -> None:
    assert said in refusal(data)


def test_each_picture_has_a_shape_of_its_own() -> None:
    with pytest.raises(ImageError, match="too tall for the picture across the card"):
        check_hero(photo(1200, 1300))
    with pytest.raises(ImageError, match="too wide for the poster"):
        check_poster(photo(1800, 1400))
    with pytest.raises(ImageError, match="1125×432"):
        check_hero(photo(1000, 432))


GOOD = wordmark(330, 330)


@given(
    st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.integers(0, 255)), min_size=1, max_size=4)
)
def test_a_damaged_picture_is_taken_or_refused(changes: list[tuple[int, int]]) -> None:
    damaged = bytearray(GOOD)
    for at, value in changes:
        damaged[at] = value
    try:
        check_logo(bytes(damaged))
    except ImageError as error:
        assert str(error)
