"""The web service that Apple's devices ask, at `/v1`.

Source: developer.apple.com/documentation/walletpasses, "Adding a web service to update passes".
No answer tells whether a serial number exists: an unknown one looks like a wrong token.
"""

import hmac
import json
import logging
import re
from typing import Any

from apiflask import APIBlueprint
from flask import Response, request
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import problems
from app.api.pass_lane import CACHE_CONTROL, PKPASS
from app.cards.models import Card
from app.cards.service import apple_token
from app.context import current_context
from app.delivery import registrations
from app.delivery.pass_desk import SCHEME, SERIAL
from app.delivery.wallets import current_wallets
from app.keys import Purpose

blueprint = APIBlueprint("apple", __name__, url_prefix="/v1", enable_openapi=False)
_log = logging.getLogger(__name__)

_LONGEST_BODY = 4096
_LONGEST_LOG = 64 * 1024
_MOST_LOG_LINES = 50
_LONGEST_LOG_LINE = 500

#: No NUL, no control character, nothing that a database or a log would stumble over.
_DEVICE = re.compile(r"[A-Za-z0-9._:-]{1,100}", re.ASCII)
_PUSH_TOKEN = re.compile(r"(?:[0-9A-Fa-f]{2}){1,100}", re.ASCII)

_REGISTRATION = "/devices/<device>/registrations/<pass_type>/<serial>"


@blueprint.post(_REGISTRATION)
def register(device: str, pass_type: str, serial: str) -> Response:
    """A device tells us that it has a pass, and where to push."""
    request.max_content_length = _LONGEST_BODY
    card = _authorised(pass_type, serial)
    if card is None:
        return _refused()
    token = _push_token()
    if token is None or not _DEVICE.fullmatch(device):
        return problems.problem(
            400, "bad_request", 'Send {"pushToken": "…"} in JSON, with the token in hexadecimal.'
        )
    context = current_context()
    with context.database.write(card.programme_id) as session:
        is_new = registrations.register(
            session, card, device_id=device, push_token=token, now=context.clock()
        )
    return Response(status=201 if is_new else 200)


@blueprint.delete(_REGISTRATION)
def unregister(device: str, pass_type: str, serial: str) -> Response:
    """The pass was removed from the device."""
    card = _authorised(pass_type, serial)
    if card is None:
        return _refused()
    if _DEVICE.fullmatch(device):
        with current_context().database.write(card.programme_id) as session:
            registrations.unregister(session, card, device_id=device)
    return Response(status=200)


@blueprint.get("/devices/<device>/registrations/<pass_type>")
def changed(device: str, pass_type: str) -> Response:
    """Which of its passes a device should fetch. By Apple's design nobody is asked who they are:
    the device's id is the secret, and serial numbers alone open nothing."""
    if not _is_ours(pass_type) or not _DEVICE.fullmatch(device):
        return Response(status=204)
    with current_context().database.read_all() as session:
        found = registrations.changed_since(session, device, request.args.get("passesUpdatedSince"))
    if found is None:
        return Response(status=204)
    return Response(
        json.dumps({"serialNumbers": found.serial_numbers, "lastUpdated": found.tag}),
        mimetype="application/json",
    )


@blueprint.get("/passes/<pass_type>/<serial>")
def fetch(pass_type: str, serial: str) -> Response:
    """The newest pass, unless the device has it already. `app.api.pass_lane` goes before this."""
    fetched = current_wallets().desk.fetch(
        pass_type,
        serial,
        authorization=request.headers.get("Authorization", ""),
        since=request.headers.get("If-Modified-Since", ""),
    )
    if fetched is None:
        return _refused()
    if fetched.content is None:
        response = Response(status=304)
    else:
        response = Response(fetched.content, mimetype=PKPASS)
    response.headers["Last-Modified"] = fetched.last_modified
    response.headers["Cache-Control"] = CACHE_CONTROL
    return response


@blueprint.post("/log")
def log() -> Response:
    """What devices complain about, for the owner's eyes."""
    request.max_content_length = _LONGEST_LOG
    lines = _json().get("logs")
    if not isinstance(lines, list):
        return problems.problem(400, "bad_request", 'Send {"logs": ["…"]} in JSON.')
    for line in lines[:_MOST_LOG_LINES]:
        if isinstance(line, str):
            # Escaped: a device must not write lines of its own into our log.
            text = line[:_LONGEST_LOG_LINE].encode("unicode_escape").decode("ascii")
            _log.warning("a device reports: %s", text)
    return Response(status=200)


def _authorised(pass_type: str, serial: str) -> Card | None:
    """The card, where the request carries its token; None for whatever else may be wrong."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    context = current_context()
    with context.database.read_all() as session:
        card = _card(session, serial) if _is_ours(pass_type) else None
        if card is None:
            # As much work as for a serial that exists, so that time tells nothing either.
            version = context.keys.current(Purpose.APPLE_TOKEN).version
            right = context.keys.derive(Purpose.APPLE_TOKEN, version, b"unknown").hex()
        else:
            right = apple_token(context.keys, card)
    is_right = hmac.compare_digest(given.strip().encode(), right.encode())
    return card if is_right and scheme == SCHEME else None


def _card(session: Session, serial: str) -> Card | None:
    if not SERIAL.fullmatch(serial):
        return None
    return session.scalar(select(Card).where(Card.serial_number == serial))


def _is_ours(pass_type: str) -> bool:
    return pass_type == current_wallets().apple.pass_type_identifier


def _refused() -> Response:
    answer = problems.problem(
        401, "unauthorised", "This pass and this token do not belong together."
    )
    answer.headers["WWW-Authenticate"] = SCHEME
    return answer


def _push_token() -> str | None:
    token = _json().get("pushToken")
    if not isinstance(token, str) or not _PUSH_TOKEN.fullmatch(token):
        return None
    return token.lower()


def _json() -> dict[str, Any]:
    """The body's JSON object; an empty one for anything else."""
    try:
        found = json.loads(request.get_data())
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
