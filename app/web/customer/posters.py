"""The poster by the till, to print: its QR leads to the join page and names the location."""

from flask import Response, request

from app.context import current_context
from app.db import enter
from app.languages import _, current_language
from app.printing import pdf_of, svg_of
from app.printing.drawing import Box, Code, Drawing, Words, fitting, wrapped
from app.programmes import benefit
from app.programmes.models import Location, Programme
from app.programmes.service import location_by_slug, programme_by_slug
from app.web.customer.door import blueprint

#: A4, in millimetres.
WIDTH, HEIGHT = 210.0, 297.0
_EDGE = 18.0
_CODE_SIDE = 120.0
_PDF = "application/pdf"


@blueprint.get("/join/<slug>/poster.svg")
def poster(slug: str) -> Response:
    """The poster as a picture that prints at any size."""
    _programme, drawing = _asked(slug)
    return Response(svg_of(drawing), mimetype="image/svg+xml")


@blueprint.get("/join/<slug>/poster.pdf")
def poster_pdf(slug: str) -> Response:
    """The same, ready for the printer."""
    programme, drawing = _asked(slug)
    response = Response(pdf_of([drawing], title=programme.name), mimetype=_PDF)
    response.headers["Content-Disposition"] = f'inline; filename="{programme.slug}-poster.pdf"'
    return response


def _asked(slug: str) -> tuple[Programme, Drawing]:
    at = request.args.get("at")
    with current_context().database.read_all() as session:
        programme = programme_by_slug(session, slug)
        enter(session, programme.id)
        place = location_by_slug(session, programme.id, at) if at else None
    address = f"{current_context().config.url}/join/{programme.slug}"
    address += f"?at={at}" if at else ""
    line = benefit.line(programme, current_language(), current_context().clock(), at or "")
    return programme, poster_drawing(programme, place, address, line)


def poster_drawing(
    programme: Programme, place: Location | None, address: str, line: str
) -> Drawing:
    """An A4 poster in the language that is spoken now; *address* is what its QR code says, *line*
    what members get."""
    colours = programme.colours
    ink, middle, wide = colours["foreground"], WIDTH / 2, WIDTH - 2 * _EDGE
    drawing = Drawing(WIDTH, HEIGHT, [Box(0, 0, WIDTH, HEIGHT, colours["background"])])

    def write(y: float, size: float, text: str, smallest: float | None = None) -> None:
        fitted, fits = fitting(text, size, wide, smallest=smallest or size / 2)
        drawing.marks.append(Words(middle, y, fits, fitted, ink, "middle"))

    y = 36.0
    for row in wrapped(programme.name, 15, wide, most=2):
        write(y, 15, row)
        y += 18
    for row in wrapped(line, 7, wide, most=3):
        write(y, 7, row)
        y += 9.5
    drawing.marks.append(Code((WIDTH - _CODE_SIDE) / 2, 118, _CODE_SIDE, address))
    write(254, 8.5, _("Point your camera here, tap twice, done."))
    write(264, 5, _("Free. Nothing to fill in. Into your phone's wallet."))
    write(276, 5, address, smallest=2.2)
    if place is not None:
        write(287, 4, place.name)
    return drawing
