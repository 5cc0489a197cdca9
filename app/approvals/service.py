"""Asking for something that takes two people, and deciding it."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.approvals.models import Approval, Kind
from app.db import programme_of
from app.errors import Conflict, Forbidden, Invalid, NotFound
from app.languages import _
from app.staff.models import Staff
from app.staff.permissions import ROLES, Permission

LONGEST_REASON = 200


def takes_another(session: Session, person: Staff) -> bool:
    """Whether somebody else has to agree to what *person* does.

    Where nobody but this one may approve anything, there is nobody to ask: a shop of one person.
    Whoever may not approve has to ask in any case.
    """
    if person.role not in ROLES[Permission.APPROVE]:
        return True
    return others(session, person) > 0


def others(session: Session, person: Staff) -> int:
    """How many people besides *person* may approve."""
    counted = (
        select(func.count())
        .select_from(Staff)
        .where(
            Staff.role.in_(ROLES[Permission.APPROVE]),
            Staff.left_at.is_(None),
            Staff.id != person.id,
        )
    )
    return session.scalar(counted) or 0


def was_asked(session: Session, deed_id: str) -> bool:
    """Whether it was asked for before."""
    return session.scalar(select(Approval.id).where(Approval.id == deed_id)) is not None


def check_reason(text: str) -> str:
    """A reason as it is kept. Raises `Invalid` for none, or one too long."""
    reason = " ".join(text.split())
    if not reason or len(reason) > LONGEST_REASON or not reason.isprintable():
        words = _("Say why, in at most %(most)s letters.", most=LONGEST_REASON)
        raise Invalid(words, {"reason": [words]})
    return reason


def check_id(text: str) -> str:
    """The id that a form brings for its deed. Raises `Invalid`."""
    try:
        return str(uuid.UUID(text))
    except ValueError:
        raise Invalid(_("This form is not complete. Load the page again.")) from None


def ask(
    session: Session,
    deed_id: str,
    kind: Kind,
    card_id: str,
    body: Mapping[str, Any],
    reason: str,
    person: Staff,
    *,
    now: datetime,
) -> Approval:
    """Ask for it, once: the same again is the same. Raises `Conflict` where the id is taken, or
    the same thing waits for that card already."""
    facts = (str(kind), card_id, dict(body), reason)
    known = _known(session, deed_id, facts)
    if known is not None:
        return known
    if kind != Kind.ADJUSTMENT and any(
        each.kind == kind for each in waiting(session, card_id=card_id)
    ):
        raise Conflict(_("This waits for a second person already."))
    asked = Approval(
        id=deed_id,
        programme_id=programme_of(session),
        kind=str(kind),
        card_id=card_id,
        body=dict(body),
        reason=reason,
        asked_by_id=person.id,
        asked_at=now,
    )
    try:
        with session.begin_nested():
            session.add(asked)
    except IntegrityError:
        # The same form sent twice at once: the other one was a moment earlier.
        known = _known(session, deed_id, facts)
        if known is None:
            raise Conflict(_("This was asked for elsewhere. Load the page again.")) from None
        return known
    return asked


def _known(session: Session, deed_id: str, facts: tuple[Any, ...]) -> Approval | None:
    known = session.scalar(select(Approval).where(Approval.id == deed_id))
    if known is not None and (known.kind, known.card_id, known.body, known.reason) != facts:
        raise Conflict(_("This was asked for before, with other words. Load the page again."))
    return known


def waiting(session: Session, *, card_id: str | None = None, limit: int = 100) -> list[Approval]:
    """What waits for a second person, the oldest first."""
    found = select(Approval).where(Approval.decided_at.is_(None))
    if card_id is not None:
        found = found.where(Approval.card_id == card_id)
    return list(session.scalars(found.order_by(Approval.asked_at, Approval.id).limit(limit)))


def find(session: Session, deed_id: str) -> Approval:
    """What was asked for under that id. Raises `NotFound`."""
    found = session.scalar(select(Approval).where(Approval.id == deed_id))
    if found is None:
        raise NotFound(_("Nothing of that id waits for anybody."))
    return found


def check_second(asked: Approval, person: Staff) -> None:
    """Raise `Forbidden` unless *person* is another one who may agree."""
    if person.role not in ROLES[Permission.APPROVE]:
        raise Forbidden(_("Only a manager or an owner decides this."))
    if person.id == asked.asked_by_id:
        raise Forbidden(_("You asked for this yourself: somebody else has to agree."))


def decide(
    session: Session, deed_id: str, person: Staff, *, approved: bool, now: datetime
) -> Approval:
    """Agree or refuse; whoever asked may take it back. Raises `NotFound`, `Conflict`, `Forbidden`.

    The deed itself is the caller's, in the same transaction.
    """
    found = session.scalar(
        select(Approval)
        .where(Approval.id == deed_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise NotFound(_("Nothing of that id waits for anybody."))
    if found.decided_at is not None:
        raise Conflict(_("That was decided already."))
    if approved or person.id != found.asked_by_id:
        check_second(found, person)
    found.decided_by_id, found.decided_at, found.approved = person.id, now, approved
    session.flush()
    return found
