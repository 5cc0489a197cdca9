"""What a till posts: each posting once, whoever sends it again."""

import re
from datetime import datetime
from typing import Any, Protocol

from apiflask import Schema
from flask import Response, current_app, request
from flask.json import dumps
from marshmallow import ValidationError
from sqlalchemy.orm import Session

from app.api.accrual_lane import AccrualDesk
from app.api.fields import UUID
from app.api.till import posting_schemas
from app.api.till.door import CASHIER, MANAGER, as_till, bearer, blueprint
from app.context import current_context
from app.errors import Invalid, NotFound
from app.ledger import service as ledger
from app.ledger.postings import Request, fingerprint
from app.programmes.service import programme_by_id
from app.programmes.terms import rulebook_of
from app.till import access, benefits, redemptions, service, waiting
from app.till import rules as till_rules
from app.till.answers import spoken
from app.till.counter import Counter
from app.till.models import Till


class Work(Protocol):
    """What a posting does once it is clear who asks; the answer for the till."""

    def __call__(
        self,
        session: Session,
        counter: Counter,
        request: Request,
        body: dict[str, Any],
        *,
        now: datetime,
    ) -> dict[str, Any]: ...


def _post(operation: str, body: dict[str, Any], work: Work) -> Response:
    """Post once: first the answer of an earlier try, then who asks, when it was, and the work."""
    context = current_context()
    now = context.clock()
    with context.database.write_all() as session:
        till = as_till(session)
        wanted = _wanted(till, operation, body["id"], request.get_json())
        programme = programme_by_id(session, till.programme_id)
        settings = rulebook_of(session, till.programme_id, now).at(now).settings
        first = ledger.replayed(session, wanted) or waiting.replayed(session, wanted)
        if first is not None:
            return _answer(spoken(first, programme, settings), repeated=True)
        counter = _counter(session, till, body, now)
        if not till_rules.is_believable(body["occurred_at"], now):
            if wanted.operation not in waiting.OPERATIONS:
                raise Invalid(
                    "This till's clock is wrong. Set the date and the time, then try again.",
                    {"occurred_at": ["Too far from the service's time."]},
                )
            answer = waiting.put_aside(session, counter, wanted, request.get_json(), now=now)
        else:
            answer = work(session, counter, wanted, body, now=now)
        answer = spoken(answer, programme, settings)
    return _answer(answer, repeated=False)


def _wanted(till: Till, operation: str, posting_id: str, sent: dict[str, Any]) -> Request:
    # Without the PIN: of so few digits a hash keeps no secret.
    body = {name: value for name, value in sent.items() if name != "member_pin"}
    mark = fingerprint(till.programme_id, till.id, operation, body)
    return Request(posting_id, operation.partition("/")[0], mark, till.id)


def _answer(answer: dict[str, Any], *, repeated: bool) -> Response:
    status = 202 if answer["status"] == waiting.STATUS else 201
    response = Response(dumps(answer), status=status, mimetype="application/json")
    if repeated:
        response.headers["Idempotent-Replay"] = "true"
    return response


def _counter(session: Session, till: Till, body: dict[str, Any], now: datetime) -> Counter:
    """Who posts. With a network the server's own sessions say so, not the body."""
    offline = bool(body.get("offline"))
    token, approval = request.headers.get(CASHIER), request.headers.get(MANAGER)
    if offline and token is None:
        return Counter(till, None, access.known_person(session, body["cashier_id"]), offline=True)
    person = access.cashier(session, till, token, now=now)
    access.check_is(person, body["cashier_id"])
    approver = access.approver(session, till, approval, now=now) if approval else None
    return Counter(till, person, person.id, offline=offline, approver=approver)


