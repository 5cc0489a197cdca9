"""The draft of a programme's design: kept as it was typed, apart from what is published."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, undefer_group

from app.designer import form
from app.designer.filling import typed_of
from app.designer.form import PICTURES, Drafted
from app.designer.models import DesignDraft, TrialLink
from app.errors import Conflict, NotFound
from app.languages import _
from app.programmes import design_releases, designs
from app.programmes.design_texts import arrangement_of, words_of
from app.programmes.designs import Design
from app.programmes.models import PICTURES as PICTURE_COLUMNS
from app.programmes.models import Location, Programme, ProgrammeDesign
from app.programmes.wallet_extras import extras_from_json, read_extras
from passes.card import MAX_PLACES
from passes.extras import Place


class ChangedMeanwhile(Conflict):
    """Somebody else changed the draft since it was shown."""

    code = "draft_changed"


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft as it is: `edit` 0 for one that nobody has begun, which is what is published."""

    typed: dict[str, str]
    pictures: dict[str, str]
    base: int
    edit: int
    changed_at: datetime | None = None
    changed_by: str = ""


def current(session: Session, programme: Programme) -> Draft:
    """The draft of a programme, or the published design where there is none."""
    row = session.scalar(select(DesignDraft).where(DesignDraft.programme_id == programme.id))
    return _published(session, programme) if row is None else _draft(row)


def save(
    session: Session,
    programme: Programme,
    typed: Mapping[str, str],
    *,
    edit: int | None,
    by: str,
    now: datetime,
) -> Draft:
    """Keep what was typed; fields that are not named stay as they are.

    *edit* is the one that was shown; None overwrites whatever is there. Raises `ChangedMeanwhile`
    where somebody else has saved since.
    """
    row = _row(session, programme, now)
    # Who types fast has several saves on their way: those do not get into each other's.
    if edit is not None and edit != row.edit and row.changed_by != by[:80]:
        raise ChangedMeanwhile(
            _(
                "%(name)s has changed the draft meanwhile. Load the page anew.",
                name=row.changed_by,
            )
        )
    wanted = form.known(row.typed | form.known(typed))
    wanted = {name: value for name, value in wanted.items() if value.strip()}
    if wanted != row.typed:
        _touch(row, by, now, typed=wanted)
        session.flush()
    return _draft(row)


def put_picture(
    session: Session, programme: Programme, name: str, data: bytes | None, *, by: str, now: datetime
) -> Draft:
    """Put a picture that `uploads.kept_picture` made into the draft, or with None take it away."""
    if name not in PICTURES:
        raise NotFound(_("There is no such picture."))
    row = _row(session, programme, now)
    pictures = {each: digest for each, digest in row.pictures.items() if each != name}
    digest = design_releases.keep_picture(session, programme.id, data)
    if digest is not None:
        pictures[name] = digest
    _touch(row, by, now, pictures=pictures)
    session.flush()
    _forget_pictures(session, programme.id)
    return _draft(row)


def take_up(
    session: Session, programme: Programme, number: int, *, by: str, now: datetime
) -> Draft:
    """Make an earlier release the draft. Raises `NotFound`."""
    found = design_releases.release(session, programme.id, number)
    row = _row(session, programme, now)
    typed = typed_of(found.content, time_zone=programme.time_zone)
    _touch(row, by, now, typed=typed, pictures=dict(found.pictures))
    session.flush()
    return _draft(row)


def discard(session: Session, programme: Programme) -> None:
    """Forget the draft: what is published is the design again."""
    session.execute(delete(DesignDraft).where(DesignDraft.programme_id == programme.id))
    _forget_pictures(session, programme.id)


def read(session: Session, programme: Programme, draft: Draft) -> Drafted:
    """What the draft is as a design, and what is wrong with it."""
    return form.read(
        draft.typed,
        colours=programme.colours,
        locations=[place.slug for place in locations(session)],
        time_zone=programme.time_zone,
    )


def locations(session: Session) -> list[Location]:
    """The places of the programme that the session is open for."""
    return list(session.scalars(select(Location).order_by(Location.slug)))


def designed(
    session: Session, programme: Programme, drafted: Drafted, pictures: Mapping[str, bytes]
) -> tuple[Programme, Design]:
    """Programme and design as they would be, were the draft published; neither is kept.

    *pictures* are those that the faces are to have; a preview needs none.
    """
    names = {place.slug: place.name for place in locations(session)}
    said = drafted.read
    design = Design(
        kind=drafted.kind,
        logo=pictures.get("logo"),
        hero=pictures.get("hero"),
        poster=pictures.get("poster"),
        icon=pictures.get("icon"),
        links=designs.links_of(said["links"]),
        name=words_of(said["name"], fills_in=False),
        terms=words_of(said["terms"]),
        contact=words_of(said["contact"]),
        arrangement=arrangement_of(said["fields"], said["labels"]),
        places=tuple(
            Place(*degrees, names[slug])
            for slug, degrees in drafted.places.items()
            if degrees is not None
        )[:MAX_PLACES],
        extras=extras_from_json(read_extras({}, drafted.extras)),
    )
    columns = {column.name: getattr(programme, column.name) for column in Programme.__table__.c}
    return Programme(**columns | {"colours": drafted.colours}), design


def picture_bytes(session: Session, programme: Programme, draft: Draft) -> dict[str, bytes]:
    """The pictures of a draft, by name."""
    return {
        name: design_releases.picture(session, programme.id, digest)
        for name, digest in draft.pictures.items()
    }


def _published(session: Session, programme: Programme) -> Draft:
    design = session.scalar(
        select(ProgrammeDesign)
        .where(ProgrammeDesign.programme_id == programme.id)
        .options(undefer_group(PICTURE_COLUMNS))
    )
    content = designs.content_of(session, design, programme)
    newest = design_releases.releases(session, programme.id)[:1]
    return Draft(
        typed_of(content, time_zone=programme.time_zone),
        dict(newest[0].pictures) if newest else {},
        0 if design is None else design.version,
        0,
    )


def _row(session: Session, programme: Programme, now: datetime) -> DesignDraft:
    """The draft's row, locked; made of what is published where there is none."""
    row = session.scalar(
        select(DesignDraft).where(DesignDraft.programme_id == programme.id).with_for_update()
    )
    if row is None:
        begun = _published(session, programme)
        row = DesignDraft(
            programme_id=programme.id,
            typed=begun.typed,
            pictures=begun.pictures,
            base=begun.base,
            edit=0,
            changed_at=now,
            changed_by="",
        )
        session.add(row)
        session.flush()
    return row


def _touch(row: DesignDraft, by: str, now: datetime, **changes: Any) -> None:
    for name, value in changes.items():
        setattr(row, name, value)
    row.edit += 1
    row.changed_at, row.changed_by = now, by[:80]


def _draft(row: DesignDraft) -> Draft:
    return Draft(
        dict(row.typed), dict(row.pictures), row.base, row.edit, row.changed_at, row.changed_by
    )


def _forget_pictures(session: Session, programme_id: str) -> None:
    used: set[str] = set()
    for model in (DesignDraft, TrialLink):
        for pictures in session.scalars(
            select(model.pictures).where(model.programme_id == programme_id)
        ):
            used |= set(pictures.values())
    design_releases.forget_pictures(session, programme_id, frozenset(used))
