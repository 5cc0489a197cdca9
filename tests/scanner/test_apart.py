"""The reader in its own process: what it sees comes back, and nothing holds the till up."""

import os
import signal
import sys
import time
from collections.abc import Callable

import cv2
import numpy as np
import pytest

from scanner.apart import DEADLINE_SECONDS, ReaderApart
from scanner.errors import DecoderError
from scanner.live import LiveReader
from scanner.picture import Picture
from scanner.places import Read
from scanner.schedule import Sighting


def nothing_but_finders(height: int, width: int) -> np.ndarray:
    """A picture full of finder patterns, on which a decoder searches for long."""
    finder = np.full((9, 9), 255, np.uint8)
    finder[1:8, 1:8], finder[2:7, 2:7], finder[3:6, 3:6] = 0, 255, 0
    finder = np.kron(finder, np.ones((2, 2), np.uint8))
    return np.tile(finder, (height // 18 + 1, width // 18 + 1))[:height, :width].copy()


def read(reader: ReaderApart, picture: Picture, at: float, camera: int = 0) -> Sighting | None:
    assert reader.offer(camera, picture, at)
    for _ in range(200):
        done = reader.take(0.1)
        if done is not None:
            assert done[:2] == (camera, at)
            return done[2]
    raise AssertionError("nothing came back")


def reads(reader: ReaderApart, picture: Picture, at: float, camera: int = 0) -> list[Read]:
    sighting = read(reader, picture, at, camera)
    assert sighting is not None
    return sighting.reads


def jpeg(image: np.ndarray) -> Picture:
    return Picture(jpeg=cv2.imencode(".jpg", image)[1].tobytes())


def test_frames_of_several_cameras_are_read_as_jpeg_and_as_pixels(
    make_card: Callable[..., str], draw: Callable[..., np.ndarray]
) -> None:
    with ReaderApart() as reader:
        for camera, picture in enumerate((jpeg(draw(make_card())), Picture.of(draw(make_card())))):
            (found,) = reads(reader, picture, 1.0, camera)
            assert found.text == make_card() and 0.35 < found.box.left < 0.5
            assert len(found.corners) == 4
        assert reads(reader, Picture(jpeg=b"\xff\xd8 broken"), 2.0) == []
        assert reader.killed == 0


def test_a_frame_is_taken_in_only_after_the_one_before_was_taken_out(
    draw: Callable[..., np.ndarray],
) -> None:
    with ReaderApart() as reader:
        assert reader.take(0.0) is None
        assert reader.offer(0, jpeg(draw(None)), 1.0)
        assert not reader.offer(0, jpeg(draw(None)), 1.1)


def test_a_hard_frame_costs_the_reader_its_life_and_the_till_a_moment(
    make_card: Callable[..., str], draw: Callable[..., np.ndarray]
) -> None:
    hard = Picture.of(nothing_but_finders(1440, 1920))
    with ReaderApart(deadline_seconds=0.04) as reader:
        for number in range(12):
            began = time.monotonic()
            assert reader.offer(0, hard, number / 30)
            while reader.take(0.05) is None:
                # What the loop waits is what it asked for, however long the frame takes.
                assert time.monotonic() - began < 20
            if reader.killed:
                break
        assert reader.killed == 1


def test_what_took_too_long_is_left_out_so_that_hard_frames_are_read_in_time(
    make_card: Callable[..., str], draw: Callable[..., np.ndarray]
) -> None:
    hard, reader, costs = Picture.of(nothing_but_finders(1440, 1920)), LiveReader(), []
    for number in range(24):
        began = time.thread_time()
        reader.look(hard, number / 30)
        costs.append(time.thread_time() - began)
    assert sum(costs[12:]) / 12 < DEADLINE_SECONDS / 2
    assert reader.read(draw(make_card()), 5.0).reads


def test_a_reader_that_crashes_is_replaced(
    make_card: Callable[..., str], draw: Callable[..., np.ndarray]
) -> None:
    with ReaderApart() as reader:
        assert reader._process is not None
        os.kill(reader._process.pid, signal.SIGSEGV)
        # What that frame showed is not known: it is no frame in which nothing was seen.
        assert read(reader, jpeg(draw(make_card())), 1.0) is None
        assert reads(reader, jpeg(draw(make_card())), 1.1)


def test_a_reader_that_does_not_start_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/true")
    with pytest.raises(DecoderError, match="does not start"), ReaderApart():
        pass


def test_a_reader_that_stands_by_unneeded_is_let_go(
    monkeypatch: pytest.MonkeyPatch, draw: Callable[..., np.ndarray]
) -> None:
    with ReaderApart() as reader:
        standby = reader._standby = reader._start()
        reader._late_at = time.monotonic()
        reads(reader, jpeg(draw(None)), 1.0)
        assert reader._standby is standby
        monkeypatch.setattr("scanner.apart.STANDBY_SECONDS", 0.0)
        reads(reader, jpeg(draw(None)), 1.1)
        assert reader._standby is None and standby.poll() is not None
