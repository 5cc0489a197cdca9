"""What Google asks of us: callbacks when a pass is saved or removed, and a programme's pictures."""

import logging
from datetime import datetime

from apiflask import APIBlueprint
from flask import Response, current_app, request
from sqlalchemy import select

from app import problems
from app.context import current_context
from app.db import enter
from app.delivery import callbacks
from app.delivery.google import look, roots
from app.errors import Misconfigured, NotFound
from app.programmes import designs
from app.programmes.faces import NO_TIERS, look_of, tiers_of
from app.programmes.models import Programme
from app.programmes.terms import rulebook_of
from passes.card import CardKind
from passes.errors import CallbackError, UnknownRootKeyError
from passes.google.callback import MAX_BODY_BYTES, Callback, verify

blueprint = APIBlueprint("google", __name__, url_prefix="/google", enable_openapi=False)
_log = logging.getLogger(__name__)

_ROOT_KEYS = "counterfoil.google_root_keys"
_LOGO_SECONDS = 24 * 60 * 60


@blueprint.post("/callback")
def callback() -> Response:
    """Google says that somebody saved or removed a pass."""
    request.max_content_length = MAX_BODY_BYTES
    context = current_context()
    issuer, now = context.config.google_issuer_id, context.clock()
    if issuer is None:
        raise Misconfigured("COUNTERFOIL_GOOGLE_ISSUER_ID is not set.")
    try:
        told = _verified(request.get_data(), issuer, now)
        if not callbacks.is_storable(told):
            raise CallbackError("An id in the callback is longer than any of ours.")
    except CallbackError as error:
        _log.warning("a callback was refused: %s", error)
        return problems.problem(401, "not_from_google", str(error))
    with context.database.write_all() as session:
        is_new = callbacks.take_in(session, told, now=now)
    _log.info(
        "Google: %s of %d passes%s",
        told.event_type,
        len(told.object_ids),
        "" if is_new else " (again)",
    )
    return Response(status=200)


def _verified(body: bytes, issuer: str, now: datetime) -> Callback:
    """The message in *body*. Raises CallbackError for what Google did not sign for us."""
    keys = _root_keys()
    try:
        return verify(body, root_keys=keys.good(now), recipient=issuer, now=now)
    except UnknownRootKeyError:
        if not keys.look_again(now):
            raise
    return verify(body, root_keys=keys.good(now), recipient=issuer, now=now)


@blueprint.get("/logo/<slug>.png")
def logo(slug: str) -> Response:
    """The programme's logo, for Google's servers."""
    return _picture(slug, "logo")


@blueprint.get("/wide-logo/<slug>.png")
def wide_logo(slug: str) -> Response:
    """The programme's wide logo, where it has one."""
    return _picture(slug, "wide-logo")


@blueprint.get("/hero/<slug>.png")
def hero(slug: str) -> Response:
    """The picture across the programme's cards, where it was uploaded."""
    return _picture(slug, "hero")


@blueprint.get("/stamps/<int(max=100):stamps>/<slug>.png")
def stamp_picture(stamps: int, slug: str) -> Response:
    """The picture across a stamp card that has so many stamps."""
    return _picture(slug, f"stamps/{stamps}")


def _picture(slug: str, kind: str) -> Response:
    context = current_context()
    with context.database.read_all() as session:
        programme = session.scalar(select(Programme).where(Programme.slug == slug[:40]))
        if programme is None:
            raise NotFound("There is no such programme.")
        enter(session, programme.id)
        design, tiers = designs.current(session, programme.id), NO_TIERS
        if design.kind is CardKind.STAMPS:
            book = rulebook_of(session, programme.id, context.clock())
            tiers = tiers_of(session, book.versions[0].id)
        shown = look_of(programme, design, tiers)
    image = look.picture(shown, kind)
    if image is None:
        raise NotFound("There is no such picture.")
    response = Response(image, mimetype="image/png")
    response.headers["Cache-Control"] = f"public, max-age={_LOGO_SECONDS}"
    return response


def _root_keys() -> roots.RootKeys:
    known: roots.RootKeys | None = current_app.extensions.get(_ROOT_KEYS)
    if known is None:
        known = current_app.extensions[_ROOT_KEYS] = roots.root_keys_of(current_context())
    return known
