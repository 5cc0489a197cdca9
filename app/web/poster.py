"""The poster by the till: one line of benefit and the code that leads to the join page."""

import textwrap
from xml.sax.saxutils import escape

from app.programmes.models import Programme
from passes.image import code_svg

#: A4 in tenths of a millimetre.
WIDTH, HEIGHT = 2100, 2970
CODE = 1200
CALL = "Point your camera here, tap twice, done."


def poster_svg(programme: Programme, address: str) -> str:
    """An A4 poster as SVG; *address* is what its QR code says."""
    colours = programme.colours
    middle = WIDTH // 2
    name = textwrap.wrap(programme.name, 22)
    benefit = textwrap.wrap(programme.benefit, 44)
    lines = [
        *((300 + 180 * row, 150, text) for row, text in enumerate(name[:4])),
        *((340 + 180 * len(name) + 90 * row, 70, text) for row, text in enumerate(benefit)),
        (2560, 92, CALL),
        (2760, min(56, 3200 // len(address)), address),
    ]
    texts = "".join(
        f'<text x="{middle}" y="{y}" font-size="{size}">{escape(text)}</text>'
        for y, size, text in lines
    )
    code = code_svg(address).replace(
        "<svg ", f'<svg x="{(WIDTH - CODE) // 2}" y="1180" width="{CODE}" height="{CODE}" ', 1
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'width="210mm" height="297mm" style="max-width:100%;height:auto" '
        f'font-family="system-ui, sans-serif" text-anchor="middle">'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{colours["background"]}"/>'
        f'<g fill="{colours["foreground"]}">{texts}</g>{code}</svg>\n'
    )
