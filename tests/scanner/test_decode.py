"""Reading codes in frames."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from passes.image import code_png
from scanner import decode
from scanner.decode import load_decoder
from scanner.errors import DecoderError
from scanner.live import LiveReader
from scanner.picture import Picture
from scanner.regions import find_regions
from scanner.schedule import STILL, read_still
from scanner.view import View


def texts(image: np.ndarray) -> list[str]:
    return [read.text for read in read_still(image)]


def test_a_card_is_read_and_found_where_it_is(
    make_card: Callable[..., str], draw: Callable[..., np.ndarray]
) -> None:
    (read,) = read_still(draw(make_card()))
    assert read.text == make_card()
    assert 0.35 < read.box.left < 0.5 < read.box.right < 0.65


def test_a_phone_in_dark_mode_is_read(
    make_card: Callable[..., str], draw: Callable[..., np.ndarray]
) -> None:
    assert texts(255 - draw(make_card())) == [make_card()]


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_phone_is_read_whichever_way_it_is_turned(
    make_card: Callable[..., str], draw: Callable[..., np.ndarray], quarters: int
) -> None:
    assert texts(np.rot90(draw(make_card()), quarters)) == [make_card()]


def weakened(
    frame: np.ndarray, rng: np.random.Generator, *, blur: float, noise: float
) -> np.ndarray:
    """A grey frame out of focus, dim and noisy."""
    grey = cv2.GaussianBlur(Picture.of(frame).grey, (0, 0), blur).astype(np.float32) * 0.3 + 20
    return np.clip(grey + rng.normal(0, noise, grey.shape), 0, 255).astype(np.uint8)


def test_a_blurred_frame_is_read_by_a_later_attempt(
    make_card: Callable[..., str], draw: Callable[..., np.ndarray]
) -> None:
    weak = weakened(draw(make_card()), np.random.default_rng(1), blur=2.0, noise=2)
    assert not decode.zxing(View(Picture.of(weak)).half, black_and_white=False)
    assert texts(weak) == [make_card()]


def test_a_poster_beside_the_phone_does_not_hide_the_card(
    make_card: Callable[..., str], draw: Callable[..., np.ndarray]
) -> None:
    frame = draw(None)
    for text, left, module in ((make_card(), 900, 2), ("https://example.com/join", 100, 8)):
        png = np.frombuffer(code_png(text, module_px=module), np.uint8)
        code = cv2.imdecode(png, cv2.IMREAD_COLOR)
        frame[200 : 200 + code.shape[0], left : left + code.shape[1]] = code
    assert make_card() in texts(frame)


def test_an_empty_counter_reads_nothing_and_shows_no_region(
    draw: Callable[..., np.ndarray],
) -> None:
    frame = draw(None)
    assert texts(frame) == []
    assert find_regions(View(Picture.of(frame)).half) == []


def test_a_code_stands_in_the_strongest_region(
    make_card: Callable[..., str], draw: Callable[..., np.ndarray]
) -> None:
    region = find_regions(View(Picture.of(draw(make_card()))).half)[0]
    assert region.left < 640 < region.right and region.top < 360 < region.bottom


@pytest.mark.parametrize("shape", [(1, 1), (2, 2000), (17, 33), (480, 640), (4000, 3000)])
def test_a_picture_of_any_size_is_no_trouble(shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (*shape, 3), np.uint8)
    assert texts(noise) == []
    assert LiveReader().read(noise).reads == []


def test_frames_too_weak_alone_are_read_together(
    make_card: Callable[..., str], draw: Callable[..., np.ndarray]
) -> None:
    rng, reader = np.random.default_rng(3), LiveReader()
    for _ in range(30):
        weak = weakened(draw(make_card()), rng, blur=2.0, noise=11)
        assert texts(weak) == []
        if reader.read(weak).reads:
            return
    raise AssertionError("thirty frames together were not read")


def test_every_attempt_has_a_name_of_its_own() -> None:
    names = [name for name, _ in STILL]
    assert len(set(names)) == len(names)


def test_pyzbar_reads_the_same_cards(
    make_card: Callable[..., str], draw: Callable[..., np.ndarray]
) -> None:
    try:
        pyzbar = load_decoder("pyzbar")
    except DecoderError:
        pytest.skip("libzbar is not installed")
    for frame in (draw(make_card()), 255 - draw(make_card())):
        assert [read.text for read in read_still(frame, pyzbar)] == [make_card()]
