"""Frames too weak to read one by one, laid over each other.

The crops of the strongest region are aligned by phase correlation and blended, so that noise and
moiré average out; the darkest of them is kept too, in which glare that moves is gone.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from scanner.picture import Image
from scanner.regions import Region

Plane = NDArray[np.float32]

STACK_SIDE = 560
WEAKEST_MATCH = 0.04
LARGEST_SHIFT = 0.25  # of the crop's side
LEAST_WEIGHT = 0.2
FOLLOW_SHIFT = 0.06
MOST_MISSED = 3  # frames in a row that do not match: something else is there


class Stack:
    """What the strongest region of the last frames shows, laid over each other.

    The window that is cut out of the frames keeps its size and follows the phone: regions are
    found in steps of 16 pixels, and crops of two sizes cannot be laid over each other.
    """

    def __init__(self) -> None:
        self.window: Region | None = None
        self._blend: Plane | None = None
        self._darkest: Plane | None = None
        self._sharpness = 0.0
        self._count = self._missed = 0
        side = STACK_SIDE // 2
        self._hann = np.asarray(cv2.createHanningWindow((side, side), cv2.CV_32F), np.float32)

    def clear(self) -> None:
        """Forget what was stacked: the code was read, or nothing looks like one."""
        self.window = self._blend = self._darkest = None
        self._count = 0

    @property
    def scale(self) -> float:
        """Pixels of the stack for one of the frame."""
        return 1.0 if self.window is None else STACK_SIDE / (self.window.right - self.window.left)

    def add(self, grey: Image, region: Region) -> None:
        """Lay what `region` of the next frame shows over those before."""
        window = self.window
        if window is None or self._blend is None or not _belongs(window, region):
            self._begin(grey, region)
            return
        fresh = _cut(grey, window)
        shift, response = cv2.phaseCorrelate(_halved(self._blend), _halved(fresh), self._hann)
        dx, dy = 2 * shift[0], 2 * shift[1]
        if response < WEAKEST_MATCH or max(abs(dx), abs(dy)) > LARGEST_SHIFT * STACK_SIDE:
            self._missed += 1
            if self._missed >= MOST_MISSED:
                self._begin(grey, region)
            return
        self._missed = 0
        if max(abs(dx), abs(dy)) > FOLLOW_SHIFT * STACK_SIDE:
            # The phone moves on: the window follows by whole pixels, the rest is interpolated.
            x, y = round(dx / self.scale), round(dy / self.scale)
            self.window = window = _moved(window, x, y)
            fresh = _cut(grey, window)
            dx, dy = dx - x * self.scale, dy - y * self.scale
        move = np.array([[1, 0, -dx], [0, 1, -dy]], np.float64)
        size = (STACK_SIDE, STACK_SIDE)
        moved = cv2.warpAffine(fresh, move, size, borderMode=cv2.BORDER_REPLICATE)
        self._lay(np.asarray(moved, np.float32))

    def _begin(self, grey: Image, region: Region) -> None:
        side = min(max(region.right - region.left, region.bottom - region.top), *grey.shape)
        left = max(0, min(region.left, grey.shape[1] - side))
        top = max(0, min(region.top, grey.shape[0] - side))
        self.window = replace(region, left=left, top=top, right=left + side, bottom=top + side)
        fresh = _cut(grey, self.window)
        self._blend, self._darkest = fresh, fresh.copy()
        self._sharpness, self._count, self._missed = _sharpness(fresh), 1, 0

    def _lay(self, moved: Plane) -> None:
        """Blend an aligned frame in: a sharp one counts for more than a blurred one."""
        if self._blend is None or self._darkest is None:
            return
        sharpness = _sharpness(moved)
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


def _belongs(window: Region, region: Region) -> bool:
    """Whether a region's middle lies in the inner half of the window."""
    x, y = (region.left + region.right) / 2, (region.top + region.bottom) / 2
    side = window.right - window.left
    return (
        abs(x - (window.left + window.right) / 2) < side / 4 + FOLLOW_SHIFT * side
        and abs(y - (window.top + window.bottom) / 2) < side / 4 + FOLLOW_SHIFT * side
        and 0.5 < (region.right - region.left) / side < 2
    )


def _moved(window: Region, x: int, y: int) -> Region:
    return replace(
        window,
        left=window.left + x, right=window.right + x, top=window.top + y, bottom=window.bottom + y,
    )  # fmt: skip


def _cut(grey: Image, window: Region) -> Plane:
    """What the frame shows in the window, enlarged; beyond the frame its edge goes on."""
    side = window.right - window.left
    scale = STACK_SIDE / side
    # Maps the middle of a pixel on the middle of its square.
    move = np.array(
        [
            [scale, 0, -window.left * scale + (scale - 1) / 2],
            [0, scale, -window.top * scale + (scale - 1) / 2],
        ],
        np.float64,
    )
    size = (STACK_SIDE, STACK_SIDE)
    way = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA
    left, top = max(0, window.left), max(0, window.top)
    right, bottom = min(grey.shape[1], window.right), min(grey.shape[0], window.bottom)
    if (left, top, right, bottom) == (window.left, window.top, window.right, window.bottom):
        cut = cv2.resize(grey[top:bottom, left:right], size, interpolation=way)
    else:
        cut = cv2.warpAffine(
            grey, move, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
    return np.asarray(cut, np.float32)


def _sharpness(plane: Plane) -> float:
    return float(cv2.Laplacian(_halved(plane), cv2.CV_32F).var())


def _halved(plane: Plane) -> Plane:
    return np.asarray(
        cv2.resize(plane, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.float32
    )


def _bytes(plane: Plane) -> Image:
    return np.asarray(np.clip(plane, 0, 255), np.uint8)
