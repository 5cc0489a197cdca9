"""The background steps of webhooks: spread what happened, send it, note how it went.

Each is bounded, safe to run side by side and to be killed at any moment. No transaction is open
while something is sent. What was sent and not noted is sent again: the same `webhook-id` tells.
An endpoint is told everything in its order: what does not arrive holds back what follows.
"""

import logging
import random
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from sqlalchemy import Select, delete, exists, or_, select, update
from sqlalchemy.orm import Session

from app.context import Context
from app.db import enter
from app.webhooks import events, service
from app.webhooks.addresses import AddressRefused, Resolver, read_url, resolve
from app.webhooks.models import Delivery, Endpoint, Event, Try
from app.webhooks.posting import DEADLINE_SECONDS, Answer, post
from app.webhooks.signing import signed

_log = logging.getLogger(__name__)

SPREAD_AT_ONCE = 500
ENDPOINTS_AT_ONCE = 8
#: Messages to one endpoint in one go, and how long that may take.
MESSAGES_AT_ONCE = 20
SECONDS_AT_ONCE = 30.0
LEASE = timedelta(seconds=SECONDS_AT_ONCE + 4 * DEADLINE_SECONDS)
FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(hours=6)
#: Nothing arrived for so long: the endpoint is disabled.
PATIENCE = timedelta(days=5)
#: The endpoint itself says that it is gone.
_GONE = 410
_FORGET_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Message:
    """One delivery to be tried."""

    id: str
    event_id: str
    body: str
    tries: int


@dataclass(frozen=True, slots=True)
class Errand:
    """An endpoint that is due, and the messages at the head of its queue."""

    endpoint_id: str
    programme_id: str
    url: str
    secrets: tuple[str, ...]
    messages: tuple[Message, ...]


Results = list[tuple[Message, datetime, Answer]]


def pause_after(tries: int, jitter: float) -> timedelta:
    """How long to leave an endpoint alone after so many tries: threefold each, *jitter* 0 to 1."""
    longest: timedelta = min(FIRST_PAUSE * 3 ** min(tries - 1, 20), LONGEST_PAUSE)
    return longest * (0.5 + jitter / 2)


def is_anything_due(session: Session, now: datetime) -> bool:
    """Whether there is something to spread or to send."""
    if session.scalar(select(Endpoint.id).limit(1)) is None:
        return session.scalar(select(Event.sequence).where(~Event.spread).limit(1)) is not None
    waiting = select(Event.sequence).where(~Event.spread).limit(1)
    return session.scalar(waiting) is not None or session.scalar(_due(now).limit(1)) is not None


def spread(session: Session, now: datetime, limit: int) -> int:
    """Give each endpoint its deliveries of up to *limit* events; how many events."""
    waiting = select(Event.programme_id).where(~Event.spread).distinct()
    programmes = list(session.scalars(waiting))
    if not programmes:
        return 0
    # Whoever spreads holds the endpoints: side by side two would mix up the order.
    here = session.scalars(
        select(Endpoint)
        .where(Endpoint.programme_id.in_(programmes))
        .order_by(Endpoint.id)
        .with_for_update()
    ).all()
    found = session.scalars(
        select(Event)
        .where(~Event.spread, Event.programme_id.in_(programmes))
        .order_by(Event.sequence)
        .limit(limit)
    ).all()
    for event in found:
        for endpoint in here:
            if endpoint.programme_id == event.programme_id and _wants(endpoint, event.type):
                session.add(
                    Delivery(
                        programme_id=event.programme_id,
                        endpoint_id=endpoint.id,
                        event_id=event.id,
                        type=event.type,
                        body=service.body_of(event),
                        created_at=now,
                    )
                )
        event.spread = True
    session.flush()
    return len(found)


def _wants(endpoint: Endpoint, type_: str) -> bool:
    return events.ALL in endpoint.events or type_ in endpoint.events


