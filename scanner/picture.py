"""One picture of a camera, decoded as late and as little as what is asked of it allows.

A webcam and a network camera send JPEG. Whether anything moved shows in an eighth of its size,
and a code mostly in half of it: JPEG gives both for a fraction of the whole picture's cost.
"""

from __future__ import annotations

from functools import cached_property
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]

MOST_PIXELS = 16_000_000  # a camera's picture; a photograph may be larger
SHOWN_QUALITY = 80
TINY = 8  # `tiny` has a pixel for so many in a row


class Picture:
    """Pixels, or the JPEG they are in. What does not decode is a picture of no pixels: None."""

    def __init__(self, *, pixels: Image | None = None, jpeg: bytes | None = None) -> None:
        self._pixels, self._jpeg = pixels, jpeg

    @classmethod
    def of(cls, pixels: Image) -> Self:
        """A picture that is decoded already: BGR or grey."""
        return cls(pixels=pixels)

    @property
    def is_jpeg(self) -> bool:
        """Whether the picture came as JPEG."""
        return self._jpeg is not None

    @cached_property
    def colour(self) -> Image | None:
        """BGR."""
        if self._pixels is None:
            return self._decoded(cv2.IMREAD_COLOR)
        if self._pixels.ndim == 2:
            return np.asarray(cv2.cvtColor(self._pixels, cv2.COLOR_GRAY2BGR), np.uint8)
        return self._pixels

    @cached_property
    def grey(self) -> Image | None:
        """Grey, at full size."""
        if self._pixels is None:
            return self._decoded(cv2.IMREAD_GRAYSCALE)
        if self._pixels.ndim == 2:
            return self._pixels
        return np.asarray(cv2.cvtColor(self._pixels, cv2.COLOR_BGR2GRAY), np.uint8)

    @cached_property
    def half(self) -> Image | None:
        """Grey, at half its width and height."""
        if self._pixels is None and "grey" not in self.__dict__:
            return self._decoded(cv2.IMREAD_REDUCED_GRAYSCALE_2)
        return None if self.grey is None else shrunk(self.grey, 2)

    @cached_property
    def tiny(self) -> Image | None:
        """Grey, at an eighth of its width and height: enough to see whether anything moved."""
        if self._pixels is None:
            return self._decoded(cv2.IMREAD_REDUCED_GRAYSCALE_8)
        return None if self.grey is None else shrunk(self.grey, TINY)

    @cached_property
    def jpeg(self) -> bytes:
        """The picture as JPEG, for a page to show; empty where there is none."""
        if self._jpeg is not None:
            return self._jpeg
        if self._pixels is None:
            return b""
        done, data = cv2.imencode(".jpg", self._pixels, [cv2.IMWRITE_JPEG_QUALITY, SHOWN_QUALITY])
        return data.tobytes() if done else b""

    def _decoded(self, how: int) -> Image | None:
        if not self._jpeg:
            return None
        size = jpeg_size(self._jpeg)
        if size is None or size[0] * size[1] > MOST_PIXELS:
            return None
        try:
            image = cv2.imdecode(np.frombuffer(self._jpeg, np.uint8), how)
        except cv2.error:
            return None
        return None if image is None else np.asarray(image, np.uint8)


def shrunk(grey: Image, times: int) -> Image:
    """Return `grey` with a pixel for each square of `times` by `times`."""
    height, width = grey.shape[:2]
    size = (max(1, width // times), max(1, height // times))
    return np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8)


def segments(data: bytes | bytearray, start: int = 0) -> tuple[int, tuple[int, int] | None] | None:
    """Walk the header of the JPEG at `start`: where its pixels' data begins, and (width, height).

    None where the header goes on beyond `data`; raises ValueError where it is no JPEG
    (ITU-T T.81, annex B).
    """
    at, size = start + 2, None
    while True:
        if at + 4 > len(data):
            return None
        marker = data[at + 1]
        if data[at] != 0xFF:
            raise ValueError("not a marker")
        if marker == 0xFF:  # a fill byte
            at += 1
            continue
        if marker in (0x01, *range(0xD0, 0xDA)):
            raise ValueError("no pixels")
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if length < 2:
            raise ValueError("no length")
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            if at + 9 > len(data):
                return None
            height = int.from_bytes(data[at + 5 : at + 7], "big")
            size = int.from_bytes(data[at + 7 : at + 9], "big"), height
        at += 2 + length
        if marker == 0xDA:
            return (at, size) if at <= len(data) else None


def jpeg_size(jpeg: bytes) -> tuple[int, int] | None:
    """Return width and height as the header tells, None where it does not."""
    if jpeg[:2] != b"\xff\xd8":
        return None
    try:
        walked = segments(jpeg)
    except ValueError:
        return None
    return None if walked is None else walked[1]
