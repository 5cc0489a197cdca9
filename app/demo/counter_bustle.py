"""What goes on in a shop while nobody holds a phone up: the things a till must not take for one.

Customers in patterned shirts walk past, near and far; some carry packaging with a barcode; a
parcel is put on the counter and taken away; posters hang on the wall; clouds pass and a lamp is
switched. None of it is a QR code.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter

Floats = npt.NDArray[np.float32]
_WIDTH, _HEIGHT = 1280, 720

_LEFT_HAND = (0b0001101, 0b0011001, 0b0010011, 0b0111101, 0b0100011,
              0b0110001, 0b0101111, 0b0111011, 0b0110111, 0b0001011)  # fmt: skip
_PARITY = (0b000000, 0b001011, 0b001101, 0b001110, 0b010011,
           0b011001, 0b011100, 0b010101, 0b010110, 0b011010)  # fmt: skip


def ean_bars(digits: str) -> list[bool]:
    """The 95 modules of an EAN-13 barcode, True where dark (ISO/IEC 15420)."""
    if len(digits) != 13 or not digits.isascii() or not digits.isdigit():
        raise ValueError("an EAN has thirteen digits")
    bits = "101"
    for position, digit in enumerate(digits[1:7]):
        left = f"{_LEFT_HAND[int(digit)]:07b}"
        inverted = left.translate(str.maketrans("01", "10"))
        even = _PARITY[int(digits[0])] >> (5 - position) & 1
        bits += inverted[::-1] if even else left
    bits += "01010"
    for digit in digits[7:]:
        bits += f"{_LEFT_HAND[int(digit)]:07b}".translate(str.maketrans("01", "10"))
    return [bit == "1" for bit in bits + "101"]


def some_ean(rng: np.random.Generator) -> str:
    """Thirteen digits with their check digit."""
    digits = [int(value) for value in rng.integers(0, 10, 12)]
    odd, even = sum(digits[::2]), sum(digits[1::2])
    return "".join(str(digit) for digit in [*digits, -(odd + 3 * even) % 10])


@dataclass(frozen=True, slots=True)
class Mover:
    """Something that crosses the picture: linear BGR, its alpha, and how it goes."""

    picture: Floats
    alpha: Floats
    period: float
    """Seconds from one pass to the next."""
    speed: float
    """Widths of the frame a second."""
    phase: float
    bottom: float
    """Where its lower edge is, in heights of the frame."""
    stops: float
    """Seconds for which it stands still in the middle."""

    def place(self, seconds: float, size: tuple[int, int]) -> tuple[int, int] | None:
        """Left and top at a moment, None while it is out of the picture."""
        since = (seconds + self.phase) % self.period
        width = self.picture.shape[1] / size[0]
        way = 1 + width
        half = way / 2 / self.speed
        if since < half:
            gone = since * self.speed
        elif since < half + self.stops:
            gone = way / 2
        else:
            gone = (since - self.stops) * self.speed
        if gone >= way:
            return None
        left = (gone - width) * size[0]
        top = self.bottom * size[1] - self.picture.shape[0] + 4 * math.sin(seconds * 6)
        return round(left), round(top)


class Bustle:
    """Everything that moves in the empty shop, more of it the higher `severity` (0 to 5)."""

    def __init__(self, severity: float, rng: np.random.Generator, size: tuple[int, int]) -> None:
        self._size = size
        self._cloud = float(rng.uniform(25, 70))
        self._lamp = float(rng.uniform(90, 200))
        self._depth = 0.08 * severity
        self.movers = [_shopper(rng, size) for _ in range(math.ceil(severity))]
        self.movers += [_parcel(rng, size) for _ in range(math.ceil(severity / 2))]

    def light(self, seconds: float) -> float:
        """The room's light at a moment, 1 as it usually is: clouds, and a lamp now and then."""
        cloud = 1 - self._depth * (0.5 + 0.5 * math.sin(2 * math.pi * seconds / self._cloud))
        return cloud * (0.8 if seconds % self._lamp < self._lamp * 0.1 else 1.0)

    def lay(self, shop: Floats, seconds: float) -> None:
        """Lay what moves over the shop, in place."""
        for mover in self.movers:
            place = mover.place(seconds, self._size)
            if place is not None:
                _paste(shop, mover, *place)


def _paste(shop: Floats, mover: Mover, left: int, top: int) -> None:
    height, width = mover.alpha.shape[:2]
    x0, x1 = max(0, left), min(shop.shape[1], left + width)
    y0, y1 = max(0, top), min(shop.shape[0], top + height)
    if x1 > x0 and y1 > y0:
        cut = np.s_[y0 - top : y1 - top, x0 - left : x1 - left]
        part = shop[y0:y1, x0:x1]
        part += (mover.picture[cut] - part) * mover.alpha[cut]


