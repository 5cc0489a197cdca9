"""How a card and its programme are rendered for Google, and what is refused before it is sent."""

import hashlib
import json
from functools import lru_cache
from typing import Any

from app.config import GOOGLE_API_URL, Config
from app.delivery.google.preflight import inspect_resource
from app.errors import Misconfigured
from app.programmes.models import Programme
from passes.apple.design import stamps_on
from passes.artwork import google as artwork
from passes.card import CardFace, CardKind, Look
from passes.google.loyalty import loyalty_class, loyalty_object
from passes.google.offer import offer_class, offer_object
from passes.google.parts import is_blank
from passes.google.rotating import rotating_barcode
from passes.text import Text

_MARK_CHARACTERS = 12
_STAMPS = "stamps/"


def class_body(
    face: CardFace, programme: Programme, config: Config, *, class_id: str
) -> dict[str, Any]:
    """The class of a programme, as all its cards share it: whose *face* it is does not matter."""
    hears = config.url.startswith("https://")
    hero = None
    if face.look.hero is not None:
        hero = picture_url(config, programme.slug, "hero", face.look)
    if face.kind is CardKind.COUPON:
        return offer_class(
            face,
            class_id=class_id,
            issuer_name=programme.name,
            logo_url=picture_url(config, programme.slug, "logo", face.look),
            hero_url=hero,
            callback_url=f"{config.url}/google/callback" if hears else None,
        )
    return loyalty_class(
        face,
        class_id=class_id,
        issuer_name=programme.name,
        logo_url=picture_url(config, programme.slug, "logo", face.look),
        wide_logo_url=(
            picture_url(config, programme.slug, "wide-logo", face.look)
            if artwork.wide_logo(face.look) is not None
            else None
        ),
        hero_url=hero,
        callback_url=f"{config.url}/google/callback" if hears else None,
    )


def object_body(
    face: CardFace,
    programme: Programme,
    config: Config,
    *,
    object_id: str,
    class_id: str,
    totp_key: bytes,
) -> dict[str, Any]:
    """The object of a card, whole. Its barcode rotates: the key goes over REST, never in a link."""
    if face.kind is CardKind.COUPON:
        return offer_object(face, object_id=object_id, class_id=class_id)
    rotating = None if is_blank(face) else rotating_barcode(face.code, totp_key)
    stamps = stamps_on(face)
    drawn = None
    if stamps is not None:
        drawn = picture_url(config, programme.slug, f"{_STAMPS}{stamps}", face.look)
    return loyalty_object(
        face, object_id=object_id, class_id=class_id, rotating=rotating, hero_url=drawn
    )


def class_suffix(face: CardFace) -> str:
    """What tells the class of a coupon's offer from the programme's own: all coupons of one offer
    share a class. Nothing for cards.

    Only what never changes counts: an object stays in the class that it was inserted with.
    """
    if face.kind is not CardKind.COUPON:
        return ""
    offer = face.field("offer")
    value = offer.value if offer else ""
    text = json.dumps(value.words if isinstance(value, Text) else str(value))
    return "." + hashlib.sha256(text.encode()).hexdigest()[:_MARK_CHARACTERS]


def picture_url(config: Config, slug: str, kind: str, look: Look) -> str:
    """Where Google fetches a picture; its own servers ask, so it must be public.

    Google keeps what it fetched: another picture needs another address.
    """
    return f"{config.url}/google/{kind}/{slug}.png?v={_mark(look, kind)}"


def picture(look: Look, kind: str) -> bytes | None:
    """The picture behind such an address as PNG; None where the look has none.

    *kind* is "logo", "wide-logo", "hero", or "stamps/7" for the hero with seven stamps in it.
    """
    if kind.startswith(_STAMPS):
        stamps = int(kind.removeprefix(_STAMPS))
        return artwork.hero(look, stamps) if stamps <= look.stamps else None
    match kind:
        case "logo":
            return artwork.logo(look)
        case "wide-logo":
            return artwork.wide_logo(look)
    return artwork.hero(look) if look.hero is not None else None


@lru_cache(maxsize=256)
def _mark(look: Look, kind: str) -> str:
    return hashlib.sha256(picture(look, kind) or b"").hexdigest()[:_MARK_CHARACTERS]


def refuse_faults(body: dict[str, Any], config: Config) -> None:
    """Raise `Misconfigured` for a class that Google would refuse; nobody is asked."""
    for finding in inspect_resource(body, is_google=config.google_api_url == GOOGLE_API_URL):
        if finding.severity == "error":
            raise Misconfigured(f"{finding.where}: {finding.message} {finding.cure}")
