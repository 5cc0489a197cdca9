"""POST /accruals: the request that a counter makes all day, read and answered without detours."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

import msgspec
from apiflask.exceptions import HTTPError
from flask import Flask, Response, current_app, request
from marshmallow import ValidationError
from msgspec import Meta, Struct

from app.api import till_schemas as schemas
from app.api.fields import UUID
from app.context import Context
from app.programmes.rules import HIGHEST_AMOUNT_MINOR
from app.till import accruals, waiting
from app.till.accruals import Answered, Asked
from app.till.answers import spoken
from app.till.together import Together
from passes.code import STATIC_LENGTH

EXTENSION = "counterfoil.accruals"

_Id = Annotated[str, Meta(pattern=UUID)]
_Plain = r"\A[^\x00\ud800-\udfff]*\Z"
_Minor = Annotated[int, Meta(ge=0, le=HIGHEST_AMOUNT_MINOR)]


class _Line(Struct, forbid_unknown_fields=True):
    item: Annotated[str, Meta(min_length=1, max_length=120, pattern=_Plain)]
    quantity: Annotated[int, Meta(ge=1, le=1_000_000)]
    amount_minor: _Minor
    category: Annotated[str, Meta(min_length=1, max_length=64, pattern=_Plain)] | None = None


class _Accrual(Struct, forbid_unknown_fields=True):
    """`schemas.AccrualIn` once more: what this lets through, that does too, as the same values."""

    id: _Id
    occurred_at: Annotated[datetime, Meta(tz=True)]
    cashier_id: _Id
    code: Annotated[str, Meta(min_length=STATIC_LENGTH, max_length=STATIC_LENGTH, pattern=_Plain)]
    amount_minor: Annotated[int, Meta(ge=1, le=HIGHEST_AMOUNT_MINOR)]
    currency: Annotated[str, Meta(min_length=3, max_length=3, pattern=_Plain)]
    offline: bool = False
    receipt: Annotated[str, Meta(min_length=1, max_length=64, pattern=_Plain)] | None = None
    lines: Annotated[list[_Line], Meta(max_length=500)] | None = None
    tax_minor: _Minor = 0
    coupons_minor: _Minor = 0


def install(app: Flask, context: Context) -> None:
    """Let the accruals of all threads of this process share their commits."""
    app.extensions[EXTENSION] = Together(_work_of(context))


def _work_of(context: Context) -> Any:
    def work(asked: Sequence[Asked]) -> list[Answered | Exception]:
        with context.database.write_all() as session:
            return accruals.accrue(session, asked, now=context.clock())

    return work


def accrue(token: str, cashier: str | None) -> Response:
    """Answer the request: who asks, what for, and all the rest together with its neighbours."""
    sent = request.get_json()
    together: Together[Asked, Answered] = current_app.extensions[EXTENSION]
    done = together.do(Asked(token, cashier, _checked(sent), sent))
    answer = spoken(done.answer, done.door, done.settings)
    status = 202 if answer["status"] == waiting.STATUS else 201
    response = Response(msgspec.json.encode(answer), status=status, mimetype="application/json")
    if done.repeated:
        response.headers["Idempotent-Replay"] = "true"
    return response


def _checked(sent: Any) -> dict[str, Any]:
    """The body as it was declared. What does not fit gets its answer from the declaration."""
    try:
        body = msgspec.convert(sent, _Accrual)
    except msgspec.ValidationError:
        return _declared(sent)
    return {name: getattr(body, name) for name in body.__struct_fields__} | {
        "lines": None if body.lines is None else [_as_dict(line) for line in body.lines]
    }


def _as_dict(line: _Line) -> dict[str, Any]:
    return {name: getattr(line, name) for name in line.__struct_fields__}


def _declared(sent: Any) -> dict[str, Any]:
    try:
        body: dict[str, Any] = schemas.AccrualIn().load(sent)
    except ValidationError as error:
        raise HTTPError(422, "Validation error", detail={"json": error.messages}) from error
    return body
