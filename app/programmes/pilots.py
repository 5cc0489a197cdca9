"""Versions in their order, and pilots: a change on trial in some places or for some members.

A pilot stands over the version that holds: it says what it changes and nothing else. Neither is
ever rewritten; a pilot ends, a version is followed by another. So a late receipt is valued by what
held on its day in its place, and what was earned stays as it was earned.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import Conflict, Invalid, NotFound
from app.languages import _
from app.programmes import benefit
from app.programmes.models import Location, Programme, ProgrammePilot, ProgrammeVersion
from app.programmes.service import ALWAYS, change_settings, next_number, version_at
from app.programmes.settings import Settings, setting_names, settings_from_json
from app.programmes.terms import Version, rulebook_of

#: What a receipt alone decides, and what names things for it. The rest is one for all accounts:
#: a tier or an expiry by inactivity cannot be one thing in one shop and another in the next.
PILOTABLE = (
    "points",
    "per_amount",
    "expires_after_months",
    "expires_round_up",
    "pending_days",
    "pending_until_confirmed",
    "carry_remainder",
    "earn_on",
    "excluded_categories",
    "bonuses",
    "rules",
    "stacking",
    "segments",
)


@dataclass(frozen=True, slots=True)
class Changed:
    """A version or a pilot, with what it changed: old and new by setting, rules by name.

    *until*: the first moment without it, as far as known; a version holds until the next begins.
    """

    number: int
    valid_from: datetime
    until: datetime | None
    changes: Mapping[str, tuple[Any, Any]]
    is_pilot: bool = False
    locations: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()


def start_pilot(
    session: Session,
    programme_id: str,
    changes: Mapping[str, Any],
    *,
    locations: Collection[str] = (),
    segments: Collection[str] = (),
    valid_from: datetime,
    now: datetime,
) -> ProgrammePilot:
    """Put a change on trial in some *locations* (slugs), for some *segments*, or for both at once.

    Raises `Invalid` for what cannot be tried or makes no sense, `NotFound` for a location.
    """
    if not locations and not segments:
        raise Invalid(_("Say where or for whom it is on trial: a location, a segment or both."))
    if not changes:
        raise Invalid(_("Say what is on trial: it changes nothing."))
    settings = version_at(session, programme_id, valid_from).settings
    read = _read(settings, changes)
    _check_scope(session, programme_id, read, locations, segments)
    kept = read.as_json()
    programme = _programme(session, programme_id)
    programme.has_pilots = True
    pilot = ProgrammePilot(
        programme_id=programme_id,
        number=next_number(session, programme_id),
        valid_from=valid_from,
        ends_at=None,
        changes={name: kept[name] for name in changes},
        locations=sorted(set(locations)),
        segments=sorted(set(segments)),
        created_at=now,
    )
    session.add(pilot)
    session.flush()
    return pilot


def _programme(session: Session, programme_id: str) -> Programme:
    found = session.get(Programme, programme_id, with_for_update=True)
    if found is None:
        raise NotFound(_("There is no such programme."))
    return found


def _read(settings: Settings, changes: Mapping[str, Any]) -> Settings:
    read = settings_from_json(settings.as_json() | dict(changes))
    wrong = {
        name: [_("It is one for all accounts and cannot be tried by some: change it for all.")]
        for name in changes
        if name not in PILOTABLE
    }
    if wrong:
        raise Invalid(_("That cannot be put on trial."), wrong)
    return read


def _check_scope(
    session: Session,
    programme_id: str,
    settings: Settings,
    locations: Collection[str],
    segments: Collection[str],
) -> None:
    known = set(session.scalars(select(Location.slug).where(Location.programme_id == programme_id)))
    for slug in sorted(set(locations) - known):
        raise NotFound(_("There is no location %(slug)s in this programme.", slug=repr(slug)))
    defined = {each.name for each in settings.segments}
    for name in sorted(set(segments) - defined):
        raise Invalid(
            _(
                "There is no segment %(name)s: define it in the setting segments first.",
                name=repr(name),
            ),
            {"segments": [_("no segment %(name)s", name=repr(name))]},
        )


def widen_pilot(
    session: Session,
    programme_id: str,
    number: int,
    *,
    locations: Collection[str] = (),
    segments: Collection[str] = (),
    at: datetime,
    now: datetime,
) -> ProgrammePilot:
    """From *at* on the pilot holds in more places or for more segments; a pilot of its own.

    Receipts of earlier moments stay what they were. Raises `Invalid`, `NotFound`, `Conflict`.
    """
    pilot = _running(session, programme_id, number, at)
    more = set(pilot.locations) | set(locations), set(pilot.segments) | set(segments)
    if more == (set(pilot.locations), set(pilot.segments)):
        raise Invalid(_("Say where or for whom else it is on trial, or widen it to everywhere."))
    if (locations and not pilot.locations) or (segments and not pilot.segments):
        raise Invalid(
            _("That would narrow it: it is on trial in every place or for every member already.")
        )
    wider = start_pilot(
        session,
        programme_id,
        pilot.changes,
        locations=more[0],
        segments=more[1],
        valid_from=max(at, pilot.valid_from),
        now=now,
    )
    pilot.ends_at = wider.valid_from
    benefit.pass_on(
        _programme(session, programme_id),
        number,
        to=wider.number,
        valid_from=wider.valid_from,
        locations=wider.locations,
    )
    session.flush()
    return wider


def adopt_pilot(session: Session, programme_id: str, number: int, *, at: datetime) -> Version:
    """From *at* on what was on trial holds everywhere, as a version; the pilot is over.

    Raises `NotFound`, `Conflict`.
    """
    pilot = _running(session, programme_id, number, at)
    version = change_settings(
        session, programme_id, pilot.changes, valid_from=max(at, pilot.valid_from)
    )
    pilot.ends_at = version.valid_from
    benefit.pass_on(
        _programme(session, programme_id), number, to=version.number, valid_from=version.valid_from
    )
    session.flush()
    return version


def roll_back(session: Session, programme_id: str, number: int, *, at: datetime) -> Version:
    """From *at* on a pilot is over, or the version before holds again; what holds then.

    A version that has not begun by *at* never holds. Raises `NotFound` for a number that there is
    not, `Conflict` for what is over already.
    """
    held = _end(session, programme_id, number, at)
    benefit.take_back(_programme(session, programme_id), number)
    return held


def _end(session: Session, programme_id: str, number: int, at: datetime) -> Version:
    if _pilot(session, programme_id, number) is not None:
        pilot = _running(session, programme_id, number, at)
        pilot.ends_at = max(at, pilot.valid_from)
        session.flush()
        return version_at(session, programme_id, pilot.ends_at)
    versions = _versions(session, programme_id)
    place = next((at for at, each in enumerate(versions) if each.number == number), None)
    if place is None:
        raise NotFound(
            _("There is no version %(number)s. See: counterfoil programme versions", number=number)
        )
    if place == 0:
        raise Conflict(_("The first version has none before it: change the settings instead."))
    version = versions[place]
    after = next((each for each in versions[place + 1 :] if each.valid_from <= at), None)
    if after is not None:
        raise Conflict(
            _(
                "Version %(number)s no longer holds: version %(number_2)s came after it.",
                number=number,
                number_2=after.number,
            )
        )
    before = versions[place - 1].settings
    return change_settings(session, programme_id, before, valid_from=max(at, version.valid_from))


def _pilot(session: Session, programme_id: str, number: int) -> ProgrammePilot | None:
    return session.scalar(
        select(ProgrammePilot).where(
            ProgrammePilot.programme_id == programme_id, ProgrammePilot.number == number
        )
    )


def _running(session: Session, programme_id: str, number: int, at: datetime) -> ProgrammePilot:
    pilot = _pilot(session, programme_id, number)
    if pilot is None:
        raise NotFound(
            _("There is no pilot %(number)s. See: counterfoil programme versions", number=number)
        )
    if pilot.ends_at is not None and pilot.ends_at <= max(at, pilot.valid_from):
        raise Conflict(_("Pilot %(number)s is over already.", number=number))
    return pilot


def _versions(session: Session, programme_id: str) -> list[ProgrammeVersion]:
    """All versions in the order in which they hold."""
    return list(
        session.scalars(
            select(ProgrammeVersion)
            .where(ProgrammeVersion.programme_id == programme_id)
            .order_by(ProgrammeVersion.valid_from, ProgrammeVersion.number)
        )
    )


def history(session: Session, programme_id: str) -> list[Changed]:
    """All versions and pilots with what each changed, in the order of their beginnings."""
    versions = _versions(session, programme_id)
    found = []
    before: dict[str, Any] | None = None
    for place, each in enumerate(versions):
        until = versions[place + 1].valid_from if place + 1 < len(versions) else None
        kept = settings_from_json(each.settings).as_json()
        found.append(
            Changed(
                each.number,
                each.valid_from,
                until,
                {} if before is None else changed(before, kept),
            )
        )
        before = kept
    for pilot in session.scalars(
        select(ProgrammePilot).where(ProgrammePilot.programme_id == programme_id)
    ):
        under = rulebook_of(session, programme_id, max(pilot.valid_from, ALWAYS))
        main = under.everywhere(pilot.valid_from).settings.as_json()
        found.append(
            Changed(
                pilot.number,
                pilot.valid_from,
                pilot.ends_at,
                changed(main, main | pilot.changes),
                is_pilot=True,
                locations=tuple(pilot.locations),
                segments=tuple(pilot.segments),
            )
        )
    return sorted(found, key=lambda each: (each.valid_from, each.number))


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """What differs between two settings as they are kept; rules, bonuses and segments by name.

    Old and new; None is for what was not there.
    """
    found: dict[str, tuple[Any, Any]] = {}
    for name in setting_names():
        old, new = before.get(name), after.get(name)
        if old == new:
            continue
        by_name = (_by_name(old), _by_name(new))
        if by_name[0] is None or by_name[1] is None:
            found[name] = (old, new)
            continue
        for each in [*by_name[0], *(each for each in by_name[1] if each not in by_name[0])]:
            pair = by_name[0].get(each), by_name[1].get(each)
            if pair[0] != pair[1]:
                found[f"{name}: {each}"] = pair
        if by_name[0] == by_name[1]:  # Only their order, which decides between equals.
            found[name] = (list(by_name[0]), list(by_name[1]))
    return found


def _by_name(value: Any) -> dict[str, Any] | None:
    if isinstance(value, list) and all(isinstance(each, dict) and "name" in each for each in value):
        return {each["name"]: each for each in value}
    return value if isinstance(value, dict) and "levels" not in value else None
