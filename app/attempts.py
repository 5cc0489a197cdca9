"""Counting tries: what may be guessed may be tried only so often."""

import hashlib
from datetime import datetime, timedelta

from sqlalchemy import String, delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.db import Base, new_id
from app.errors import TooMany
from app.languages import _


class Attempt(Base):
    """One try of *subject* (an address, a till) at *scope* (what was tried)."""

    __tablename__ = "attempts"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    scope: Mapped[str] = mapped_column(String(32))
    subject: Mapped[str] = mapped_column(String(100), index=True)
    tried_at: Mapped[datetime] = mapped_column(index=True)


def count_attempt(
    session: Session, scope: str, subject: str, *, now: datetime, limit: int, window: timedelta
) -> None:
    """Count one try; raise `TooMany` when *subject* had *limit* tries within *window* already.

    The caller commits even if what it tries then fails: a failed try must be counted.
    """
    if session.get_bind().dialect.name == "postgresql":
        # Tries that come all at once are counted one after the other; SQLite has one writer anyway.
        mark = hashlib.sha256(f"{scope} {subject[:100]}".encode()).digest()[:8]
        session.execute(
            select(func.pg_advisory_xact_lock(int.from_bytes(mark, "big", signed=True)))
        )
    refuse_if_too_many(session, scope, subject, now=now, limit=limit, window=window)
    note_attempt(session, scope, subject, now=now)


def refuse_if_too_many(
    session: Session, scope: str, subject: str, *, now: datetime, limit: int, window: timedelta
) -> None:
    """Raise `TooMany` when *subject* had *limit* tries within *window*; count nothing."""
    session.execute(delete(Attempt).where(Attempt.scope == scope, Attempt.tried_at < now - window))
    recent = session.scalars(
        select(Attempt.tried_at)
        .where(
            Attempt.scope == scope,
            Attempt.subject == subject[:100],
            Attempt.tried_at >= now - window,
        )
        .order_by(Attempt.tried_at)
    ).all()
    if len(recent) >= limit:
        wait = int((recent[0] + window - now).total_seconds()) + 1
        raise TooMany(
            _("Too many tries. Try again in %(seconds)s seconds.", seconds=wait),
            retry_after_seconds=wait,
        )


def note_attempt(session: Session, scope: str, subject: str, *, now: datetime) -> None:
    """Count one try of *subject* at *scope*."""
    session.add(Attempt(scope=scope, subject=subject[:100], tried_at=now))


def take_back(session: Session, scope: str, subject: str) -> None:
    """Forget the last try of *subject* at *scope*: it was a right one."""
    last = session.scalar(
        select(Attempt.id)
        .where(Attempt.scope == scope, Attempt.subject == subject[:100])
        .order_by(Attempt.tried_at.desc(), Attempt.id.desc())
        .limit(1)
    )
    session.execute(delete(Attempt).where(Attempt.id == last))


def forgive(session: Session, scope: str, subject: str) -> None:
    """Forget every try of *subject* at *scope*."""
    session.execute(delete(Attempt).where(Attempt.scope == scope, Attempt.subject == subject[:100]))
