"""The phone in a hand that is held to the camera, drawn flat: screen, card, glass, fingers.

Everything is measured in points of the phone (390 to the width of its screen) with the centre of
the code as origin, as the camera turns and moves the phone about its code.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter

from app.demo.card_picture import CODE_CENTRE, CardLook, Colour, Pen, draw_card, mix
from app.demo.counter_bustle import ean_bars
from passes.image import code_modules

Floats = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]

# The drawing around the phone, in points: room for fingers at the sides and the wrist below.
_LEFT, _TOP, _RIGHT, _BOTTOM = 84.0, 36.0, 128.0, 150.0
_BODY_WIDTH, _BODY_HEIGHT, _BEZEL = 406.0, 860.0, 8.0
_CARD_LEFT, _CARD_TOP = _LEFT + _BEZEL + 8, _TOP + _BEZEL + 100
CANVAS = (_LEFT + _BODY_WIDTH + _RIGHT, _TOP + _BODY_HEIGHT + _BOTTOM)
ORIGIN = (_CARD_LEFT + CODE_CENTRE[0], _CARD_TOP + CODE_CENTRE[1])
CODE_WIDTH = 166.5
"""Points from the first to the last module of a code, whatever its version."""
MODULE = CODE_WIDTH / 37
"""Points of one module of a card code (version 5)."""
WRIST = ((_LEFT + 86.0, CANVAS[1] - 20), (_LEFT + 386.0, CANVAS[1] - 20))
"""The ends of the wrist, in points of the drawing; from there on it is the sleeve."""
_THUMB_RADIUS = 46.0
_MASTER = 2.0
_SKINS = ((233, 190, 160), (205, 152, 118), (150, 102, 72), (96, 64, 46), (244, 208, 184))


@dataclass(frozen=True, slots=True)
class PhoneState:
    """How the screen and the hand are. Severities are 0 (none) to 5."""

    dark_mode: float = 0.0
    """How far a code is inverted and dim."""
    dark_screen: bool = False
    """Whether the screen around the card is dark."""
    quiet_zone: float = 0.0
    crack: float = 0.0
    thumb: float = 0.0
    screen_level: float = 0.92
    ambient: float = 0.5


@dataclass(frozen=True, slots=True)
class PhonePicture:
    """A drawn phone: premultiplied BGRA and the glass, linear float32, `scale` px a point."""

    layer: Floats
    glass: Floats
    scale: float
    skin: Colour


def graded(levels: tuple[float, ...], severity: float) -> float:
    """The value of a severity between 0 and 5 on a scale of six levels."""
    return float(np.interp(severity, range(6), levels))


def draw_phone(
    text: str, look: CardLook, state: PhoneState, rng: np.random.Generator, scale: float
) -> PhonePicture:
    """Draw the phone with the code of `text` on its screen at `scale` pixels a point."""
    size = (round(CANVAS[0] * _MASTER), round(CANVAS[1] * _MASTER))
    skin = _SKINS[int(rng.integers(len(_SKINS)))]
    screen = _draw_screen(text, look, state)
    if state.crack > 0:
        screen = _crack(screen, state.crack, rng)
    tip = _thumb_tip(state.thumb, rng)
    hand = Image.new("RGBA", size, (0, 0, 0, 0))
    _draw_fingers(hand, skin, tip, rng)
    hand = _softened(hand)
    solid = Image.new("RGBA", size, (0, 0, 0, 0))
    _draw_palm(solid, skin, tip[1])
    _draw_body(solid)
    solid.alpha_composite(hand)
    target = (max(2, round(CANVAS[0] * scale)), max(2, round(CANVAS[1] * scale)))
    glass = _glass_mask(target)
    glass *= 1 - _resized(np.asarray(hand.getchannel("A")), target)
    layer = _over(_lit(screen, glass, state), _premultiplied(solid, target, state.ambient))
    quarter = (max(2, round(CANVAS[0] / 2)), max(2, round(CANVAS[1] / 2)))
    mask = np.asarray(cv2.resize(glass, quarter, interpolation=cv2.INTER_AREA), np.float32)
    return PhonePicture(layer, mask, scale, skin)


def _draw_screen(text: str, look: CardLook, state: PhoneState) -> Bytes:
    """Wallet's screen with the card and its code, as RGB of the whole drawing's size."""
    size = (round(CANVAS[0] * _MASTER), round(CANVAS[1] * _MASTER))
    dark = state.dark_screen or state.dark_mode > 0
    image = Image.new("RGB", size, (12, 12, 14) if dark else (242, 242, 247))
    pen = Pen(image, _MASTER)
    ink = (235, 235, 240) if dark else (20, 20, 22)
    left, top = _LEFT + _BEZEL, _TOP + _BEZEL
    pen.text((left + 46, top + 36), "9:41", 17, ink, bold=True)
    pen.box(left + 330, top + 24, left + 356, top + 37, 4, ink)
    pen.box(left + 132, top + 12, left + 258, top + 46, 17, (0, 0, 0))
    pen.text((left + 372, top + 82), "Done", 17, (10, 122, 255), anchor="rs")
    card = draw_card(look, scale=_MASTER)
    if state.dark_mode > 0:
        card = Image.merge(
            "RGBA", (*(c.point(lambda v: v * 0.45) for c in card.split()[:3]), card.split()[3])
        )
    corner = (round(_CARD_LEFT * _MASTER), round(_CARD_TOP * _MASTER))
    image.paste(card, corner, card)
    pen.text((left + 195, top + 630), "Hold the code to the camera", 15, ink, anchor="ms")
    pixels = np.array(image)
    _draw_code(pixels, _modules(text), state)
    return pixels


def _modules(text: str) -> npt.NDArray[np.bool_]:
    """A code's modules: of thirteen digits an EAN barcode, of all else a QR code."""
    if len(text) == 13 and text.isascii() and text.isdigit():
        bars = np.array([False] * 7 + ean_bars(text) + [False] * 7, np.bool_)
        side = np.zeros((bars.size, bars.size), np.bool_)
        side[bars.size // 4 : -bars.size // 4] = bars
        return side
    return np.array(code_modules(text), np.bool_)


def _draw_code(pixels: Bytes, modules: npt.NDArray[np.bool_], state: PhoneState) -> None:
    """Put the code in its box; the box is as much larger as the quiet zone says."""
    count = modules.shape[0]
    module = CODE_WIDTH * _MASTER / count
    edges = np.round(np.arange(count + 1) * module).astype(int)
    index = np.searchsorted(edges, np.arange(edges[-1]), side="right") - 1
    light = graded((255, 255, 215, 172, 136, 106), state.dark_mode)
    shade = graded((0, 0, 14, 24, 32, 38), state.dark_mode)
    drawn = np.where(modules[np.ix_(index, index)], 0, 255).astype(np.uint8)
    if state.dark_mode > 0:
        drawn = np.where(modules[np.ix_(index, index)], light, shade).astype(np.uint8)
    x, y = (round(value * _MASTER - edges[-1] / 2) for value in ORIGIN)
    quiet = round(graded((4, 3, 2, 1, 0.5, 0), state.quiet_zone) * module)
    paper = round(shade) if state.dark_mode > 0 else 255
    end = edges[-1]
    pixels[y - quiet : y + end + quiet, x - quiet : x + end + quiet] = paper
    pixels[y : y + end, x : x + end] = drawn[:, :, None]


def _crack(screen: Bytes, severity: float, rng: np.random.Generator) -> Bytes:
    """Break the glass: shards that shift the picture a little, bright and dark edges."""
    height, width = screen.shape[:2]
    reach = CODE_WIDTH * _MASTER
    at = rng.uniform(-0.62, 0.62, 2) * reach
    centre = (ORIGIN[0] * _MASTER + at[0], ORIGIN[1] * _MASTER + at[1])
    rays = round(graded((0, 3, 5, 7, 9, 11), severity))
    angles = np.sort(rng.uniform(0, 2 * math.pi, rays))
    shift = graded((0, 0.2, 0.4, 0.65, 1.0, 1.4), severity) * _MASTER
    offsets = rng.uniform(-shift, shift, (rays + 1, 2)).astype(np.float32)
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
    shard = np.searchsorted(angles, np.arctan2(ys - centre[1], xs - centre[0]) + math.pi)
    moved = cv2.remap(
        screen,
        xs + offsets[shard, 0],
        ys + offsets[shard, 1],
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    image = Image.fromarray(np.asarray(moved, np.uint8))
    draw = ImageDraw.Draw(image)
    thick = graded((0, 0.6, 1.0, 1.4, 1.9, 2.5), severity)
    ring_at = [rng.uniform(0.1, 0.9) * reach for _ in range(round(severity))]
    for angle in angles - math.pi:
        points, length = [centre], 0.0
        while length < 3 * reach:
            length += float(rng.uniform(0.12, 0.3)) * reach
            turn = angle + float(rng.normal(0, 0.05))
            points.append(
                (centre[0] + length * math.cos(turn), centre[1] + length * math.sin(turn))
            )
        _crack_line(draw, points, thick * float(rng.uniform(0.5, 1.2)))
    for radius in ring_at:
        start = float(rng.uniform(0, 6))
        arc = [start + 0.15 * step for step in range(int(rng.integers(6, 24)))]
        points = [(centre[0] + radius * math.cos(a), centre[1] + radius * math.sin(a)) for a in arc]
        _crack_line(draw, points, thick * 0.7)
    return np.array(image)


def _crack_line(draw: ImageDraw.ImageDraw, points: list[tuple[float, float]], thick: float) -> None:
    """One crack: dark where the light is lost, white beside it where it is scattered."""
    draw.line(points, (70, 72, 76), max(1, round(thick * 1.6)))
    lit = [(x + thick * 0.6, y + thick * 0.4) for x, y in points]
    draw.line(lit, (238, 242, 246), max(1, round(thick * 0.8)))


def _draw_body(image: Image.Image) -> None:
    pen = Pen(image, _MASTER)
    right, bottom = _LEFT + _BODY_WIDTH, _TOP + _BODY_HEIGHT
    pen.box(_LEFT - 3, _TOP + 190, _LEFT + 4, _TOP + 260, 2, (54, 56, 60))
    pen.box(_LEFT - 2, _TOP - 2, right + 2, bottom + 2, 62, (92, 94, 100))
    pen.box(_LEFT, _TOP, right, bottom, 60, (22, 23, 26))


def _capsule(
    draw: ImageDraw.ImageDraw, ends: tuple[float, float, float, float], width: float, skin: Colour
) -> None:
    """A finger: a thick line with round ends, darker towards its edges."""
    x0, y0, x1, y1 = (value * _MASTER for value in ends)
    for step in range(16):
        share = step / 15
        tone = mix(mix(skin, (60, 24, 16), 0.5), mix(skin, (255, 240, 230), 0.16), share**0.6)
        radius = width / 2 * _MASTER * (1 - 0.62 * share)
        lift = -0.1 * width * share
        draw.line((x0, y0 + lift, x1, y1 + lift), tone, max(1, round(2 * radius)))
        for x, y in ((x0, y0 + lift), (x1, y1 + lift)):
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), tone)


