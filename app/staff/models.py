"""Tables of staff."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import String, UniqueConstraint
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
    created_at: Mapped[datetime]
