"""From one frame to the codes in it: a short list of attempts, cheap ones first.

An attempt prepares a picture (the half frame, a region enlarged, thresholded ...) and gives it to
the decoder. The first attempt that reads one of our cards ends the frame. STILL is the order for
one picture alone, LIVE for a camera, where the next frame is better than a tenth attempt.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import cv2
import numpy as np

from scanner.decode import Decoder, zxing
from scanner.hints import Hint
from scanner.picture import Image, Picture
from scanner.places import Box, Read
from scanner.regions import Region
from scanner.view import Prepared, View, highlights, is_burnt, sharpen, soft_sharp, threshold

CARD_PREFIX = "CF"
STILL_DEADLINE_SECONDS = 1.0


Attempt = tuple[str, Callable[[View], Prepared | None]]


def _half(view: View) -> Prepared:
    return Prepared(view.half, 0.5)


def _full(view: View) -> Prepared:
    return Prepared(view.grey)


def _full_soft(view: View) -> Prepared:
    return Prepared(np.asarray(cv2.blur(view.grey, (3, 3)), np.uint8))


def _full_without_region(view: View) -> Prepared | None:
    return None if view.regions else _full(view)


def _half_thresholded(view: View) -> Prepared:
    return Prepared(threshold(view.half, 7), 0.5, black_and_white=True)


def _on(index: int, change: Callable[[Image], Image], *, black_and_white: bool = False) -> Any:
    """An attempt on region `index` as it is, changed."""

    def prepare(view: View) -> Prepared | None:
        region = view.region(index)
        if region is None:
            return None
        picture = change(view.crop(region))
        return Prepared(picture, 1.0, region.left, region.top, black_and_white)

    return prepare


def _on_large(
    index: int, change: Callable[[Image, float], Image], *, black_and_white: bool = False
) -> Any:
    """An attempt on region `index` enlarged, changed with its scale at hand."""

    def prepare(view: View) -> Prepared | None:
        region, large = view.region(index), view.enlarged(index)
        if region is None or large is None:
            return None
        picture, scale = large
        return Prepared(change(picture, scale), scale, region.left, region.top, black_and_white)

    return prepare


def _window(index: int, pixels: int, below: float = 0) -> Attempt:
    change = _on(index, lambda crop: threshold(crop, pixels, below), black_and_white=True)
    lower = f" less {below:g}" if below else ""
    return f"region {index + 1}, window {pixels}{lower}", change


def _median_window(index: int, pixels: int) -> Attempt:
    """The median first, so that a crack's lines and single pixels of noise are gone."""
    change = _on(
        index,
        lambda crop: threshold(np.asarray(cv2.medianBlur(crop, 5), np.uint8), pixels),
        black_and_white=True,
    )
    return f"region {index + 1}, median, window {pixels}", change


HALF: Attempt = ("half", _half)
FULL: Attempt = ("full", _full)
FULL_WITHOUT_REGION: Attempt = ("full without region", _full_without_region)
HALF_7: Attempt = ("half, window 7", _half_thresholded)
SOFT: Attempt = (
    "region 1, blurred",
    _on(0, lambda crop: np.asarray(cv2.GaussianBlur(crop, (0, 0), 1.5), np.uint8)),
)


def _soft_window(index: int, pixels: int) -> Attempt:
    """Blurred first, so that noise and cracks do not become modules."""
    change = _on(
        index,
        lambda crop: threshold(np.asarray(cv2.GaussianBlur(crop, (0, 0), 1.5), np.uint8), pixels),
        black_and_white=True,
    )
    return f"region {index + 1}, blurred, window {pixels}", change


def _large(index: int) -> Attempt:
    return f"region {index + 1} enlarged", _on_large(index, lambda picture, scale: picture)


def _large_window(index: int, pixels: int) -> Attempt:
    return f"region {index + 1} enlarged, window {pixels}", _on_large(
        index, lambda picture, scale: threshold(picture, pixels * scale), black_and_white=True
    )


def _large_burnt(index: int, pixels: int) -> Attempt:
    """Only where white is burnt out: the little that is left between it and black, spread."""
    change = _on_large(
        index,
        lambda picture, scale: threshold(highlights(picture), pixels * scale),
        black_and_white=True,
    )

    def prepare(view: View) -> Prepared | None:
        region = view.region(index)
        return change(view) if region is not None and is_burnt(view.crop(region)) else None

    return f"region {index + 1} enlarged, highlights, window {pixels}", prepare


def _large_soft_sharp(index: int) -> Attempt:
    """Noise away first, then what the lens blurred back: neither alone reads as much."""
    return f"region {index + 1} enlarged, softened, sharpened", _on_large(index, soft_sharp)


# One picture alone, full effort. Windows are of a few modules: 15 pixels where a module has two
# or three, 21 and more where it has four to six. The order is what read most of what was still
# unread, for its cost, in frames of the filmed counter with other seeds than those measured.
STILL: tuple[Attempt, ...] = (
    HALF, _window(0, 15), _large_window(0, 21), _median_window(0, 21), _large_burnt(0, 13),
    _window(0, 13, 6), _window(0, 7), _window(0, 41), FULL_WITHOUT_REGION, _large(0),
    _window(1, 15), _large_soft_sharp(0), ("full, blurred", _full_soft),
)  # fmt: skip

