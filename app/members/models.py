"""Tables of members. Nothing outside this package may hold a name, an address or a number."""

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, Id, OfProgramme, new_id


class Member(OfProgramme, Base):
    """A person. Contacts are ciphertexts that name the version of their key."""

    __tablename__ = "members"

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    name: Mapped[bytes | None] = mapped_column(LargeBinary)
    #: What they like to be called at the till.
    nickname: Mapped[bytes | None] = mapped_column(LargeBinary)
    email: Mapped[bytes | None] = mapped_column(LargeBinary)
    #: Keyed hash of the address: found by whoever has the key and the whole address only.
    email_index: Mapped[bytes | None] = mapped_column(LargeBinary(32), index=True)
    #: When a letter to the address was answered; nobody else's address has that.
    email_confirmed_at: Mapped[datetime | None]
    phone: Mapped[bytes | None] = mapped_column(LargeBinary)
    phone_index: Mapped[bytes | None] = mapped_column(LargeBinary(32), index=True)
    #: The number that the member had in the system before; nobody else of the programme has it.
    number: Mapped[bytes | None] = mapped_column(LargeBinary)
    number_index: Mapped[bytes | None] = mapped_column(LargeBinary(32), unique=True)
    #: Month and day alone, as "05-17".
    birthday: Mapped[bytes | None] = mapped_column(LargeBinary)
    birthday_index: Mapped[bytes | None] = mapped_column(LargeBinary(32), index=True)
    language: Mapped[str] = mapped_column(String(2))
    #: Whoever is at the counter is told that this is somebody special, and reads the line.
    is_vip: Mapped[bool] = mapped_column(default=False)
    counter_note: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]


class MemberWord(OfProgramme, Base):
    """One word of a member's name as a keyed hash: found by whoever has the key and the word."""

    __tablename__ = "member_words"

    #: The first 16 bytes of it.
    word_index: Mapped[bytes] = mapped_column(LargeBinary(16), primary_key=True)
    member_id: Mapped[str] = mapped_column(
        Id, ForeignKey("members.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class MemberNote(OfProgramme, Base):
    """What somebody of the staff wrote down about a member, sealed."""

    __tablename__ = "member_notes"

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    member_id: Mapped[str] = mapped_column(
        Id, ForeignKey("members.id", ondelete="CASCADE"), index=True
    )
    text: Mapped[bytes] = mapped_column(LargeBinary)
    written_by_id: Mapped[str] = mapped_column(Id, ForeignKey("staff.id"))
    written_at: Mapped[datetime]


class Consent(OfProgramme, Base):
    """One consent to one purpose, with the very text that was shown."""

    __tablename__ = "consents"

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    member_id: Mapped[str] = mapped_column(
        Id, ForeignKey("members.id", ondelete="CASCADE"), index=True
    )
    purpose: Mapped[str] = mapped_column(String(32))
    text_version: Mapped[str] = mapped_column(String(32))
    #: The language that it was read in; empty where it was said to somebody.
    language: Mapped[str | None] = mapped_column(String(2))
    given_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]


class ConsentText(OfProgramme, Base):
    """A text of the programme's own that members may consent to; immutable."""

    __tablename__ = "consent_texts"

    programme_id: Mapped[str] = mapped_column(Id, ForeignKey("programmes.id"), primary_key=True)
    purpose: Mapped[str] = mapped_column(String(32), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    #: By language.
    texts: Mapped[dict[str, str]] = mapped_column(JSON)
    created_at: Mapped[datetime]


class MemberRead(OfProgramme, Base):
    """Somebody looked at personal data, or took it away; immutable.

    *member_id* is no foreign key: the record outlives the member, who is then nobody.
    """

    __tablename__ = "member_reads"

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    member_id: Mapped[str] = mapped_column(Id, index=True)
    #: "cli", "staff" or "api", and who that was: the machine's account, the member of staff.
    reader_kind: Mapped[str] = mapped_column(String(8))
    reader: Mapped[str] = mapped_column(String(80))
    #: What for: "show", "export", "erase".
    purpose: Mapped[str] = mapped_column(String(16))
    read_at: Mapped[datetime]
