"""Tables of signing in to the staff pages: beside `Staff`, whose PIN is for the till alone."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, Id, OfProgramme, new_id


class Login(OfProgramme, Base):
    """How one person signs in. Without a password nobody does, whatever they know."""

    __tablename__ = "staff_logins"

    staff_id: Mapped[str] = mapped_column(Id, ForeignKey("staff.id"), primary_key=True)
    #: argon2id; None until an invitation was used.
    password_hash: Mapped[str | None] = mapped_column(String(200))
    password_changed_at: Mapped[datetime | None]
    #: The authenticator app's secret, sealed with the key ring; None without a second factor.
    totp_secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    #: One that is being set up: it counts once a code of it was typed.
    totp_pending: Mapped[bytes | None] = mapped_column(LargeBinary)
    totp_since: Mapped[datetime | None]
    #: The thirty seconds (counted since 1970) whose code was used last: a code works once.
    totp_last_step: Mapped[int] = mapped_column(BigInteger, default=0)
    #: Where a link to set another password goes, sealed; None where nobody gave one.
    email: Mapped[bytes | None] = mapped_column(LargeBinary)


class RecoveryCode(OfProgramme, Base):
    """A code for the day the phone is lost: it stands in for the authenticator app once."""

    __tablename__ = "staff_recovery_codes"

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    staff_id: Mapped[str] = mapped_column(Id, ForeignKey("staff.id"), index=True)
    code_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    used_at: Mapped[datetime | None]


class LinkKind(StrEnum):
    """Why somebody was sent a link to set a password."""

    INVITATION = "invitation"
    RESET = "reset"


class PasswordLink(OfProgramme, Base):
    """A link that sets a password: once, and for a day."""

    __tablename__ = "staff_password_links"

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    staff_id: Mapped[str] = mapped_column(Id, ForeignKey("staff.id"), index=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    kind: Mapped[str] = mapped_column(String(16))
    #: Using it also takes away the second factor: the phone with the app is gone.
    forgets_second_factor: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    #: When it was used, or taken back.
    ended_at: Mapped[datetime | None]


class HalfSignIn(OfProgramme, Base):
    """Somebody whose password was right and who still owes the second factor."""

    __tablename__ = "staff_half_sign_ins"

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    staff_id: Mapped[str] = mapped_column(Id, ForeignKey("staff.id"), index=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
