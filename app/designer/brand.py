"""A brand's marks as both phones draw them: logo, picture across the card, stamps. Pure.

What was uploaded is shown at its address as `passes.artwork` cuts it; what was not is drawn here
as `passes.image` and `passes.artwork.stamps` draw it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from app.designer import svg
from app.designer.contrast import mixed
from passes.apple.design import stamps_on
from passes.artwork.stamps import places
from passes.card import CardFace
from passes.text import said

_RINGS = 9


@dataclass(frozen=True, slots=True)
class Pictures:
    """Where the uploads of a design are found, by name, and their shapes (width ÷ height)."""

    addresses: Mapping[str, str] = field(default_factory=dict)
    shapes: Mapping[str, float] = field(default_factory=dict)


NO_PICTURES = Pictures()


def strip(
    face: CardFace, pictures: Pictures, x: float, y: float, width: float, height: float, name: str
) -> str:
    """The picture across the card, with its stamps on a stamp card. `name` is used once a page."""
    clip = (
        f'<clipPath id="{name}"><rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}"/>'
    )
    marks = [_ground(face, pictures, x, y, width, height)]
    stamps = stamps_on(face)
    if stamps is not None:
        veil = svg.box(x, y, width, height, face.colours.background)
        marks.append(f'<g opacity="0.62">{veil}</g>')
        marks += _stamps(face, stamps, x, y, width, height)
    return f'{clip}</clipPath><g clip-path="url(#{name})">{"".join(marks)}</g>'


def _ground(
    face: CardFace, pictures: Pictures, x: float, y: float, width: float, height: float
) -> str:
    ground = svg.box(x, y, width, height, face.colours.background)
    if "hero" in pictures.addresses:
        return ground + svg.picture(pictures.addresses["hero"], x, y, width, height)
    rings = []
    for ring in range(_RINGS, 0, -1):
        share = 0.05 + 0.20 * (_RINGS - ring) / (_RINGS - 1)
        shade = mixed(face.colours.background, face.colours.label, share)
        rings.append(svg.circle(x + width * 0.86, y + height * 0.62, height * 0.16 * ring, shade))
    return ground + "".join(rings)


def _stamps(
    face: CardFace, stamps: int, x: float, y: float, width: float, height: float
) -> list[str]:
    colours, needed = face.colours, face.look.stamps
    centres, radius = places((width, height), needed)
    marks = []
    for number, (across, down) in enumerate(centres, start=1):
        centre = (x + across, y + down)
        is_stamped, is_reward = number <= stamps, number == needed
        if is_stamped:
            marks.append(svg.circle(*centre, radius, colours.foreground))
        else:
            edge = mixed(colours.background, colours.label, 0.9)
            inner = mixed(colours.background, colours.label, 0.14)
            marks.append(svg.circle(*centre, radius, inner, edge=edge, width=radius * 0.09))
        if is_reward:
            pale = mixed(colours.background, colours.label, 0.9)
            marks.append(_star(centre, radius * 0.62, colours.background if is_stamped else pale))
        elif is_stamped:
            marks.append(_tick(centre, radius, colours.background))
    return marks


def _star(centre: tuple[float, float], radius: float, fill: str) -> str:
    points = []
    for number in range(10):
        reach = radius if number % 2 == 0 else radius * 0.44
        angle = math.pi * (number / 5 - 0.5)
        left = centre[0] + reach * math.cos(angle)
        top = centre[1] + reach * math.sin(angle) + radius * 0.06
        points.append(f"{left:.4g},{top:.4g}")
    return f'<polygon points="{" ".join(points)}" fill="{fill}"/>'


def _tick(centre: tuple[float, float], radius: float, stroke: str) -> str:
    corners = ((-0.42, 0.02), (-0.12, 0.34), (0.46, -0.32))
    path = "L".join(
        f"{centre[0] + radius * across:.4g} {centre[1] + radius * down:.4g}"
        for across, down in corners
    )
    return (
        f'<path d="M{path}" fill="none" stroke="{stroke}" stroke-width="{radius * 0.2:.3g}" '
        'stroke-linecap="round" stroke-linejoin="round"/>'
    )


def logo(
    face: CardFace, pictures: Pictures, x: float, y: float, width: float, height: float
) -> tuple[str, float]:
    """The logo as large as it lies within the box, and how wide it is there."""
    address = pictures.addresses.get("logo")
    if address is None:
        return mark(face, x, y, height, is_filled=False), height
    shape = pictures.shapes.get("logo", 1.0)
    wide = min(width, height * shape)
    return svg.picture(address, x, y, wide, height, fit="xMinYMid meet"), wide


def mark(face: CardFace, x: float, y: float, side: float, *, is_filled: bool) -> str:
    """The initial on a ticket with its two notches."""
    colours = face.colours
    inset, notch = side / 8, side / 11
    hole = colours.background
    name = said(face.look.programme_name, "en")
    initial = next((each for each in name.strip()[:1] if each.isalnum()), "").upper()
    marks = [svg.box(x, y, side, side, colours.background)] if is_filled else []
    marks.append(
        svg.box(
            x + inset,
            y + inset,
            side - 2 * inset,
            side - 2 * inset,
            colours.foreground,
            radius=side / 6,
        )
    )
    marks += [svg.circle(left, y + side / 2, notch, hole) for left in (x + inset, x + side - inset)]
    if initial:
        middle = (x + side / 2, y + side * 0.67)
        marks.append(
            svg.words(*middle, initial, side * 0.48, hole, room=side, anchor="middle", weight=600)
        )
    else:
        marks.append(
            svg.circle(
                x + side / 2,
                y + side / 2,
                side / 6,
                colours.foreground,
                edge=hole,
                width=side / 14,
            )
        )
    return "".join(marks)


def round_mark(
    face: CardFace, pictures: Pictures, x: float, y: float, side: float, name: str
) -> str:
    """The square logo as Google cuts it to a circle: the icon, else the logo on the brand's
    colour, else the ticket."""
    radius = side / 2
    clip = f'<clipPath id="{name}"><circle cx="{x + radius:g}" cy="{y + radius:g}" r="{radius:g}"/>'
    ground = svg.box(x, y, side, side, face.colours.background)
    if "icon" in pictures.addresses:
        inside = svg.picture(pictures.addresses["icon"], x, y, side, side)
    elif "logo" in pictures.addresses:
        inset = side * (1 - 0.62) / 2
        small = side - 2 * inset
        address = pictures.addresses["logo"]
        inside = svg.picture(address, x + inset, y + inset, small, small, fit="xMidYMid meet")
    else:
        inset = side * 0.08
        inside = mark(face, x + inset, y + inset, side - 2 * inset, is_filled=True)
    return f'{clip}</clipPath><g clip-path="url(#{name})">{ground}{inside}</g>'
