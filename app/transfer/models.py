"""Table of imports: what makes a file that is imported twice, or half, the same import."""

from datetime import datetime

from sqlalchemy import BigInteger, String, UniqueConstraint
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
