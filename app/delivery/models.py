"""Tables of delivery: which wallets hold a pass, and how far behind each one is."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, OfProgramme

Counter = BigInteger().with_variant(Integer, "sqlite")
_BEHIND = text("wanted_version > delivered_version")


class Delivered:
    """How far one wallet is. Its versions are the sum of its card's and its account's.

    *wanted_version* is the newest one that delivery has taken up, *delivered_version* the newest
    one that the wallet has. *next_attempt_at* says when a wallet that is behind is looked at: at
    once, after the lease of a worker that is at it, or after a back-off; it is empty for a wallet
    that is not behind.
    """

    wanted_version: Mapped[int] = mapped_column(BigInteger, default=0)
    delivered_version: Mapped[int] = mapped_column(BigInteger, default=0)
    delivered_at: Mapped[datetime | None]
    next_attempt_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None] = mapped_column(String(300))


def _due(table: str) -> Index:
    """What is behind, in the order in which it is due: nothing else has to be read to find it."""
    return Index(
        f"ix_{table}_due", "next_attempt_at", sqlite_where=_BEHIND, postgresql_where=_BEHIND
    )


class AppleRegistration(Delivered, OfProgramme, Base):
    """An Apple device that watches a pass."""

    __tablename__ = "apple_registrations"
    __table_args__ = (UniqueConstraint("device_id", "card_id"), _due("apple_registrations"))

    id: Mapped[int] = mapped_column(Counter, primary_key=True)
    card_id: Mapped[str] = mapped_column(String(16), ForeignKey("cards.id"), index=True)
    device_id: Mapped[str] = mapped_column(String(100))
    push_token: Mapped[str] = mapped_column(String(200))
    registered_at: Mapped[datetime]


class GooglePass(Delivered, OfProgramme, Base):
    """A card's object at Google, made when the customer asked for it."""

    __tablename__ = "google_passes"
    __table_args__ = (_due("google_passes"),)

    id: Mapped[int] = mapped_column(Counter, primary_key=True)
    card_id: Mapped[str] = mapped_column(String(16), ForeignKey("cards.id"), unique=True)
    object_id: Mapped[str] = mapped_column(String(120), unique=True)
    inserted_at: Mapped[datetime]
    #: Told by Google's callbacks; empty while nobody has saved it, or after it was removed.
    saved_at: Mapped[datetime | None]


class SeenNonce(Base):
    """A callback of Google that was already taken in; kept until the callback expires anyway."""

    __tablename__ = "seen_nonces"

    nonce: Mapped[str] = mapped_column(String(120), primary_key=True)
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
