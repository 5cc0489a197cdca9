"""Tables of delivery: which wallets hold a pass, and how far behind each one is."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, OfProgramme

Counter = BigInteger().with_variant(Integer, "sqlite")


class Delivered:
    """How far one wallet is: it has *delivered_version* of card and account together.

    *next_attempt_at* is a lease while a worker is at it and a back-off after a failure.
    """

    delivered_version: Mapped[int] = mapped_column(BigInteger, default=0)
    delivered_at: Mapped[datetime | None]
    next_attempt_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None] = mapped_column(String(300))


class AppleRegistration(Delivered, OfProgramme, Base):
    """An Apple device that watches a pass."""

    __tablename__ = "apple_registrations"
    __table_args__ = (UniqueConstraint("device_id", "card_id"),)

    id: Mapped[int] = mapped_column(Counter, primary_key=True)
    card_id: Mapped[str] = mapped_column(String(16), ForeignKey("cards.id"), index=True)
    device_id: Mapped[str] = mapped_column(String(100))
    push_token: Mapped[str] = mapped_column(String(200))
    registered_at: Mapped[datetime]


class GooglePass(Delivered, OfProgramme, Base):
    """A card's object at Google, made when the customer asked for it."""

    __tablename__ = "google_passes"

    id: Mapped[int] = mapped_column(Counter, primary_key=True)
    card_id: Mapped[str] = mapped_column(String(16), ForeignKey("cards.id"), unique=True)
    object_id: Mapped[str] = mapped_column(String(120), unique=True)
    inserted_at: Mapped[datetime]
    #: Told by Google's callbacks; empty while nobody has saved it, or after it was removed.
    saved_at: Mapped[datetime | None]


class SeenNonce(Base):
    """A callback of Google that was already taken in."""

    __tablename__ = "seen_nonces"

    nonce: Mapped[str] = mapped_column(String(120), primary_key=True)
    seen_at: Mapped[datetime]
