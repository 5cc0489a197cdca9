"""The shop behind the phone: what a counter webcam sees while nobody holds anything up."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from app.demo.counter_bustle import Bustle, draw_posters

Floats = npt.NDArray[np.float32]
_WIDTH, _HEIGHT = 1280, 720
_JARS = ((150, 62, 40), (44, 92, 84), (196, 158, 92), (84, 66, 110), (214, 204, 186), (60, 74, 50))
_WALLS = ((196, 178, 152), (150, 164, 160), (206, 196, 184), (168, 140, 120))


class Shop:
    """A shop counter seen from its webcam, out of focus; somebody walks past behind.

    Light is linear: 1 is a white wall in good light. The same generator state gives the same shop.
    """

    def __init__(
        self, rng: np.random.Generator, size: tuple[int, int], bustle: float = 0.0
    ) -> None:
        self.size = size
        drawn = _draw_shop(rng)
        self._bustle = None
        if bustle > 0:
            drawn = drawn.resize((_WIDTH, _HEIGHT))
            draw_posters(drawn, rng)
            self._bustle = Bustle(bustle, rng, size)
        self._still = _linear(drawn, size)
        self._passer, self._passer_alpha = _draw_passer(rng, size)
        self._phase = float(rng.uniform(0, 30))
        self._speed = float(rng.uniform(0.04, 0.11))
        self._flicker = float(rng.uniform(0, 2 * math.pi))

    def frame(self, seconds: float, ambient: float) -> Floats:
        """The shop at a moment: float32 BGR, linear light, scaled by `ambient`."""
        shop = self._still.copy()
        height, width = self._passer_alpha.shape[:2]
        travel = self.size[0] + 2 * width
        left = round((self._phase + seconds * self._speed) % 1 * travel) - width
        top = self.size[1] - height + round(3 * math.sin(seconds * 7))
        x0, x1 = max(0, left), min(self.size[0], left + width)
        y0, y1 = max(0, top), min(self.size[1], top + height)
        if x1 > x0 and y1 > y0:
            cut = np.s_[y0 - top : y1 - top, x0 - left : x1 - left]
            part = shop[y0:y1, x0:x1]
            part += (self._passer[cut] - part) * self._passer_alpha[cut]
        if self._bustle is not None:
            self._bustle.lay(shop, seconds)
            ambient *= self._bustle.light(seconds)
        shop *= np.float32(ambient * (1 + 0.015 * math.sin(seconds * 11 + self._flicker)))
        return shop


def _linear(picture: Image.Image, size: tuple[int, int]) -> Floats:
    """An sRGB picture as linear BGR of the given size (the tone curve is a square root)."""
    pixels = np.asarray(picture.convert("RGB"), dtype=np.float32)[:, :, ::-1] / 255
    scaled = cv2.resize(pixels * pixels, size, interpolation=cv2.INTER_LINEAR)
    return np.ascontiguousarray(scaled, dtype=np.float32)


def _draw_shop(rng: np.random.Generator) -> Image.Image:
    """Wall, window, menu board, shelves, lamps, and the counter's edge in front."""
    wall = _WALLS[int(rng.integers(len(_WALLS)))]
    image = Image.new("RGB", (_WIDTH, _HEIGHT), wall)
    draw = ImageDraw.Draw(image)
    for y in range(0, 560, 4):
        shade = 1.05 - 0.35 * y / 560
        draw.rectangle((0, y, _WIDTH, y + 4), tuple(min(255, round(c * shade)) for c in wall))
    side = int(rng.integers(2))
    _draw_window(draw, rng, 60 if side else 900)
    _draw_board(draw, rng, 880 if side else 90)
    for level in (300, 430):
        _draw_shelf(draw, rng, 420, 840, level)
    # Out of focus: at half the size nothing is lost, and blurring costs a quarter.
    image = image.reduce(2).filter(ImageFilter.BoxBlur(2.5)).resize((_WIDTH, _HEIGHT))
    _draw_counter(ImageDraw.Draw(image), rng)
    image = image.reduce(2).filter(ImageFilter.BoxBlur(1))
    glow = Image.new("RGB", (_WIDTH // 4, _HEIGHT // 4))
    lamps = ImageDraw.Draw(glow)
    for index in range(3):
        x = 75 + 85 * index + int(rng.integers(-13, 13))
        lamps.ellipse((x - 6, 10, x + 6, 22), (255, 226, 178))
    halo = glow.filter(ImageFilter.GaussianBlur(9)).resize(image.size, Image.Resampling.BICUBIC)
    bulbs = glow.filter(ImageFilter.GaussianBlur(1.6)).resize(image.size, Image.Resampling.BICUBIC)
    return ImageChops.add(ImageChops.add(image, halo), bulbs)


def _draw_window(draw: ImageDraw.ImageDraw, rng: np.random.Generator, left: int) -> None:
    sky = int(rng.integers(205, 250))
    draw.rectangle((left, 70, left + 300, 400), (92, 74, 60))
    for column in range(2):
        for row in range(2):
            x, y = left + 14 + column * 140, 84 + row * 156
            draw.rectangle((x, y, x + 130, y + 146), (sky - 8, sky, sky + 4))
            draw.rectangle((x, y + 96, x + 130, y + 146), (128, 140, 132))


def _draw_board(draw: ImageDraw.ImageDraw, rng: np.random.Generator, left: int) -> None:
    """A chalked menu: small bright strokes on black, a fair trap for a detector."""
    draw.rectangle((left - 10, 80, left + 310, 380), (112, 80, 52))
    draw.rectangle((left, 90, left + 300, 370), (38, 42, 44))
    for line in range(8):
        x = left + 18
        y = 112 + line * 32
        while x < left + 210:
            length = int(rng.integers(8, 34))
            draw.line((x, y, x + length, y + int(rng.integers(-2, 3))), (214, 212, 200), 4)
            x += length + 8
        draw.line((left + 244, y, left + 280, y), (226, 196, 120), 5)


def _draw_shelf(
    draw: ImageDraw.ImageDraw, rng: np.random.Generator, left: int, right: int, level: int
) -> None:
    draw.rectangle((left, level, right, level + 12), (98, 66, 42))
    x = left + 10
    while x < right - 50:
        width, height = int(rng.integers(22, 46)), int(rng.integers(46, 92))
        colour = _JARS[int(rng.integers(len(_JARS)))]
        draw.rounded_rectangle((x, level - height, x + width, level), 6, colour)
        pale = tuple(min(255, c + 50) for c in colour)
        draw.rectangle((x + 4, level - height + 18, x + width - 4, level - height // 3), pale)
        x += width + int(rng.integers(4, 22))


def _draw_counter(draw: ImageDraw.ImageDraw, rng: np.random.Generator) -> None:
    """The counter's wooden top at the lower edge with a cup and a card terminal on it."""
    for y in range(590, _HEIGHT):
        grain = 10 * math.sin(y * 0.9) + 5 * math.sin(y * 0.31) + float(rng.uniform(-4, 4))
        tone = 118 + 30 * (y - 590) / 130 + grain
        draw.line((0, y, _WIDTH, y), (round(tone), round(tone * 0.72), round(tone * 0.5)))
    cup = int(rng.integers(90, 240))
    draw.polygon(((cup, 520), (cup + 96, 520), (cup + 82, 650), (cup + 14, 650)), (226, 220, 210))
    draw.rectangle((cup + 3, 552, cup + 93, 604), (112, 84, 62))
    draw.ellipse((cup - 4, 506, cup + 100, 536), (72, 58, 50))
    terminal = int(rng.integers(980, 1110))
    draw.rounded_rectangle((terminal, 520, terminal + 130, 690), 14, (40, 42, 46))
    draw.rectangle((terminal + 14, 534, terminal + 116, 584), (150, 176, 160))
    for key in range(9):
        x, y = terminal + 18 + key % 3 * 34, 598 + key // 3 * 28
        draw.rounded_rectangle((x, y, x + 26, y + 20), 4, (96, 98, 104))


def _draw_passer(rng: np.random.Generator, size: tuple[int, int]) -> tuple[Floats, Floats]:
    """A customer in the room behind, far out of focus: linear BGR and its alpha."""
    coat = tuple(int(v) for v in rng.integers(30, 120, 3))
    image = Image.new("RGB", (380, 620), coat)
    alpha = Image.new("L", image.size, 0)
    draw, mask = ImageDraw.Draw(image), ImageDraw.Draw(alpha)
    draw.rectangle((0, 0, 380, 205), (188, 140, 112))
    draw.ellipse((122, 40, 258, 150), (58, 44, 36))
    mask.ellipse((128, 50, 252, 214), 255)
    mask.rounded_rectangle((52, 206, 328, 900), 86, 255)
    alpha = alpha.filter(ImageFilter.GaussianBlur(9))
    image = image.filter(ImageFilter.GaussianBlur(9))
    scaled = (round(380 * size[0] / _WIDTH), round(620 * size[1] / _HEIGHT))
    cover = np.asarray(alpha.resize(scaled), np.float32)[:, :, None] / 255
    return _linear(image, scaled), np.ascontiguousarray(cover)
