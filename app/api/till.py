"""The till API, `/api/till/v1`: the only thing that a till knows of the service."""

import base64
import re
from datetime import datetime
from importlib.metadata import version
from typing import Any, Protocol

from apiflask import APIBlueprint, Schema
from flask import Response, current_app, request
from flask.json import dumps
from marshmallow import ValidationError
from sqlalchemy.orm import Session
from werkzeug.exceptions import BadRequest

from app.api import till_schemas as schemas
from app.api.accrual_lane import LONGEST_BODY, AccrualDesk
from app.api.fields import UUID
from app.cards import service as cards
from app.context import current_context
from app.db import enter
from app.errors import Invalid, NotFound
from app.ledger import service as ledger
from app.ledger.postings import Request, fingerprint
from app.programmes import wording
from app.programmes.models import Location, Programme
from app.programmes.service import programme_by_id
from app.programmes.terms import rulebook_of
from app.till import access, asking, benefits, knowing, redemptions, reporting, service, waiting
from app.till import rules as till_rules
from app.till.answers import spoken
from app.till.counter import Counter
from app.till.errors import TillRevoked
from app.till.models import Till

blueprint = APIBlueprint("till", __name__, url_prefix="/api/till/v1", tag="Till")

PACKED = "application/octet-stream"
CASHIER = "Counterfoil-Cashier"
MANAGER = "Counterfoil-Manager"


def _bearer() -> str:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token:
        raise TillRevoked("This request carries no till token. Enrol this till first.")
    return token


@blueprint.before_request
def _read_body() -> None:
    """Parse the body once, bounded, so that nothing hostile in it gets any further."""
    request.max_content_length = LONGEST_BODY
    if request.method == "POST":
        try:
            request.get_json()
        except (ValueError, RecursionError) as error:
            raise BadRequest("This is not JSON that can be read.") from error


def _as_till(session: Session) -> Till:
    """The till that asks; from here on the session sees its programme only."""
    till = access.authenticate(session, _bearer())
    enter(session, till.programme_id)
    return till


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
        till = _as_till(session)
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
        till = _as_till(session)
        found = cards.signed_list(session, context.keys, till.programme_id, now=context.clock())
    response = Response(found.packed, mimetype=PACKED)
    response.set_etag(found.name)
    response.headers["Counterfoil-Statement"] = base64.b64encode(found.statement).decode()
    response.headers["Cache-Control"] = "private, no-cache"
    response.make_conditional(request)
    return response


@blueprint.post("/cashier-sessions")
@blueprint.input(schemas.SignInIn, arg_name="body")
@blueprint.output(schemas.SignedInOut, status_code=201)
@blueprint.doc(summary="Sign a cashier in with a PIN", security="till")
def sign_in(body: dict[str, Any]) -> dict[str, Any]:
    context = current_context()
    with context.database.write_all() as session:
        till = _as_till(session)
        signed_in = access.sign_in(session, till, body["cashier"], body["pin"], now=context.clock())
        person = signed_in.person
        return {
            "token": signed_in.token,
            "expires_at": signed_in.expires_at.isoformat(),
            "cashier": {"id": person.id, "name": person.name, "role": person.role},
        }


@blueprint.delete("/cashier-sessions/current")
@blueprint.output({}, status_code=204)
@blueprint.doc(summary="Sign the cashier out", security="till")
def sign_out() -> str:
    context = current_context()
    with context.database.write_all() as session:
        till = _as_till(session)
        access.sign_out(session, till, request.headers.get(CASHIER, ""), now=context.clock())
    return ""


@blueprint.post("/presentations")
@blueprint.input(schemas.LookUpIn, arg_name="body")
@blueprint.output(schemas.LookUpOut)
@blueprint.doc(
    summary="Look a scanned code up; a one-time value in it is consumed", security="till"
)
def look_up(body: dict[str, Any]) -> dict[str, Any]:
    context = current_context()
    with context.database.write_all() as session:
        till = _as_till(session)
        access.cashier(session, till, request.headers.get(CASHIER), now=context.clock())
        return service.look_up(session, context.keys, till, body["code"], now=context.clock())


