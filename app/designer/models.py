"""Tables of the designer."""

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, Id, OfProgramme, new_id


class DesignDraft(OfProgramme, Base):
    """The design that is being worked on: what was typed, whether it is right or not."""

    __tablename__ = "design_drafts"

    programme_id: Mapped[str] = mapped_column(Id, ForeignKey("programmes.id"), primary_key=True)
    #: By the names of the designer's fields; see `designer.form`.
    typed: Mapped[dict[str, str]] = mapped_column(JSON)
    #: By name the digest of a `DesignPicture`.
    pictures: Mapped[dict[str, str]] = mapped_column(JSON)
    #: The release that it began from; 0 for none.
    base: Mapped[int]
    #: Rises with every change: whoever saves says which one they saw.
    edit: Mapped[int]
    changed_at: Mapped[datetime]
    changed_by: Mapped[str] = mapped_column(String(80))


class TrialLink(OfProgramme, Base):
    """A one-time link to a test pass of a draft; only the hashes of its tokens are kept."""

    __tablename__ = "trial_links"

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    #: The draft as it was when the link was made.
    typed: Mapped[dict[str, str]] = mapped_column(JSON)
    pictures: Mapped[dict[str, str]] = mapped_column(JSON)
    #: In which language the test pass speaks where it has but one.
    language: Mapped[str] = mapped_column(String(2))
    serial_number: Mapped[str] = mapped_column(String(32))
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    #: The link leads nowhere any more once a phone took it; what it was given is good until then.
    taken_at: Mapped[datetime | None]
    pass_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    pass_until: Mapped[datetime | None]
