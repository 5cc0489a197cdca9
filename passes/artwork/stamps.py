"""Draws stamps into the picture across a card: those it has, those it lacks, and the reward."""

from __future__ import annotations

import math

from PIL import Image, ImageDraw

from passes.artwork.draw import Rgb, mixed
from passes.card import Colours, rgb

# Drawn larger and shrunk, for smooth edges.
_OVERSAMPLING = 3
#: Share of the picture that the rows of stamps may take, across and down.
_ACROSS, _DOWN = 0.92, 0.86
_VEIL = 0.62


def draw_stamps(ground: Image.Image, colours: Colours, stamps: int, needed: int) -> Image.Image:
    """Return `ground` (RGB) with `needed` places in rows, the first `stamps` of them stamped.

    The last place is the reward's: a star. The colours are the brand's, over a veil of its
    background, so that stamps are seen on any photograph.
    """
    size = (ground.width * _OVERSAMPLING, ground.height * _OVERSAMPLING)
    background, ink, pale = rgb(colours.background), rgb(colours.foreground), rgb(colours.label)
    veil = Image.new("RGB", ground.size, background)
    image = Image.blend(ground, veil, _VEIL).resize(size, Image.Resampling.BILINEAR)
    draw = ImageDraw.Draw(image)
    centres, radius = places(size, needed)
    for number, centre in enumerate(centres, start=1):
        is_reward = number == needed
        if number <= stamps:
            _disc(draw, centre, radius, ink, None, 0)
            _star(draw, centre, radius * 0.62, background) if is_reward else _tick(
                draw, centre, radius, background
            )
        else:
            edge = mixed(background, pale, 0.9)
            inner = mixed(background, pale, 0.14)
            _disc(draw, centre, radius, inner, edge, radius * 0.09)
            if is_reward:
                _star(draw, centre, radius * 0.62, edge)
    return image.resize(ground.size, Image.Resampling.LANCZOS)


def places(size: tuple[float, float], needed: int) -> tuple[list[tuple[float, float]], float]:
    """The middles of all stamps, row by row and centred, and their radius."""
    rows = 1 if needed <= 6 else 2 if needed <= 14 else 3
    across = math.ceil(needed / rows)
    pitch = min(size[0] * _ACROSS / across, size[1] * _DOWN / rows)
    top = (size[1] - pitch * rows) / 2
    found = []
    for number in range(needed):
        row, column = divmod(number, across)
        in_row = min(across, needed - row * across)
        left = (size[0] - pitch * in_row) / 2
        found.append((left + pitch * (column + 0.5), top + pitch * (row + 0.5)))
    return found, pitch * 0.41


def _disc(
    draw: ImageDraw.ImageDraw,
    centre: tuple[float, float],
    radius: float,
    fill: Rgb,
    edge: Rgb | None,
    width: float,
) -> None:
    x, y = centre
    box = (x - radius, y - radius, x + radius, y + radius)
    draw.ellipse(box, fill=fill, outline=edge, width=max(1, round(width)) if edge else 0)


def _tick(
    draw: ImageDraw.ImageDraw, centre: tuple[float, float], radius: float, colour: Rgb
) -> None:
    x, y = centre
    corners = [(-0.42, 0.02), (-0.12, 0.34), (0.46, -0.32)]
    points = [(x + radius * across, y + radius * down) for across, down in corners]
    width = max(2, round(radius * 0.2))
    draw.line(points, fill=colour, width=width, joint="curve")
    for end in (points[0], points[-1]):
        _disc(draw, end, width / 2, colour, None, 0)


def _star(
    draw: ImageDraw.ImageDraw, centre: tuple[float, float], radius: float, colour: Rgb
) -> None:
    points = []
    for number in range(10):
        reach = radius if number % 2 == 0 else radius * 0.44
        angle = math.pi * (number / 5 - 0.5)
        points.append(
            (
                centre[0] + reach * math.cos(angle),
                centre[1] + reach * math.sin(angle) + radius * 0.06,
            )
        )
    draw.polygon(points, fill=colour)
