"""The poster by the till: one line of benefit and the code that leads to the join page."""

from xml.sax.saxutils import escape

import qrcode
from qrcode.constants import ERROR_CORRECT_M

from app.programmes.models import Programme

#: A4 in tenths of a millimetre: one unit is what a printer can place.
WIDTH, HEIGHT = 2100, 2970
CODE = 1200
QUIET = 4


def poster_svg(programme: Programme, address: str) -> str:
    """An A4 poster as SVG; *address* is what its QR code says."""
    colours = programme.colours
    middle = WIDTH // 2
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'width="210mm" height="297mm" font-family="system-ui, sans-serif" text-anchor="middle">'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{colours["background"]}"/>'
        f'<g fill="{colours["foreground"]}">'
        f'<text x="{middle}" y="420" font-size="170" font-weight="700">{escape(programme.name)}'
        f"</text>"
        f'<text x="{middle}" y="600" font-size="80">{escape(programme.benefit[:60])}</text>'
        f'<text x="{middle}" y="2640" font-size="86">Point your camera here, tap twice, done.</text>'
        f'<text x="{middle}" y="2790" font-size="56">{escape(address)}</text></g>'
        f"{_code(address, (WIDTH - CODE) // 2, 900)}</svg>"
    )


def _code(address: str, left: int, top: int) -> str:
    made = qrcode.QRCode(error_correction=ERROR_CORRECT_M, border=QUIET)
    made.add_data(address)
    made.make(fit=True)
    rows = made.get_matrix()
    module = CODE / len(rows)
    dark = "".join(
        f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, on in enumerate(row) if on
    )
    return (
        f'<g transform="translate({left} {top}) scale({module:.4f})">'
        f'<rect width="{len(rows)}" height="{len(rows)}" rx="1" fill="#fff"/>'
        f'<path d="{dark}" fill="#000" shape-rendering="crispEdges"/></g>'
    )
