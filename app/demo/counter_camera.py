"""What a counter webcam does to what it sees: pose, blur, reflections, exposure, noise, JPEG.

Light is linear float32 until the tone curve (a square root) makes bytes of it, so that blurs,
reflections and over-exposure add up as they do in a lens.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from app.demo.card_picture import mix
from app.demo.counter_phone import CANVAS, CODE_WIDTH, ORIGIN, WRIST, Floats, PhonePicture, graded

Bytes = npt.NDArray[np.uint8]
Matrix = npt.NDArray[np.float64]
_GLARE_SCALE = 0.5
_GLARE_MARGIN = 120


@dataclass(frozen=True, slots=True)
class Pose:
    """Where the phone is: its code's centre in pixels, pixels a point, angles in radians."""

    x: float
    y: float
    scale: float
    roll: float = 0.0
    pitch: float = 0.0
    yaw: float = 0.0

    def matrix(self, focal: float) -> Matrix:
        """The homography from points (origin at the code's centre) to pixels; `focal` in px."""
        (sr, cr), (sp, cp), (sy, cy) = (
            (math.sin(a), math.cos(a)) for a in (self.roll, self.pitch, self.yaw)
        )
        roll = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
        pitch = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
        yaw = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
        turned = roll @ pitch @ yaw
        plane = np.column_stack((turned[:, 0], turned[:, 1], (0, 0, focal / self.scale)))
        lens = np.array([[focal, 0, self.x], [0, focal, self.y], [0, 0, 1]])
        return np.asarray(lens @ plane, np.float64)

    def corners(self, focal: float) -> Floats:
        """The code's four corners in pixels, clockwise from its top left."""
        half = CODE_WIDTH / 2
        square = np.array([[[-half, -half], [half, -half], [half, half], [-half, half]]])
        moved = cv2.perspectiveTransform(square, self.matrix(focal))
        return np.asarray(moved[0], np.float32)


def blurred(picture: PhonePicture, radius_px: float) -> Floats:
    """The phone out of focus by a disc of `radius_px`: a true disc on the code, cheap elsewhere."""
    layer = picture.layer
    if radius_px < 0.3:
        return layer
    soft = np.asarray(cv2.GaussianBlur(layer, (0, 0), radius_px / 2), np.float32)
    reach = math.ceil(radius_px)
    span = np.arange(-reach, reach + 1)
    distance = np.hypot(span[:, None], span[None, :])
    disc = np.clip(radius_px + 0.5 - distance, 0, 1).astype(np.float32)
    disc /= disc.sum()
    half = CODE_WIDTH * 0.62
    x0, x1 = (round((ORIGIN[0] + side * half) * picture.scale) for side in (-1, 1))
    y0, y1 = (round((ORIGIN[1] + side * half) * picture.scale) for side in (-1, 1))
    outer = layer[y0 - reach : y1 + reach, x0 - reach : x1 + reach]
    soft[y0:y1, x0:x1] = cv2.filter2D(outer, -1, disc)[reach:-reach, reach:-reach]
    return soft


class Glass:
    """Reflections in the glass: lamps as spots, a window as a veil. They slide as it tilts."""

    def __init__(self, severity: float, mask: Floats, rng: np.random.Generator) -> None:
        self._mask = mask
        height, width = mask.shape
        light = np.zeros((height + 2 * _GLARE_MARGIN, width + 2 * _GLARE_MARGIN), np.float32)
        code = CODE_WIDTH * _GLARE_SCALE
        centre = np.array(ORIGIN) * _GLARE_SCALE + _GLARE_MARGIN
        near = graded((1.0, 0.9, 0.85, 0.8, 0.7, 0.6), severity)
        for _ in range(1 + round(severity / 2)):
            x, y = centre + rng.uniform(-near, near, 2) * code
            size = graded((0, 0.03, 0.04, 0.05, 0.062, 0.078), severity) * code
            power = graded((0, 0.8, 1.2, 1.6, 2.2, 3.2), severity) * float(rng.uniform(0.6, 1.2))
            spot = np.zeros_like(light)
            axes = (round(size * rng.uniform(0.7, 1.6)), round(size * rng.uniform(0.7, 1.2)))
            angle = float(rng.uniform(0, 180))
            cv2.ellipse(spot, (round(x), round(y)), axes, angle, 0, 360, power, -1, cv2.LINE_AA)
            light += cv2.GaussianBlur(spot, (0, 0), 1.5 + size * 0.35)
            light += 0.12 * np.asarray(cv2.GaussianBlur(spot, (0, 0), 4 + size * 1.6))
        x, y = centre + rng.uniform(-0.6, 0.6, 2) * code
        veil = np.zeros_like(light)
        shape = (code * rng.uniform(0.5, 0.9), code * rng.uniform(0.3, 0.6))
        box = cv2.boxPoints(((float(x), float(y)), shape, float(rng.uniform(-25, 25))))
        power = graded((0, 0.1, 0.18, 0.28, 0.42, 0.65), severity)
        cv2.fillConvexPoly(veil, np.round(box).astype(np.int32), power, cv2.LINE_AA)
        light += cv2.GaussianBlur(veil, (0, 0), 5)
        self._light = light

    def light(self, pose: Pose) -> Floats:
        """The reflection on the glass at a pose, at half a pixel a point."""
        height, width = self._mask.shape
        dx = _GLARE_MARGIN + round(max(-100.0, min(100.0, pose.yaw * 150)))
        dy = _GLARE_MARGIN + round(max(-100.0, min(100.0, pose.pitch * 150)))
        return np.asarray(self._light[dy : dy + height, dx : dx + width] * self._mask, np.float32)


