"""Drawings as a PDF, a page each."""

import io
from collections.abc import Iterable

from reportlab.lib.colors import HexColor
from reportlab.pdfgen.canvas import Canvas

from app.printing.drawing import FONT, POINT_MM, Box, Code, Drawing, Line, Words, width_of
from passes.image import QUIET_MODULES, code_modules

_THIN = 0.1
_GREY = HexColor("#999999")


def pdf_of(drawings: Iterable[Drawing], *, title: str) -> bytes:
    """A PDF with a page for each drawing, in its real size. Equal drawings give equal bytes."""
    out = io.BytesIO()
    canvas = Canvas(out, invariant=1)
    canvas.setTitle(title)
    for drawing in drawings:
        canvas.setPageSize((drawing.width / POINT_MM, drawing.height / POINT_MM))
        # From here on in millimetres; a PDF counts from below.
        canvas.scale(1 / POINT_MM, 1 / POINT_MM)
        for mark in drawing.marks:
            _draw(canvas, mark, drawing.height)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def _draw(canvas: Canvas, mark: Box | Line | Words | Code, height: float) -> None:
    canvas.setLineWidth(_THIN)
    canvas.setStrokeColor(_GREY)
    match mark:
        case Box():
            if mark.fill is not None:
                canvas.setFillColor(HexColor(mark.fill))
            canvas.roundRect(
                mark.x,
                height - mark.y - mark.height,
                mark.width,
                mark.height,
                mark.radius,
                stroke=int(mark.fill is None),
                fill=int(mark.fill is not None),
            )
        case Line():
            canvas.line(mark.x1, height - mark.y1, mark.x2, height - mark.y2)
        case Words():
            wide = width_of(mark.text, mark.size)
            shift = {"start": 0.0, "middle": wide / 2, "end": wide}[mark.anchor]
            canvas.setFont(FONT, mark.size)
            canvas.setFillColor(HexColor(mark.fill))
            canvas.drawString(mark.x - shift, height - mark.y, mark.text)
        case Code():
            _code(canvas, mark, height)


def _code(canvas: Canvas, mark: Code, height: float) -> None:
    rows = code_modules(mark.text)
    module = mark.side / (len(rows) + 2 * QUIET_MODULES)
    canvas.setFillColor(HexColor("#ffffff"))
    canvas.rect(mark.x, height - mark.y - mark.side, mark.side, mark.side, stroke=0, fill=1)
    canvas.setFillColor(HexColor("#000000"))
    path = canvas.beginPath()
    for y, row in enumerate(rows):
        top = height - mark.y - (y + QUIET_MODULES) * module
        for x, dark in enumerate(row):
            if dark:
                path.rect(mark.x + (x + QUIET_MODULES) * module, top - module, module, module)
    canvas.drawPath(path, stroke=0, fill=1)
