"""How a programme looks, as files: colours, icons, and what makes the card's page an app."""

import io
from functools import lru_cache

from flask import Response, jsonify, url_for
from PIL import Image, ImageDraw, ImageFont

from app.context import current_context
from app.db import enter
from app.errors import NotFound
from app.languages import _, current_language
from app.printing.drawing import FONT_FILE
from app.programmes import designs
from app.programmes.service import programme_by_slug
from app.web.customer.door import blueprint, opened

ICON_SIDES = (180, 192, 512)
_KEPT_SECONDS = "max-age=300"


@blueprint.get("/brand/<slug>.css")
def brand_css(slug: str) -> Response:
    """The programme's colours as custom properties: pages carry no inline style."""
    with current_context().database.read_all() as session:
        colours = programme_by_slug(session, slug).colours
    rules_text = "".join(f"--brand-{name}:{value};" for name, value in sorted(colours.items()))
    response = Response(f":root{{{rules_text}}}", mimetype="text/css")
    response.headers["Cache-Control"] = _KEPT_SECONDS
    return response


@blueprint.get("/brand/<slug>/icon-<int:side>.png")
def icon(slug: str, side: int) -> Response:
    """What stands for the card on the phone's home screen: its icon, or else its first letter."""
    if side not in ICON_SIDES:
        raise NotFound(_("There is nothing at this address."))
    with current_context().database.read_all() as session:
        programme = programme_by_slug(session, slug)
        enter(session, programme.id)
        picture = designs.current(session, programme.id).icon
    colours = programme.colours
    made = _icon(
        side, programme.name[:1].upper(), colours["background"], colours["foreground"], picture
    )
    response = Response(made, mimetype="image/png")
    response.headers["Cache-Control"] = _KEPT_SECONDS
    return response


@blueprint.get("/card/<token>/app.webmanifest")
def manifest(token: str) -> Response:
    """What makes the card's page installable. Source: W3C Web Application Manifest."""
    with opened(token, coupons_too=True) as door:
        programme = door.programme
        name = designs.card_name(door.session, programme, current_language())
    page = url_for("customer.card_page", token=token)
    answer = jsonify(
        {
            "id": page,
            "name": name,
            "short_name": name[:12],
            "start_url": page,
            "scope": page,
            "display": "standalone",
            "background_color": programme.colours["background"],
            "theme_color": programme.colours["background"],
            "icons": [
                {
                    "src": url_for("customer.icon", slug=programme.slug, side=side),
                    "sizes": f"{side}x{side}",
                    "type": "image/png",
                    "purpose": "any maskable",
                }
                for side in (192, 512)
            ],
        }
    )
    answer.mimetype = "application/manifest+json"
    return answer


@lru_cache(maxsize=64)
def _icon(side: int, letter: str, background: str, foreground: str, picture: bytes | None) -> bytes:
    drawn = Image.new("RGB", (side, side), background)
    # What is outside the middle four fifths may be cut off by the phone.
    inner = side * 3 // 5
    if picture is not None:
        logo = Image.open(io.BytesIO(picture)).convert("RGBA")
        logo.thumbnail((inner, inner))
        drawn.paste(logo, ((side - logo.width) // 2, (side - logo.height) // 2), logo)
    else:
        font = ImageFont.truetype(str(FONT_FILE), inner)
        ImageDraw.Draw(drawn).text((side / 2, side / 2), letter, foreground, font, anchor="mm")
    out = io.BytesIO()
    drawn.save(out, "PNG", optimize=True)
    return out.getvalue()
