"""Holds: points reserved by an unfinished redemption."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, Id, index_of_some, new_id
from app.ledger.models._rows import OfAccount


class HoldStatus(StrEnum):
    """Where a redemption stands."""

    OPEN = "open"
    CAPTURED = "captured"
    RELEASED = "released"
    EXPIRED = "expired"


class Hold(OfAccount, Base):
    """Points reserved by an unfinished redemption. Known outside by the posting that made it."""

    __tablename__ = "holds"
    __table_args__ = (
        UniqueConstraint("programme_id", "posting_id"),
        index_of_some("ix_holds_open", "expires_at", where="status = 'open'"),
        Index("ix_holds_card", "card_id", "created_at"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    posting_id: Mapped[str] = mapped_column(Id)
    account_id: Mapped[str] = mapped_column(Id, ForeignKey("accounts.id"), index=True)
    card_id: Mapped[str | None] = mapped_column(String(16))
    till_id: Mapped[str | None] = mapped_column(Id)
    receipt_number: Mapped[str | None] = mapped_column(String(64))
    points: Mapped[int] = mapped_column(BigInteger)
    status: Mapped[str] = mapped_column(String(8), default=HoldStatus.OPEN)
    #: The redemption that it became, once captured.
    entry_id: Mapped[str | None] = mapped_column(Id, ForeignKey("entries.id"))
    expires_at: Mapped[datetime]
    created_at: Mapped[datetime]
    #: When it was written that it is over; for one that took too long that is later than it was.
    closed_at: Mapped[datetime | None]


class HoldLot(OfAccount, Base):
    """How many points a hold reserves of one lot."""

    __tablename__ = "hold_lots"

    hold_id: Mapped[str] = mapped_column(Id, ForeignKey("holds.id"), primary_key=True)
    lot_id: Mapped[str] = mapped_column(Id, ForeignKey("lots.id"), primary_key=True)
    points: Mapped[int] = mapped_column(BigInteger)
