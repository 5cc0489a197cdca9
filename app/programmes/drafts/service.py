"""The draft of a programme: settings that are to change, kept until they are published or thrown
away. Publishing says who did it and when."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db import programme_of
from app.errors import Conflict
from app.languages import _
from app.programmes import pilots, service
from app.programmes.drafts.models import Did, ProgrammeDraft, ProgrammePublication
from app.programmes.models import Programme, ProgrammePilot
from app.programmes.settings import Settings, settings_from_json
from app.programmes.terms import Version

#: Baskets that one looks at, and how large they may be as JSON.
MOST_BASKETS = 6


@dataclass(frozen=True, slots=True)
class Draft:
    """What is in force, and what the draft makes of it.

    *overtaken* are settings of the draft that somebody else has changed since it was begun: to
    publish it would undo that.
    """

    row: ProgrammeDraft | None
    version: Version
    changes: Mapping[str, Any]
    settings: Settings
    overtaken: tuple[str, ...] = ()

    @property
    def revision(self) -> int:
        """What a form has to say that it was made for."""
        return 0 if self.row is None else self.row.revision


def look(session: Session, moment: datetime) -> Draft:
    """The draft beside what is in force at *moment*; without a draft both are the same."""
    version = service.version_at(session, programme_of(session), moment)
    row = session.scalar(select(ProgrammeDraft))
    if row is None or not row.changes:
        return Draft(row, version, {}, version.settings)
    now = version.settings.as_json()
    overtaken = tuple(name for name, value in row.before.items() if now.get(name) != value)
    settings = settings_from_json(now | row.changes)
    return Draft(row, version, dict(row.changes), settings, overtaken)


def change(
    session: Session,
    changes: Mapping[str, Any],
    *,
    revision: int | None = None,
    by: str | None = None,
    now: datetime,
) -> Draft:
    """Put *changes* (settings by name) into the draft; those that are as in force leave it.

    Raises `Invalid` by setting, and `Conflict` where the draft is of another *revision*.
    """
    row = _row(session, revision, now)
    version = service.version_at(session, programme_of(session), now)
    there = version.settings.as_json()
    read = settings_from_json(there | row.changes | dict(changes)).as_json()
    wanted = dict(row.changes) | {name: read[name] for name in changes}
    row.before = {name: row.before.get(name, there[name]) for name in wanted}
    # What is so already needs no change, and what somebody else made so neither.
    row.changes = {name: value for name, value in wanted.items() if value != there[name]}
    row.before = {name: row.before[name] for name in row.changes}
    _mark(row, by, now)
    session.flush()
    return look(session, now)


def keep_baskets(session: Session, baskets: Sequence[Mapping[str, Any]], *, now: datetime) -> None:
    """Keep the baskets that one looks at; they change nothing for anybody."""
    row = _row(session, None, now)
    row.baskets = [dict(each) for each in baskets[:MOST_BASKETS]]
    session.flush()


def take_over(session: Session, *, by: str | None = None, now: datetime) -> Draft:
    """Say that what was changed by others meanwhile has been seen: the draft counts."""
    row = _row(session, None, now)
    there = service.version_at(session, programme_of(session), now).settings.as_json()
    row.before = {name: there[name] for name in row.changes}
    _mark(row, by, now)
    session.flush()
    return look(session, now)


def discard(session: Session, names: Collection[str] | None = None, *, now: datetime) -> None:
    """Throw the draft away, or the settings of it that are named; baskets stay."""
    row = session.scalar(select(ProgrammeDraft).with_for_update())
    if row is None:
        return
    gone = set(row.changes) if names is None else set(names)
    row.changes = {name: value for name, value in row.changes.items() if name not in gone}
    row.before = {name: value for name, value in row.before.items() if name not in gone}
    _mark(row, row.changed_by, now)
    session.flush()


def publish(
    session: Session, *, valid_from: datetime, by: str | None = None, now: datetime
) -> Version:
    """Make the draft a version that holds from *valid_from* on, everywhere.

    Raises `Conflict` where there is nothing to publish, where another version is planned for later
    and would not have it, or where the draft was overtaken.
    """
    changes = _ready(session, valid_from)
    programme_id = programme_of(session)
    later = service.versions_after(session, programme_id, valid_from)
    if later:
        raise Conflict(
            _(
                "Version %(given)s is planned for later and would not have these changes. "
                "Undo it first, or publish from its date on.",
                given=later[0][0],
            )
        )
    version = service.change_settings(session, programme_id, changes, valid_from=valid_from)
    note(session, Did.PUBLISHED, version.number, by=by, now=now)
    discard(session, now=now)
    return version


def try_out(
    session: Session,
    *,
    locations: Collection[str] = (),
    segments: Collection[str] = (),
    valid_from: datetime,
    by: str | None = None,
    now: datetime,
) -> ProgrammePilot:
    """Put the draft on trial in some locations, for some segments, or both; it leaves the draft.

    Raises what `pilots.start_pilot` raises.
    """
    changes = _ready(session, valid_from)
    pilot = pilots.start_pilot(
        session,
        programme_of(session),
        changes,
        locations=locations,
        segments=segments,
        valid_from=valid_from,
        now=now,
    )
    note(session, Did.TRIED, pilot.number, by=by, now=now)
    discard(session, now=now)
    return pilot


def note(
    session: Session,
    did: Did,
    number: int,
    *,
    about: int | None = None,
    by: str | None = None,
    now: datetime,
) -> None:
    """Write down who did what to the rules."""
    session.add(ProgrammePublication(number=number, did=str(did), about=about, at=now, staff_id=by))
    session.flush()


def publications(session: Session) -> list[ProgrammePublication]:
    """All of them, in their order."""
    return list(
        session.scalars(
            select(ProgrammePublication).order_by(ProgrammePublication.at, ProgrammePublication.id)
        )
    )


def _ready(session: Session, moment: datetime) -> Mapping[str, Any]:
    """What is to be published from *moment* on. Raises `Conflict`."""
    session.scalar(select(ProgrammeDraft).with_for_update())
    draft = look(session, moment)
    if not draft.changes:
        raise Conflict(_("The draft changes nothing: there is nothing to publish."))
    if draft.overtaken:
        raise Conflict(
            _(
                "Somebody else has changed the same since this draft was begun: %(known)s. "
                "Compare, then take the draft over or throw it away.",
                known=", ".join(draft.overtaken),
            )
        )
    return draft.changes


def _row(session: Session, revision: int | None, now: datetime) -> ProgrammeDraft:
    # One at a time: else two people could begin a draft in the same moment. Tills need not wait.
    session.get(Programme, programme_of(session), with_for_update={"key_share": True})
    row = session.scalar(
        select(ProgrammeDraft).with_for_update().execution_options(populate_existing=True)
    )
    if revision is not None and revision != (0 if row is None else row.revision):
        raise Conflict(
            _("Somebody else has changed the draft meanwhile. Look at it again, then change it.")
        )
    if row is None:
        row = ProgrammeDraft(changes={}, before={}, baskets=[], revision=0, changed_at=now)
        session.add(row)
    return row


def _mark(row: ProgrammeDraft, by: str | None, now: datetime) -> None:
    row.revision = (row.revision or 0) + 1
    row.changed_at, row.changed_by = now, by
