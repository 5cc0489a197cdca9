"""From one grey frame to the codes in it: a short list of attempts, cheap ones first.

An attempt prepares a picture (the half frame, a region enlarged, thresholded ...) and gives it to
the decoder. The first attempt that reads one of our cards ends the frame. STILL is the order for
one picture alone, LIVE for a camera, where the next frame is better than a tenth attempt.
"""

from __future__ import annotations

import ctypes.util
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Protocol

import cv2
import numpy as np
import zxingcpp

from scanner.camera import Image
from scanner.errors import DecoderError
from scanner.presentation import Box, Read
from scanner.regions import Region, find_regions

# Model 2 alone: the wider QRCode includes kinds that misread.
_MODEL_2 = zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.QRCodeModel2])

CARD_PREFIX = "CF"
ENLARGED_SIDE = 560
MAX_TEXT = 8000  # a QR code holds 7,089 characters at most
STILL_DEADLINE_SECONDS = 1.0
LARGEST_SIDE = 2000

cv2.setNumThreads(1)  # one core for reading; the others belong to the shop's own till


class Found(NamedTuple):
    """A text and the corners of its code in pixels of the picture that was decoded."""

    text: str
    corners: tuple[tuple[float, float], ...]


class Decoder(Protocol):
    """A library that finds QR codes in a grey picture."""

    def __call__(self, picture: Image, *, black_and_white: bool) -> list[Found]:
        """Return the codes in `picture`; `black_and_white` where it holds only 0 and 255."""


def zxing(picture: Image, *, black_and_white: bool) -> list[Found]:
    """Decode with zxing-cpp."""
    binarizer = zxingcpp.Binarizer
    read = zxingcpp.read_barcodes(
        picture,
        _MODEL_2,
        binarizer=binarizer.FixedThreshold if black_and_white else binarizer.LocalAverage,
        text_mode=zxingcpp.TextMode.Plain,
    )
    found = []
    for code in read:
        if code.text and len(code.text) <= MAX_TEXT:
            p = code.position
            corners = (p.top_left, p.top_right, p.bottom_right, p.bottom_left)
            found.append(Found(code.text, tuple((q.x, q.y) for q in corners)))
    return found


def load_pyzbar() -> Decoder:
    """Return a decoder that uses zbar; raises DecoderError naming the library that is missing."""
    try:
        from pyzbar import pyzbar
    except ImportError:
        where = ctypes.util.find_library("zbar")
        raise DecoderError(
            "The decoder pyzbar needs the library libzbar, which "
            + ("does not load" if where else "is not installed")
            + ". On Debian and Ubuntu: apt install libzbar0; on macOS: brew install zbar. "
            "Or leave the decoder at zxing, which needs nothing."
        ) from None

    def decode(picture: Image, *, black_and_white: bool) -> list[Found]:
        found: list[Found] = []
        # zbar reads dark on light only; a phone in dark mode is the other way round.
        for shown in (picture, cv2.bitwise_not(picture)):
            for code in pyzbar.decode(np.asarray(shown), symbols=[pyzbar.ZBarSymbol.QRCODE]):
                text = code.data.decode("utf-8", "replace")
                if text and len(text) <= MAX_TEXT:
                    found.append(Found(text, tuple((p.x, p.y) for p in code.polygon)))
            if found:
                break
        return found

    return decode