def _draw_palm(image: Image.Image, skin: Colour, thumb_y: float) -> None:
    """The hand behind the phone: its heel below, the ball of the thumb at the right."""
    draw = ImageDraw.Draw(image)
    right, bottom = _LEFT + _BODY_WIDTH, _TOP + _BODY_HEIGHT
    _capsule(draw, (right - 190, bottom + 250, right - 150, bottom - 130), 300, skin)
    _capsule(draw, (right - 110, bottom - 60, right + 40, thumb_y + 150), 150, skin)


def _draw_fingers(
    image: Image.Image, skin: Colour, tip: tuple[float, float], rng: np.random.Generator
) -> None:
    """Four finger tips round the left edge and the thumb at the right, its tip at `tip`."""
    draw = ImageDraw.Draw(image)
    for index in range(4):
        y = _TOP + 470 + index * 84 + float(rng.uniform(-8, 8))
        _capsule(draw, (_LEFT - 34, y + 16, _LEFT + 4 + 3 * index, y), 72, skin)
    base = (_LEFT + _BODY_WIDTH + 62, tip[1] + 150)
    _capsule(draw, (*base, *tip), 2 * _THUMB_RADIUS, skin)
    nail = mix(skin, (255, 225, 220), 0.4)
    x, y = tip[0] * _MASTER, tip[1] * _MASTER
    draw.ellipse((x - 62, y - 58, x + 22, y + 20), mix(skin, (90, 40, 30), 0.2))
    draw.ellipse((x - 60, y - 57, x + 20, y + 17), nail)


