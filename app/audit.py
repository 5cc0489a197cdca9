"""Who changed what: a record that only grows. It names things by their ids, never people's data."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, String
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.db import Base, Id, OfProgramme, new_id, programme_of

#: Longest name of who did something; of what was done and to what.
_NAME, _WORD = 80, 80


class AuditEntry(OfProgramme, Base):
    """One change by a person or a program; immutable."""

    __tablename__ = "audit_entries"
    __table_args__ = (Index("ix_audit_entries_at", "programme_id", "at", "id"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    at: Mapped[datetime]
    #: "staff", "cli" or "api", and who that was.
    actor_kind: Mapped[str] = mapped_column(String(8))
    actor_id: Mapped[str | None] = mapped_column(Id)
    actor: Mapped[str] = mapped_column(String(_NAME))
    #: What was done, as "campaign.stop", and the id or name of what it was done to.
    action: Mapped[str] = mapped_column(String(_WORD))
    subject: Mapped[str] = mapped_column(String(_WORD))
    #: What else is worth knowing later; no personal data and no secret.
    detail: Mapped[dict[str, Any]] = mapped_column(JSON)


def note(
    session: Session,
    action: str,
    subject: str = "",
    detail: dict[str, Any] | None = None,
    *,
    actor: str,
    actor_kind: str = "staff",
    actor_id: str | None = None,
    now: datetime,
) -> None:
    """Record a change, in the transaction that makes it."""
    session.add(
        AuditEntry(
            programme_id=programme_of(session),
            at=now,
            actor_kind=actor_kind,
            actor_id=actor_id,
            actor=actor[:_NAME],
            action=action[:_WORD],
            subject=subject[:_WORD],
            detail=detail or {},
        )
    )