def _linear(image: Image.Image, alpha: Image.Image, scale: float) -> tuple[Floats, Floats]:
    size = (max(2, round(image.width * scale)), max(2, round(image.height * scale)))
    pixels = np.asarray(image.convert("RGB"), np.float32)[:, :, ::-1] / 255
    shown = cv2.resize(pixels * pixels, size, interpolation=cv2.INTER_AREA)
    cover = cv2.resize(np.asarray(alpha, np.float32) / 255, size, interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(shown, np.float32), np.ascontiguousarray(cover[:, :, None])


def _shopper(rng: np.random.Generator, size: tuple[int, int]) -> Mover:
    """A customer in a patterned shirt, near the camera or far behind, perhaps with a box."""
    image = Image.new("RGB", (380, 620), (188, 140, 112))
    alpha = Image.new("L", image.size, 0)
    draw, mask = ImageDraw.Draw(image), ImageDraw.Draw(alpha)
    draw.ellipse((122, 40, 258, 150), (58, 44, 36))
    _shirt(draw, rng)
    mask.ellipse((128, 50, 252, 214), 255)
    mask.rounded_rectangle((52, 206, 328, 900), 86, 255)
    if rng.random() < 0.5:
        box = _packaging(rng)
        at = (60 + int(rng.integers(0, 80)), 340 + int(rng.integers(0, 60)))
        image.paste(box, at)
        mask.rectangle((*at, at[0] + box.width, at[1] + box.height), 255)
    soft = float(rng.uniform(0.5, 7))
    picture, cover = _linear(
        image.filter(ImageFilter.GaussianBlur(soft)), alpha.filter(ImageFilter.GaussianBlur(soft)),
        float(rng.uniform(0.7, 1.5)) * size[1] / _HEIGHT,
    )  # fmt: skip
    return Mover(
        picture, cover, float(rng.uniform(12, 50)), float(rng.uniform(0.08, 0.4)),
        float(rng.uniform(0, 60)), float(rng.uniform(0.95, 1.25)),
        float(rng.choice((0.0, 1.5, 6.0))),
    )  # fmt: skip


def _shirt(draw: ImageDraw.ImageDraw, rng: np.random.Generator) -> None:
    """Plain, striped, checked, dotted or printed with squares: a fair trap for a detector."""
    one, two = (tuple(int(v) for v in rng.integers(20, 235, 3)) for _ in range(2))
    draw.rectangle((0, 206, 380, 620), one)
    kind, step = int(rng.integers(5)), int(rng.integers(6, 22))
    for y in range(206, 620, step):
        if kind == 1 and (y - 206) // step % 2:
            draw.rectangle((0, y, 380, y + step), two)
        for x in range(0, 380, step) if kind >= 2 else ():
            if kind == 2 and ((x + y - 206) // step) % 2:
                draw.rectangle((x, y, x + step, y + step), two)
            elif kind == 3:
                draw.ellipse((x, y, x + step * 0.6, y + step * 0.6), two)
            elif kind == 4 and rng.random() < 0.5:
                draw.rectangle((x, y, x + step, y + step), (12, 12, 14))


def _packaging(rng: np.random.Generator) -> Image.Image:
    """A box with its print and an EAN barcode."""
    paper = tuple(int(v) for v in rng.integers(150, 255, 3))
    image = Image.new("RGB", (230, 170), paper)
    draw = ImageDraw.Draw(image)
    for line in range(5):
        y = 12 + line * 11
        draw.line((12, y, 60 + int(rng.integers(0, 150)), y), (60, 60, 70), 4)
    draw.rectangle((18, 74, 18 + 200, 160), (255, 255, 255))
    for index, dark in enumerate(ean_bars(some_ean(rng))):
        if dark:
            draw.rectangle((23 + 2 * index, 80, 24 + 2 * index, 150), (10, 10, 12))
    return image


def _parcel(rng: np.random.Generator, size: tuple[int, int]) -> Mover:
    """Goods that are put on the counter, lie there sharp and still, and are taken away."""
    turn = float(rng.uniform(-25, 25))
    box = _packaging(rng).rotate(turn, Image.Resampling.BICUBIC, expand=True)
    alpha = Image.new("L", (230, 170), 255).rotate(turn, Image.Resampling.BICUBIC, expand=True)
    picture, cover = _linear(box, alpha, float(rng.uniform(0.7, 1.6)) * size[1] / _HEIGHT)
    return Mover(
        picture, cover, float(rng.uniform(20, 60)), float(rng.uniform(0.4, 1.0)),
        float(rng.uniform(0, 60)), float(rng.uniform(0.8, 1.0)), float(rng.uniform(3, 15)),
    )  # fmt: skip


def draw_posters(image: Image.Image, rng: np.random.Generator) -> None:
    """Hang two posters on the wall: a crossword's squares and bold print, never a QR code."""
    draw = ImageDraw.Draw(image)
    for _ in range(2):
        x, y = int(rng.integers(20, _WIDTH - 240)), int(rng.integers(20, 260))
        draw.rectangle((x, y, x + 200, y + 260), (246, 242, 230), (40, 40, 44), 3)
        step = int(rng.integers(7, 16))
        for row in range(160 // step):
            for column in range(170 // step):
                if rng.random() < 0.45:
                    a, b = x + 15 + column * step, y + 15 + row * step
                    draw.rectangle((a, b, a + step - 1, b + step - 1), (18, 18, 22))
        for line in range(4):
            at = y + 190 + line * 15
            draw.line((x + 15, at, x + 90 + int(rng.integers(0, 95)), at), (30, 30, 36), 7)
