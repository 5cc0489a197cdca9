"""Tables of what is prepared for a programme and of who published what."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, Id, OfProgramme, new_id


class TrialState(StrEnum):
    """Where a trial stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"


class Did(StrEnum):
    """What somebody did to the rules."""

    PUBLISHED = "published"
    TRIED = "tried"
    WIDENED = "widened"
    ADOPTED = "adopted"
    ROLLED_BACK = "rolled_back"


class ProgrammeDraft(OfProgramme, Base):
    """The one change that is being prepared: settings by name, as they are kept."""

    __tablename__ = "programme_drafts"
    __table_args__ = (UniqueConstraint("programme_id"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    changes: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    #: What they were when they were first changed here: somebody else may publish meanwhile.
    before: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    #: Baskets that show what it means; empty: some to begin with.
    baskets: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    #: Rises with every change: a form that was opened before another's change is told so.
    revision: Mapped[int] = mapped_column(default=0)
    changed_at: Mapped[datetime]
    changed_by: Mapped[str | None] = mapped_column(Id, ForeignKey("staff.id"))


class ProgrammeTrial(OfProgramme, Base):
    """A change replayed over real receipts, in the background; nothing but this row is written."""

    __tablename__ = "programme_trials"
    __table_args__ = (Index("ix_programme_trials_state", "state", "asked_at"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    changes: Mapped[dict[str, Any]] = mapped_column(JSON)
    locations: Mapped[list[str]] = mapped_column(JSON, default=list)
    segments: Mapped[list[str]] = mapped_column(JSON, default=list)
    since: Mapped[datetime]
    asked_at: Mapped[datetime]
    asked_by: Mapped[str | None] = mapped_column(Id, ForeignKey("staff.id"))
    state: Mapped[str] = mapped_column(String(10), default=str(TrialState.WAITING))
    done: Mapped[int] = mapped_column(BigInteger, default=0)
    total: Mapped[int] = mapped_column(BigInteger, default=0)
    #: When it was begun, and when whoever runs it was last heard of.
    began_at: Mapped[datetime | None]
    heard_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    #: What was found, as `Tally.as_json` tells it; or what went wrong, in words.
    found: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    said: Mapped[str | None] = mapped_column(String(400))


class ProgrammePublication(OfProgramme, Base):
    """Who published, tried or took back which version or pilot, and when. Never changed."""

    __tablename__ = "programme_publications"
    __table_args__ = (Index("ix_programme_publications_number", "programme_id", "number"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    #: The version or pilot that came of it, or the pilot that ended.
    number: Mapped[int]
    did: Mapped[str] = mapped_column(String(12))
    #: The version or pilot that it is about, where that is another.
    about: Mapped[int | None]
    at: Mapped[datetime]
    staff_id: Mapped[str | None] = mapped_column(Id, ForeignKey("staff.id"))


class ProgrammePurpose(OfProgramme, Base):
    """What the programme is for, as its owner said at set-up: its results are held against it."""

    __tablename__ = "programme_purposes"
    __table_args__ = (UniqueConstraint("programme_id"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    goal: Mapped[str | None] = mapped_column(String(20))
    benefit: Mapped[str | None] = mapped_column(String(20))
    #: Of a sale, in percent: an exact decimal as text.
    margin: Mapped[str | None] = mapped_column(String(8))
    template: Mapped[str | None] = mapped_column(String(20))
    #: Set-up: when it was begun, which steps are done, and when the test card was there.
    began_at: Mapped[datetime]
    steps: Mapped[list[str]] = mapped_column(JSON, default=list)
    finished_at: Mapped[datetime | None]
    changed_at: Mapped[datetime]
    changed_by: Mapped[str | None] = mapped_column(Id, ForeignKey("staff.id"))
