"""The filmed counter: what decoders find in it, how it moves, and that a seed is a seed."""

import dataclasses
from pathlib import Path

import cv2
import numpy as np
import pytest
import zxingcpp

from app.demo.counter import (
    MOVING_EFFECTS,
    STILL_EFFECTS,
    Scene,
    film,
    filming,
    mixed,
    moderately_hard,
    photograph,
)
from app.demo.counter_camera import Bytes

CODE = "CF1:" + "A7 B$X9/K1" * 11 + "ABCDEF"
SMALL = (640, 360)


def texts_in(frame: Bytes) -> list[str]:
    return [found.text for found in zxingcpp.read_barcodes(frame)]


def test_a_phone_held_well_is_read() -> None:
    frame = photograph(CODE, scene=Scene(), seed=1)
    assert frame.shape == (720, 1280, 3)
    assert texts_in(frame) == [CODE]


@pytest.mark.parametrize("effect", STILL_EFFECTS)
def test_each_effect_alone_is_readable_when_mild_and_shows_when_bad(effect: str) -> None:
    mild, bad = (
        photograph(CODE, scene=Scene(**{effect: severity}), seed=2) for severity in (1.0, 5.0)
    )
    assert CODE in texts_in(mild)
    assert np.abs(mild.astype(int) - bad).mean() > 0.3


@pytest.mark.parametrize("size", [(640, 480), (1280, 720), (1920, 1080)])
def test_a_camera_has_its_size(size: tuple[int, int]) -> None:
    frame = photograph(CODE, scene=Scene(), seed=4, size=size)
    assert frame.shape == (size[1], size[0], 3)
    assert texts_in(frame) == [CODE]


def test_a_foreign_code_is_shown_too() -> None:
    text = "https://example.com/menu?table=7"
    assert texts_in(photograph(text, scene=Scene(), seed=5)) == [text]


def test_the_same_seed_gives_the_same_pixels_and_another_seed_others() -> None:
    scene = mixed(7, 3)
    assert scene == mixed(7, 3)
    first, same, other = (
        photograph(CODE, scene=scene, seed=seed, size=SMALL) for seed in (7, 7, 8)
    )
    assert np.array_equal(first, same)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("effects", [1, 3])
def test_a_mix_has_as_many_effects_as_asked(effects: int) -> None:
    values = dataclasses.asdict(mixed(9, 4, effects))
    assert sum(values[name] == 4 for name in STILL_EFFECTS) == effects
    assert all(0 < values[name] <= 5 for name in MOVING_EFFECTS)


def test_severity_ends_at_five() -> None:
    with pytest.raises(ValueError, match="glare"):
        Scene(glare=5.1)


def test_a_moderately_hard_day_can_be_read() -> None:
    frames = [photograph(CODE, scene=moderately_hard(seed), seed=seed) for seed in range(4)]
    assert sum(CODE in texts_in(frame) for frame in frames) >= 3


def test_a_phone_comes_is_read_and_goes(tmp_path: Path) -> None:
    clip = film([CODE], scene=moderately_hard(1), seed=1, size=(960, 540), seconds=1.2)
    assert len(clip) == 36
    seen = [CODE in texts_in(frame) for frame in clip.frames]
    assert not any(seen[: clip.fully_visible_frame - 1])
    assert any(seen[clip.fully_visible_frame : clip.fully_visible_frame + 15])
    assert not any(seen[-3:])
    assert clip.shots[0].fully_visible is False
    path = tmp_path / "clip.mjpeg"
    clip.write(path)
    camera = cv2.VideoCapture(str(path))
    count = 0
    while camera.read()[0]:
        count += 1
    camera.release()
    assert count == len(clip)


def test_phones_come_one_after_another() -> None:
    texts = [CODE, "https://example.com/"]
    clip = film(texts, scene=Scene(), seed=3, size=SMALL, seconds=0.8, gap_seconds=0.2)
    assert len(clip.arrivals) == 2
    assert len(clip) == 24 + 6 + 24
    [first, second] = [clip.shots[at + 8] for at in clip.arrivals]
    assert (first.text, second.text) == (texts[0], texts[1])
    assert [texts_in(shot.frame) for shot in (first, second)] == [[texts[0]], [texts[1]]]
    assert clip.shots[26].corners is None


def test_the_corners_are_where_the_code_is() -> None:
    [shot] = [
        shot
        for index, shot in enumerate(filming([CODE], scene=Scene(), seed=6, seconds=1.0))
        if index == 16
    ]
    [found] = zxingcpp.read_barcodes(shot.frame)
    assert shot.corners is not None
    at = found.position
    read = [(p.x, p.y) for p in (at.top_left, at.top_right, at.bottom_right, at.bottom_left)]
    assert np.abs(shot.corners - np.array(read)).max() < 8


def test_an_empty_counter_has_no_code_but_moves() -> None:
    clip = film([], scene=Scene(), seed=2, size=SMALL, seconds=1.0)
    frames = list(clip.frames)
    assert clip.arrivals == ()
    assert not any(texts_in(frame) for frame in frames[::5])
    assert np.abs(frames[0].astype(int) - frames[-1]).mean() > 0.2


def test_an_ean_barcode_is_shown_as_bars() -> None:
    assert texts_in(photograph("4006381333931", scene=Scene(), seed=1)) == ["4006381333931"]


def test_a_bustling_shop_moves_everywhere_and_shows_no_qr_code() -> None:
    model_2 = zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.QRCodeModel2])
    frames = [
        shot.frame
        for shot in filming([], scene=Scene(bustle=5), seed=6, seconds=60, fps=0.2)
    ]  # fmt: skip
    assert not any(zxingcpp.read_barcodes(frame, model_2) for frame in frames)
    changed = np.abs(np.diff(np.array(frames, np.int16), axis=0)).max(axis=(0, 3)) > 40
    assert changed.mean() > 0.3
