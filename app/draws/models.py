"""Tables of prize draws. Who holds which tickets is written down once, at closing."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, Id, OfProgramme, new_id
from app.ledger.models import OfAccount


class PrizeDraw(OfProgramme, Base):
    """A draw, from its terms to its winners. Nothing that was published changes any more."""

    __tablename__ = "prize_draws"
    __table_args__ = (UniqueConstraint("programme_id", "code"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    #: What rules give tickets of: `gives = { tickets = { CODE = 1 } }`.
    code: Mapped[str] = mapped_column(String(40))
    terms: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime]
    #: Sealed until the draw is held; from then on in the clear in what is published.
    seed: Mapped[bytes | None] = mapped_column(LargeBinary)
    seed_sha256: Mapped[str | None] = mapped_column(String(64))
    published_at: Mapped[datetime | None]
    #: Sealed for ever: it tells whose a pseudonym is.
    list_key: Mapped[bytes | None] = mapped_column(LargeBinary)
    list_sha256: Mapped[str | None] = mapped_column(String(64))
    holders: Mapped[int | None]
    tickets: Mapped[int | None] = mapped_column(BigInteger)
    closed_at: Mapped[datetime | None]
    public_value: Mapped[str | None] = mapped_column(String(400))
    revealed_seed: Mapped[str | None] = mapped_column(String(64))
    drawn_at: Mapped[datetime | None]


class PrizeDrawHolder(OfAccount, Base):
    """How many tickets an account had at closing, and the place that it won, if it did."""

    __tablename__ = "prize_draw_holders"
    __table_args__ = (UniqueConstraint("draw_id", "pseudonym"),)

    draw_id: Mapped[str] = mapped_column(Id, ForeignKey("prize_draws.id"), primary_key=True)
    account_id: Mapped[str] = mapped_column(Id, ForeignKey("accounts.id"), primary_key=True)
    pseudonym: Mapped[str] = mapped_column(String(32))
    tickets: Mapped[int] = mapped_column(BigInteger)


class PrizeDrawWinner(OfAccount, Base):
    """A prize and the account that won it."""

    __tablename__ = "prize_draw_winners"

    draw_id: Mapped[str] = mapped_column(Id, ForeignKey("prize_draws.id"), primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True)
    prize: Mapped[str] = mapped_column(String(40))
    account_id: Mapped[str] = mapped_column(Id, ForeignKey("accounts.id"))
    pseudonym: Mapped[str] = mapped_column(String(32))