def _due(now: datetime) -> Select[str]:
    return select(Endpoint.id).where(
        Endpoint.disabled_at.is_(None),
        or_(Endpoint.next_at.is_(None), Endpoint.next_at <= now),
        or_(Endpoint.leased_until.is_(None), Endpoint.leased_until <= now),
        exists().where(Delivery.endpoint_id == Endpoint.id, Delivery.status == "open"),
    )


def claim(context: Context, session: Session, now: datetime) -> list[Errand]:
    """Take endpoints that are due into hand for a while, with the heads of their queues."""
    due = session.scalars(
        select(Endpoint)
        .where(Endpoint.id.in_(_due(now)))
        .order_by(Endpoint.next_at, Endpoint.id)
        .limit(ENDPOINTS_AT_ONCE)
        .with_for_update(skip_locked=True)
    ).all()
    errands = []
    for endpoint in due:
        head = session.scalars(
            select(Delivery)
            .where(Delivery.endpoint_id == endpoint.id, Delivery.status == "open")
            .order_by(Delivery.sequence)
            .limit(MESSAGES_AT_ONCE)
        )
        errands.append(_errand(context, endpoint, head, now))
        endpoint.leased_until = now + LEASE
    return errands


def _errand(
    context: Context, endpoint: Endpoint, deliveries: Iterable[Delivery], now: datetime
) -> Errand:
    return Errand(
        endpoint.id,
        endpoint.programme_id,
        endpoint.url,
        tuple(service.secrets_of(context.keys, endpoint, now=now)),
        tuple(Message(each.id, each.event_id, each.body, each.tries) for each in deliveries),
    )


def send_test(context: Context, sender: "Sender", endpoint_id: str, *, now: datetime) -> Answer:
    """Send a message of no meaning at once, past whatever waits; it is tried this once."""
    database = context.database
    with database.write_all() as session:
        endpoint = session.get_one(Endpoint, endpoint_id)
        enter(session, endpoint.programme_id)
        test = service.add_test(session, endpoint, now=now)
        errand = _errand(context, endpoint, [test], now)
    [[(message, tried_at, answer)]] = sender.run([errand])
    with database.write_all() as session:
        _note(session, errand.programme_id, message, tried_at, answer)
    return answer


class Sender:
    """Sends messages to endpoints, several endpoints at a time."""

    def __init__(
        self,
        context: Context,
        *,
        resolver: Resolver = socket.getaddrinfo,
        tls: ssl.SSLContext | None = None,
        deadline_seconds: float = DEADLINE_SECONDS,
    ) -> None:
        self._clock = context.clock
        self._local = context.config.webhooks_local
        self._resolver = resolver
        #: Made when it is first needed: reading whom the world trusts takes a while.
        self._tls = cache(lambda: tls or ssl.create_default_context())
        self._deadline_seconds = deadline_seconds

    def run(self, errands: Sequence[Errand]) -> list[Results]:
        """What came of each errand: its messages in order, up to the first that did not arrive."""
        if len(errands) == 1:
            return [self._run_one(errands[0])]
        with ThreadPoolExecutor(max_workers=len(errands)) as pool:
            return list(pool.map(self._run_one, errands))

    def _run_one(self, errand: Errand) -> Results:
        results: Results = []
        end = time.monotonic() + SECONDS_AT_ONCE
        for message in errand.messages:
            if results and time.monotonic() > end:
                break
            now = self._clock()
            answer = self._send(errand, message, now)
            results.append((message, now, answer))
            if not answer.is_good:
                break
        return results

    def _send(self, errand: Errand, message: Message, now: datetime) -> Answer:
        begun = time.monotonic()
        try:
            # Anew each time: what a name leads to may have changed since it was registered.
            target = read_url(errand.url, local=self._local)
            addresses = resolve(target, local=self._local, resolver=self._resolver)
        except AddressRefused as refused:
            return Answer(None, str(refused), int((time.monotonic() - begun) * 1000))
        body = message.body.encode()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Counterfoil webhooks",
            **signed(errand.secrets, f"evt_{message.event_id}", body, now=now),
        }
        return post(
            target, addresses, body, headers, tls=self._tls, deadline_seconds=self._deadline_seconds
        )


