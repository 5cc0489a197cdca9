"""Draws in SVG: text that fits its room, boxes and pictures. Pure.

Colours are attributes and never styles: pages allow no style inside. Text is measured with the
typeface that paper has, which is wider than those of phones.
"""

from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr

from app.printing.drawing import width_of
from passes.image import code_modules

_SANS = "-apple-system, BlinkMacSystemFont, system-ui, Roboto, Segoe UI, sans-serif"


def measured(text: str, size: float) -> float:
    """How wide a line of text is at a type of `size`."""
    return width_of(text, size)


def plain(text: str) -> str:
    """One line of what can be shown; no control character passes into a picture."""
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())


def cut(text: str, size: float, room: float) -> str:
    """The text, its end left off where it is wider than `room`."""
    text = plain(text)
    if measured(text, size) <= room:
        return text
    while text and measured(text + "…", size) > room:
        text = text[:-1].rstrip()
    return text + "…"


def words(
    x: float,
    y: float,
    text: str,
    size: float,
    fill: str,
    *,
    room: float,
    anchor: str = "start",
    weight: int = 400,
    shrinks: float = 1.0,
) -> str:
    """A line of text with its baseline at `y`; smaller down to `shrinks`, then cut, where it is
    wider than `room`."""
    text = plain(text)
    wide = measured(text, size)
    if wide > room:
        size *= max(room / wide, shrinks)
        # What was made to fit exactly is not cut for the last bit of a float.
        text = cut(text, size, room * 1.001)
    return (
        f'<text x="{x:g}" y="{y:g}" font-size="{size:.4g}" font-weight="{weight}" '
        f'font-family="{_SANS}" text-anchor="{anchor}" fill={quoteattr(fill)}>{escape(text)}</text>'
    )


def box(x: float, y: float, width: float, height: float, fill: str, *, radius: float = 0) -> str:
    """A filled rectangle."""
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="{radius:g}" '
        f"fill={quoteattr(fill)}/>"
    )


def circle(
    x: float, y: float, radius: float, fill: str, *, edge: str = "", width: float = 0
) -> str:
    """A filled circle, with an edge where one is named."""
    outline = f" stroke={quoteattr(edge)} stroke-width={quoteattr(f'{width:g}')}" if edge else ""
    return f'<circle cx="{x:g}" cy="{y:g}" r="{radius:g}" fill={quoteattr(fill)}{outline}/>'


def picture(
    address: str, x: float, y: float, width: float, height: float, *, fit: str = "xMidYMid slice"
) -> str:
    """A picture in a box: covering it, or with `fit` "… meet" as large as lies within."""
    return (
        f'<image href={quoteattr(address)} x="{x:g}" y="{y:g}" width="{width:g}" '
        f'height="{height:g}" preserveAspectRatio="{fit}"/>'
    )


def code(text: str, x: float, y: float, side: float) -> str:
    """A QR code without its white margin."""
    rows = code_modules(text)
    unit = side / len(rows)
    marks = []
    for row, line in enumerate(rows):
        column = 0
        while column < len(line):
            end = column
            while end < len(line) and line[end]:
                end += 1
            if end > column:
                left, top = x + column * unit, y + row * unit
                wide = (end - column) * unit
                marks.append(f"M{left:.5g} {top:.5g}h{wide:.5g}v{unit:.5g}H{left:.5g}z")
            column = end + 1
    return f'<path shape-rendering="crispEdges" fill="#000" d="{"".join(marks)}"/>'


def drawing(name: str, described: str, width: float, height: float, *marks: str) -> str:
    """A whole picture: `described` says what it shows to those who do not see it."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
        f'class="designer-phone" role="img" aria-label={quoteattr(plain(described))} '
        f"data-phone={quoteattr(name)}>{''.join(marks)}</svg>"
    )
