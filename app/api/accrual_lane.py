"""A short way for the request that a counter makes all day: points for a receipt.

It stands before Flask and answers what went well. Whatever did not (a field that does not fit, a
card that is refused, a database that is away) goes on to the route in `app.api.till`, which says
so: the posting's id makes trying it twice harmless. Both hand their postings to the same
`AccrualDesk`, where what comes at once shares one commit.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from io import BytesIO
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct
from sqlalchemy.exc import SQLAlchemyError

from app.api.fields import UUID
from app.context import Context
from app.errors import CounterfoilError
from app.programmes.settings import HIGHEST_AMOUNT_MINOR
from app.till import accruals, waiting
from app.till.accruals import Answered, Asked
from app.till.answers import spoken
from app.till.together import Together
from passes.code import STATIC_LENGTH

_log = logging.getLogger(__name__)

PATH = "/api/till/v1/accruals"
#: The longest body of the till API: 500 receipt lines fit several times over.
LONGEST_BODY = 512 * 1024

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]

_Id = Annotated[str, Meta(pattern=UUID)]
_Minor = Annotated[int, Meta(ge=0, le=HIGHEST_AMOUNT_MINOR)]
_PLAIN = r"\A[^\x00\ud800-\udfff]*\Z"


class _Line(Struct, forbid_unknown_fields=True):
    item: Annotated[str, Meta(min_length=1, max_length=120, pattern=_PLAIN)]
    quantity: Annotated[int, Meta(ge=1, le=1_000_000)]
    amount_minor: _Minor
    category: Annotated[str, Meta(min_length=1, max_length=64, pattern=_PLAIN)] | None = None


class _Accrual(Struct, forbid_unknown_fields=True):
    """`schemas.AccrualIn` once more: what this lets through, that does too, as the same values."""

    id: _Id
    occurred_at: Annotated[datetime, Meta(tz=True)]
    cashier_id: _Id
    code: Annotated[str, Meta(min_length=STATIC_LENGTH, max_length=STATIC_LENGTH, pattern=_PLAIN)]
    amount_minor: Annotated[int, Meta(ge=1, le=HIGHEST_AMOUNT_MINOR)]
    currency: Annotated[str, Meta(min_length=3, max_length=3, pattern=_PLAIN)]
    offline: bool = False
    receipt: Annotated[str, Meta(min_length=1, max_length=64, pattern=_PLAIN)] | None = None
    lines: Annotated[list[_Line], Meta(max_length=500)] | None = None
    tax_minor: _Minor = 0
    coupons_minor: _Minor = 0


class AccrualDesk:
    """Where accruals are done: those of all threads of this process together."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._together: Together[Asked, Answered] = Together(self._work)

    def accrue(
        self, token: str, cashier: str | None, body: Mapping[str, Any], sent: Any
    ) -> tuple[int, bytes, bool]:
        """Status and JSON of the answer, and whether it was given before.

        Raises what refuses the posting: then nothing was stored.
        """
        done = self._together.do(Asked(token, cashier, body, sent))
        answer = spoken(done.answer, done.door, done.settings)
        status = 202 if answer["status"] == waiting.STATUS else 201
        return status, msgspec.json.encode(answer), done.repeated

    def _work(self, asked: Sequence[Asked]) -> list[Answered | Exception]:
        with self._context.database.write_all() as session:
            return accruals.accrue(session, asked, now=self._context.clock())


class AccrualLane:
    """WSGI around *app*: answers accruals that are in order, hands everything else on."""

    def __init__(self, app: Application, desk: AccrualDesk) -> None:
        self._app = app
        self._desk = desk

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] == PATH and environ["REQUEST_METHOD"] == "POST":
            answer = self._answer(environ)
            if answer is not None:
                return _send(*answer, start_response)
        return self._app(environ, start_response)

    def _answer(self, environ: Environ) -> tuple[int, bytes, bool] | None:
        length = environ.get("CONTENT_LENGTH") or ""
        kind, _, token = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        if (
            not length.isdecimal()
            or not 0 < int(length) <= LONGEST_BODY
            or environ.get("CONTENT_TYPE") != "application/json"
            or kind.lower() != "bearer"
            or not token
        ):
            return None
        raw = environ["wsgi.input"].read(int(length))
        environ["wsgi.input"] = BytesIO(raw)
        try:
            sent = msgspec.json.decode(raw)
            body = _as_dict(msgspec.convert(sent, _Accrual))
            return self._desk.accrue(token, environ.get("HTTP_COUNTERFOIL_CASHIER"), body, sent)
        except (ValueError, RecursionError, CounterfoilError, SQLAlchemyError) as error:
            _log.debug("handed on: %s", error)
            return None


def _as_dict(body: _Accrual) -> dict[str, Any]:
    fields = {name: getattr(body, name) for name in body.__struct_fields__}
    if body.lines is not None:
        fields["lines"] = [
            {name: getattr(line, name) for name in line.__struct_fields__} for line in body.lines
        ]
    return fields


def _send(
    status: int, body: bytes, repeated: bool, start_response: StartResponse
) -> Iterable[bytes]:
    headers = [
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(body))),
        ("X-Content-Type-Options", "nosniff"),
    ]
    if repeated:
        headers.append(("Idempotent-Replay", "true"))
    start_response("202 ACCEPTED" if status == 202 else "201 CREATED", headers)
    return (body,)
