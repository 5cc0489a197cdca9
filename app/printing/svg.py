"""A drawing as SVG, one unit a millimetre."""

from xml.sax.saxutils import escape, quoteattr

from app.printing.drawing import Box, Code, Drawing, Line, Words
from passes.image import code_svg


def svg_of(drawing: Drawing) -> str:
    """The drawing as an SVG picture of its real size."""
    width, height = f"{drawing.width:g}", f"{drawing.height:g}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}mm" height="{height}mm" font-family="DejaVu Sans, system-ui, sans-serif">'
        f"{''.join(map(_mark, drawing.marks))}</svg>\n"
    )


def _mark(mark: Box | Line | Words | Code) -> str:
    match mark:
        case Box():
            ink = 'fill="none" stroke="#999" stroke-width="0.1"'
            if mark.fill is not None:
                ink = f"fill={quoteattr(mark.fill)}"
            return (
                f'<rect x="{mark.x:g}" y="{mark.y:g}" width="{mark.width:g}" '
                f'height="{mark.height:g}" rx="{mark.radius:g}" {ink}/>'
            )
        case Line():
            return (
                f'<path d="M{mark.x1:g} {mark.y1:g}L{mark.x2:g} {mark.y2:g}" '
                'stroke="#999" stroke-width="0.1"/>'
            )
        case Words():
            return (
                f'<text x="{mark.x:g}" y="{mark.y:g}" font-size="{mark.size:g}" '
                f'text-anchor="{mark.anchor}" fill={quoteattr(mark.fill)}>'
                f"{escape(mark.text)}</text>"
            )
        case Code():
            place = f'x="{mark.x:g}" y="{mark.y:g}" width="{mark.side:g}" height="{mark.side:g}"'
            return code_svg(mark.text).strip().replace("<svg ", f"<svg {place} ", 1)
