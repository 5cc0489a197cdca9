"""Tables of cards."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, Integer, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, Id, OfProgramme, index_of_some, new_id


class SigningKey(OfProgramme, Base):
    """The public half of a key that signs card codes. Key ids are never used again."""

    __tablename__ = "signing_keys"

    key_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    public_key: Mapped[bytes] = mapped_column(LargeBinary(32))
    created_at: Mapped[datetime]
    #: No new code is signed with it from here on.
    retired_at: Mapped[datetime | None]
    #: Codes signed with it are refused from here on; empty: as long as the programme lives.
    valid_until: Mapped[datetime | None]


class Card(OfProgramme, Base):
    """An account's token. *id* stands in the code, *serial_number* in the passes."""

    __tablename__ = "cards"
    __table_args__ = (
        index_of_some("ix_cards_behind", "id", where="version > delivered_version"),
        index_of_some(
            "ix_cards_refused",
            "programme_id",
            "id",
            "status",
            "status_changed_at",
            where="status != 'active'",
        ),
        # Everything but coupons.
        index_of_some("ix_cards_issued", "programme_id", "issued_at", "id", where="kind != 1"),
        index_of_some("ix_cards_successor", "replaced_by_id", where="replaced_by_id IS NOT NULL"),
    )

    #: Eight random bytes in hexadecimal.
    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    serial_number: Mapped[str] = mapped_column(String(32), unique=True)
    account_id: Mapped[str] = mapped_column(Id, ForeignKey("accounts.id"), index=True)
    member_id: Mapped[str | None] = mapped_column(
        Id, ForeignKey("members.id", ondelete="SET NULL"), index=True
    )
    kind: Mapped[int]
    status: Mapped[str] = mapped_column(String(8))
    status_reason: Mapped[str | None] = mapped_column(String(200))
    status_changed_at: Mapped[datetime]
    #: Blocked since then by its owner, who can unblock it.
    frozen_at: Mapped[datetime | None]
    replaced_by_id: Mapped[str | None] = mapped_column(String(16), ForeignKey("cards.id"))
    key_id: Mapped[int] = mapped_column(ForeignKey("signing_keys.key_id"))
    code: Mapped[str] = mapped_column(String(120))
    issued_on: Mapped[date]
    issued_at: Mapped[datetime]
    language: Mapped[str] = mapped_column(String(2))
    #: The poster, link or desk that brought it: a location's slug, "web", "cli".
    source: Mapped[str] = mapped_column(String(40))
    #: Version of the key that its Apple authentication token is derived from.
    token_key_version: Mapped[int]
    version: Mapped[int] = mapped_column(BigInteger, default=1)
    delivered_version: Mapped[int] = mapped_column(BigInteger, default=0)
    #: What its holder may do with the account: see `cards.rules.Role`.
    role: Mapped[str] = mapped_column(String(10), default="owner")
    #: At most so many points a day, week or month may be redeemed with it; empty: any number.
    redeem_limit: Mapped[int | None] = mapped_column(BigInteger)
    redeem_period: Mapped[str | None] = mapped_column(String(5))


class CardNews(OfProgramme, Base):
    """A message and an article that cards show, by language; never changed once it is written."""

    __tablename__ = "card_news"

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    #: See `cards.news_text`.
    content: Mapped[dict[str, Any]] = mapped_column(JSON)
    made_at: Mapped[datetime]


class CardMessage(OfProgramme, Base):
    """The news that a card shows now, the latest it was told."""

    __tablename__ = "card_messages"

    card_id: Mapped[str] = mapped_column(String(16), ForeignKey("cards.id"), primary_key=True)
    news_id: Mapped[str] = mapped_column(Id, ForeignKey("card_news.id"))
    #: JSON: what is filled in, nothing of a person.
    facts: Mapped[str] = mapped_column(String(200))
    #: The account's when it was told: once that has risen, its points are the newer news.
    account_version: Mapped[int] = mapped_column(BigInteger)
    told_at: Mapped[datetime]


class CardLink(OfProgramme, Base):
    """A secret address of a card's page; only the hash of its token is kept."""

    __tablename__ = "card_links"

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    card_id: Mapped[str] = mapped_column(String(16), ForeignKey("cards.id"), index=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class UsedStep(OfProgramme, Base):
    """A step of a rotating code that was presented: each counts once a card."""

    __tablename__ = "used_steps"

    card_id: Mapped[str] = mapped_column(String(16), ForeignKey("cards.id"), primary_key=True)
    step: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    used_at: Mapped[datetime]


class CardScan(OfProgramme, Base):
    """A card was read at a till. No foreign keys: it is written while a customer waits."""

    __tablename__ = "card_scans"
    __table_args__ = (Index("ix_card_scans_card", "card_id", "scanned_at"),)

    sequence: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True
    )
    programme_id: Mapped[str] = mapped_column(Id)
    card_id: Mapped[str] = mapped_column(String(16))
    till_id: Mapped[str] = mapped_column(Id)
    location_id: Mapped[str] = mapped_column(Id)
    #: The local day of it.
    day: Mapped[date]
    scanned_at: Mapped[datetime]


class CardPin(OfProgramme, Base):
    """A card's PIN as an argon2id hash, and how often it was tried in vain since it was right."""

    __tablename__ = "card_pins"

    card_id: Mapped[str] = mapped_column(String(16), ForeignKey("cards.id"), primary_key=True)
    pin_hash: Mapped[str] = mapped_column(String(200))
    failures: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[datetime | None]
    set_at: Mapped[datetime]


class ErasureRequest(OfProgramme, Base):
    """The holder of a card wants to be forgotten, and has until *due_at* to think better of it."""

    __tablename__ = "erasure_requests"

    card_id: Mapped[str] = mapped_column(String(16), ForeignKey("cards.id"), primary_key=True)
    asked_at: Mapped[datetime]
    due_at: Mapped[datetime] = mapped_column(index=True)
