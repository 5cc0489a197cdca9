"""Where in a frame something looks like a code: dense edges in both directions, for two
milliseconds a frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from scanner.picture import Image

CELL = 8  # pixels of the half-size frame
WEAKEST = 2.5
LARGEST_CELLS, SMALLEST_CELLS = 26, 4
MARGIN_CELLS = 4
LEVELS = (0.5, 0.65, 0.8)  # of the peak: what hangs together above it is one thing ...
MOST_OBLONG = 1.7  # ... unless it is larger or longer than a code
MOST = 3
SMALLEST_PICTURE = 16  # pixels: there is no code in less
DARK = 60.0  # grey level under which noise counts for no more than it is
WHITE, BURNT_SHARE = 248, 0.12

Cells = NDArray[np.float32]

# Light is judged by ratios, so that a code on a dim screen counts as well: but not the noise of
# black glass, which is all ratio.
_LEVELS = np.arange(256) / 255
_LOG = np.log1p(_LEVELS * 255 / DARK) / np.log1p(255 / DARK) * 255
# In a burnt-out picture the code is what is a little less white than white.
_BURNT = np.round(0.4 * _LOG + 0.6 * _LEVELS**6 * 255).astype(np.uint8)
_PLAIN = np.round(_LOG).astype(np.uint8)


@dataclass(frozen=True, slots=True)
class Region:
    """A square of the full frame, in its pixels, and how strongly it looks like a code.

    `code_side` is the longer side, in pixels, of what looks like it without the margin."""

    left: int
    top: int
    right: int
    bottom: int
    strength: float
    code_side: int = 0


def find_regions(half: Image, most: int = MOST) -> list[Region]:
    """Return up to `most` regions of the half-size grey frame, strongest first."""
    if min(half.shape) < SMALLEST_PICTURE:
        return []
    cells = _cells(half)
    near = np.asarray(cv2.blur(cells, (3, 3)), np.float32)
    wide = np.asarray(cv2.blur(near, (5, 5)), np.float32)
    rows, columns = cells.shape
    found: list[Region] = []
    for _ in range(most):
        _, peak, _, (x, y) = cv2.minMaxLoc(wide)
        if peak < WEAKEST:
            break
        box = _code_like(near, (x, y), peak)
        left, top, right, bottom = _square(box, columns, rows)
        side = 2 * CELL * max(box[2:])
        found.append(_region((left, top, right, bottom), peak, half.shape, side))
        near[top:bottom, left:right] = 0
        wide[top:bottom, left:right] = 0
    return found


def _cells(half: Image) -> Cells:
    """How much changes in both directions, averaged to cells."""
    burnt = np.count_nonzero(half >= WHITE) > BURNT_SHARE * half.size
    light = cv2.GaussianBlur(cv2.LUT(half, _BURNT if burnt else _PLAIN), (3, 3), 0)
    height, width = half.shape
    rows, columns = max(1, height // CELL), max(1, width // CELL)
    across = cv2.absdiff(light[:, 2:], light[:, :-2])[: rows * CELL, : columns * CELL]
    down = cv2.absdiff(light[2:], light[:-2])[: rows * CELL, : columns * CELL]
    size = (columns, rows)
    averages = [cv2.resize(edge, size, interpolation=cv2.INTER_AREA) for edge in (across, down)]
    return cv2.min(averages[0], averages[1]).astype(np.float32)


def _code_like(near: Cells, seed: tuple[int, int], peak: float) -> tuple[int, int, int, int]:
    """Return left, top, width and height of what may be the code around `seed`.

    Noise of a dark picture and the writing beside a code hang together with it at half its
    strength: what is too large or too long for a code is looked at again higher up.
    """
    first = 0
    for share in LEVELS:
        box = _flood(near, seed, peak * share)
        longer, shorter = max(box[2:]), min(box[2:])
        first = first or min(longer, LARGEST_CELLS)
        if longer < first / 3:  # a corner of it
            break
        if longer <= LARGEST_CELLS and longer <= MOST_OBLONG * shorter:
            return box
    half = max(1, first // 2)
    return seed[0] - half, seed[1] - half, 2 * half, 2 * half


def _flood(near: Cells, seed: Sequence[int], level: float) -> tuple[int, int, int, int]:
    """Return left, top, width and height of what holds together above `level` around `seed`."""
    over = (near > level).astype(np.uint8)
    x, y = seed
    if not over[y, x]:
        return x, y, 1, 1
    _, _, _, box = cv2.floodFill(over, None, (x, y), 2)
    return int(box[0]), int(box[1]), int(box[2]), int(box[3])


def _square(box: tuple[int, int, int, int], columns: int, rows: int) -> tuple[int, int, int, int]:
    """Return the square around `box` with its margin, cut at the frame, in cells."""
    left, top, width, height = box
    side = min(max(width, height, SMALLEST_CELLS), LARGEST_CELLS) + MARGIN_CELLS
    centre_x, centre_y = left + width / 2, top + height / 2
    left, top = max(0, round(centre_x - side / 2)), max(0, round(centre_y - side / 2))
    return left, top, min(columns, left + side), min(rows, top + side)


def _region(
    cells: tuple[int, int, int, int], strength: float, shape: tuple[int, ...], side: int
) -> Region:
    step = 2 * CELL
    left, top, right, bottom = cells
    height, width = shape[0] * 2, shape[1] * 2
    return Region(
        left * step,
        top * step,
        min(right * step, width),
        min(bottom * step, height),
        strength,
        side,
    )
