"""Tables of staff."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, Id, OfProgramme, new_id


class Role(StrEnum):
    """What a member of staff may do; see each route for who may use it."""

    OWNER = "owner"
    MARKETER = "marketer"
    MANAGER = "manager"
    CASHIER = "cashier"
    AUDITOR = "auditor"


class Staff(OfProgramme, Base):
    """One person of the shop. The PIN is kept as an argon2id hash only."""

    __tablename__ = "staff"
    __table_args__ = (UniqueConstraint("programme_id", "name"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(80))
    role: Mapped[str] = mapped_column(String(16))
    pin_hash: Mapped[str] = mapped_column(String(200))
    pin_failures: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[datetime | None]
    left_at: Mapped[datetime | None]
    #: A till forgets what it keeps of a PIN that was set before.
    pin_changed_at: Mapped[datetime | None]
    #: In which the staff pages speak to them; empty: as the browser asks.
    language: Mapped[str | None] = mapped_column(String(2))
    created_at: Mapped[datetime]


class StaffSession(OfProgramme, Base):
    """Somebody signed in at the staff pages; only the hash of the cookie's token is kept."""

    __tablename__ = "staff_sessions"

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    staff_id: Mapped[str] = mapped_column(Id, ForeignKey("staff.id"), index=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    #: When the second factor was given; empty where it was not, or is not asked for.
    second_factor_at: Mapped[datetime | None]
    #: What the browser calls itself, for the list of one's own sessions.
    device: Mapped[str] = mapped_column(String(120))
