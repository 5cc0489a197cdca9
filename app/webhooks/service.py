"""Endpoints: added, listed, rotated, enabled, removed; their log, and sending again."""

import json
import secrets
import socket
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from app.config import Config
from app.db import new_id
from app.errors import Conflict, Invalid, NotFound
from app.keys import KeyRing
from app.languages import _
from app.webhooks import events
from app.webhooks.addresses import AddressRefused, Resolver, read_url, resolve
from app.webhooks.models import Delivery, Endpoint, Event, Try
from app.webhooks.signing import make_secret

RandomBytes = Callable[[int], bytes]
MOST_ENDPOINTS = 20
#: A secret that was rotated away signs beside the new one for so long.
OLD_SECRET_LIFE = timedelta(hours=24)
#: Events, deliveries and tries are kept for so long.
KEPT = timedelta(days=30)


def check_address(url: str, config: Config, *, resolver: Resolver = socket.getaddrinfo) -> None:
    """Raise `Invalid` for an address where no webhook may go. Asks the DNS: in no transaction."""
    target = read_url(url, local=config.webhooks_local)
    try:
        resolve(target, local=config.webhooks_local, resolver=resolver)
    except AddressRefused as refused:
        raise Invalid(str(refused), {"url": [str(refused)]}) from refused


def add_endpoint(
    session: Session,
    keys: KeyRing,
    programme_id: str,
    *,
    url: str,
    wanted: Sequence[str],
    now: datetime,
    random_bytes: RandomBytes = secrets.token_bytes,
) -> tuple[Endpoint, str]:
    """Tell *url* of events of these types (or "*") from now on; the endpoint, and its secret.

    Its address was checked before (`check_address`).
    """
    types = sorted(set(wanted))
    unknown = [each for each in types if each != events.ALL and each not in events.TYPES]
    if unknown or not types:
        text = _("Choose * for all, or some of: %(known)s.", known=", ".join(events.TYPES))
        raise Invalid(text, {"events": [text]})
    here = list(session.scalars(select(Endpoint)))
    if any(each.url == url for each in here):
        raise Conflict(_("That address is told already. Remove it first, or choose another."))
    if len(here) >= MOST_ENDPOINTS:
        raise Conflict(
            _("There are %(most)s addresses already. Remove one first.", most=MOST_ENDPOINTS)
        )
    endpoint_id, secret = new_id(), make_secret(random_bytes)
    endpoint = Endpoint(
        id=endpoint_id,
        programme_id=programme_id,
        url=url,
        events=[events.ALL] if events.ALL in types else types,
        secret=keys.seal(secret.encode(), context=_context(endpoint_id)),
        created_at=now,
    )
    session.add(endpoint)
    session.flush()
    return endpoint, secret


def endpoints(session: Session) -> list[tuple[Endpoint, int]]:
    """Every endpoint with how much waits for it, the oldest first."""
    waiting = (
        select(Delivery.endpoint_id, func.count().label("waiting"))
        .where(Delivery.status == "open")
        .group_by(Delivery.endpoint_id)
        .subquery()
    )
    rows = session.execute(
        select(Endpoint, func.coalesce(waiting.c.waiting, 0))
        .outerjoin(waiting, waiting.c.endpoint_id == Endpoint.id)
        .order_by(Endpoint.created_at, Endpoint.id)
    )
    return [(row[0], int(row[1])) for row in rows]


