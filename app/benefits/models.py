"""Tables of what a card has besides points.

Grants are immutable, as the ledger's entries are: database triggers refuse to change or delete
them. `tallies`, the state of `coupons` and `reward_stock` are caches that `benefits.check`
rebuilds and compares. For each account, kind and thing::

    tally.count == sum(grant.count)

and for each coupon the sum of its grants is 1 while it is open, 0 once it is used, withdrawn or
expired, -1 while it is owed: used, and taken back afterwards.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, Id, OfProgramme, index_of_some, new_id
from app.ledger.models import OfAccount, Sequence

#: As long as the name of a kind and the code of a thing may be.
LONGEST_KIND = 12
LONGEST_CODE = 64


class CouponStatus(StrEnum):
    """Where a coupon stands."""

    OPEN = "open"
    USED = "used"
    #: Taken back with the receipt that had given it.
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    #: Used, and then taken back: the next one of its kind pays for it.
    OWED = "owed"


class Grant(OfAccount, Base):
    """One thing given or taken back, immutable. Corrections are further grants.

    *count* is what it did to the account's tally. *due* is what it settles of its *source* (the
    posting that gave): the two differ where what came back was spent already and stays, or had
    expired. *posting_id* is the posting under which the row was written.
    """

    __tablename__ = "grants"
    __table_args__ = (
        Index("ix_grants_account", "account_id", "kind", "what"),
        Index("ix_grants_posting", "programme_id", "posting_id"),
        index_of_some("ix_grants_source", "source_id", where="source_id IS NOT NULL"),
        index_of_some("ix_grants_coupon", "coupon_id", where="coupon_id IS NOT NULL"),
    )

    sequence: Mapped[int] = mapped_column(Sequence, primary_key=True)
    id: Mapped[str] = mapped_column(Id, unique=True, default=new_id)
    account_id: Mapped[str] = mapped_column(Id, ForeignKey("accounts.id"))
    kind: Mapped[str] = mapped_column(String(LONGEST_KIND))
    what: Mapped[str] = mapped_column(String(LONGEST_CODE))
    count: Mapped[int] = mapped_column(BigInteger)
    due: Mapped[int] = mapped_column(BigInteger, default=0)
    source_id: Mapped[str | None] = mapped_column(Id)
    posting_id: Mapped[str | None] = mapped_column(Id)
    coupon_id: Mapped[str | None] = mapped_column(Id, ForeignKey("coupons.id"))
    #: The card that was shown, as the ledger's entry has it.
    card_id: Mapped[str | None] = mapped_column(String(16))
    #: The rule that gave it, or why it moved: "return", "use", "expiry", "merge".
    rule: Mapped[str] = mapped_column(String(120))
    rule_version: Mapped[int | None] = mapped_column(Integer)
    #: Where a receipt gave: which part of it has to be kept (`ledger.grounds`).
    grounds: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    occurred_at: Mapped[datetime]
    recorded_at: Mapped[datetime]


class Tally(OfAccount, Base):
    """How many of a thing an account has now: a cache over its grants. Below zero: owed."""

    __tablename__ = "tallies"
    __table_args__ = (
        index_of_some("ix_tallies_lapsing", "expires_at", where="expires_at IS NOT NULL"),
    )

    account_id: Mapped[str] = mapped_column(Id, ForeignKey("accounts.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(LONGEST_KIND), primary_key=True)
    what: Mapped[str] = mapped_column(String(LONGEST_CODE), primary_key=True)
    count: Mapped[int] = mapped_column(BigInteger, default=0)
    #: From here on all of it is gone; moved on whenever something is given.
    expires_at: Mapped[datetime | None]
    changed_at: Mapped[datetime]


class Coupon(OfAccount, Base):
    """One coupon, good once. *offer* is what it promises, as it was when it was issued."""

    __tablename__ = "coupons"
    __table_args__ = (
        UniqueConstraint("card_id"),
        Index("ix_coupons_account", "account_id", "what"),
        index_of_some(
            "ix_coupons_expiring", "expires_at", where="status = 'open' AND expires_at IS NOT NULL"
        ),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    account_id: Mapped[str] = mapped_column(Id, ForeignKey("accounts.id"))
    what: Mapped[str] = mapped_column(String(LONGEST_CODE))
    offer: Mapped[dict[str, Any]] = mapped_column(JSON)
    status: Mapped[str] = mapped_column(String(10), default=CouponStatus.OPEN)
    #: The posting that gave it first.
    source_id: Mapped[str | None] = mapped_column(Id)
    #: The pass of its own, made once somebody wants it: a card whose code is of the coupon kind.
    card_id: Mapped[str | None] = mapped_column(String(16), ForeignKey("cards.id"))
    valid_from: Mapped[datetime]
    #: Exclusive; empty: it lasts for ever.
    expires_at: Mapped[datetime | None]
    issued_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class Use(OfAccount, Base):
    """One redemption of a reward or a coupon, by its posting.

    It counts unless the posting was reversed (*reversed_at*) or all of the receipt that it was
    for came back (*returned_at*). The database itself lets a coupon be used once at a time.
    """

    __tablename__ = "benefit_uses"
    __table_args__ = (
        UniqueConstraint("programme_id", "posting_id"),
        index_of_some(
            "uq_benefit_uses_coupon",
            "coupon_id",
            where="coupon_id IS NOT NULL AND reversed_at IS NULL AND returned_at IS NULL",
            unique=True,
        ),
        index_of_some(
            "ix_benefit_uses_receipt",
            "programme_id",
            "receipt_number",
            where="receipt_number IS NOT NULL",
        ),
        Index("ix_benefit_uses_account", "account_id", "used_at"),
        Index("ix_benefit_uses_what", "programme_id", "kind", "what"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    account_id: Mapped[str] = mapped_column(Id, ForeignKey("accounts.id"))
    posting_id: Mapped[str] = mapped_column(Id)
    #: "reward" or "coupon".
    kind: Mapped[str] = mapped_column(String(LONGEST_KIND))
    what: Mapped[str] = mapped_column(String(LONGEST_CODE))
    coupon_id: Mapped[str | None] = mapped_column(Id, ForeignKey("coupons.id"))
    points: Mapped[int] = mapped_column(BigInteger, default=0)
    #: What else was paid with: so many of a thing, usually stamps.
    paid_kind: Mapped[str | None] = mapped_column(String(LONGEST_KIND))
    paid_what: Mapped[str | None] = mapped_column(String(LONGEST_CODE))
    paid_count: Mapped[int] = mapped_column(BigInteger, default=0)
    #: How many it takes off the reward's stock.
    pieces: Mapped[int] = mapped_column(BigInteger, default=0)
    #: What the till was told that it is worth.
    worth: Mapped[dict[str, Any]] = mapped_column(JSON)
    receipt_number: Mapped[str | None] = mapped_column(String(64))
    till_id: Mapped[str | None] = mapped_column(Id)
    location_id: Mapped[str | None] = mapped_column(Id)
    used_at: Mapped[datetime]
    reversed_at: Mapped[datetime | None]
    returned_at: Mapped[datetime | None]

    @property
    def counts(self) -> bool:
        """Whether it has not been taken back."""
        return self.reversed_at is None and self.returned_at is None


class RewardStock(OfProgramme, Base):
    """How many of a reward were taken so far: a cache over the uses that count."""

    __tablename__ = "reward_stock"
    __table_args__ = (CheckConstraint("taken >= 0", name="taken_not_negative"),)

    programme_id: Mapped[str] = mapped_column(Id, ForeignKey("programmes.id"), primary_key=True)
    what: Mapped[str] = mapped_column(String(LONGEST_CODE), primary_key=True)
    taken: Mapped[int] = mapped_column(BigInteger, default=0)
