"""Accounts: what they show, what was merged into them, and what became of their tier."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, Id, OfProgramme, index_of_some, new_id
from app.ledger.models._rows import OfAccount, Sequence


class AccountKind(StrEnum):
    """Whose an account is."""

    PERSONAL = "personal"
    HOUSEHOLD = "household"
    COMPANY = "company"


class Account(OfProgramme, Base):
    """What owns points. `balance`, `held` and `debt` are caches over entries, holds and draws.

    *version* rises with every change that a pass shows; *delivered_version* is the newest version
    that every wallet of this account has. *changed_at* rises by at least a second each time, so
    that an HTTP date tells any two versions apart.
    """

    __tablename__ = "accounts"
    __table_args__ = (
        CheckConstraint("debt >= 0", name="debt_not_negative"),
        CheckConstraint("held >= 0", name="held_not_negative"),
        index_of_some("ix_accounts_behind", "id", where="version > delivered_version"),
        index_of_some(
            "ix_accounts_tier_review", "tier_review_at", where="tier_review_at IS NOT NULL"
        ),
        index_of_some("ix_accounts_merged", "merged_into_id", where="merged_into_id IS NOT NULL"),
        # Not the programme first: then PostgreSQL, until it has counted, takes this index to find
        # one account of a programme, and reads all of them.
        Index("ix_accounts_created", "created_at", "programme_id"),
        index_of_some(
            "ix_accounts_rolling", "rolling_expires_at", where="rolling_expires_at IS NOT NULL"
        ),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    balance: Mapped[int] = mapped_column(BigInteger, default=0)
    held: Mapped[int] = mapped_column(BigInteger, default=0)
    debt: Mapped[int] = mapped_column(BigInteger, default=0)
    #: Money of earlier receipts that was too little for a point, in millionths of a minor unit;
    #: below zero where what it had bought came back. A cache over the entries.
    carried_micro: Mapped[int] = mapped_column(BigInteger, default=0)
    #: Inactivity expiry: one date for all lots of the account that roll.
    rolling_expires_at: Mapped[datetime | None]
    kind: Mapped[str] = mapped_column(String(10), default=AccountKind.PERSONAL)
    #: What a company is called, on its cards. A person's name is none of this table's business.
    company_name: Mapped[str | None] = mapped_column(String(80))
    #: The tier that is shown, and what it follows from: see `ledger.tiers.TierState`.
    tier: Mapped[str | None] = mapped_column(String(40))
    tier_before: Mapped[str | None] = mapped_column(String(40))
    tier_kept: Mapped[str | None] = mapped_column(String(40))
    tier_reviewed_at: Mapped[datetime | None]
    tier_grace_until: Mapped[datetime | None]
    tier_override: Mapped[str | None] = mapped_column(String(40))
    tier_override_until: Mapped[datetime | None]
    #: When the tier has to be looked at next although nobody posts.
    tier_review_at: Mapped[datetime | None]
    #: From when the last change of the tier took effect.
    tier_changed_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(BigInteger, default=1)
    delivered_version: Mapped[int] = mapped_column(BigInteger, default=0)
    changed_at: Mapped[datetime]
    created_at: Mapped[datetime]
    #: The account that has its points now, directly: earlier merges are pointed on.
    merged_into_id: Mapped[str | None] = mapped_column(Id, ForeignKey("accounts.id"))


class AccountMerge(OfProgramme, Base):
    """One account merged into another by a posting, with what its undoing has to know."""

    __tablename__ = "account_merges"
    __table_args__ = (UniqueConstraint("programme_id", "posting_id"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    posting_id: Mapped[str] = mapped_column(Id)
    from_account_id: Mapped[str] = mapped_column(Id, ForeignKey("accounts.id"), index=True)
    into_account_id: Mapped[str] = mapped_column(Id, ForeignKey("accounts.id"), index=True)
    #: Where the surviving account's tier stood: `ledger.tiers.TierState` without its days.
    tier_before: Mapped[dict[str, Any]] = mapped_column(JSON)
    #: The cards that moved with the points.
    card_ids: Mapped[list[str] | None] = mapped_column(JSON)
    merged_at: Mapped[datetime]
    undone_at: Mapped[datetime | None]
    undone_posting_id: Mapped[str | None] = mapped_column(Id)


class EarningDay(OfAccount, Base):
    """What one local day counts towards an account's tier: a cache over entries and lots."""

    __tablename__ = "earning_days"

    account_id: Mapped[str] = mapped_column(Id, ForeignKey("accounts.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    points: Mapped[int] = mapped_column(BigInteger)
    spend_minor: Mapped[int] = mapped_column(BigInteger)


class TierChange(OfAccount, Base):
    """One change of an account's tier, with its reason; immutable."""

    __tablename__ = "tier_changes"
    __table_args__ = (Index("ix_tier_changes_account", "account_id", "effective_from"),)

    sequence: Mapped[int] = mapped_column(Sequence, primary_key=True)
    id: Mapped[str] = mapped_column(Id, unique=True, default=new_id)
    account_id: Mapped[str] = mapped_column(Id, ForeignKey("accounts.id"))
    from_tier: Mapped[str | None] = mapped_column(String(40))
    to_tier: Mapped[str | None] = mapped_column(String(40))
    #: One of `ledger.tiers.TierReason`.
    reason: Mapped[str] = mapped_column(String(16))
    #: The points or minor units that were counted when it was decided.
    counted: Mapped[int] = mapped_column(BigInteger)
    effective_from: Mapped[datetime]
    recorded_at: Mapped[datetime]
    posting_id: Mapped[str | None] = mapped_column(Id)
    actor_kind: Mapped[str] = mapped_column(String(8))
    actor_id: Mapped[str | None] = mapped_column(Id)
    note: Mapped[str | None] = mapped_column(String(200))