def endpoint_by(session: Session, which: str) -> Endpoint:
    """The endpoint of that id or address, locked. Raises `NotFound`."""
    found = session.scalar(
        select(Endpoint)
        .where(Endpoint.id == which if _is_id(which) else Endpoint.url == which)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise NotFound(
            _("No webhook goes to %(which)s. See: counterfoil webhook list", which=repr(which))
        )
    return found


def remove(session: Session, endpoint: Endpoint) -> None:
    """Tell the endpoint nothing any more; what waits for it, and its log, go."""
    of = select(Delivery.id).where(Delivery.endpoint_id == endpoint.id)
    session.execute(delete(Try).where(Try.delivery_id.in_(of)))
    session.execute(delete(Delivery).where(Delivery.endpoint_id == endpoint.id))
    session.delete(endpoint)
    session.flush()


def disable(session: Session, endpoint: Endpoint, reason: str, *, now: datetime) -> None:
    """Send nothing until it is enabled again; what happens meanwhile waits for 30 days."""
    endpoint.disabled_at, endpoint.disabled_reason = now, reason[:200]
    session.flush()


def enable(session: Session, endpoint: Endpoint) -> None:
    """Go on with an endpoint that was disabled, at once and with what waits for it."""
    endpoint.disabled_at = endpoint.disabled_reason = None
    endpoint.failing_since = endpoint.next_at = None
    session.flush()


def rotate_secret(
    session: Session,
    keys: KeyRing,
    endpoint: Endpoint,
    *,
    now: datetime,
    random_bytes: RandomBytes = secrets.token_bytes,
) -> str:
    """Give the endpoint another secret; for a day the old one signs beside it."""
    secret = make_secret(random_bytes)
    endpoint.old_secret, endpoint.old_until = endpoint.secret, now + OLD_SECRET_LIFE
    endpoint.secret = keys.seal(secret.encode(), context=_context(endpoint.id))
    session.flush()
    return secret


def secrets_of(keys: KeyRing, endpoint: Endpoint, *, now: datetime) -> list[str]:
    """The secrets that sign now, the new one first."""
    sealed = [endpoint.secret]
    if endpoint.old_secret and endpoint.old_until and endpoint.old_until > now:
        sealed.append(endpoint.old_secret)
    return [keys.open_sealed(each, context=_context(endpoint.id)).decode() for each in sealed]


def log_of(
    session: Session, endpoint: Endpoint, *, limit: int, before: int | None = None
) -> list[tuple[Delivery, list[Try]]]:
    """Its deliveries, the newest first, each with its tries in their order."""
    wanted = select(Delivery).where(Delivery.endpoint_id == endpoint.id)
    if before is not None:
        wanted = wanted.where(Delivery.sequence < before)
    found = session.scalars(wanted.order_by(Delivery.sequence.desc()).limit(limit)).all()
    tries: dict[str, list[Try]] = {}
    of = [each.id for each in found]
    for each in session.scalars(
        select(Try).where(Try.delivery_id.in_(of)).order_by(Try.tried_at, Try.id)
    ):
        tries.setdefault(each.delivery_id, []).append(each)
    return [(each, tries.get(each.id, [])) for each in found]


def resend(session: Session, endpoint: Endpoint, event_id: str, *, now: datetime) -> Delivery:
    """Put an event that the endpoint was told, or should have been, at its end of the queue again.

    It is the same message, with the same webhook-id. Raises `NotFound`.
    """
    event = None
    if _is_id(event_id):
        event = session.scalar(select(Event).where(Event.id == event_id))
    if event is None:
        raise NotFound(_("There is no such event; events are kept for 30 days."))
    return queue(session, endpoint, event, now=now)


def add_test(session: Session, endpoint: Endpoint, *, now: datetime) -> Delivery:
    """A message of no meaning, which no queue waits for."""
    test = queue_test(session, endpoint, now=now)
    test.status = "test"
    session.flush()
    return test


def queue_test(session: Session, endpoint: Endpoint, *, now: datetime) -> Delivery:
    """A message of no meaning at the end of the queue: sent as any other, in the background."""
    event = Event(
        programme_id=endpoint.programme_id,
        type=events.TEST,
        data={"endpoint_id": endpoint.id},
        happened_at=now,
        spread=True,
    )
    session.add(event)
    session.flush()
    return queue(session, endpoint, event, now=now)


def queue(session: Session, endpoint: Endpoint, event: Event, *, now: datetime) -> Delivery:
    """Put an event at the end of an endpoint's queue."""
    delivery = Delivery(
        programme_id=endpoint.programme_id,
        endpoint_id=endpoint.id,
        event_id=event.id,
        type=event.type,
        body=body_of(event),
        created_at=now,
    )
    session.add(delivery)
    session.flush()
    return delivery


def body_of(event: Event) -> str:
    """The text that is signed and sent: `type`, `timestamp` and `data`."""
    content: dict[str, Any] = {
        "type": event.type,
        "timestamp": event.happened_at.isoformat(),
        "data": event.data,
    }
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def _context(endpoint_id: str) -> bytes:
    return f"webhooks/{endpoint_id}/secret".encode()


def _is_id(text: str) -> bool:
    return len(text) == 36 and text.count("-") == 4 and all(c in "0123456789abcdef-" for c in text)
