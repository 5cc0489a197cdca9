"""Postings that wait for a manager, who lets them in or not.

Their date cannot be believed, or they were refused and a cashier handed them over.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.cards import service as cards
from app.cards.errors import CardRefused
from app.db import Prepared, Question
from app.errors import Conflict, Invalid, NotFound
from app.languages import _
from app.ledger.errors import PostingIdReused
from app.ledger.explain import because
from app.ledger.postings import Request
from app.staff.models import Staff
from app.till import access, service
from app.till.counter import Counter
from app.till.models import Till, WaitingPosting
from passes.code import Outcome

STATUS = "waiting_for_manager"
#: What a till may queue, and what may therefore come late.
OPERATIONS = {"accrual", "reversal"}


def replayed(session: Session, request: Request) -> dict[str, Any] | None:
    """The answer that a waiting posting got. Raises `PostingIdReused` for another body."""
    found = session.scalar(select(WaitingPosting).where(WaitingPosting.posting_id == request.id))
    if found is None:
        return None
    if found.fingerprint != request.fingerprint:
        raise _reused()
    return found.answer


_waiting: Any = WaitingPosting.__table__
_firsts = Prepared(
    select(_waiting.c.posting_id, _waiting.c.fingerprint, _waiting.c.answer).where(
        _waiting.c.posting_id.in_(bindparam("ids", expanding=True))
    )
)


def replayed_many(
    session: Session, requests: Sequence[Request]
) -> list[dict[str, Any] | PostingIdReused | None]:
    """The same for many at once, in their order; a refusal is given back, not raised."""
    rows = _firsts(session, {"ids": sorted({request.id for request in requests})})
    found = {row.posting_id: row for row in rows}
    return [
        None
        if request.id not in found
        else found[request.id].answer
        if found[request.id].fingerprint == request.fingerprint
        else _reused()
        for request in requests
    ]


def replays_asked(posting_ids: Iterable[str], programme_id: str) -> Question:
    """What `replayed_many` asks, for `app.db.asked_ahead`."""
    return Question(_firsts, {"ids": sorted(set(posting_ids))}, programme_id)


def _reused() -> PostingIdReused:
    return PostingIdReused(
        _("This id was used before for another posting. Make a new id for a new posting.")
    )


def put_aside(
    session: Session,
    counter: Counter,
    request: Request,
    body: dict[str, Any],
    *,
    now: datetime,
    reason: str | None = None,
) -> dict[str, Any]:
    """Keep the posting for a manager; nothing reaches the ledger.

    *reason*: why it comes here, where its date is not why. Raises `CardRefused` for an
    accrual whose code is none of ours: that is no manager's matter.
    """
    if "code" in body:
        _check_is_ours(session, body["code"], now)
    answer = {
        "posting_id": request.id,
        "kind": request.operation,
        "status": STATUS,
        "points": 0,
        "explain": [because("waits_for_manager")],
        "standing": None,
        "late": True,
        "recorded_at": now.isoformat(),
    }
    row = WaitingPosting(
        programme_id=counter.till.programme_id,
        posting_id=request.id,
        till_id=counter.till.id,
        operation=request.operation,
        fingerprint=request.fingerprint,
        body=body,
        answer=answer,
        reason=reason,
        received_at=now,
    )
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        # The same posting sent twice at once: the other one was a moment earlier.
        first = replayed(session, request)
        if first is None:
            raise
        return first
    return answer


def _check_is_ours(session: Session, code: str, now: datetime) -> None:
    try:
        cards.card_by_code(session, code, now=now)
    except CardRefused as refused:
        if refused.outcome not in {Outcome.BLOCKED, Outcome.REPLACED, Outcome.EXPIRED}:
            raise


def waiting(session: Session) -> list[WaitingPosting]:
    """What waits for a decision, the oldest first."""
    return list(
        session.scalars(
            select(WaitingPosting)
            .where(WaitingPosting.decided_at.is_(None))
            .order_by(WaitingPosting.received_at)
        )
    )


def decide(
    session: Session, posting_id: str, manager: Staff, *, approved: bool, now: datetime
) -> dict[str, Any] | None:
    """Let a waiting posting in (its answer) or refuse it for good (None).

    Raises what the posting would have met in time: with a card that is refused it goes on waiting.
    """
    found = session.scalar(
        select(WaitingPosting).where(WaitingPosting.posting_id == posting_id).with_for_update()
    )
    if found is None:
        raise NotFound(_("Nothing of that id waits for a manager."))
    if found.decided_at is not None:
        raise Conflict(_("That was decided already."))
    found.decided_at, found.decided_by_id, found.approved = now, manager.id, approved
    session.flush()
    if not approved:
        return None
    return _let_in(session, found, now)


def _let_in(session: Session, found: WaitingPosting, now: datetime) -> dict[str, Any]:
    till = session.get_one(Till, found.till_id)
    body = dict(found.body)
    body["occurred_at"] = _occurred_at(found)
    # Offline: what counts is what was true when it happened, not what is true now.
    person = access.known_person(session, body["cashier_id"])
    counter = Counter(till, None, person, offline=True)
    request = Request(found.posting_id, found.operation, found.fingerprint, till.id)
    if found.operation == "accrual":
        return service.accrue(session, counter, request, body, now=now)
    return service.reverse(session, counter, request, body, now=now)


def _occurred_at(found: WaitingPosting) -> datetime:
    """When it happened: what the till says, but nothing happens after it was told of.

    Points of a till whose clock is a year ahead would else be pending for a year.
    """
    said: datetime = datetime.fromisoformat(found.body["occurred_at"])
    if said > found.received_at:
        return found.received_at
    try:
        return said.astimezone(UTC)
    except OverflowError as error:
        raise Invalid(_("No receipt is of that date. Refuse this posting.")) from error
