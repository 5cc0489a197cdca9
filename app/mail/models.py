"""Table of letters that are to be sent, or were."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, Id, OfProgramme, index_of_some, new_id


class MailStatus(StrEnum):
    """How far a letter has come."""

    WAITING = "waiting"
    #: The mail server took it; from here on it is the server's.
    SENT = "sent"
    #: The mail server will never take it: there is no such mailbox.
    REFUSED = "refused"
    #: There is nobody to send it to: no address, or no consent any more.
    DROPPED = "dropped"
    #: Interrupted at the very end: it may have been taken. Only letters that may not come twice.
    UNKNOWN = "unknown"
    #: Days went by without any server taking it.
    FAILED = "failed"


class OutgoingMail(OfProgramme, Base):
    """One letter to one member, or to one of the staff.

    Its content goes once nothing more is to be done.

    It holds no address, and no secret: `fills` says what is put into the places of the text when
    it is sent, such as the link to a card (by the card's id).
    """

    __tablename__ = "mail_outbox"
    __table_args__ = (
        UniqueConstraint("programme_id", "key"),
        index_of_some("ix_mail_outbox_due", "next_at", where="status = 'waiting'"),
        Index("ix_mail_outbox_created", "created_at"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    #: What its maker calls it: queued again under the same key it is not sent again.
    key: Mapped[str] = mapped_column(String(120))
    member_id: Mapped[str | None] = mapped_column(
        Id, ForeignKey("members.id", ondelete="CASCADE"), index=True
    )
    #: Whom of the staff it goes to, where it goes to no member.
    staff_id: Mapped[str | None] = mapped_column(Id, ForeignKey("staff.id"), index=True)
    subject: Mapped[str | None] = mapped_column(String(200))
    text: Mapped[str | None] = mapped_column(Text)
    html: Mapped[str | None] = mapped_column(Text)
    fills: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    #: The purpose that the member has to consent to, and can withdraw with one click; or none.
    unsubscribe: Mapped[str | None] = mapped_column(String(32))
    #: Rather lost than sent twice, should the last moment be interrupted.
    once: Mapped[bool] = mapped_column(default=False)
    status: Mapped[str] = mapped_column(String(8), default=MailStatus.WAITING)
    #: What the mail server said at last, or why there was nothing to send.
    answer: Mapped[str | None] = mapped_column(String(300))
    tries: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    next_at: Mapped[datetime]
    #: In the hands of a worker until then; *begun_at* once it talked of it to the mail server.
    leased_until: Mapped[datetime | None]
    begun_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
