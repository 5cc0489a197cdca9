"""Tables of imports: what makes a file that is imported twice, or half, the same import; and files
that were uploaded to be imported."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, Id, OfProgramme, new_id


class Import(OfProgramme, Base):
    """One import of members, under the name that its operator gave it.

    The ids of its postings are derived with the version *key_version* of the blind index's key,
    whatever is rotated since: who has the members' numbers alone cannot tell whose entries are
    whose, also after a member was erased.
    """

    __tablename__ = "imports"
    __table_args__ = (UniqueConstraint("programme_id", "name"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(80))
    key_version: Mapped[int]
    members: Mapped[int] = mapped_column(default=0)
    points: Mapped[int] = mapped_column(BigInteger, default=0)
    started_at: Mapped[datetime]
    #: When a run last came to the end of its file.
    finished_at: Mapped[datetime | None]


class UploadState(StrEnum):
    """How far an uploaded file is."""

    #: To be looked through, which writes nothing.
    LOOKING = "looking"
    LOOKED = "looked"
    IMPORTING = "importing"
    DONE = "done"
    #: It cannot be read at all; or somebody stopped it, and what came in stays.
    FAILED = "failed"
    STOPPED = "stopped"


class Upload(OfProgramme, Base):
    """A file that was uploaded: kept sealed while it is looked through and imported, then gone."""

    __tablename__ = "import_uploads"

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    #: The import's name, and the file's.
    name: Mapped[str] = mapped_column(String(80))
    file_name: Mapped[str] = mapped_column(String(100))
    state: Mapped[str] = mapped_column(String(16))
    #: Sealed with the key ring; empty once it is not needed any more.
    file: Mapped[bytes | None] = mapped_column(LargeBinary)
    #: Of the columns, of dates, of those who have no language.
    options: Mapped[dict[str, Any]] = mapped_column(JSON)
    lines: Mapped[int] = mapped_column(default=0)
    done_lines: Mapped[int] = mapped_column(default=0)
    #: Counts alone: customers, points, wrong lines.
    summary: Mapped[dict[str, Any]] = mapped_column(JSON)
    #: The first problems by line, sealed: they quote what stands in the file.
    problems: Mapped[bytes | None] = mapped_column(LargeBinary)
    #: What is wrong with the file as a whole.
    failure: Mapped[str | None] = mapped_column(String(400))
    made_at: Mapped[datetime]
    made_by_id: Mapped[str] = mapped_column(Id, ForeignKey("staff.id"))
    changed_at: Mapped[datetime]
    #: In the hands of a worker until then.
    leased_until: Mapped[datetime | None]
