"""`/api/pos/v1`: what a shop system is told by webhooks, managed by itself."""

import re
from typing import Any

from apiflask.fields import Boolean, Integer, List, Nested, String
from apiflask.schemas import Schema
from apiflask.validators import Length

from app.api.fields import UUID, text
from app.api.pos import examples
from app.api.pos.door import blueprint, holder, scoped
from app.api.pos.members import check_limit
from app.api.pos.schemas import PageIn, Strict
from app.context import current_context
from app.errors import NotFound
from app.pos import listing
from app.pos.rules import Scope
from app.webhooks import events, service
from app.webhooks.models import Delivery, Endpoint, Try


class EndpointIn(Strict):
    """An address to tell (https, on the public internet), and of what: "*" for all."""

    url = text(500, required=True)
    events = List(text(40), load_default=[events.ALL], validate=Length(1, 40))


class EndpointOut(Schema):
    """An address that is told; *waiting* messages have not arrived yet."""

    id = String()
    url = String()
    events = List(String())
    waiting = Integer()
    created_at = String()
    failing_since = String(allow_none=True)
    disabled_at = String(allow_none=True)
    disabled_reason = String(allow_none=True)


class NewEndpointOut(EndpointOut):
    """The same with the secret that messages are signed with, shown this once."""

    secret = String()


class ListedEndpointOut(EndpointOut):
    """The same, among several."""


class EndpointsOut(Schema):
    """The addresses that are told, the oldest first."""

    items = List(Nested(ListedEndpointOut))


class TryOut(Schema):
    """One attempt: the status, or null where there was no answer, and the beginning of it."""

    tried_at = String()
    status = Integer(allow_none=True)
    took_ms = Integer()
    answer = String()


class DeliveryOut(Schema):
    """One message and how it went."""

    event_id = String()
    type = String()
    status = String(metadata={"enum": ["open", "delivered", "test"]})
    created_at = String()
    delivered_at = String(allow_none=True)
    tries = List(Nested(TryOut))


class DeliveriesOut(Schema):
    """A piece of an endpoint's log, the newest first."""

    items = List(Nested(DeliveryOut))
    next_cursor = String(allow_none=True)


class ResendIn(Strict):
    """An event of the log to send again."""

    event_id = text(40, required=True)


class ResentOut(Schema):
    """It is sent after what waits already."""

    queued = Boolean()


@blueprint.get("/webhooks", endpoint=scoped("webhooks", Scope.WEBHOOKS))
@blueprint.output(EndpointsOut, example=examples.ENDPOINTS)
@blueprint.doc(summary="The addresses that are told what happens", security="pos")
def endpoints() -> dict[str, Any]:
    """Secrets are not shown."""
    with current_context().database.read(holder().programme_id) as session:
        return {"items": [_told(*each) for each in service.endpoints(session)]}


@blueprint.post("/webhooks", endpoint=scoped("webhook_add", Scope.WEBHOOKS))
@blueprint.input(EndpointIn, arg_name="body", example=examples.ENDPOINT_IN)
@blueprint.output(NewEndpointOut, status_code=201, example=examples.NEW_ENDPOINT)
@blueprint.doc(summary="Tell an address what happens from now on", security="pos")
def add(body: dict[str, Any]) -> dict[str, Any]:
    """Signed as in Standard Webhooks; the answer is the only one that shows the secret."""
    context = current_context()
    service.check_address(body["url"], context.config)
    with context.database.write(holder().programme_id) as session:
        endpoint, secret = service.add_endpoint(
            session,
            context.keys,
            holder().programme_id,
            url=body["url"],
            wanted=body["events"],
            now=context.clock(),
        )
        return _told(endpoint, 0) | {"secret": secret}


@blueprint.delete("/webhooks/<endpoint_id>", endpoint=scoped("webhook_remove", Scope.WEBHOOKS))
@blueprint.output({}, status_code=204)
@blueprint.doc(summary="Tell an address nothing any more", security="pos")
def remove(endpoint_id: str) -> str:
    """What waits for it, and its log, go."""
    _check_id(endpoint_id)
    with current_context().database.write(holder().programme_id) as session:
        service.remove(session, service.endpoint_by(session, endpoint_id))
    return ""


@blueprint.get("/webhooks/<endpoint_id>/log", endpoint=scoped("webhook_log", Scope.WEBHOOKS))
@blueprint.input(PageIn, location="query", arg_name="page")
@blueprint.output(DeliveriesOut, example=examples.DELIVERIES)
@blueprint.doc(summary="What an address was told, and how that went", security="pos")
def log(endpoint_id: str, page: dict[str, Any]) -> dict[str, Any]:
    """The newest first; kept for 30 days."""
    _check_id(endpoint_id)
    check_limit(page)
    before = listing.read_cursor(page["cursor"])
    with current_context().database.write(holder().programme_id) as session:
        endpoint = service.endpoint_by(session, endpoint_id)
        rows = service.log_of(session, endpoint, limit=page["limit"] + 1, before=before)
        found = listing.page_of(rows, page["limit"], lambda row: row[0].sequence)
        return listing.as_json(found, lambda row: _delivery(*row))


@blueprint.post("/webhooks/<endpoint_id>/resend", endpoint=scoped("webhook_resend", Scope.WEBHOOKS))
@blueprint.input(ResendIn, arg_name="body", example=examples.RESEND)
@blueprint.output(ResentOut, status_code=202, example={"queued": True})
@blueprint.doc(summary="Send an event of the log again", security="pos")
def resend(endpoint_id: str, body: dict[str, Any]) -> dict[str, Any]:
    """The same message, with the same webhook-id."""
    _check_id(endpoint_id)
    context = current_context()
    with context.database.write(holder().programme_id) as session:
        endpoint = service.endpoint_by(session, endpoint_id)
        event_id = body["event_id"].removeprefix("evt_")
        service.resend(session, endpoint, event_id, now=context.clock())
    return {"queued": True}


def _check_id(text: str) -> None:
    if not re.fullmatch(UUID, text):
        raise NotFound("There is no such webhook.")


def _told(endpoint: Endpoint, waiting: int) -> dict[str, Any]:
    return {
        "id": endpoint.id,
        "url": endpoint.url,
        "events": endpoint.events,
        "waiting": waiting,
        "created_at": endpoint.created_at.isoformat(),
        "failing_since": endpoint.failing_since and endpoint.failing_since.isoformat(),
        "disabled_at": endpoint.disabled_at and endpoint.disabled_at.isoformat(),
        "disabled_reason": endpoint.disabled_reason,
    }


def _delivery(delivery: Delivery, tries: list[Try]) -> dict[str, Any]:
    return {
        "event_id": delivery.event_id,
        "type": delivery.type,
        "status": delivery.status,
        "created_at": delivery.created_at.isoformat(),
        "delivered_at": delivery.delivered_at and delivery.delivered_at.isoformat(),
        "tries": [
            {
                "tried_at": each.tried_at.isoformat(),
                "status": each.status,
                "took_ms": each.took_ms,
                "answer": each.answer,
            }
            for each in tries
        ],
    }
