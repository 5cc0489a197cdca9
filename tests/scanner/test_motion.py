"""What moves before the camera, and how little an empty counter costs."""

from collections.abc import Callable

import cv2
import numpy as np

from scanner.live import AWAKE_SECONDS, GLANCE_SECONDS, LiveReader
from scanner.motion import Motion
from scanner.picture import Picture
from scanner.places import Box

EVERYWHERE = Box(0, 0, 1, 1)


def tiny(frame: np.ndarray) -> np.ndarray:
    shown = Picture.of(frame).tiny
    assert shown is not None
    return shown


NOISE = np.random.default_rng(1).normal(0, 8, (800, 1280, 3)).astype(np.int16)


def noisy(frame: np.ndarray, number: int) -> np.ndarray:
    """The frame with the noise of a sensor, other than in the frame before."""
    return cv2.add(frame, NOISE[number : number + 720], dtype=cv2.CV_8U)


def test_noise_and_flickering_light_are_no_movement(draw: Callable[..., np.ndarray]) -> None:
    motion, frame = Motion(), draw("https://example.com")
    assert motion.look(tiny(frame), 0.0)
    for number in range(1, 20):
        shown = cv2.convertScaleAbs(noisy(frame, number), alpha=1 + 0.03 * np.sin(number))
        assert not motion.look(tiny(shown), number / 15)


def test_a_phone_that_arrives_is_movement_where_it_is(draw: Callable[..., np.ndarray]) -> None:
    motion = Motion()
    for number in range(10):
        motion.look(tiny(noisy(draw(None), number)), number / 15)
    assert motion.look(tiny(draw("https://example.com")), 1.0)
    assert motion.last_in(Box(0.45, 0.45, 0.55, 0.55)) == 1.0
    assert motion.last_in(Box(0.0, 0.0, 0.2, 0.2)) == 0.0


def test_an_empty_counter_is_hardly_looked_at_and_a_phone_wakes_it_at_once(
    make_card: Callable[..., str], draw: Callable[..., np.ndarray]
) -> None:
    reader, awake = LiveReader(), []
    for number in range(60):
        awake.append(reader.read(noisy(draw(None), number), number / 15).awake)
    asleep_from = awake.index(False)
    assert asleep_from <= AWAKE_SECONDS * 15 + 1
    glances = sum(awake[asleep_from:])
    assert glances <= (60 - asleep_from) / 15 / GLANCE_SECONDS + 1
    assert reader.read(draw(make_card()), 4.1).reads


def test_a_card_that_lies_still_goes_on_being_read(
    make_card: Callable[..., str], draw: Callable[..., np.ndarray]
) -> None:
    reader, frame = LiveReader(), draw(make_card())
    assert all(reader.read(frame, number / 15).reads for number in range(60))


def test_a_picture_decodes_no_more_than_it_is_asked_for(draw: Callable[..., np.ndarray]) -> None:
    picture = Picture(jpeg=cv2.imencode(".jpg", draw(None))[1].tobytes())
    assert picture.tiny is not None and picture.tiny.shape == (90, 160)
    assert picture.half is not None and picture.half.shape == (360, 640)
    assert "grey" not in picture.__dict__
    assert picture.grey is not None and picture.grey.shape == (720, 1280)