def _softened(image: Image.Image) -> Image.Image:
    """A drawing with its edges softened, in the part where anything is drawn."""
    box = image.getbbox() or (0, 0, 1, 1)
    part = image.crop((box[0] - 6, box[1] - 6, box[2] + 6, box[3] + 6))
    soft = Image.new("RGBA", image.size, (0, 0, 0, 0))
    soft.paste(part.filter(ImageFilter.BoxBlur(2)), (box[0] - 6, box[1] - 6))
    return soft


def _thumb_tip(severity: float, rng: np.random.Generator) -> tuple[float, float]:
    """Where the thumb's round end has its middle: beside the screen or over the code's edge."""
    height = ORIGIN[1] + float(rng.uniform(0.05, 0.4)) * CODE_WIDTH
    if severity == 0:
        return _LEFT + _BODY_WIDTH + 22, ORIGIN[1] + 190
    depth = graded((-62, -26, 12, 22, 33, 45), severity)
    return ORIGIN[0] + CODE_WIDTH / 2 - depth + _THUMB_RADIUS, height


def _glass_mask(size: tuple[int, int]) -> Floats:
    """Where the lit screen is, 0..1, in a drawing of `size` pixels."""
    scale = size[0] / CANVAS[0] * 2
    mask = Image.new("L", (size[0] * 2, size[1] * 2), 0)
    left, top = _LEFT + _BEZEL, _TOP + _BEZEL
    right, bottom = _LEFT + _BODY_WIDTH - _BEZEL, _TOP + _BODY_HEIGHT - _BEZEL
    corners = [round(value * scale) for value in (left, top, right, bottom)]
    ImageDraw.Draw(mask).rounded_rectangle(corners, 52 * scale, 255)
    return np.asarray(mask.resize(size, Image.Resampling.BOX), np.float32) / np.float32(255)


