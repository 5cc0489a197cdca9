"""A test pass of a draft in Google Wallet: a class of its own, an object that is nobody's card."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any

from app.context import Context
from app.delivery.google.api import PATIENCE_SECONDS, GoogleSilent, GoogleUnreachable
from app.delivery.google.classes import GoogleClasses
from app.delivery.google.look import class_body, object_body, picture, refuse_faults
from app.delivery.google.passes import GooglePasses
from app.errors import NotFound, Unavailable
from app.languages import _
from app.programmes.models import Programme
from passes.card import CardFace
from passes.google import parts

_KEY = bytes(20)
#: What stands for the picture's kind in an address.
KINDS = re.compile(r"logo|wide-logo|hero|stamps/[0-9]{1,2}", re.ASCII)


def save_link(
    context: Context, passes: GooglePasses, programme: Programme, face: CardFace, *, now: datetime
) -> str:
    """Make class and object of the test pass at Google: the address that saves it.

    Raises `Unavailable` where Google does not answer or does not take it, `Misconfigured` where it
    is not set up.
    """
    service = passes.service()
    class_id = f"{service.issuer_id}.{programme.slug}.draft"
    object_id = f"{service.issuer_id}.{face.serial_number}"
    shared = _public(context, programme, face, class_body(
        face, programme, context.config, class_id=class_id
    ))  # fmt: skip
    own = _public(context, programme, face, object_body(
        face, programme, context.config, object_id=object_id, class_id=class_id, totp_key=_KEY
    ))  # fmt: skip
    # No key rotates for a card that is none.
    own.pop("rotatingBarcode", None)
    own["barcode"] = parts.barcode(face)
    refuse_faults(shared, context.config)
    try:
        refused = GoogleClasses(context).ensure(
            service.api, programme.id, shared, patience_seconds=PATIENCE_SECONDS
        )
        if refused is None:
            answer = service.api.request(
                "POST", "loyaltyObject", own, patience_seconds=PATIENCE_SECONDS
            )
            refused = None if answer.is_good or answer.status == 409 else answer
    except (GoogleUnreachable, GoogleSilent) as error:
        raise Unavailable(
            _("Google Wallet does not answer right now. Please try again in a minute.")
        ) from error
    if refused is not None:
        raise Unavailable(_("Google Wallet did not take the test pass: %(why)s", why=str(refused)))
    moment = int(now.timestamp())
    return service.signer.link(object_id, class_id, moment, [context.config.url])


def picture_of(face: CardFace, kind: str) -> bytes:
    """A picture of a test pass for Google's servers. Raises `NotFound`."""
    found = picture(face.look, kind) if KINDS.fullmatch(kind) else None
    if found is None:
        raise NotFound(_("There is no such picture."))
    return found


def _public(
    context: Context, programme: Programme, face: CardFace, body: dict[str, Any]
) -> dict[str, Any]:
    """The body with the addresses of the draft's pictures in place of the published ones."""
    url = context.config.url
    published = rf"{re.escape(url)}/google/([a-z0-9/-]+)/{re.escape(programme.slug)}\.png"
    ours = rf"{url}/try/picture/{face.serial_number}/\1.png"
    made: dict[str, Any] = json.loads(re.sub(published, ours, json.dumps(body)))
    return made