def _posting(
    path: str, operation: str, schema: type[posting_schemas.PostingIn], summary: str, work: Work
) -> None:
    """Add the route of one kind of posting; all of them are posted alike."""

    @blueprint.post(path, endpoint=operation)
    @blueprint.input(schema, arg_name="body")
    @blueprint.output(posting_schemas.PostedOut, status_code=201)
    @blueprint.doc(summary=summary, security="till")
    def post(body: dict[str, Any], hold_id: str | None = None) -> Response:
        if hold_id is None:
            return _post(operation, body, work)
        if not re.fullmatch(UUID, hold_id):
            # PostgreSQL would refuse anything but a UUID as a mistake of ours.
            raise NotFound("There is no such hold.")
        return _post(f"{operation}/{hold_id}", body | {"hold_id": hold_id}, work)


@blueprint.post("/accruals", endpoint="accrual")
@blueprint.input(posting_schemas.AccrualIn, arg_name="body")
@blueprint.output(posting_schemas.PostedOut, status_code=201)
@blueprint.doc(summary="Give points for a receipt", security="till")
def accrue(body: dict[str, Any]) -> Response:
    # Most of them never get here: see `app.api.accrual_lane`.
    desk: AccrualDesk = current_app.extensions["counterfoil.accruals"]
    status, answer, repeated = desk.accrue(
        bearer(), request.headers.get(CASHIER), body, request.get_json()
    )
    response = Response(answer, status=status, mimetype="application/json")
    if repeated:
        response.headers["Idempotent-Replay"] = "true"
    return response


_posting(
    "/holds", "hold", posting_schemas.HoldIn, "Reserve points for 15 minutes", redemptions.hold
)
_posting(
    "/holds/<hold_id>/capture",
    "capture",
    posting_schemas.PostingIn,
    "Spend held points",
    redemptions.capture,
)
_posting(
    "/holds/<hold_id>/release",
    "release",
    posting_schemas.PostingIn,
    "Give held points back",
    redemptions.release,
)
_posting(
    "/reward-redemptions",
    "reward",
    posting_schemas.RewardIn,
    "Redeem a reward for points or a full stamp card",
    benefits.redeem_reward,
)
_posting(
    "/coupon-redemptions",
    "coupon",
    posting_schemas.CouponIn,
    "Redeem a coupon, once",
    benefits.redeem_coupon,
)
_posting(
    "/reversals",
    "reversal",
    posting_schemas.ReversalIn,
    "Take a posting back, whole or in part",
    service.reverse,
)


@blueprint.post("/waiting-postings")
@blueprint.input(posting_schemas.HandOverIn, arg_name="body")
@blueprint.output(posting_schemas.PostedOut, status_code=202)
@blueprint.doc(summary="Hand a posting that was refused over to a manager", security="till")
def hand_over(body: dict[str, Any]) -> Response:
    schema: Schema = _HANDED_OVER[body["kind"]]()
    sent = body["posting"]
    try:
        posting = schema.load(sent)
    except ValidationError as error:
        fields = {name: ["Cannot be posted like this."] for name in error.messages_dict}
        raise Invalid("Not even a manager can let this in: it is not a posting.", fields) from error
    if posting["id"] != body["id"]:
        raise Invalid("The posting has another id.", {"id": ["Not the posting's."]})
    context = current_context()
    now = context.clock()
    with context.database.write_all() as session:
        till = as_till(session)
        wanted = _wanted(till, body["kind"], posting["id"], sent)
        programme = programme_by_id(session, till.programme_id)
        settings = rulebook_of(session, till.programme_id, now).at(now).settings
        first = ledger.replayed(session, wanted) or waiting.replayed(session, wanted)
        if first is not None:
            return _answer(spoken(first, programme, settings), repeated=True)
        cashier = access.known_person(session, posting["cashier_id"])
        answer = waiting.put_aside(
            session,
            Counter(till, None, cashier, offline=True),
            wanted,
            sent,
            now=now,
            reason=body["reason"],
        )
        answer = spoken(answer, programme, settings)
    return _answer(answer, repeated=False)


_HANDED_OVER: dict[str, type[posting_schemas.PostingIn]] = {
    "accrual": posting_schemas.AccrualIn,
    "reversal": posting_schemas.ReversalIn,
}
