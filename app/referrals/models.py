"""Tables of referrals."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, Id, OfProgramme, new_id


class ReferralStatus(StrEnum):
    """Where a referral stands."""

    #: The newcomer has not spent enough yet, or no longer.
    WAITING = "waiting"
    GIVEN = "given"
    #: Too late.
    LAPSED = "lapsed"
    #: Who was brought is who brought.
    REFUSED = "refused"


class ReferralCode(OfProgramme, Base):
    """The code that a member hands on. It says nothing of card or account."""

    __tablename__ = "referral_codes"
    __table_args__ = (UniqueConstraint("programme_id", "code"),)

    account_id: Mapped[str] = mapped_column(Id, ForeignKey("accounts.id"), primary_key=True)
    code: Mapped[str] = mapped_column(String(12))
    created_at: Mapped[datetime]


class Referred(OfProgramme, Base):
    """One newcomer and who brought them. *round* rises each time what was given is taken back.

    *checked_at* is the account's `changed_at` as it was when this was last looked at.
    """

    __tablename__ = "referrals"
    __table_args__ = (
        UniqueConstraint("referred_id"),
        Index("ix_referrals_status", "status", "referred_id"),
        Index("ix_referrals_referrer", "referrer_id", "given_at"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    referrer_id: Mapped[str] = mapped_column(Id, ForeignKey("accounts.id"))
    referred_id: Mapped[str] = mapped_column(Id, ForeignKey("accounts.id"))
    status: Mapped[str] = mapped_column(String(8), default=ReferralStatus.WAITING)
    round: Mapped[int] = mapped_column(default=0)
    referred_at: Mapped[datetime]
    given_at: Mapped[datetime | None]
    checked_at: Mapped[datetime | None]
