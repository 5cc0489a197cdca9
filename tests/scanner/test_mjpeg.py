"""Pictures out of a stream of bytes, however it is cut and whatever lies between them."""

import io
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.mjpeg import JpegSource
from scanner.picture import Picture, jpeg_size


def pictures(data: bytes, at_once: int = 70_000) -> list[bytes]:
    stream = io.BytesIO(data)
    source = JpegSource(lambda n: stream.read(min(n, at_once)), stream.close)
    found = []
    while source.grab():
        picture = source.retrieve()
        assert picture is not None
        found.append(picture.jpeg)
    return found


def encoded(seed: int, size: tuple[int, int] = (40, 30)) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 255, (size[1], size[0], 3), np.uint8)
    return cv2.imencode(".jpg", pixels)[1].tobytes()


@pytest.mark.parametrize("at_once", [1, 7, 4096])
def test_pictures_come_out_whole_however_the_stream_is_cut(at_once: int) -> None:
    frames = [encoded(seed) for seed in range(4)]
    between = b"\r\n--frame\r\nContent-Type: image/jpeg\r\n\r\n"
    assert pictures(between + between.join(frames) + between, at_once) == frames


def test_a_thumbnail_inside_a_picture_is_not_its_end() -> None:
    thumbnail, frame = encoded(1), encoded(2)
    segment = b"\xff\xe1" + (len(thumbnail) + 2).to_bytes(2, "big") + thumbnail
    with_thumbnail = frame[:2] + segment + frame[2:]
    assert pictures(with_thumbnail * 2) == [with_thumbnail] * 2
    assert Picture(jpeg=with_thumbnail).grey is not None


def test_a_picture_that_is_cut_off_is_not_shown_and_the_next_one_is() -> None:
    good = encoded(3)
    assert pictures(b"\xff\xd8\xff\xd9" + good) == [good]
    assert pictures(good[:200]) == []


@given(st.binary(max_size=3000))
def test_any_bytes_at_all_end(data: bytes) -> None:
    for frame in pictures(data):
        Picture(jpeg=frame).grey  # noqa: B018 - it must not raise


def test_a_picture_that_claims_to_be_enormous_is_not_decoded(
    draw: Callable[..., np.ndarray],
) -> None:
    good = bytearray(cv2.imencode(".jpg", draw(None, (320, 240)))[1].tobytes())
    at = good.index(b"\xff\xc0")
    assert jpeg_size(bytes(good)) == (320, 240)
    good[at + 5 : at + 9] = b"\xff\xff\xff\xff"
    assert jpeg_size(bytes(good)) == (65535, 65535)
    assert Picture(jpeg=bytes(good)).grey is None
    assert Picture(jpeg=bytes(good)).tiny is None
