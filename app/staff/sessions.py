"""Who is signed in at the staff pages. A session is a secret in a cookie; its hash is kept."""

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.staff.models import Staff, StaffSession

#: A session ends when nothing was asked for so long, and at the latest after so long.
IDLE = timedelta(hours=2)
LONGEST = timedelta(hours=12)
#: How exactly it is kept when somebody was last here: not each page is worth a write.
SEEN_EVERY = timedelta(minutes=5)
_TOKEN_BYTES = 32


def start(
    session: Session, person: Staff, *, second_factor: bool, now: datetime, device: str = ""
) -> str:
    """Sign *person* in: a fresh token, shown this once. *device* is what the browser calls itself.

    Never continue a session over a change of who is signed in or how: end it and start another.
    """
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    session.add(
        StaffSession(
            programme_id=person.programme_id,
            staff_id=person.id,
            token_hash=_hash(token),
            started_at=now,
            seen_at=now,
            second_factor_at=now if second_factor else None,
            device=device[:120],
        )
    )
    session.flush()
    return token


def signed_in(
    session: Session, programme_id: str, token: str, *, now: datetime
) -> tuple[StaffSession, Staff] | None:
    """The session of a token and whose it is; None when it ended, the person left, or it is of
    another programme."""
    row = session.execute(
        select(StaffSession, Staff)
        .join(Staff, Staff.id == StaffSession.staff_id)
        .where(
            StaffSession.token_hash == _hash(token),
            StaffSession.programme_id == programme_id,
            StaffSession.ended_at.is_(None),
            StaffSession.seen_at > now - IDLE,
            StaffSession.started_at > now - LONGEST,
            Staff.left_at.is_(None),
        )
    ).one_or_none()
    return None if row is None else (row[0], row[1])


def note_seen(session: Session, session_id: str, *, now: datetime) -> None:
    """Keep that somebody is still here."""
    session.execute(update(StaffSession).where(StaffSession.id == session_id).values(seen_at=now))


def end(session: Session, session_id: str, *, now: datetime) -> None:
    """Sign out."""
    session.execute(
        update(StaffSession)
        .where(StaffSession.id == session_id, StaffSession.ended_at.is_(None))
        .values(ended_at=now)
    )


def end_all(session: Session, staff_id: str, *, now: datetime, but: str | None = None) -> None:
    """End all sessions of a person, but the one named: after a new password, role or factor."""
    ended = update(StaffSession).where(
        StaffSession.staff_id == staff_id, StaffSession.ended_at.is_(None)
    )
    if but is not None:
        ended = ended.where(StaffSession.id != but)
    session.execute(ended.values(ended_at=now))


def form_token(token: str) -> str:
    """What a form of this session carries, so that no other page can send it.

    Derived from the cookie's secret, which other pages do not know: nothing more is kept.
    """
    return hmac.new(token.encode(), b"form", hashlib.sha256).hexdigest()


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
