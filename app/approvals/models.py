"""Tables of approvals."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, Id, OfProgramme, index_of_some


class Kind(StrEnum):
    """What takes two people."""

    ADJUSTMENT = "adjustment"
    MERGE = "merge"
    ERASURE = "erasure"


class Approval(OfProgramme, Base):
    """Something that somebody asked for and somebody else decides. *id* is that of the deed: it is
    done once, whatever happens in between."""

    __tablename__ = "approvals"
    __table_args__ = (
        index_of_some(
            "ix_approvals_waiting", "programme_id", "asked_at", where="decided_at IS NULL"
        ),
        Index("ix_approvals_card", "card_id"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    #: The card that it is about.
    card_id: Mapped[str] = mapped_column(String(16))
    #: What is to be done: ids and numbers, never anybody's data.
    body: Mapped[dict[str, Any]] = mapped_column(JSON)
    reason: Mapped[str] = mapped_column(String(200))
    asked_by_id: Mapped[str] = mapped_column(Id, ForeignKey("staff.id"))
    asked_at: Mapped[datetime]
    decided_by_id: Mapped[str | None] = mapped_column(Id, ForeignKey("staff.id"))
    decided_at: Mapped[datetime | None]
    approved: Mapped[bool | None]
