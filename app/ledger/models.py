"""Tables of the ledger.

Entries and draws are immutable: database triggers refuse to change or delete them. Everything
else here that could be derived from them (balances, remainders) is a cache that
`ledger.check` rebuilds and compares.

The equation that holds for every entry::

    entry.points == sum(lot.points for its lots) - sum(draw.points for its draws)

A draw with a lot takes *points* from it (gives back, where negative). A draw without a lot adds
*points* to the account's debt (repays, where negative).

Where a lot repays debt, two draws that cancel out are written under the entry that made the lot,
at whatever time that happens: the lot +n, no lot -n. So a draw on a lot under the lot's own entry
is always a repayment (or, where negative, one undone).
"""

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
    text,
)
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from app.db import Base, Id, OfProgramme, new_id

#: SQLite counts up only what it calls INTEGER.
Sequence = BigInteger().with_variant(Integer, "sqlite")


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


class HoldStatus(StrEnum):
    """Where a redemption stands."""

    OPEN = "open"
    CAPTURED = "captured"
    RELEASED = "released"
    EXPIRED = "expired"


class AccountKind(StrEnum):
    """Whose an account is."""

    PERSONAL = "personal"
    HOUSEHOLD = "household"
    COMPANY = "company"


class OfAccount(OfProgramme):
    """Mixin of rows that hang on an account, or on what hangs on one: it has their programme.

    No foreign key of their own: every posting would lock the programme's row for a moment, and on
    PostgreSQL many postings at once lock it together, which costs more than writing the rows.
    """

    @declared_attr
    def programme_id(cls) -> Mapped[str]:
        return mapped_column(Id)


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
        Index(
            "ix_accounts_behind",
            "id",
            sqlite_where=text("version > delivered_version"),
            postgresql_where=text("version > delivered_version"),
        ),
        Index(
            "ix_accounts_tier_review",
            "tier_review_at",
            sqlite_where=text("tier_review_at IS NOT NULL"),
            postgresql_where=text("tier_review_at IS NOT NULL"),
        ),
        Index(
            "ix_accounts_merged",
            "merged_into_id",
            sqlite_where=text("merged_into_id IS NOT NULL"),
            postgresql_where=text("merged_into_id IS NOT NULL"),
        ),
        # Not the programme first: then PostgreSQL, until it has counted, takes this index to find
        # one account of a programme, and reads all of them.
        Index("ix_accounts_created", "created_at", "programme_id"),
        Index(
            "ix_accounts_rolling",
            "rolling_expires_at",
            sqlite_where=text("rolling_expires_at IS NOT NULL"),
            postgresql_where=text("rolling_expires_at IS NOT NULL"),
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


class Receipt(OfAccount, Base):
    """A sale as the till reported it. *exchange_rate* is set when it was in a foreign currency."""

    __tablename__ = "receipts"
    __table_args__ = (
        Index(
            "ix_receipts_number",
            "programme_id",
            "number",
            sqlite_where=text("number IS NOT NULL"),
            postgresql_where=text("number IS NOT NULL"),
        ),
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


class Entry(OfAccount, Base):
    """One movement of points, immutable. Corrections are further entries."""

    __tablename__ = "entries"
    __table_args__ = (
        Index("ix_entries_account", "account_id", "sequence"),
        # What nobody posted, such as a million expiries in a night, is in none of these.
        Index(
            "ix_entries_posting",
            "programme_id",
            "posting_id",
            sqlite_where=text("posting_id IS NOT NULL"),
            postgresql_where=text("posting_id IS NOT NULL"),
        ),
        Index(
            "ix_entries_receipt",
            "receipt_id",
            sqlite_where=text("receipt_id IS NOT NULL"),
            postgresql_where=text("receipt_id IS NOT NULL"),
        ),
        Index(
            "ix_entries_once",
            "account_id",
            "once_key",
            sqlite_where=text("once_key IS NOT NULL"),
            postgresql_where=text("once_key IS NOT NULL"),
        ),
        Index(
            "ix_entries_reverses",
            "reverses_id",
            sqlite_where=text("reverses_id IS NOT NULL"),
            postgresql_where=text("reverses_id IS NOT NULL"),
        ),
        # Undone once: a second undoing has to name the reversal itself.
        Index(
            "uq_entries_reverses",
            "reverses_id",
            unique=True,
            sqlite_where=text("whole_reversal"),
            postgresql_where=text("whole_reversal"),
        ),
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
        Index(
            "ix_lots_open",
            "account_id",
            "sequence",
            sqlite_where=text("remaining > 0"),
            postgresql_where=text("remaining > 0"),
        ),
        Index("ix_lots_entry", "entry_id"),
        Index(
            "ix_lots_expiring",
            "expires_at",
            sqlite_where=text("remaining > held"),
            postgresql_where=text("remaining > held"),
        ),
        Index(
            "ix_lots_pending",
            "available_from",
            sqlite_where=text("pending AND remaining > 0"),
            postgresql_where=text("pending AND remaining > 0"),
        ),
        Index(
            "ix_lots_origin",
            "origin_lot_id",
            sqlite_where=text("origin_lot_id IS NOT NULL"),
            postgresql_where=text("origin_lot_id IS NOT NULL"),
        ),
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


class Hold(OfAccount, Base):
    """Points reserved by an unfinished redemption. Known outside by the posting that made it."""

    __tablename__ = "holds"
    __table_args__ = (
        UniqueConstraint("programme_id", "posting_id"),
        Index(
            "ix_holds_open",
            "expires_at",
            sqlite_where=text("status = 'open'"),
            postgresql_where=text("status = 'open'"),
        ),
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
