"""The door of `/api/pos/v1`: who asks, what a key may do, and how answers go out."""

import re
from typing import Any

from apiflask import APIBlueprint
from flask import Response, g, request
from flask.json import dumps
from werkzeug.exceptions import BadRequest

from app.context import current_context
from app.pos import keys
from app.pos.errors import IdempotencyKeyMissing
from app.pos.keys import Holder
from app.pos.rate import Rate
from app.pos.rules import Scope

URL_PREFIX = "/api/pos/v1"
blueprint = APIBlueprint("pos", __name__, url_prefix=URL_PREFIX, tag="Shop systems")

#: The longest body: 500 receipt lines fit several times over.
LONGEST_BODY = 512 * 1024
IDEMPOTENCY_KEY = "Idempotency-Key"
_UUID = re.compile(r'"?([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})"?', re.ASCII)

#: What a key has to be made for, by route; a route that is not named here is not served.
SCOPES: dict[str, Scope] = {}
#: Open to everybody: nothing but the description of the rest.
OPEN = {"pos.document"}
_rate = Rate()


def scoped(endpoint: str, scope: Scope) -> str:
    """Register what the route *endpoint* needs; its name."""
    SCOPES[f"{blueprint.name}.{endpoint}"] = scope
    return endpoint


def holder() -> Holder:
    """Whose key the request came with."""
    found: Holder = g.pos_holder
    return found


@blueprint.before_request
def _who_asks() -> None:
    """First who asks, whether he may and how often; only then is the body read, bounded."""
    if request.endpoint in OPEN:
        return
    request.max_content_length = LONGEST_BODY
    context = current_context()
    now = context.clock()
    kind, _, text = request.headers.get("Authorization", "").partition(" ")
    given = text.strip() if kind.lower() == "bearer" else ""
    found = keys.authenticate(
        context.database, given[:200], address=request.remote_addr or "", now=now
    )
    _rate.take(context.database, found.programme_id, found.id, now=now)
    found.check(SCOPES[request.endpoint or ""])
    g.pos_holder = found
    if request.method in {"POST", "PUT", "PATCH"}:
        try:
            body = request.get_json()
        except (ValueError, RecursionError) as error:
            raise BadRequest("This is not JSON that can be read.") from error
        if not isinstance(body, dict):
            raise BadRequest("Send a JSON object.")


def posting_id() -> str:
    """The id that the shop system gave to what it asks for. Raises `IdempotencyKeyMissing`."""
    found = _UUID.fullmatch(request.headers.get(IDEMPOTENCY_KEY, "").strip())
    if found is None:
        text = (
            f"Send the header {IDEMPOTENCY_KEY} with a UUID that your system makes and stores "
            "before it sends: sent again with the same one, nothing is done twice."
        )
        raise IdempotencyKeyMissing(text, {IDEMPOTENCY_KEY: [text]})
    return found[1].lower()


def answered(answer: dict[str, Any], *, repeated: bool = False, status: int = 201) -> Response:
    """An answer in JSON that says whether it was given before."""
    response = Response(dumps(answer), status=status, mimetype="application/json")
    if repeated:
        response.headers["Idempotent-Replay"] = "true"
    return response
