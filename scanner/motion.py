"""Whether anything moves before the camera, and where: for less than a tenth of reading a frame."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from scanner.picture import Image
from scanner.places import Box

CELL = 4  # of `Picture.tiny`: 32 pixels of the frame
LEAST = 5.0  # grey levels; the mean of a cell's 1,024 pixels holds noise well under one
REFERENCE_SECONDS = 0.4  # what is compared with: long enough for a slow hand to show


class Motion:
    """Compares each frame with one of a moment ago, in cells."""

    def __init__(self) -> None:
        self._reference: NDArray[np.float32] | None = None
        self._reference_at = 0.0
        self._moved_at: NDArray[np.float64] = np.zeros((1, 1))

    def look(self, tiny: Image, at: float) -> bool:
        """Take in a frame seen `at` seconds; return whether anything in it moved."""
        rows, columns = max(1, tiny.shape[0] // CELL), max(1, tiny.shape[1] // CELL)
        cells = cv2.resize(tiny, (columns, rows), interpolation=cv2.INTER_AREA).astype(np.float32)
        reference = self._reference
        if reference is None or reference.shape != cells.shape:
            # A camera that has just begun: everything may have come this moment.
            self._reference, self._reference_at = cells, at
            self._moved_at = np.full(cells.shape, at)
            return True
        change = cells - reference
        # Light that flickers or adapts changes everything alike: that is no movement.
        change = np.abs(change - np.median(change))
        moved = change > LEAST
        if at - self._reference_at >= REFERENCE_SECONDS or at < self._reference_at:
            self._reference, self._reference_at = cells, at
        if not moved.any():
            return False
        near = cv2.dilate(moved.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        self._moved_at[near] = at
        return True

    def last_in(self, box: Box) -> float:
        """When something last moved in `box`, in seconds of the frames."""
        rows, columns = self._moved_at.shape
        left, right = int(box.left * columns), int(np.ceil(box.right * columns))
        top, bottom = int(box.top * rows), int(np.ceil(box.bottom * rows))
        part = self._moved_at[max(0, top) : max(1, bottom), max(0, left) : max(1, right)]
        return float(part.max()) if part.size else float(self._moved_at.max())

    @property
    def last(self) -> float:
        """When something last moved anywhere."""
        return float(self._moved_at.max())