def _lit(screen: Bytes, glass: Floats, state: PhoneState) -> Floats:
    """The screen as light: it shines by itself, and even its black reflects a little."""
    light = _resized(screen, (glass.shape[1], glass.shape[0]))
    np.multiply(light, light, out=light)
    light *= np.float32(state.screen_level)
    light += np.float32(0.012 * state.ambient)
    light *= glass[:, :, None]
    blue, green, red = light[:, :, 2], light[:, :, 1], light[:, :, 0]
    return np.asarray(cv2.merge([blue, green, red, glass]), np.float32)


def _premultiplied(image: Image.Image, size: tuple[int, int], ambient: float) -> Floats:
    """An RGBA drawing as premultiplied linear BGRA in the room's light."""
    pixels = _resized(np.asarray(image.convert("RGBa")), size)
    alpha = pixels[:, :, 3]
    light = pixels[:, :, :3]
    light *= light
    light *= np.float32(ambient) / np.maximum(alpha, np.float32(1e-3))[:, :, None]
    return np.asarray(
        cv2.merge([light[:, :, 2], light[:, :, 1], light[:, :, 0], alpha]), np.float32
    )


def _resized(pixels: Bytes, size: tuple[int, int]) -> Floats:
    """A drawing at another size, 0..1."""
    smaller = size[0] < pixels.shape[1]
    how = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    resized = cv2.resize(pixels, size, interpolation=how)
    return np.asarray(resized, np.float32) / np.float32(255)


def _over(front: Floats, behind: Floats) -> Floats:
    """One premultiplied layer over another, in the memory of the second."""
    rest = 1 - front[:, :, 3]
    behind *= rest[:, :, None]
    behind += front
    return behind