def _at_counter(session: Session, now: datetime) -> Counter:
    """The till that asks, with the cashier who is signed in at it."""
    till = _as_till(session)
    person = access.cashier(session, till, request.headers.get(CASHIER), now=now)
    return Counter(till, person, person.id, offline=False)


@blueprint.post("/quotes")
@blueprint.input(schemas.QuoteIn, arg_name="body")
@blueprint.output(schemas.QuoteOut)
@blueprint.doc(summary="Say what an amount would give to a card; nothing is kept", security="till")
def quote(body: dict[str, Any]) -> dict[str, Any]:
    context = current_context()
    now = context.clock()
    with context.database.read_all() as session:
        return asking.quoted(session, _at_counter(session, now), body, now=now)


@blueprint.post("/receipts")
@blueprint.input(schemas.ReceiptIn, arg_name="body")
@blueprint.output(schemas.ReceiptsOut)
@blueprint.doc(summary="Find the latest receipts of a number, for a return", security="till")
def receipts(body: dict[str, Any]) -> dict[str, Any]:
    context = current_context()
    with context.database.read_all() as session:
        _at_counter(session, context.clock())
        return {"receipts": asking.receipts_of(session, body["number"])}


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
        till = _as_till(session)
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
    path: str, operation: str, schema: type[schemas.PostingIn], summary: str, work: Work
) -> None:
    """Add the route of one kind of posting; all of them are posted alike."""

    @blueprint.post(path, endpoint=operation)
    @blueprint.input(schema, arg_name="body")
    @blueprint.output(schemas.PostedOut, status_code=201)
    @blueprint.doc(summary=summary, security="till")
    def post(body: dict[str, Any], hold_id: str | None = None) -> Response:
        if hold_id is None:
            return _post(operation, body, work)
        if not re.fullmatch(UUID, hold_id):
            # PostgreSQL would refuse anything but a UUID as a mistake of ours.
            raise NotFound("There is no such hold.")
        return _post(f"{operation}/{hold_id}", body | {"hold_id": hold_id}, work)


@blueprint.post("/accruals", endpoint="accrual")
@blueprint.input(schemas.AccrualIn, arg_name="body")
@blueprint.output(schemas.PostedOut, status_code=201)
@blueprint.doc(summary="Give points for a receipt", security="till")
def accrue(body: dict[str, Any]) -> Response:
    # Most of them never get here: see `app.api.accrual_lane`.
    desk: AccrualDesk = current_app.extensions["counterfoil.accruals"]
    status, answer, repeated = desk.accrue(
        _bearer(), request.headers.get(CASHIER), body, request.get_json()
    )
    response = Response(answer, status=status, mimetype="application/json")
    if repeated:
        response.headers["Idempotent-Replay"] = "true"
    return response


_posting("/holds", "hold", schemas.HoldIn, "Reserve points for 15 minutes", redemptions.hold)
_posting(
    "/holds/<hold_id>/capture",
    "capture",
    schemas.PostingIn,
    "Spend held points",
    redemptions.capture,
)
_posting(
    "/holds/<hold_id>/release",
    "release",
    schemas.PostingIn,
    "Give held points back",
    redemptions.release,
)
_posting(
    "/reward-redemptions",
    "reward",
    schemas.RewardIn,
    "Redeem a reward for points or a full stamp card",
    benefits.redeem_reward,
)
_posting(
    "/coupon-redemptions",
    "coupon",
    schemas.CouponIn,
    "Redeem a coupon, once",
    benefits.redeem_coupon,
)
_posting(
    "/reversals",
    "reversal",
    schemas.ReversalIn,
    "Take a posting back, whole or in part",
    service.reverse,
)


@blueprint.post("/waiting-postings")
@blueprint.input(schemas.HandOverIn, arg_name="body")
@blueprint.output(schemas.PostedOut, status_code=202)
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
        till = _as_till(session)
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


_HANDED_OVER: dict[str, type[schemas.PostingIn]] = {
    "accrual": schemas.AccrualIn,
    "reversal": schemas.ReversalIn,
}