# Every frame of a camera ...
LIVE: tuple[Attempt, ...] = (
    HALF, FULL_WITHOUT_REGION, _window(0, 15), _large_window(0, 21),
    _large_burnt(0, 13), _window(1, 15),
)  # fmt: skip
# ... and three more of these in turn.
LIVE_IN_TURN: tuple[Attempt, ...] = (
    _large_soft_sharp(0), _window(0, 13, 6), _median_window(0, 21), _window(0, 41),
    _large(0), _large_window(1, 21), _soft_window(0, 21), _window(0, 7), _large_window(0, 13),
    FULL, HALF_7, SOFT, ("full, blurred", _full_soft),
)  # fmt: skip

# What looks at the whole frame: on a picture made to be hard its cost has no bound to speak of.
WHOLE = frozenset((FULL, HALF_7, FULL_WITHOUT_REGION, LIVE_IN_TURN[-1]))
# What may be tried first on the next frame, where it read this one.
AGAIN = frozenset((*LIVE[1:], *LIVE_IN_TURN))


@dataclass(frozen=True, slots=True)
class Sighting:
    """What one frame showed: the codes read, and the places that look like a code."""

    reads: list[Read]
    like_codes: list[Box]
    hint: Hint | None = None
    awake: bool = True


def stacked(
    blend: Image, darkest: Image, window: Region, scale: float, turn: int
) -> tuple[Attempt, ...]:
    """The attempts on frames laid over each other: one always, one of the others in `turn`."""

    def of(name: str, make: Callable[[], Image], *, black_and_white: bool = False) -> Attempt:
        def prepare(view: View) -> Prepared:
            return Prepared(make(), scale, window.left, window.top, black_and_white)

        return f"stack, {name}", prepare

    others = (
        of("softened, sharpened", lambda: soft_sharp(blend, scale)),
        of("window 15", lambda: threshold(blend, 15 * scale), black_and_white=True),
        of("darkest", lambda: darkest),
        of("window 21", lambda: threshold(blend, 21 * scale), black_and_white=True),
    )
    return of("sharpened", lambda: sharpen(blend, 1.2 * scale, 2.0)), others[turn % len(others)]


class Ran(NamedTuple):
    """The codes that a run of attempts read, and the attempt that did."""

    reads: list[Read]
    by: Attempt | None


class Costs:
    """Which attempts took so long of late that they are left out for a while."""

    TOO_LONG_SECONDS = 0.06
    LEFT_OUT_FRAMES = 90

    def __init__(self) -> None:
        self._left_out: dict[str, int] = {}

    def next_frame(self) -> None:
        """Count a frame."""
        self._left_out = {name: left - 1 for name, left in self._left_out.items() if left > 1}

    def allows(self, tried: Attempt) -> bool:
        """Whether an attempt is worth its time again."""
        return tried[0] not in self._left_out

    def took(self, tried: Attempt, seconds: float) -> None:
        """Learn what an attempt cost (seconds of processor time)."""
        if seconds > self.TOO_LONG_SECONDS:
            self._left_out[tried[0]] = self.LEFT_OUT_FRAMES


def attempt(view: View, prepared: Prepared, decoder: Decoder) -> list[Read]:
    """Decode one prepared picture; the reads carry their place in the frame."""
    reads = []
    for text, corners in decoder(prepared.picture, black_and_white=prepared.black_and_white):
        xs = [prepared.left + x / prepared.scale for x, _ in corners] or [0.0]
        ys = [prepared.top + y / prepared.scale for _, y in corners] or [0.0]
        height, width = view.size
        shares = tuple((x / width, y / height) for x, y in zip(xs, ys, strict=True))
        reads.append(Read(text, view.share(min(xs), min(ys), max(xs), max(ys)), shares))
    return reads


def run(
    view: View,
    schedule: Sequence[Attempt],
    decoder: Decoder,
    late: Callable[[], bool] = lambda: False,
    costs: Costs | None = None,
) -> Ran:
    """Make the attempts of `schedule` until one reads, or until it is `late`.

    A code that is not ours (a poster's) does not end it at once: the whole frame is looked at
    too, because the phone may be beside it.
    """
    for tried in schedule:
        if costs is not None and not costs.allows(tried):
            continue
        began = time.thread_time()
        prepared = tried[1](view)
        if prepared is None:
            continue
        found = attempt(view, prepared, decoder)
        if costs is not None:
            costs.took(tried, time.thread_time() - began)
        if found:
            reads = {read.text: read for read in found}
            if not any(is_ours(text) for text in reads) and (costs is None or costs.allows(FULL)):
                for read in attempt(view, _full(view), decoder):
                    reads.setdefault(read.text, read)
            return Ran(list(reads.values()), tried)
        if late():
            break
    return Ran([], None)


def is_ours(text: str) -> bool:
    """Whether a text begins like a card code."""
    return text.startswith(CARD_PREFIX)


def read_still(image: Image, decoder: Decoder = zxing) -> list[Read]:
    """Read one picture, BGR or grey, with full effort, for at most about a second."""
    until = time.monotonic() + STILL_DEADLINE_SECONDS
    view = View(Picture.of(image))
    return run(view, STILL, decoder, lambda: time.monotonic() > until).reads
