"""The only place that turns errors into HTTP: problem details as in RFC 9457."""

import logging
import sqlite3
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from apiflask import APIFlask
from apiflask.exceptions import HTTPError
from flask import Response, json, request
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import BadRequest, HTTPException

from app import errors

_log = logging.getLogger(__name__)

#: The first class that fits decides.
_STATUS: dict[type[errors.CounterfoilError], int] = {
    errors.Invalid: 422,
    errors.Unauthorised: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.TooMany: 429,
    errors.Misconfigured: 503,
    errors.Unavailable: 503,
    errors.CounterfoilError: 500,
}
MIMETYPE = "application/problem+json"
#: APIs speak problem details; pages show the same words as a page (`app.web`).
API_PREFIXES = ("/api/", "/v1/", "/google/", "/openapi.json")


def problem(
    status: int, code: str, detail: str, facts: Mapping[str, Any] | None = None
) -> Response:
    """A problem details answer; *code* is for programs, *detail* for people."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        **(facts or {}),
    }
    return Response(json.dumps(body), status=status, mimetype=MIMETYPE)


def describe(error: errors.CounterfoilError) -> tuple[int, str, str, dict[str, Any]]:
    """Status, code, detail and further facts of *error*."""
    status = next(number for kind, number in _STATUS.items() if isinstance(error, kind))
    facts = dict(error.facts)
    if isinstance(error, errors.Invalid) and error.fields:
        facts["errors"] = error.fields
    return status, error.code, error.message, facts


def is_api() -> bool:
    """Whether the request came from a program rather than a person."""
    return request.path.startswith(API_PREFIXES)


def install(app: APIFlask) -> None:
    """Answer every error of an API request with problem details."""

    @app.errorhandler(errors.CounterfoilError)
    def known(error: errors.CounterfoilError) -> Response:
        answer = problem(*describe(error))
        if isinstance(error, errors.TooMany):
            answer.headers["Retry-After"] = str(error.retry_after_seconds)
        if answer.status_code == HTTPStatus.UNAUTHORIZED:
            answer.headers["WWW-Authenticate"] = "Bearer"
        return answer

    @app.errorhandler(OperationalError)
    def database(error: OperationalError) -> Response:
        # Locked, full, gone: nothing was committed, the same request may succeed later.
        _log.error("database: %s", error.orig)
        full = isinstance(error.orig, sqlite3.OperationalError) and "full" in str(error.orig)
        detail = (
            "The disk of the service is full; nothing was saved. Free some space and try again."
            if full
            else "The database did not answer; nothing was saved. Try again in a moment."
        )
        answer = problem(503, "storage_full" if full else "unavailable", detail)
        answer.headers["Retry-After"] = "2"
        return answer

    @app.error_processor
    def validation(error: HTTPError) -> Response:
        fields = _flatten(error.detail)
        where = ", ".join(fields) or "the request"
        if error.status_code == 422:
            return problem(422, "invalid", f"Please check: {where}.", {"errors": fields})
        return problem(error.status_code, _code(error.status_code), str(error.message))

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> Response:
        status = error.code or 500
        if status < 400:
            return Response(response=error.get_response().data, status=status)
        if status == HTTPStatus.BAD_REQUEST and error.description == BadRequest.description:
            return problem(400, "bad_request", "The body is cut off, or it is not JSON.")
        answer = problem(status, _code(status), error.description or HTTPStatus(status).phrase)
        for name, value in error.get_headers():
            if name.lower() in {"allow", "retry-after"}:
                answer.headers[name] = value
        return answer

    @app.errorhandler(Exception)
    def unexpected(error: Exception) -> Response:
        _log.exception("unexpected: %s %s", request.method, request.path, exc_info=error)
        return problem(
            500, "internal", "Something went wrong on our side; nothing was saved. Try again."
        )


def _code(status: int) -> str:
    return {400: "bad_request", 404: "not_found", 413: "too_large", 415: "not_json"}.get(
        status, HTTPStatus(status).phrase.lower().replace(" ", "_")
    )


def _flatten(detail: Any, path: str = "") -> dict[str, list[str]]:
    """Marshmallow's nested messages as {"lines.0.quantity": ["…"]}; the JSON layer is left out."""
    if isinstance(detail, list):
        return {path or "body": [str(text) for text in detail]}
    if not isinstance(detail, dict):
        return {path or "body": [str(detail)]} if detail else {}
    fields: dict[str, list[str]] = {}
    for name, inner in detail.items():
        skip = not path and name in {"json", "query", "headers"}
        fields |= _flatten(inner, path if skip else f"{path}.{name}".lstrip("."))
    return fields
