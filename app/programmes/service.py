"""Making programmes and locations, and finding the settings that hold at a moment."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from babel.numbers import is_currency
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.errors import Conflict, Invalid, NotFound
from app.languages import _
from app.programmes import wording
from app.programmes.models import Location, Programme, ProgrammePilot, ProgrammeVersion
from app.programmes.settings import check_time_zone, settings_from_json
from app.programmes.terms import Version, rulebook_of
from passes.card import Colours

_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?", re.ASCII)

DEFAULT_COLOURS = {"background": "#3b2a20", "foreground": "#fff8ee", "label": "#e2c9a6"}
DEFAULT_POINTS = {"en": {"one": "point", "other": "points"}}
DEFAULT_SETTINGS = {"points": "1", "per_amount": "1"}
#: The first version holds for receipts of any day: a till may send late ones.
ALWAYS = datetime(2020, 1, 1, tzinfo=UTC)


def create_programme(
    session: Session,
    *,
    slug: str,
    name: str,
    now: datetime,
    benefit: str = "",
    time_zone: str = "Europe/Riga",
    currency: str = "EUR",
    points_names: Mapping[str, Mapping[str, str]] | None = None,
    colours: Mapping[str, str] | None = None,
    settings: Mapping[str, Any] | None = None,
) -> Programme:
    """Make a programme with its first version, in a session that is open for all programmes.

    Raises `Invalid` for a field that makes no sense and `Conflict` when the slug is taken.
    """
    _check_slug(slug)
    _check_name(name)
    check_time_zone(time_zone)
    if not is_currency(currency):
        raise Invalid(
            _("There is no currency %(currency)s; write one such as EUR.", currency=repr(currency))
        )
    wording.check_points_names(points_names or DEFAULT_POINTS)
    try:
        Colours(**(colours or DEFAULT_COLOURS))
    except (TypeError, ValueError) as error:
        raise Invalid(_("The colours do not make sense: %(error)s", error=error)) from error
    if session.scalar(select(Programme.id).where(Programme.slug == slug)):
        raise Conflict(_("There is a programme %(slug)s already.", slug=repr(slug)))
    programme = Programme(
        slug=slug,
        name=name,
        benefit=benefit[:200] or f"Collect points at {name}.",
        points_names={key: dict(value) for key, value in (points_names or DEFAULT_POINTS).items()},
        colours=dict(colours or DEFAULT_COLOURS),
        time_zone=time_zone,
        currency=currency,
        created_at=now,
    )
    session.add(programme)
    session.flush()
    read = settings_from_json(dict(DEFAULT_SETTINGS) | dict(settings or {}))
    session.add(
        ProgrammeVersion(
            programme_id=programme.id, number=1, valid_from=ALWAYS, settings=read.as_json()
        )
    )
    session.flush()
    return programme


def set_operator(
    session: Session, programme_id: str, *, name: str, address: str, contact: str
) -> Programme:
    """Say who runs the programme, as it stands on every public page. Raises `Invalid`.

    *contact* is an e-mail address, a telephone number or both; members' answers to letters go
    there if it is an e-mail address alone.
    """
    wrong = {}
    given = {"name": (name, 120), "address": (address, 300), "contact": (contact, 254)}
    for field, (value, most) in given.items():
        plain = value.replace("\n", " ")
        if not value.strip() or len(value) > most or not plain.isprintable():
            wrong[field] = [_("Write 1 to %(most)s characters.", most=most)]
    if wrong:
        raise Invalid(_("The law wants to know who runs the programme: fill in all three."), wrong)
    programme = programme_by_id(session, programme_id)
    programme.operator_name = name.strip()
    programme.operator_address = address.strip()
    programme.operator_contact = contact.strip()
    session.flush()
    return programme


def change_settings(
    session: Session, programme_id: str, settings: Mapping[str, Any], *, valid_from: datetime
) -> Version:
    """Add a version that holds from *valid_from* on; settings not named stay as they are."""
    current = version_at(session, programme_id, valid_from)
    read = settings_from_json(current.settings.as_json() | dict(settings))
    number = next_number(session, programme_id)
    session.add(
        ProgrammeVersion(
            programme_id=programme_id, number=number, valid_from=valid_from, settings=read.as_json()
        )
    )
    session.flush()
    return version_at(session, programme_id, valid_from)


def next_number(session: Session, programme_id: str) -> int:
    """The number of the next version or pilot: they have one series."""
    newest = [
        session.scalar(select(func.max(each.number)).where(each.programme_id == programme_id))
        for each in (ProgrammeVersion, ProgrammePilot)
    ]
    return max(number or 0 for number in newest) + 1


def version_at(session: Session, programme_id: str, moment: datetime) -> Version:
    """The settings that hold at *moment*: of several, the one that was published last."""
    return rulebook_of(session, programme_id, moment).at(moment)


def versions_after(
    session: Session, programme_id: str, moment: datetime
) -> list[tuple[int, datetime]]:
    """Number and beginning of the versions that begin after *moment*, in their order."""
    rows = session.execute(
        select(ProgrammeVersion.number, ProgrammeVersion.valid_from)
        .where(ProgrammeVersion.programme_id == programme_id, ProgrammeVersion.valid_from > moment)
        .order_by(ProgrammeVersion.valid_from, ProgrammeVersion.number)
    )
    return [(number, valid_from) for number, valid_from in rows]


def add_location(
    session: Session, programme_id: str, *, slug: str, name: str, now: datetime
) -> Location:
    """Make a location; its slug stands in the poster's address."""
    _check_slug(slug)
    _check_name(name)
    if session.scalar(
        select(Location.id).where(Location.slug == slug, Location.programme_id == programme_id)
    ):
        raise Conflict(_("There is a location %(slug)s already.", slug=repr(slug)))
    location = Location(programme_id=programme_id, slug=slug, name=name, created_at=now)
    session.add(location)
    session.flush()
    return location


def programme_by_slug(session: Session, slug: str) -> Programme:
    """The programme of that slug. Raises `NotFound`."""
    found = session.scalar(select(Programme).where(Programme.slug == slug))
    if found is None:
        raise NotFound(_("There is no programme %(slug)s.", slug=repr(slug)))
    return found


def only_slug(session: Session) -> str | None:
    """The short name of the installation's programme; None where there are several, or none."""
    found = session.scalars(select(Programme.slug).limit(2)).all()
    return found[0] if len(found) == 1 else None


def programme_by_id(session: Session, programme_id: str) -> Programme:
    """The programme of that id. Raises `NotFound`."""
    found = session.get(Programme, programme_id)
    if found is None:
        raise NotFound(_("There is no such programme."))
    return found


def location_by_slug(session: Session, programme_id: str, slug: str) -> Location:
    """The location of that slug. Raises `NotFound`."""
    found = session.scalar(
        select(Location).where(Location.programme_id == programme_id, Location.slug == slug)
    )
    if found is None:
        raise NotFound(_("There is no location %(slug)s in this programme.", slug=repr(slug)))
    return found


def _check_slug(slug: str) -> None:
    if not _SLUG.fullmatch(slug):
        raise Invalid(
            _(
                "%(slug)s cannot stand in an address: use small letters, digits and hyphens, "
                "40 at most.",
                slug=repr(slug),
            )
        )


def _check_name(name: str) -> None:
    if not name.strip() or len(name) > 80:
        raise Invalid(_("A name has 1 to 80 characters."), {"name": [_("1 to 80 characters")]})
