"""Tables of tills."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, Id, OfProgramme, new_id


class Till(OfProgramme, Base):
    """A counter terminal with a credential of its own; only the hash of its token is kept."""

    __tablename__ = "tills"
    __table_args__ = (UniqueConstraint("programme_id", "name"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    location_id: Mapped[str] = mapped_column(Id, ForeignKey("locations.id"))
    name: Mapped[str] = mapped_column(String(80))
    token_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32), unique=True)
    enrolled_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class TillReport(OfProgramme, Base):
    """What a till said of itself last, when it asked for its keys."""

    __tablename__ = "till_reports"

    till_id: Mapped[str] = mapped_column(Id, ForeignKey("tills.id"), primary_key=True)
    seen_at: Mapped[datetime]
    #: Postings that wait in its queue, since when, and those that the service refused.
    waiting: Mapped[int] = mapped_column(default=0)
    oldest_waiting_at: Mapped[datetime | None]
    set_aside: Mapped[int] = mapped_column(default=0)


class EnrolmentCode(OfProgramme, Base):
    """A code that turns a program into this till: once, and for fifteen minutes."""

    __tablename__ = "enrolment_codes"

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    till_id: Mapped[str] = mapped_column(Id, ForeignKey("tills.id"), index=True)
    code_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class CashierSession(OfProgramme, Base):
    """A cashier signed in at a till."""

    __tablename__ = "cashier_sessions"

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    till_id: Mapped[str] = mapped_column(Id, ForeignKey("tills.id"), index=True)
    staff_id: Mapped[str] = mapped_column(Id, ForeignKey("staff.id"), index=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class Presentation(OfProgramme, Base):
    """A card looked up at a till; its token is quoted by what follows within five minutes."""

    __tablename__ = "presentations"

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    till_id: Mapped[str] = mapped_column(Id, ForeignKey("tills.id"))
    card_id: Mapped[str] = mapped_column(String(16), ForeignKey("cards.id"))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    #: The code carried a fresh one-time value: it was on the phone, not on a photograph.
    rotating: Mapped[bool]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class WaitingPosting(OfProgramme, Base):
    """A posting with a date too far off to be believed; a manager decides."""

    __tablename__ = "waiting_postings"
    __table_args__ = (UniqueConstraint("programme_id", "posting_id"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    posting_id: Mapped[str] = mapped_column(Id)
    till_id: Mapped[str] = mapped_column(Id, ForeignKey("tills.id"))
    operation: Mapped[str] = mapped_column(String(24))
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary(32))
    body: Mapped[dict[str, Any]] = mapped_column(JSON)
    answer: Mapped[dict[str, Any]] = mapped_column(JSON)
    #: Why it was refused, and what the cashier says to it, where one handed it over.
    reason: Mapped[str | None] = mapped_column(String(200))
    received_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    decided_by_id: Mapped[str | None] = mapped_column(Id, ForeignKey("staff.id"))
    approved: Mapped[bool | None]
