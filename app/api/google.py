"""What Google asks of us: callbacks when a pass is saved or removed, and a programme's logo."""

import logging

from apiflask import APIBlueprint
from flask import Response, current_app, request
from sqlalchemy import select

from app import problems
from app.context import current_context
from app.delivery import callbacks
from app.errors import Misconfigured, NotFound
from app.programmes.models import Programme
from passes.card import Colours
from passes.errors import CallbackError
from passes.google.callback import MAX_BODY_BYTES, verify
from passes.image import default_images

blueprint = APIBlueprint("google", __name__, url_prefix="/google", enable_openapi=False)
_log = logging.getLogger(__name__)

_ROOT_KEYS = "counterfoil.google_root_keys"
_LOGO = "icon@3x.png"
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
        told = verify(
            request.get_data(), root_keys=_root_keys().good(now), recipient=issuer, now=now
        )
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


@blueprint.get("/logo/<slug>.png")
def logo(slug: str) -> Response:
    """The programme's logo, for Google's servers."""
    with current_context().database.read_all() as session:
        programme = session.scalar(select(Programme).where(Programme.slug == slug[:40]))
    if programme is None:
        raise NotFound("There is no such programme.")
    image = default_images(Colours(**programme.colours), programme.name)[_LOGO]
    response = Response(image, mimetype="image/png")
    response.headers["Cache-Control"] = f"public, max-age={_LOGO_SECONDS}"
    return response


def _root_keys() -> callbacks.RootKeys:
    known: callbacks.RootKeys | None = current_app.extensions.get(_ROOT_KEYS)
    if known is None:
        path = current_context().config.google_root_keys
        if path is None:
            raise Misconfigured("COUNTERFOIL_GOOGLE_ROOT_KEYS is not set.")
        known = current_app.extensions[_ROOT_KEYS] = callbacks.RootKeys(path)
    return known