def load_decoder(name: str) -> Decoder:
    """Return the decoder called `name` (zxing or pyzbar); raises DecoderError."""
    return load_pyzbar() if name == "pyzbar" else zxing


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

    def __init__(self, grey: Image) -> None:
        self.grey = grey
        self._enlarged: dict[int, tuple[Image, float]] = {}

    @cached_property
    def half(self) -> Image:
        height, width = self.grey.shape
        size = (max(1, width // 2), max(1, height // 2))
        return np.asarray(cv2.resize(self.grey, size, interpolation=cv2.INTER_AREA), np.uint8)

    @cached_property
    def regions(self) -> list[Region]:
        if min(self.half.shape) < 16:
            return []
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
        height, width = self.grey.shape
        return Box(left / width, top / height, right / width, bottom / height)


def enlarge(crop: Image) -> tuple[Image, float]:
    """Return `crop` with its long side at 560 pixels (cubic), and the scale."""
    scale = ENLARGED_SIDE / max(crop.shape)
    way = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA
    return np.asarray(cv2.resize(crop, None, fx=scale, fy=scale, interpolation=way)), scale


def threshold(picture: Image, window: float) -> Image:
    """Return `picture` in black and white, each pixel against the mean of its window."""
    odd = max(3, round(window) | 1)
    method, kind = cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY
    return np.asarray(cv2.adaptiveThreshold(picture, 255, method, kind, odd, 0), np.uint8)


def sharpen(picture: Image, sigma: float, amount: float) -> Image:
    """Return `picture` with `amount` of what a blur of `sigma` pixels takes away added."""
    soft = cv2.GaussianBlur(picture, (0, 0), sigma)
    return np.asarray(cv2.addWeighted(picture, 1 + amount, soft, -amount, 0), np.uint8)


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


def _window(index: int, pixels: int) -> Attempt:
    change = _on(index, lambda crop: threshold(crop, pixels), black_and_white=True)
    return f"region {index + 1}, window {pixels}", change


HALF: Attempt = ("half", _half)
FULL: Attempt = ("full", _full)
HALF_7: Attempt = ("half, window 7", _half_thresholded)
RAW: Attempt = ("region 1", _on(0, lambda crop: crop))
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


def _large_thresholded(index: int) -> Attempt:
    return f"region {index + 1} enlarged, window 13", _on_large(
        index, lambda picture, scale: threshold(picture, 13 * scale), black_and_white=True
    )


def _large_sharp(index: int, sigma: float, amount: float) -> Attempt:
    return f"region {index + 1} enlarged, sharpened {amount:g}", _on_large(
        index, lambda picture, scale: sharpen(picture, sigma * scale, amount)
    )


# One picture alone, full effort. Windows are of a few modules: 13 pixels where a module has
# two or three, 21 where it has four to six.
STILL: tuple[Attempt, ...] = (
    HALF, _window(0, 13), _large(0), _window(0, 21), _large_thresholded(0), HALF_7, FULL, RAW,
    _soft_window(0, 21), _large(1), SOFT, _window(0, 9), _window(0, 31), _soft_window(0, 35),
    _large_sharp(0, 1.2, 2.0), _large_sharp(0, 2.2, 3.0), _window(1, 21), _large_thresholded(1),
    _large_sharp(1, 2.2, 3.0), _large(2), _large_thresholded(2), ("full, blurred", _full_soft),
)  # fmt: skip

# Every frame of a camera ...
LIVE: tuple[Attempt, ...] = (
    HALF, ("full without region", _full_without_region), _window(0, 13), _large(0),
    _large_thresholded(0),
)  # fmt: skip
# ... and two more of these in turn.
LIVE_IN_TURN: tuple[Attempt, ...] = (
    _window(0, 21), SOFT, _soft_window(0, 21), _window(0, 15), _large(1),
    _large_sharp(0, 2.2, 3.0), HALF_7, _window(0, 9), FULL, _large(2), _window(1, 21),
    _large_sharp(0, 1.2, 2.0), _soft_window(0, 35), ("full, blurred", _full_soft),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sighting:
    """What one frame showed: the codes read, and the places that look like a code."""

    reads: list[Read]
    like_codes: list[Box]


def to_grey(image: Image) -> Image:
    """Return a BGR frame in grey, and a very large one at a size that can be read in time."""
    grey = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    largest = max(grey.shape)
    if largest > LARGEST_SIDE:
        scale = LARGEST_SIDE / largest
        grey = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(grey, np.uint8)


def attempt(view: View, prepared: Prepared, decoder: Decoder) -> list[Read]:
    """Decode one prepared picture; the reads carry their place in the frame."""
    reads = []
    for text, corners in decoder(prepared.picture, black_and_white=prepared.black_and_white):
        xs = [prepared.left + x / prepared.scale for x, _ in corners] or [0.0]
        ys = [prepared.top + y / prepared.scale for _, y in corners] or [0.0]
        reads.append(Read(text, view.share(min(xs), min(ys), max(xs), max(ys))))
    return reads


def run(
    view: View, schedule: Sequence[Attempt], decoder: Decoder, *, until: float | None = None
) -> list[Read]:
    """Make the attempts of `schedule` until one reads; `until` is of `time.monotonic`.

    A code that is not ours (a poster's) does not end the frame at once: the whole frame is
    looked at too, because the phone may be beside it.
    """
    reads: dict[str, Read] = {}
    for _, prepare in schedule:
        prepared = prepare(view)
        if prepared is None:
            continue
        for read in attempt(view, prepared, decoder):
            reads.setdefault(read.text, read)
        if reads:
            if not any(text.startswith(CARD_PREFIX) for text in reads):
                for read in attempt(view, _full(view), decoder):
                    reads.setdefault(read.text, read)
            break
        if until is not None and time.monotonic() > until:
            break
    return list(reads.values())


def read_still(image: Image, decoder: Decoder = zxing) -> list[Read]:
    """Read one picture with full effort, for at most about a second."""
    view = View(to_grey(image))
    return run(view, STILL, decoder, until=time.monotonic() + STILL_DEADLINE_SECONDS)
