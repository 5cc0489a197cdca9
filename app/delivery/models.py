"""Tables of delivery: which wallets hold a pass, and how far behind each one is."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, OfProgramme, index_of_some

Counter = BigInteger().with_variant(Integer, "sqlite")
_BEHIND = "wanted_version > delivered_version"


class Delivered:
    """How far one wallet is. Its versions are the sum of its card's and its account's.

    *wanted_version* is the newest one that delivery has taken up, *delivered_version* the newest
    one that the wallet has. *next_attempt_at* says when a wallet that is behind is looked at: at
    once, after the lease of a worker that is at it, or after a back-off; it is empty for a wallet
    that is not behind. *behind_since* is when delivery took up the oldest change that the wallet
    does not have yet.
    """

    wanted_version: Mapped[int] = mapped_column(BigInteger, default=0)
    delivered_version: Mapped[int] = mapped_column(BigInteger, default=0)
    delivered_at: Mapped[datetime | None]
    next_attempt_at: Mapped[datetime | None]
    behind_since: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None] = mapped_column(String(300))


def _due(table: str) -> Index:
    """What is behind, in the order in which it is due: nothing else has to be read to find it."""
    return index_of_some(f"ix_{table}_due", "next_attempt_at", where=_BEHIND)


class AppleRegistration(Delivered, OfProgramme, Base):
    """An Apple device that watches a pass."""

    __tablename__ = "apple_registrations"
    __table_args__ = (
        UniqueConstraint("device_id", "card_id"),
        _due("apple_registrations"),
        {"sqlite_autoincrement": True},
    )

    #: Never given out again: a device's tag tells by it which registration it was told of.
    id: Mapped[int] = mapped_column(Counter, primary_key=True)
    card_id: Mapped[str] = mapped_column(String(16), ForeignKey("cards.id"), index=True)
    device_id: Mapped[str] = mapped_column(String(100))
    push_token: Mapped[str] = mapped_column(String(200))
    registered_at: Mapped[datetime]


class PassDesign(OfProgramme, Base):
    """A design of Apple passes that was inspected before the first one went out.

    *findings* holds what was found to be wrong, as the preflight says it; a design without an
    error passed for good, one with errors is not given to anybody.
    """

    __tablename__ = "pass_designs"

    #: SHA-256 over everything that all passes of the design share, and their certificate.
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    passed: Mapped[bool]
    findings: Mapped[list[dict[str, str]]] = mapped_column(JSON)
    inspected_at: Mapped[datetime]


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
    #: When it was removed from the phone, as Google told; empty once it is saved again.
    removed_at: Mapped[datetime | None]
    #: The newest callback that was believed, by its expiry in milliseconds: an older one changes
    #: nothing.
    heard_ms: Mapped[int | None] = mapped_column(BigInteger)
    #: What Google has: a keyed digest a field, so that nothing of the member stands here. An empty
    #: digest: Google was told something and did not answer. None at all: nothing is known.
    told: Mapped[dict[str, str] | None] = mapped_column(JSON(none_as_null=True))
    #: When Google showed a notice on the phone lately (Unix seconds): three in 24 hours.
    notices: Mapped[list[int] | None] = mapped_column(JSON(none_as_null=True))


class GoogleClass(OfProgramme, Base):
    """A programme's class at Google, as it was last told."""

    __tablename__ = "google_classes"

    class_id: Mapped[str] = mapped_column(String(120), primary_key=True)
    told: Mapped[dict[str, Any]] = mapped_column(JSON)
    told_at: Mapped[datetime]


class GoogleRootKeys(Base):
    """Google's root keys as they were last fetched; kept over restarts and while Google is down."""

    __tablename__ = "google_root_keys"

    address: Mapped[str] = mapped_column(String(300), primary_key=True)
    #: The list as Google published it; empty while it could never be fetched.
    document: Mapped[bytes | None] = mapped_column(LargeBinary)
    fetched_at: Mapped[datetime | None]
    #: It is fetched again from here on; whoever does it moves this first.
    refresh_at: Mapped[datetime]
    last_error: Mapped[str | None] = mapped_column(String(300))


class Pace(Base):
    """A limit that all processes keep together: when the next request may begin."""

    __tablename__ = "paces"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    #: Unix time in microseconds.
    next_us: Mapped[int] = mapped_column(BigInteger)


class SeenNonce(Base):
    """A callback of Google that was already taken in; kept until the callback expires anyway."""

    __tablename__ = "seen_nonces"

    nonce: Mapped[str] = mapped_column(String(120), primary_key=True)
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
