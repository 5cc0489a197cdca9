"""Tables of webhooks: what happened, whom to tell, what was told and how that went."""

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
    Text,
)
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from app.db import Base, Id, OfProgramme, index_of_some, new_id

#: SQLite counts up only what it calls INTEGER.
_Sequence = BigInteger().with_variant(Integer, "sqlite")


class Event(OfProgramme, Base):
    """Something that happened, written in the transaction in which it happened.

    *spread* once every endpoint that wants it has a delivery of it.
    """

    __tablename__ = "webhook_events"
    __table_args__ = (index_of_some("ix_webhook_events_waiting", "sequence", where="NOT spread"),)

    sequence: Mapped[int] = mapped_column(_Sequence, primary_key=True)
    id: Mapped[str] = mapped_column(Id, unique=True, default=new_id)

    @declared_attr
    def programme_id(cls) -> Mapped[str]:
        # No foreign key, as with entries: every posting would lock the programme's row.
        return mapped_column(Id)

    #: One of `webhooks.events.TYPES`.
    type: Mapped[str] = mapped_column(String(40))
    data: Mapped[dict[str, Any]] = mapped_column(JSON)
    happened_at: Mapped[datetime] = mapped_column(index=True)
    spread: Mapped[bool] = mapped_column(default=False)


class Endpoint(OfProgramme, Base):
    """An address of a shop system, with the secrets that what it is told is signed with."""

    __tablename__ = "webhook_endpoints"

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    url: Mapped[str] = mapped_column(String(500))
    #: Types of events, or "*" for all.
    events: Mapped[list[str]] = mapped_column(JSON)
    #: Sealed by the key ring; the old one signs beside it until *old_until*.
    secret: Mapped[bytes] = mapped_column(LargeBinary)
    old_secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    old_until: Mapped[datetime | None]
    created_at: Mapped[datetime]
    #: Nothing is sent from here on, for *disabled_reason*, until it is enabled again.
    disabled_at: Mapped[datetime | None]
    disabled_reason: Mapped[str | None] = mapped_column(String(200))
    #: Since when nothing has arrived; empty while all goes well.
    failing_since: Mapped[datetime | None]
    #: In the hands of a worker until then.
    leased_until: Mapped[datetime | None]
    #: The delivery at the head of its queue is not tried before.
    next_at: Mapped[datetime | None]


class Delivery(OfProgramme, Base):
    """One event on its way to one endpoint, in the order of *sequence*."""

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        index_of_some(
            "ix_webhook_deliveries_open", "endpoint_id", "sequence", where="status = 'open'"
        ),
        Index("ix_webhook_deliveries_created", "created_at"),
    )

    sequence: Mapped[int] = mapped_column(_Sequence, primary_key=True)
    id: Mapped[str] = mapped_column(Id, unique=True, default=new_id)
    endpoint_id: Mapped[str] = mapped_column(
        Id, ForeignKey("webhook_endpoints.id", ondelete="CASCADE")
    )
    event_id: Mapped[str] = mapped_column(Id, index=True)
    type: Mapped[str] = mapped_column(String(40))
    #: The very text that is signed and sent, the same at each try.
    body: Mapped[str] = mapped_column(Text)
    #: "open", "delivered", or "test" for one that was tried once and did not arrive.
    status: Mapped[str] = mapped_column(String(10), default="open")
    tries: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    delivered_at: Mapped[datetime | None]


class Try(OfProgramme, Base):
    """One attempt at a delivery: what came back, or why nothing did."""

    __tablename__ = "webhook_tries"

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    delivery_id: Mapped[str] = mapped_column(
        Id, ForeignKey("webhook_deliveries.id", ondelete="CASCADE"), index=True
    )
    tried_at: Mapped[datetime]
    took_ms: Mapped[int]
    #: The HTTP status; empty where there was no answer.
    status: Mapped[int | None]
    #: The beginning of the answer, or what went wrong.
    answer: Mapped[str] = mapped_column(String(1000))
