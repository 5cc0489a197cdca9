"""Where a code is looked for, and what is done about light that is too little or too much."""

from collections.abc import Callable

import numpy as np
import pytest

from scanner.clutter import Clutter
from scanner.decode import zxing
from scanner.picture import Picture
from scanner.places import Box
from scanner.regions import find_regions
from scanner.schedule import STILL, attempt
from scanner.view import View

CODE = (slice(130, 226), slice(300, 396))  # rows and columns of the half frame


def half_frame(wall: int, phone: int, dark: int, light: int, noise: float) -> np.ndarray:
    """A phone of black glass, high as the frame, with a code of modules of three pixels."""
    chance = np.random.default_rng(4)
    frame = np.full((360, 640), wall, np.float64)
    frame[40:, 240:456] = phone
    modules = np.kron(chance.integers(0, 2, (32, 32)), np.ones((3, 3)))
    frame[CODE] = dark + (light - dark) * modules
    noisy = frame + chance.normal(0, noise, frame.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    "frame",
    [half_frame(70, 6, 50, 110, 14), half_frame(255, 150, 232, 255, 1.5)],
    ids=["in the dark", "burnt out"],
)
def test_the_code_is_cut_out_whole_whatever_the_light(frame: np.ndarray) -> None:
    best = find_regions(frame)[0]
    rows, columns = CODE
    assert best.top / 2 <= rows.start and rows.stop <= best.bottom / 2
    assert best.left / 2 <= columns.start and columns.stop <= best.right / 2
    assert best.right - best.left <= 4 * (columns.stop - columns.start)


def test_what_stood_there_from_the_first_picture_on_was_not_held_up() -> None:
    clutter = Clutter()
    terminal, phone = Box(0.7, 0.6, 0.8, 0.8), Box(0.3, 0.3, 0.5, 0.6)
    clutter.frame(5.0, [terminal], [9.0])
    clutter.frame(5.3, [terminal, phone], [9.0, 6.0])
    assert clutter.stood(terminal)
    assert not clutter.stood(phone)


def test_a_burnt_out_screen_is_read_by_its_highlights(
    make_card: Callable[..., str], draw: Callable[..., np.ndarray]
) -> None:
    (tried,) = [tried for tried in STILL if "highlights" in tried[0]]
    frame = draw(make_card())
    assert tried[1](View(Picture.of(np.minimum(frame, 240)))) is None
    burnt = View(Picture.of(np.minimum(frame.astype(np.int16) * 3 + 235, 255).astype(np.uint8)))
    prepared = tried[1](burnt)
    assert prepared is not None
    assert make_card() in {read.text for read in attempt(burnt, prepared, zxing)}