class Sensor:
    """Exposure, bloom, tone, noise and compression of one camera."""

    def __init__(
        self, size: tuple[int, int], noise: float, bloom: float, rng: np.random.Generator
    ) -> None:
        self._bloom = bloom
        self._rng = rng
        self._margin = 96
        width, height = size[0] + self._margin, size[1] + self._margin
        mixed = _grain(width, height) * np.float32(noise)
        self._noise = np.clip(mixed, -127, 127).astype(np.int16)

    def expose(self, light: Floats, exposure: float) -> Bytes:
        """Turn light into bytes: BGR as the sensor gives it."""
        light *= np.float32(exposure)
        height, width = light.shape[:2]
        small = cv2.resize(light, (width // 8, height // 8), interpolation=cv2.INTER_AREA)
        np.minimum(small, 6, out=small)
        # Light scattered in the lens: a weak veil always, a strong one from what is burnt out.
        scattered = 0.03 * small + self._bloom * np.maximum(small - 0.8, 0)
        halo = cv2.GaussianBlur(scattered, (0, 0), 4) + 0.5 * cv2.GaussianBlur(
            scattered, (0, 0), 1.2
        )
        light += cv2.resize(halo, (width, height), interpolation=cv2.INTER_LINEAR)
        np.clip(light, 0, 1, out=light)
        cv2.sqrt(light, light)
        toned = cv2.convertScaleAbs(light, alpha=255)
        x, y = (int(v) for v in self._rng.integers(0, self._margin, 2))
        noise = self._noise[y : y + height, x : x + width]
        return np.asarray(cv2.add(toned, noise, dtype=cv2.CV_8U), np.uint8)


@functools.lru_cache(maxsize=2)
def _grain(width: int, height: int) -> Floats:
    """Noise of a sensor at deviation 1, BGR; each frame cuts another piece out of it."""
    grain = np.random.default_rng(45).standard_normal((height, width, 3), dtype=np.float32)
    # Demosaicing smears noise over neighbours, and colour noise is coarser than grey noise.
    grain = np.asarray(cv2.GaussianBlur(grain, (0, 0), 0.6) * 1.7, np.float32)
    coarse = cv2.resize(grain[: height // 4, : width // 4], (width, height))
    grey = grain.mean(axis=2, keepdims=True) * 1.5
    return np.asarray(0.8 * grey + 0.35 * grain + 0.3 * coarse, np.float32)


def jpeg(frame: Bytes, quality: float) -> bytes:
    """One frame as the camera's MJPEG stream carries it."""
    done, data = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, round(quality)])
    if not done:
        raise ValueError("the frame cannot be written as JPEG")
    return data.tobytes()


class Moire:
    """Beats between the screen's pixels and the sensor's: curved, coloured, never still."""

    def __init__(self, severity: float, rng: np.random.Generator) -> None:
        self._depth = graded((0, 0.1, 0.2, 0.32, 0.46, 0.62), severity)
        self._period = float(rng.uniform(5, 14)) / (1 + severity / 8)
        self._angle = float(rng.uniform(0, math.pi))
        self._bend = float(rng.uniform(-2e-4, 2e-4))

    def pattern(self, shape: tuple[int, int], pose: Pose) -> Floats:
        """A factor for the screen's light, BGR; a small movement shifts it far."""
        angle = self._angle + 8 * pose.roll
        period = self._period * (1 + 0.4 * math.sin(40 * pose.scale))
        kx, ky = 2 * math.pi / period * math.cos(angle), 2 * math.pi / period * math.sin(angle)
        rows = np.arange(shape[0], dtype=np.float32) - shape[0] / 2
        columns = np.arange(shape[1], dtype=np.float32) - shape[1] / 2
        across = kx * columns + self._bend * columns * columns + pose.x * 1.7
        down = ky * rows + self._bend * rows * rows + pose.y * 1.3
        planes = []
        for phase in (0.0, 1.4, 2.6):
            wave = np.outer(np.cos(down), np.cos(across + phase))
            wave -= np.outer(np.sin(down), np.sin(across + phase))
            planes.append((1 - self._depth / 2 + self._depth / 2 * wave).astype(np.float32))
        return np.asarray(cv2.merge(planes), np.float32)


@dataclass(frozen=True, slots=True)
class Look:
    """One phone before the lens: its layer as the focus leaves it, and the shutter's path."""

    layer: Floats
    picture: PhonePicture
    path: tuple[Pose, ...]
    ambient: float


def put_phone(
    shop: Floats, look: Look, focal: float, glass: Glass | None, moire: Moire | None
) -> None:
    """Lay the phone over the shop, in place; `look.path` are its poses while the shutter is open.

    Several poses make motion blur as it comes about: the mean of what was seen on the way.
    """
    height, width = shop.shape[:2]
    box = _bounds(look.path, focal, width, height)
    if box is None:
        return
    x0, y0, x1, y1 = box
    size = (x1 - x0, y1 - y0)
    _put_sleeve(shop, look, focal)
    to_box = np.array([[1, 0, -x0], [0, 1, -y0], [0, 0, 1]], np.float64)
    seen: Floats | None = None
    for pose in look.path:
        warp = to_box @ pose.matrix(focal) @ _from_pixels(look.picture.scale)
        part = np.asarray(cv2.warpPerspective(look.layer, warp, size), np.float32)
        seen = part if seen is None else np.asarray(cv2.add(seen, part), np.float32)
    if seen is None:
        return
    if len(look.path) > 1:
        seen *= np.float32(1 / len(look.path))
    colour, alpha = np.ascontiguousarray(seen[:, :, :3]), seen[:, :, 3]
    middle = look.path[len(look.path) // 2]
    flat = to_box @ middle.matrix(focal) @ _from_pixels(_GLARE_SCALE)
    if moire is not None:
        mask = cv2.warpPerspective(look.picture.glass, flat, size)[:, :, None]
        colour *= 1 + (moire.pattern((size[1], size[0]), middle) - 1) * mask
    if glass is not None:
        light = cv2.warpPerspective(glass.light(middle), flat, size)
        colour += light[:, :, None]
    part = shop[y0:y1, x0:x1]
    part *= cv2.merge([1 - alpha] * 3)
    part += colour


def _put_sleeve(shop: Floats, look: Look, focal: float) -> None:
    """The forearm from the wrist out of the picture, as strips that are darker at the sides."""
    pose = look.path[len(look.path) // 2]
    ends = np.array([[(x - ORIGIN[0], y - ORIGIN[1]) for x, y in WRIST]])
    left, right = cv2.perspectiveTransform(ends, pose.matrix(focal))[0]
    across = right - left
    along = np.array([-across[1], across[0]]) / max(1.0, float(np.hypot(*across)))
    length = 2.0 * max(shop.shape[:2])
    cloth = np.array(mix(look.picture.skin, (30, 42, 66), 0.85)[::-1], np.float32) / 255
    cloth = cloth * cloth * look.ambient
    for strip in range(14):
        near, far = strip / 14 * 1.16 - 0.08, (strip + 1) / 14 * 1.16 - 0.08
        a, b = left + across * near, left + across * far
        spread = across * 0.25 * ((near + far) - 1)
        quad = np.array([a, b, b + along * length + spread, a + along * length + spread])
        tone = cloth * (0.45 + 0.75 * math.sin(math.pi * (strip + 0.5) / 14))
        spots = np.round(np.clip(quad, -8000, 8000) * 16).astype(np.int32)
        cv2.fillConvexPoly(shop, spots, tone.tolist(), cv2.LINE_8, 4)


def _from_pixels(scale: float) -> Matrix:
    """From pixels of a drawing at `scale` to points with the code's centre as origin."""
    return np.array([[1 / scale, 0, -ORIGIN[0]], [0, 1 / scale, -ORIGIN[1]], [0, 0, 1]], np.float64)


def _bounds(
    path: tuple[Pose, ...], focal: float, width: int, height: int
) -> tuple[int, int, int, int] | None:
    """The part of the frame that the phone can touch, or None."""
    left, top = -ORIGIN[0], -ORIGIN[1]
    right, bottom = left + CANVAS[0], top + CANVAS[1]
    square = np.array([[[left, top], [right, top], [right, bottom], [left, bottom]]])
    spots = [cv2.perspectiveTransform(square, p.matrix(focal))[0] for p in (path[0], path[-1])]
    spots_all = np.concatenate(spots)
    x0, y0 = (max(0, math.floor(v) - 2) for v in spots_all.min(axis=0))
    x1 = min(width, math.ceil(float(spots_all[:, 0].max())) + 2)
    y1 = min(height, math.ceil(float(spots_all[:, 1].max())) + 2)
    return (x0, y0, x1, y1) if x1 > x0 and y1 > y0 else None
