"""What a till needs before it can serve: its credential, public keys, the refused cards."""

import base64
from importlib.metadata import version
from typing import Any

from flask import Response, request

from app.api.till import schemas
from app.api.till.door import as_till, blueprint
from app.cards import service as cards
from app.context import current_context
from app.programmes import wording
from app.programmes.models import Location, Programme
from app.programmes.service import programme_by_id
from app.till import access, knowing, reporting

PACKED = "application/octet-stream"


def _programme(programme: Programme) -> dict[str, Any]:
    return {
        "id": programme.id,
        "name": programme.name,
        "points_name": wording.points_label(programme.points_names, 0, "en"),
        "points_names": programme.points_names,
        "currency": programme.currency,
        "currency_exponent": wording.currency_exponent(programme.currency),
        "time_zone": programme.time_zone,
    }


@blueprint.post("/enrolments")
@blueprint.input(schemas.EnrolIn, arg_name="body")
@blueprint.output(schemas.EnrolledOut, status_code=201)
@blueprint.doc(summary="Enrol a till with its code")
def enrol(body: dict[str, Any]) -> dict[str, Any]:
    context = current_context()
    with context.database.write_all() as session:
        till, token = access.enrol(
            session,
            body["code"],
            address=request.remote_addr or "",
            continues=body["programme_id"],
            now=context.clock(),
        )
        location = session.get_one(Location, till.location_id)
        programme = programme_by_id(session, till.programme_id)
        return {
            "token": token,
            "till": {"id": till.id, "name": till.name},
            "location": {"id": location.id, "name": location.name},
            "programme": _programme(programme),
        }


@blueprint.get("/keys")
@blueprint.output(schemas.KeysOut)
@blueprint.doc(summary="Public keys, to verify cards without a network; the time", security="till")
def keys() -> dict[str, Any]:
    context = current_context()
    now = context.clock()
    with context.database.read_all() as session:
        till = as_till(session)
        answer = {
            "programme": _programme(programme_by_id(session, till.programme_id)),
            **knowing.keys_and_people(session, now=now),
            "service_version": version("counterfoil"),
        }
    reporting.note(
        context.database,
        till,
        waiting=request.headers.get("Counterfoil-Waiting"),
        oldest=request.headers.get("Counterfoil-Oldest"),
        set_aside=request.headers.get("Counterfoil-Set-Aside"),
        now=now,
    )
    return answer


_LIST_ANSWERS: dict[int | str, dict[str, str | dict[str, dict[str, Any]]]] = {
    200: {
        "description": "The list; `Counterfoil-Statement` has what was signed, in base64.",
        "content": {PACKED: {"schema": {"type": "string", "format": "binary"}}},
    },
    304: {"description": "The till has this list; the statement about it is a fresh one."},
}


@blueprint.get("/refused-cards")
@blueprint.doc(
    summary="The signed list of refused cards; nothing new where its name is If-None-Match",
    security="till",
    responses=_LIST_ANSWERS,
)
def refused_cards() -> Response:
    context = current_context()
    with context.database.read_all() as session:
        till = as_till(session)
        found = cards.signed_list(session, context.keys, till.programme_id, now=context.clock())
    response = Response(found.packed, mimetype=PACKED)
    response.set_etag(found.name)
    response.headers["Counterfoil-Statement"] = base64.b64encode(found.statement).decode()
    response.headers["Cache-Control"] = "private, no-cache"
    response.make_conditional(request)
    return response
