"""One frame, and the pictures that the attempts make of it: each is made once, when asked for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from scanner.picture import Image, Picture, shrunk
from scanner.places import Box
from scanner.regions import WHITE, Region, find_regions

ENLARGED_SIDE = 560
LARGEST_SIDE = 2000
_HIGHLIGHTS = np.round((np.arange(256) / 255) ** 6 * 255).astype(np.uint8)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A picture to decode and where it lies in the frame: frame = left/top + picture / scale."""

    picture: Image
    scale: float = 1.0
    left: float = 0.0
    top: float = 0.0
    black_and_white: bool = False


class View:
    """One grey frame and what has been made of it so far."""

    def __init__(self, picture: Picture) -> None:
        self._picture = picture
        self._enlarged: dict[int, tuple[Image, float]] = {}

    @cached_property
    def grey(self) -> Image:
        """The whole frame; a very large one at a size that can be read in time."""
        grey = self._picture.grey
        if grey is None:
            return np.zeros((1, 1), np.uint8)
        largest = max(grey.shape)
        if largest > LARGEST_SIDE:
            scale = LARGEST_SIDE / largest
            way = cv2.INTER_AREA
            return np.asarray(
                cv2.resize(grey, None, fx=scale, fy=scale, interpolation=way), np.uint8
            )
        return np.ascontiguousarray(grey)

    @cached_property
    def half(self) -> Image:
        """The frame at half its width and height, without decoding the whole of a JPEG."""
        half = self._picture.half
        if half is None:
            return np.zeros((1, 1), np.uint8)
        if 2 * max(half.shape) > LARGEST_SIDE:
            return shrunk(self.grey, 2)
        return np.ascontiguousarray(half)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the whole frame, known from the half where that is all there is."""
        if "grey" in self.__dict__:
            return self.grey.shape[0], self.grey.shape[1]
        return 2 * self.half.shape[0], 2 * self.half.shape[1]

    @cached_property
    def regions(self) -> list[Region]:
        return find_regions(self.half)

    def region(self, index: int) -> Region | None:
        """Return the region `index` (0 is the strongest), None where there are fewer."""
        return self.regions[index] if index < len(self.regions) else None

    def crop(self, region: Region) -> Image:
        """Return the region's pixels."""
        part = self.grey[region.top : region.bottom, region.left : region.right]
        return np.ascontiguousarray(part)

    def enlarged(self, index: int) -> tuple[Image, float] | None:
        """Return region `index` with its long side at 560 pixels, and the scale of that."""
        region = self.region(index)
        if region is None:
            return None
        if index not in self._enlarged:
            self._enlarged[index] = enlarge(self.crop(region))
        return self._enlarged[index]

    def share(self, left: float, top: float, right: float, bottom: float) -> Box:
        """Return a rectangle of pixels as shares of the frame."""
        height, width = self.size
        return Box(left / width, top / height, right / width, bottom / height)


def enlarge(crop: Image) -> tuple[Image, float]:
    """Return `crop` with its long side at 560 pixels (cubic), and the scale."""
    scale = ENLARGED_SIDE / max(crop.shape)
    way = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA
    return np.asarray(cv2.resize(crop, None, fx=scale, fy=scale, interpolation=way)), scale


def threshold(picture: Image, window: float, below: float = 0) -> Image:
    """Return `picture` in black and white, each pixel against the mean of its window.

    What is `below` levels under the mean is black, what is more is white.
    """
    odd = max(3, round(window) | 1)
    method, kind = cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY
    return np.asarray(cv2.adaptiveThreshold(picture, 255, method, kind, odd, below), np.uint8)


def is_burnt(crop: Image) -> bool:
    """Whether a quarter and more of a crop is white without any detail."""
    return bool(np.count_nonzero(crop >= WHITE) * 4 >= crop.size)


def highlights(picture: Image) -> Image:
    """Return `picture` with its bright levels drawn apart.

    Where the screen is burnt out, light runs over dark modules: they are a little less white.
    """
    return np.asarray(cv2.LUT(picture, _HIGHLIGHTS), np.uint8)


def sharpen(picture: Image, sigma: float, amount: float) -> Image:
    """Return `picture` with `amount` of what a blur of `sigma` pixels takes away added."""
    soft = cv2.GaussianBlur(picture, (0, 0), sigma)
    return np.asarray(cv2.addWeighted(picture, 1 + amount, soft, -amount, 0), np.uint8)


def soft_sharp(picture: Image, scale: float) -> Image:
    """Return `picture`, enlarged by `scale`, without its noise, then with what the lens blurred
    brought back: neither alone reads as much."""
    soft = np.asarray(cv2.GaussianBlur(picture, (0, 0), scale / 1.5), np.uint8)
    return np.asarray(cv2.GaussianBlur(sharpen(soft, 1.2 * scale, 2), (0, 0), 1), np.uint8)
