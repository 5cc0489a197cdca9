"""Receipts with their lines, and what came back of them."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, Id, index_of_some, new_id
from app.ledger.models._rows import OfAccount


class Receipt(OfAccount, Base):
    """A sale as the till reported it. *exchange_rate* is set when it was in a foreign currency."""

    __tablename__ = "receipts"
    __table_args__ = (
        index_of_some("ix_receipts_number", "programme_id", "number", where="number IS NOT NULL"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    account_id: Mapped[str] = mapped_column(Id, ForeignKey("accounts.id"), index=True)
    #: The till's, which has the foreign key; for the same reason as `programme_id`.
    location_id: Mapped[str | None] = mapped_column(Id)
    till_id: Mapped[str | None] = mapped_column(Id)
    number: Mapped[str | None] = mapped_column(String(64))
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    #: The part of the amount that earned: without what was paid in points or coupons, and so on.
    earning_minor: Mapped[int] = mapped_column(BigInteger)
    #: Of the amount: tax contained in it, what was paid with coupons; and points spent on it.
    tax_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    coupons_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    paid_points: Mapped[int] = mapped_column(BigInteger, default=0)
    #: An exact decimal as text: SQLite would make a float of a number.
    exchange_rate: Mapped[str | None] = mapped_column(String(32))
    exchange_source: Mapped[str | None] = mapped_column(String(64))
    occurred_at: Mapped[datetime]


class ReceiptLine(OfAccount, Base):
    """One line of a receipt."""

    __tablename__ = "receipt_lines"
    __table_args__ = (UniqueConstraint("receipt_id", "position"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    receipt_id: Mapped[str] = mapped_column(Id, ForeignKey("receipts.id"))
    position: Mapped[int]
    item: Mapped[str] = mapped_column(String(120))
    category: Mapped[str | None] = mapped_column(String(64))
    #: 1000 is one piece, 350 might be 0.35 kg.
    quantity_thousandths: Mapped[int] = mapped_column(BigInteger)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    #: Whether it is of a kind that earns points at all.
    earns: Mapped[bool] = mapped_column(default=True)


class ReceiptReturn(OfAccount, Base):
    """What came back of a receipt: the value, and the points that were due for it."""

    __tablename__ = "receipt_returns"

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    receipt_id: Mapped[str] = mapped_column(Id, ForeignKey("receipts.id"), index=True)
    posting_id: Mapped[str] = mapped_column(Id)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    #: The part of it that had earned.
    earning_minor: Mapped[int] = mapped_column(BigInteger)
    #: Due from what the receipt earned, and to what was redeemed on it; what was really taken
    #: back or restored stands in the entries.
    earned_points_due: Mapped[int] = mapped_column(BigInteger)
    redeemed_points_due: Mapped[int] = mapped_column(BigInteger)
    #: Due of each bonus, by its entry; below zero where one came back.
    bonus_points_due: Mapped[dict[str, int]] = mapped_column(JSON, default=dict)
    #: What it took off the day's money, and off what is carried to the next receipt.
    counted_minor_due: Mapped[int] = mapped_column(BigInteger, default=0)
    carried_micro_due: Mapped[int] = mapped_column(BigInteger, default=0)
    lines: Mapped[list[dict[str, Any]] | None] = mapped_column(JSON)
    recorded_at: Mapped[datetime]
    #: Set when the return itself was reversed: it then counts for nothing.
    reversed_at: Mapped[datetime | None]
