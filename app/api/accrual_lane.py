"""The short way for the request that a counter makes all day: points for a receipt.

A lane (see `app.front`): it answers what went well, all that came at once in one commit. Whatever
did not (a field that does not fit, a card that is refused, a database that is away) goes on to the
route in `app.api.till`, which says so: the posting's id makes trying it twice harmless. Both hand
their postings to the same `AccrualDesk`.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from app.api.fields import UUID
from app.context import Context
from app.front import Answer
from app.front import Asked as Request
from app.programmes.settings import HIGHEST_AMOUNT_MINOR
from app.till import waiting
from app.till.accruals import Answered, Asked, Prepared
from app.till.answers import spoken
from app.till.together import GATHER_SECONDS, Together
from passes.code import STATIC_LENGTH

PATH = "/api/till/v1/accruals"
#: The longest body of the till API: 500 receipt lines fit several times over.
LONGEST_BODY = 512 * 1024

_HEADERS = (("Content-Type", "application/json"), ("X-Content-Type-Options", "nosniff"))
_REPEATED = (*_HEADERS, ("Idempotent-Replay", "true"))

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
    amount_minor: _Minor
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
        #: Other processes wait for the one writer's turn: they get it while this one looks up what
        #: needs no turn. One alone does all in one transaction.
        self._looks_up_before = context.database.is_sqlite and context.config.workers > 1
        self._together: Together[Asked, Answered] = Together(self._work)

    def accrue(
        self, token: str, cashier: str | None, body: Mapping[str, Any], sent: Any
    ) -> tuple[int, bytes, bool]:
        """Status and JSON of the answer, and whether it was given before.

        Raises what refuses the posting: then nothing was stored.
        """
        return _said(self._together.do(Asked(token, cashier, body, sent)))

    def accrue_all(self, asked: Sequence[Asked]) -> Iterator[tuple[int, bytes, bool] | Exception]:
        """The same for many in one commit; what refuses one is given back.

        All is committed before the first answer is given.
        """
        for each in self._work(asked):
            yield each if isinstance(each, Exception) else _said(each)

    def _work(self, asked: Sequence[Asked]) -> list[Answered | Exception]:
        database, now = self._context.database, self._context.clock()
        prepared = None
        if self._looks_up_before:
            with database.read_all() as session:
                prepared = Prepared(session, asked, now=now)
        if prepared is None or not prepared.is_done:
            with database.write_all() as session:
                prepared = prepared or Prepared(session, asked, now=now)
                prepared.post(session)
        return prepared.answers()


def _said(done: Answered) -> tuple[int, bytes, bool]:
    answer = spoken(done.answer, done.door, done.settings)
    status = 202 if answer["status"] == waiting.STATUS else 201
    return status, msgspec.json.encode(answer), done.repeated


class AccrualLane:
    """Answers accruals that are in order, many at once."""

    begins = f"POST {PATH} ".encode()
    gather_seconds = GATHER_SECONDS

    def __init__(self, desk: AccrualDesk) -> None:
        self._desk = desk

    def read(self, asked: Request) -> Asked | None:
        """The accrual that is asked for; None where a field does not fit."""
        return _read(asked)

    def answer(self, asked: Sequence[Asked]) -> Iterator[Answer | None]:
        """The answers to those that are in order; None for the others."""
        for done in self._desk.accrue_all(asked):
            yield _answer(done)


def _read(request: Request) -> Asked | None:
    headers = request.headers
    kind, _, token = headers.get(b"authorization", b"").decode().partition(" ")
    if headers.get(b"content-type") != b"application/json" or kind.lower() != "bearer" or not token:
        return None
    cashier = headers.get(b"counterfoil-cashier")
    try:
        sent = msgspec.json.decode(request.body)
        body = _as_dict(msgspec.convert(sent, _Accrual))
    except (ValueError, RecursionError):
        return None
    if body["amount_minor"] == 0 and body["lines"]:
        return None
    return Asked(token, None if cashier is None else cashier.decode(), body, sent)


def _as_dict(body: _Accrual) -> dict[str, Any]:
    fields = msgspec.structs.asdict(body)
    if body.lines is not None:
        fields["lines"] = [msgspec.structs.asdict(line) for line in body.lines]
    return fields


def _answer(done: tuple[int, bytes, bool] | Exception) -> Answer | None:
    if isinstance(done, Exception):
        return None
    status, body, repeated = done
    headers = _REPEATED if repeated else _HEADERS
    return Answer("202 Accepted" if status == 202 else "201 Created", headers, (body,))