def settle(
    session: Session, errand: Errand, results: Results, *, now: datetime, jitter: float
) -> int:
    """Note how an errand went; how many messages arrived."""
    endpoint = session.scalar(
        select(Endpoint).where(Endpoint.id == errand.endpoint_id).with_for_update()
    )
    if endpoint is None:
        return 0  # Removed meanwhile, and its log with it.
    arrived = 0
    for message, tried_at, answer in results:
        _note(session, endpoint.programme_id, message, tried_at, answer)
        arrived += answer.is_good
    endpoint.leased_until = None
    if arrived:
        endpoint.failing_since = endpoint.next_at = None
    if results and not results[-1][2].is_good:
        message, tried_at, answer = results[-1]
        endpoint.failing_since = endpoint.failing_since or tried_at
        pause = pause_after(message.tries + 1, jitter)
        if answer.retry_after_seconds is not None:
            pause = max(pause, min(timedelta(seconds=answer.retry_after_seconds), LONGEST_PAUSE))
        endpoint.next_at = now + pause
        _give_up(endpoint, answer, now)
    return arrived


def _note(
    session: Session, programme_id: str, message: Message, tried_at: datetime, answer: Answer
) -> None:
    session.add(
        Try(
            programme_id=programme_id,
            delivery_id=message.id,
            tried_at=tried_at,
            took_ms=answer.took_ms,
            status=answer.status,
            answer=answer.text,
        )
    )
    changes = {"status": "delivered", "delivered_at": tried_at} if answer.is_good else {}
    session.execute(
        update(Delivery)
        .where(Delivery.id == message.id)
        .values(tries=Delivery.tries + 1, **changes)
    )


def _give_up(endpoint: Endpoint, answer: Answer, now: datetime) -> None:
    reason = None
    if answer.status == _GONE:
        reason = "The endpoint answered 410: it is gone."
    elif endpoint.failing_since is not None and now - endpoint.failing_since >= PATIENCE:
        last = answer.text if answer.status is None else f"status {answer.status}"
        reason = f"Nothing arrived for {PATIENCE.days} days; last: {last.rstrip('.')}."
    if reason is None:
        return
    endpoint.disabled_at, endpoint.disabled_reason = now, reason[:200]
    _log.error(
        "the webhook to %s is disabled: %s What waits is kept for 30 days. When the endpoint works "
        "again: counterfoil webhook enable %s",
        endpoint.url,
        reason,
        endpoint.id,
    )


def forget(session: Session, now: datetime, limit: int) -> int:
    """Delete what is older than 30 days; how many deliveries and events."""
    before = now - service.KEPT
    old = list(
        session.scalars(select(Delivery.id).where(Delivery.created_at < before).limit(limit))
    )
    if old:
        session.execute(delete(Try).where(Try.delivery_id.in_(old)))
        session.execute(delete(Delivery).where(Delivery.id.in_(old)))
    gone = list(
        session.scalars(
            select(Event.sequence).where(Event.happened_at < before, Event.spread).limit(limit)
        )
    )
    if gone:
        session.execute(delete(Event).where(Event.sequence.in_(gone)))
    return len(old) + len(gone)


def step(
    context: Context,
    sender: Sender,
    *,
    now: datetime,
    jitter: Callable[[], float] = random.random,
) -> int | None:
    """One bounded step: spread, send, note. How much was done; None when nothing was due."""
    database = context.database
    with database.read_all() as session:
        if not is_anything_due(session, now):
            return None
    with database.write_all() as session:
        done = spread(session, now, SPREAD_AT_ONCE)
        errands = claim(context, session, now)
    if not errands:
        return done
    for errand, results in zip(errands, sender.run(errands), strict=True):
        with database.write_all() as session:
            done += settle(session, errand, results, now=context.clock(), jitter=jitter())
    return done


def clear(context: Context, *, now: datetime) -> int:
    """One bounded step of forgetting."""
    with context.database.write_all() as session:
        return forget(session, now, _FORGET_AT_ONCE)
