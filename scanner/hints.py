"""What would help a code that stands still and is not read: measured, not guessed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np

from scanner.picture import Image
from scanner.places import Box, overlap


class Hint(StrEnum):
    """What helps a phone that stands still and is not read; a page has words for each."""

    TILT = "tilt"
    """Glare lies on the glass: tilt the phone a little."""
    BRIGHTER = "brighter"
    """The screen is too dim: make it brighter."""
    CLOSER = "closer"
    """The code is too small: come closer."""
    HOLD_STILL = "hold_still"
    """It is blurred: hold it still."""


STILL_SECONDS = 1.0
REPEAT_SECONDS = 3.0  # a hint stays for so long: words that flicker cannot be read
SAME_PLACE = 0.5  # of two boxes' common area: the hand wobbles
GLARE_SHARE = 0.06  # of the region burnt out in lumps
DIM = 75  # grey level that the region's paper does not reach
SMALL_SIDE = 95  # pixels of the whole region: under two a module


@dataclass(frozen=True, slots=True)
class Measured:
    """A region's light and size: `paper` is the level of its bright part, `burnt` the share of
    it that is white without any detail, `side` its longer side in pixels, `sharpness` how much
    of its contrast is between neighbours (0 to about 1)."""

    paper: float
    burnt: float
    side: int
    sharpness: float


def measure(crop: Image, code_side: int) -> Measured:
    """Measure the crop of a region; `code_side` is the side of what looks like the code."""
    paper = float(np.percentile(crop, 92))
    # A white module is burnt out too; glare is a lump of it larger than modules are.
    lumps = cv2.erode((crop >= 250).astype(np.uint8), np.ones((13, 13), np.uint8))
    burnt = float(cv2.dilate(lumps, np.ones((13, 13), np.uint8)).mean())
    fine = float(cv2.absdiff(crop, cv2.blur(crop, (3, 3))).mean())
    coarse = float(cv2.absdiff(crop, cv2.blur(crop, (25, 25))).mean())
    return Measured(paper, burnt, code_side, fine / max(coarse, 1.0))


def choose(measured: Measured) -> Hint:
    """Return the one thing that is most in the way."""
    if measured.paper < DIM:
        return Hint.BRIGHTER
    if measured.burnt > GLARE_SHARE:
        return Hint.TILT
    if measured.side < SMALL_SIDE:
        return Hint.CLOSER
    return Hint.HOLD_STILL


class Hints:
    """Follows the strongest unread place; speaks after it stood still for a second."""

    def __init__(self) -> None:
        self._box: Box | None = None
        self._since = 0.0
        self._said: Hint | None = None
        self._said_at = 0.0

    def clear(self) -> None:
        """Something was read, or nothing is there any more."""
        self._box = self._said = None

    def frame(self, at: float, box: Box, measured: Callable[[], Measured]) -> Hint | None:
        """Take in the place of a frame seen `at` seconds that was not read."""
        if self._box is None or overlap(self._box, box) < SAME_PLACE:
            self._box, self._since, self._said = box, at, None
            return None
        self._box = box
        if at - self._since < STILL_SECONDS:
            return None
        if self._said is None or at - self._said_at >= REPEAT_SECONDS:
            self._said, self._said_at = choose(measured()), at
        return self._said
