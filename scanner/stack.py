"""Frames too weak to read one by one, laid over each other.

The crops of the strongest region are aligned by phase correlation and blended, so that noise and
moiré average out; the darkest of them is kept too, in which glare that moves is gone.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from scanner.picture import Image

Plane = NDArray[np.float32]

STACK_SIDE = 560
WEAKEST_MATCH = 0.04
LARGEST_SHIFT = 0.25  # of the crop's side
LEAST_WEIGHT = 0.35


class Stack:
    """The strongest region of the last frames, laid over each other."""

    def __init__(self) -> None:
        self._blend: Plane | None = None
        self._darkest: Plane | None = None
        self._sharpness = 0.0
        self._count = 0
        self._window = np.asarray(
            cv2.createHanningWindow((STACK_SIDE // 2, STACK_SIDE // 2), cv2.CV_32F), np.float32
        )

    def clear(self) -> None:
        """Forget what was stacked: the code was read, or nothing looks like one."""
        self._blend = self._darkest = None
        self._count = 0

    def add(self, crop: Image) -> None:
        """Lay the region of the next frame over those before."""
        size = (STACK_SIDE, STACK_SIDE)
        fresh = np.asarray(cv2.resize(crop, size, interpolation=cv2.INTER_CUBIC), np.float32)
        sharpness = float(cv2.Laplacian(_halved(fresh), cv2.CV_32F).var())
        moved = None if self._blend is None else self._aligned(fresh, self._blend)
        if moved is None or self._blend is None or self._darkest is None:
            self._blend, self._darkest = fresh, fresh.copy()
            self._sharpness, self._count = sharpness, 1
            return
        self._count += 1
        weight = max(LEAST_WEIGHT, 1 / self._count)
        weight = min(0.9, weight * sharpness / max(self._sharpness, 1e-6))
        self._blend = np.asarray(
            cv2.addWeighted(self._blend, 1 - weight, moved, weight, 0), np.float32
        )
        self._darkest = np.asarray(cv2.min(self._darkest, moved), np.float32)
        self._sharpness += weight * (sharpness - self._sharpness)

    def blend(self) -> Image | None:
        """Return the average of the aligned frames, None while there is only one."""
        return None if self._blend is None or self._count < 2 else _bytes(self._blend)

    def darkest(self) -> Image | None:
        """Return the darkest of the aligned frames, in which glare that moves is gone."""
        return None if self._darkest is None or self._count < 2 else _bytes(self._darkest)

    def _aligned(self, fresh: Plane, blend: Plane) -> Plane | None:
        """Return `fresh` moved onto `blend`, None where the two do not belong together."""
        (dx, dy), response = cv2.phaseCorrelate(_halved(blend), _halved(fresh), self._window)
        dx, dy = 2 * dx, 2 * dy
        if response < WEAKEST_MATCH or max(abs(dx), abs(dy)) > LARGEST_SHIFT * STACK_SIDE:
            return None
        move = np.array([[1, 0, -dx], [0, 1, -dy]], np.float64)
        return np.asarray(
            cv2.warpAffine(fresh, move, (STACK_SIDE, STACK_SIDE), borderMode=cv2.BORDER_REPLICATE),
            np.float32,
        )


def _halved(plane: Plane) -> Plane:
    return np.asarray(
        cv2.resize(plane, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.float32
    )


def _bytes(plane: Plane) -> Image:
    return np.asarray(np.clip(plane, 0, 255), np.uint8)
