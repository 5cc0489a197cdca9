"""Reading a camera: the live schedule, and what is learnt carried from frame to frame.

Frames too weak to read one by one are laid over each other: the crops of the strongest region
are aligned by phase correlation and blended, so that noise and moving glare average out.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from scanner.camera import Image
from scanner.decode import (
    LIVE,
    LIVE_IN_TURN,
    Attempt,
    Decoder,
    Prepared,
    Sighting,
    View,
    run,
    sharpen,
    threshold,
    to_grey,
    zxing,
)
from scanner.regions import Region

Plane = NDArray[np.float32]

IN_TURN_PER_FRAME = 2
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


class LiveReader:
    """Reads frame after frame of one camera."""

    def __init__(self, decoder: Decoder = zxing) -> None:
        self._decoder = decoder
        self._stack = Stack()
        self._turn = 0

    def read(self, image: Image) -> Sighting:
        """Read one BGR or grey frame."""
        view = View(to_grey(image))
        reads = run(view, LIVE, self._decoder)
        if not reads:
            reads = run(view, (*self._stacked(view), *self._next_in_turn()), self._decoder)
        if reads:
            self._stack.clear()
        places = [view.share(r.left, r.top, r.right, r.bottom) for r in view.regions]
        return Sighting(reads, places)

    def _next_in_turn(self) -> list[Attempt]:
        """Return the two attempts whose turn it is."""
        chosen = [
            LIVE_IN_TURN[(self._turn + step) % len(LIVE_IN_TURN)]
            for step in range(IN_TURN_PER_FRAME)
        ]
        self._turn += IN_TURN_PER_FRAME
        return chosen

    def _stacked(self, view: View) -> list[Attempt]:
        """Return the attempts on the stacked frames."""
        region = view.region(0)
        if region is None:
            self._stack.clear()
            return []
        crop = view.crop(region)
        self._stack.add(crop)
        blend, darkest = self._stack.blend(), self._stack.darkest()
        if blend is None or darkest is None:
            return []
        attempts = [
            _of("stack, sharpened", region, sharpen(blend, 1.2 * _scale(region), 2.0)),
            _of("stack, darkest", region, darkest),
        ]
        if self._turn % 4 == 0:
            picture = threshold(blend, 15 * _scale(region))
            attempts.append(_of("stack, window 15", region, picture, black_and_white=True))
        return attempts


def _scale(region: Region) -> float:
    return STACK_SIDE / max(region.right - region.left, region.bottom - region.top)


def _of(name: str, region: Region, picture: Image, *, black_and_white: bool = False) -> Attempt:
    prepared = Prepared(picture, _scale(region), region.left, region.top, black_and_white)
    return name, lambda view: prepared
