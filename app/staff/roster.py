"""Who works here, and how each of them signs in: for the page that lists them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from app.staff import sessions
from app.staff.login_models import Login, PasswordLink
from app.staff.models import Staff, StaffSession


@dataclass(frozen=True, slots=True)
class Entry:
    """One person: *link_until* is until when an unused link of theirs is good, *signed_in* in how
    many browsers they are now, *seen_at* when they last were."""

    person: Staff
    has_password: bool
    has_second_factor: bool
    link_until: datetime | None
    signed_in: int
    seen_at: datetime | None


def roster(session: Session, *, now: datetime) -> list[Entry]:
    """Everybody of the session's programme by name; who has left comes last."""
    logins = {each.staff_id: each for each in session.scalars(select(Login))}
    waiting = select(PasswordLink.staff_id, func.max(PasswordLink.expires_at)).where(
        PasswordLink.ended_at.is_(None), PasswordLink.expires_at > now
    )
    links = _by_person(session, waiting.group_by(PasswordLink.staff_id))
    seen = _by_person(
        session,
        select(StaffSession.staff_id, func.max(StaffSession.seen_at)).group_by(
            StaffSession.staff_id
        ),
    )
    open_now = _by_person(
        session,
        select(StaffSession.staff_id, func.count(StaffSession.id))
        .where(
            StaffSession.ended_at.is_(None),
            StaffSession.seen_at > now - sessions.IDLE,
            StaffSession.started_at > now - sessions.LONGEST,
        )
        .group_by(StaffSession.staff_id),
    )
    people = session.scalars(select(Staff).order_by(Staff.left_at.is_not(None), Staff.name))
    return [
        Entry(
            person=each,
            has_password=each.id in logins and logins[each.id].password_hash is not None,
            has_second_factor=each.id in logins and logins[each.id].totp_secret is not None,
            link_until=links.get(each.id),
            signed_in=0 if each.left_at else open_now.get(each.id, 0),
            seen_at=seen.get(each.id),
        )
        for each in people
    ]


def _by_person(session: Session, asked: Select[Any, Any]) -> dict[str, Any]:
    """A figure of each person, by their id."""
    return {row[0]: row[1] for row in session.execute(asked)}
