"""How points move: postings make entries, entries make lots and draw on them."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, Id, index_of_some, new_id
from app.ledger.models._rows import OfAccount, Sequence


class EntryKind(StrEnum):
    """Why points moved."""

    ACCRUAL = "accrual"
    BONUS = "bonus"
    ADJUSTMENT = "adjustment"
    REDEMPTION = "redemption"
    REVERSAL = "reversal"
    EXPIRY = "expiry"
    TRANSFER_IN = "transfer_in"
    TRANSFER_OUT = "transfer_out"
    OPENING = "opening"


class Posting(OfAccount, Base):
    """One request that changed the ledger, under the id its maker gave it, and its first answer."""

    __tablename__ = "postings"
    __table_args__ = (UniqueConstraint("programme_id", "id"),)

    sequence: Mapped[int] = mapped_column(Sequence, primary_key=True)
    id: Mapped[str] = mapped_column(Id)
    operation: Mapped[str] = mapped_column(String(24))
    #: SHA-256 over programme, till, operation and body.
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary(32))
    account_id: Mapped[str | None] = mapped_column(Id, ForeignKey("accounts.id"))
    till_id: Mapped[str | None] = mapped_column(Id)
    answer: Mapped[dict[str, Any]] = mapped_column(JSON)
    recorded_at: Mapped[datetime]


class Entry(OfAccount, Base):
    """One movement of points, immutable. Corrections are further entries."""

    __tablename__ = "entries"
    __table_args__ = (
        Index("ix_entries_account", "account_id", "sequence"),
        # What nobody posted, such as a million expiries in a night, is in none of these.
        index_of_some(
            "ix_entries_posting", "programme_id", "posting_id", where="posting_id IS NOT NULL"
        ),
        index_of_some("ix_entries_receipt", "receipt_id", where="receipt_id IS NOT NULL"),
        index_of_some("ix_entries_once", "account_id", "once_key", where="once_key IS NOT NULL"),
        index_of_some("ix_entries_reverses", "reverses_id", where="reverses_id IS NOT NULL"),
        # Undone once: a second undoing has to name the reversal itself.
        index_of_some("uq_entries_reverses", "reverses_id", where="whole_reversal", unique=True),
    )

    sequence: Mapped[int] = mapped_column(Sequence, primary_key=True)
    id: Mapped[str] = mapped_column(Id, unique=True, default=new_id)
    account_id: Mapped[str] = mapped_column(Id, ForeignKey("accounts.id"))
    posting_id: Mapped[str | None] = mapped_column(Id)
    kind: Mapped[str] = mapped_column(String(16))
    points: Mapped[int] = mapped_column(BigInteger)
    occurred_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    #: The local day that it counts for; a reversal counts for the day of what it reverses.
    day: Mapped[date]
    #: What it adds to that day's count towards a tier: points, and money in the programme's
    #: minor units. Points that are still pending are counted here and left out of the day's sum.
    counted_points: Mapped[int] = mapped_column(BigInteger, default=0)
    counted_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    #: What it adds to the money that the account carries to its next receipt; empty where
    #: nothing is carried.
    carried_micro: Mapped[int | None] = mapped_column(BigInteger)
    #: Of an accrual that carries: what its receipt weighed in for points.
    weighted_micro: Mapped[int | None] = mapped_column(BigInteger)
    #: A bonus for a receipt of at least so much (minor units) goes when the receipt falls below.
    at_least_minor: Mapped[int | None] = mapped_column(BigInteger)
    #: Of a bonus: what of the receipt it was given for (`ledger.grounds.Grounds`).
    grounds: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    #: A bonus that an account gets once, whatever is merged into it.
    once_key: Mapped[str | None] = mapped_column(String(40))
    #: It reached us later than it happened: queued by a till without a network.
    late: Mapped[bool] = mapped_column(default=False)
    #: "staff", "till", "api" or "system", and the id of that one.
    actor_kind: Mapped[str] = mapped_column(String(8))
    actor_id: Mapped[str | None] = mapped_column(Id)
    till_id: Mapped[str | None] = mapped_column(Id)
    #: The till's, which has the foreign key; for the same reason as `programme_id`.
    location_id: Mapped[str | None] = mapped_column(Id)
    card_id: Mapped[str | None] = mapped_column(String(16))
    receipt_id: Mapped[str | None] = mapped_column(Id, ForeignKey("receipts.id"))
    amount_minor: Mapped[int | None] = mapped_column(BigInteger)
    currency: Mapped[str | None] = mapped_column(String(3))
    rule_version: Mapped[int | None] = mapped_column(Integer)
    reverses_id: Mapped[str | None] = mapped_column(Id, ForeignKey("entries.id"))
    #: This reversal undid all that was left of the entry it names; at most one may.
    whole_reversal: Mapped[bool] = mapped_column(default=False)
    issuing_partner_id: Mapped[str | None] = mapped_column(Id, ForeignKey("partners.id"))
    redeeming_partner_id: Mapped[str | None] = mapped_column(Id, ForeignKey("partners.id"))
    reason: Mapped[str | None] = mapped_column(String(200))


class Lot(OfAccount, Base):
    """Points of one credit, with their dates. `remaining` and `held` are caches.

    *available_from* empty means: pending until confirmed. *expires_at* is exclusive; empty means
    never. *origin_lot_id* names the lot whose points these once were (grace lots, transfers).
    *pending* is a mark for the release step: nobody has yet seen these points become available.
    What may be spent is decided by the dates alone.
    """

    __tablename__ = "lots"
    __table_args__ = (
        CheckConstraint("remaining >= 0 AND remaining <= points", name="remaining_within_points"),
        CheckConstraint("held >= 0 AND held <= remaining", name="held_within_remaining"),
        index_of_some("ix_lots_open", "account_id", "sequence", where="remaining > 0"),
        Index("ix_lots_entry", "entry_id"),
        index_of_some("ix_lots_expiring", "expires_at", where="remaining > held"),
        index_of_some("ix_lots_pending", "available_from", where="pending AND remaining > 0"),
        index_of_some("ix_lots_origin", "origin_lot_id", where="origin_lot_id IS NOT NULL"),
    )

    sequence: Mapped[int] = mapped_column(Sequence, primary_key=True)
    id: Mapped[str] = mapped_column(Id, unique=True, default=new_id)
    #: The entry's, which has the foreign key; `ledger.check` compares the two.
    account_id: Mapped[str] = mapped_column(Id)
    entry_id: Mapped[str] = mapped_column(Id, ForeignKey("entries.id"))
    points: Mapped[int] = mapped_column(BigInteger)
    remaining: Mapped[int] = mapped_column(BigInteger)
    held: Mapped[int] = mapped_column(BigInteger, default=0)
    pending: Mapped[bool] = mapped_column(default=False)
    #: Its expiry is the account's rolling date; *expires_at* is empty.
    rolling: Mapped[bool] = mapped_column(default=False)
    #: The local day whose count towards a tier its points join when they become available.
    counts_on: Mapped[date | None]
    available_from: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    origin_lot_id: Mapped[str | None] = mapped_column(Id, ForeignKey("lots.id"))
    issuing_partner_id: Mapped[str | None] = mapped_column(Id, ForeignKey("partners.id"))


class Draw(OfAccount, Base):
    """What one entry took from (or gave back to) one lot, or to the debt; immutable."""

    __tablename__ = "draws"
    __table_args__ = (Index("ix_draws_entry", "entry_id"), Index("ix_draws_lot", "lot_id"))

    sequence: Mapped[int] = mapped_column(Sequence, primary_key=True)
    entry_id: Mapped[str] = mapped_column(Id, ForeignKey("entries.id"))
    #: The entry's, which has the foreign key; `ledger.check` compares the two.
    account_id: Mapped[str] = mapped_column(Id, index=True)
    lot_id: Mapped[str | None] = mapped_column(Id, ForeignKey("lots.id"))
    points: Mapped[int] = mapped_column(BigInteger)
    recorded_at: Mapped[datetime]
