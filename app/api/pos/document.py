"""`/api/pos/v1/openapi.json`: what shop systems may ask, described for programs."""

from typing import Any, cast

from apiflask import APIFlask
from flask import Response, current_app
from flask.json import dumps

from app.api.pos.door import IDEMPOTENCY_KEY, SCOPES, URL_PREFIX, blueprint
from app.problems import MIMETYPE

SECURITY = {
    "type": "http",
    "scheme": "bearer",
    "description": "An API key: cfk_… Make one with: counterfoil api-key add",
}
_PROBLEMS = {
    "400": "The body is cut off, or it is not a JSON object.",
    "401": "The API key is missing, wrong or revoked.",
    "403": "The key may not do this, or the card's holder may not.",
    "404": "There is no such thing in this programme.",
    "409": "It makes sense, but not in the present state; or the Idempotency-Key was used before.",
    "413": "The body is too large.",
    "415": "The body is not JSON.",
    "422": "The request makes no sense; `errors` names each field.",
    "429": "Too often. `Retry-After` says when again.",
    "503": "Not now; nothing was saved. The same request may succeed later.",
}
_UUID_HEADER = {
    "in": "header",
    "name": IDEMPOTENCY_KEY,
    "required": True,
    "schema": {"type": "string", "format": "uuid"},
    "description": "A UUID that your system makes and stores before it sends; the posting's id. "
    "Sent again with the same body it gets the first answer, with `Idempotent-Replay: true`; "
    "with another body 409.",
    "example": "7d0f4a4c-0d5f-4a4e-9b1e-0f6f3f8f4f10",
}
_BODILESS = {"400", "413", "415"}
#: What is posted once: the last part of the operation's id.
POSTED_ONCE: set[str] = {
    "accrual",
    "hold",
    "capture",
    "release",
    "return",
    "coupon_redemption",
    "reward_redemption",
}


@blueprint.get("/openapi.json")
@blueprint.doc(hide=True)
def document() -> Response:
    """The part of the service's document that is about shop systems."""
    whole = cast(dict[str, Any], cast(APIFlask, current_app)._get_spec("json"))
    paths = {path: each for path, each in whole["paths"].items() if path.startswith(URL_PREFIX)}
    mine = {**whole, "paths": paths, "tags": []}
    mine["components"] = _needed(whole["components"], paths)
    return Response(dumps(mine), mimetype="application/json")


def complete(document: dict[str, Any] | str) -> dict[str, Any] | str:
    """Add to the service's document what the declarations of routes do not say."""
    if isinstance(document, str):
        return document
    components = document.setdefault("components", {})
    responses = components.setdefault("responses", {})
    for status, description in _PROBLEMS.items():
        responses[f"Problem{status}"] = _problem(status, description)
    _make_portable(document)
    for path, operations in document.get("paths", {}).items():
        if not path.startswith(URL_PREFIX):
            continue
        for operation in operations.values():
            if isinstance(operation, dict) and "responses" in operation:
                _complete_one(operation)
    return document


def _make_portable(part: Any) -> None:
    """Write patterns as every program reads them, and leave out those that only Python does."""
    if isinstance(part, list):
        for each in part:
            _make_portable(each)
    if not isinstance(part, dict):
        return
    pattern = part.get("pattern")
    if isinstance(pattern, str):
        part["pattern"] = pattern.replace("\\A", "^").replace("\\Z", "$")
        if "\\ud800" in pattern:
            del part["pattern"]
    for each in part.values():
        _make_portable(each)


def _complete_one(operation: dict[str, Any]) -> None:
    has_body = "requestBody" in operation
    if has_body:
        operation["requestBody"]["required"] = True
    good = {code: each for code, each in operation["responses"].items() if code.startswith("2")}
    problems = {
        status: {"$ref": f"#/components/responses/Problem{status}"}
        for status in _PROBLEMS
        if has_body or status not in _BODILESS
    }
    operation["responses"] = good | problems
    name = operation.get("operationId", "").partition("_pos_")[2]
    operation["x-scope"] = str(SCOPES.get(f"{blueprint.name}.{name}", ""))
    if name in POSTED_ONCE:
        operation.setdefault("parameters", []).append(_UUID_HEADER)
        for each in good.values():
            each["headers"] = {
                "Idempotent-Replay": {
                    "schema": {"type": "string", "enum": ["true"]},
                    "description": "This is the answer that was given before.",
                }
            }


def _problem(status: str, description: str) -> dict[str, Any]:
    return {
        "description": description,
        "content": {
            MIMETYPE: {
                "schema": {
                    "type": "object",
                    "required": ["type", "title", "status", "detail", "code"],
                    "properties": {
                        "type": {"type": "string"},
                        "title": {"type": "string"},
                        "status": {"type": "integer", "enum": [int(status)]},
                        "detail": {"type": "string"},
                        "code": {"type": "string"},
                        "errors": {
                            "type": "object",
                            "additionalProperties": {"type": "array", "items": {"type": "string"}},
                        },
                    },
                },
                "example": {
                    "type": "about:blank",
                    "title": description.partition(".")[0],
                    "status": int(status),
                    "detail": description,
                    "code": "see_the_guide",
                },
            }
        },
    }


def _needed(components: dict[str, Any], paths: dict[str, Any]) -> dict[str, Any]:
    """The components that *paths* refer to, and those that these refer to."""
    found: dict[str, Any] = {"securitySchemes": {"pos": SECURITY}}
    waiting: list[Any] = [paths]
    while waiting:
        each = waiting.pop()
        if isinstance(each, list):
            waiting += each
        if not isinstance(each, dict):
            continue
        waiting += each.values()
        reference = each.get("$ref")
        if isinstance(reference, str) and reference.startswith("#/components/"):
            _, _, kind, name = reference.split("/")
            if name not in found.setdefault(kind, {}):
                found[kind][name] = components[kind][name]
                waiting.append(components[kind][name])
    return found
