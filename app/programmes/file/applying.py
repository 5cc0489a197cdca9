"""Makes a programme what a file says, and tells in words what that changes.

Rules and all other settings become one new version from a moment on; names, colours and locations
change at once. A file that says what is so already changes nothing.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from babel.numbers import is_currency
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import Conflict, Invalid
from app.languages import _
from app.ledger.models import Entry
from app.programmes import designs, service, wording
from app.programmes.file import layout
from app.programmes.file.reading import Described, Place
from app.programmes.models import Location, Programme
from app.programmes.pilots import changed
from app.programmes.settings import Settings, check_time_zone
from passes.card import Colours

_ALL_COLOURS = ("background", "foreground", "label")


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that a file changes: where it stands, what was there and what will be."""

    where: str
    before: Any
    after: Any

    def __str__(self) -> str:
        if self.before is None:
            return f"{self.where}: new, {_shown(self.after)}"
        if self.after is None:
            return f"{self.where}: goes (was {_shown(self.before)})"
        return f"{self.where}: {_shown(self.before)} becomes {_shown(self.after)}"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a file changes: at once, and from the new version on. *stays* are remarks."""

    about: tuple[Change, ...]
    settings: tuple[Change, ...]
    locations: tuple[Change, ...]
    stays: tuple[str, ...] = ()

    @property
    def changes(self) -> tuple[Change, ...]:
        """All of it."""
        return (*self.about, *self.settings, *self.locations)


def describe(session: Session, programme: Programme, moment: datetime) -> Described:
    """A programme as it is, with the settings that hold at *moment*."""
    about = {
        "slug": programme.slug,
        "name": programme.name,
        "benefit": programme.benefit,
        "currency": programme.currency,
        "time_zone": programme.time_zone,
        "points_names": programme.points_names,
        "colours": programme.colours,
    }
    rows = session.scalars(
        select(Location).where(Location.programme_id == programme.id).order_by(Location.slug)
    )
    settings = service.version_at(session, programme.id, moment).settings
    return Described(about, settings, tuple(_place(row) for row in rows))


def _place(row: Location) -> Place:
    if row.latitude_micro is None or row.longitude_micro is None:
        return Place(row.slug, row.name, None)
    return Place(
        row.slug,
        row.name,
        (row.latitude_micro / designs.MICRO, row.longitude_micro / designs.MICRO),
    )


def plan(now: Described, wanted: Described) -> Plan:
    """What would have to change. Pure."""
    about = [
        Change(f"programme.{key}", now.about.get(key), value)
        for key, value in wanted.about.items()
        if value != now.about.get(key)
    ]
    settings = _settings_changes(now.settings, wanted.settings)
    there = {each.slug: each for each in now.locations or ()}
    locations, stays = [], []
    if wanted.locations is not None:
        for each in wanted.locations:
            before = there.pop(each.slug, None)
            if before is None or (before.name, before.degrees) != (each.name, each.degrees):
                told = None if before is None else _told(before)
                locations.append(Change(f"locations: {each.slug}", told, _told(each)))
        stays = [f"The location {slug!r} is not in the file; it stays." for slug in there]
    return Plan(tuple(about), tuple(settings), tuple(locations), tuple(stays))


def _told(place: Place) -> dict[str, Any]:
    told: dict[str, Any] = {"name": place.name}
    if place.degrees is not None:
        told |= {"latitude": place.degrees[0], "longitude": place.degrees[1]}
    return told


def _settings_changes(now: Settings, wanted: Settings) -> list[Change]:
    found = []
    for name, (before, after) in changed(now.as_json(), wanted.as_json()).items():
        setting, mark, which = name.partition(": ")
        where = ".".join(layout.place_of(setting)) + mark + which
        found += _one_by_one(where, before, after) or [Change(where, before, after)]
    return found


def _one_by_one(where: str, before: Any, after: Any) -> list[Change]:
    """What differs between two lists of things that have codes; nothing, where they have none."""
    olds, news = _by_code(before), _by_code(after)
    if olds is None or news is None:
        return []
    codes = [*olds, *(code for code in news if code not in olds)]
    return [
        Change(f"{where}: {code}", olds.get(code), news.get(code))
        for code in codes
        if olds.get(code) != news.get(code)
    ]


def _by_code(value: Any) -> dict[str, Any] | None:
    if not isinstance(value, list):
        return None
    if not all(isinstance(each, dict) and isinstance(each.get("code"), str) for each in value):
        return None
    return {each["code"]: each for each in value}


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value or "nothing"
    return "none" if value in ([], {}) else json.dumps(value, ensure_ascii=False)


def apply(
    session: Session,
    programme: Programme,
    wanted: Described,
    *,
    valid_from: datetime,
    now: datetime,
) -> Plan:
    """Change a programme into what a file says; what was changed. Nothing where it is so already.

    Raises `Invalid` for what makes no sense, `Conflict` for what cannot change any more.
    """
    made = plan(describe(session, programme, valid_from), wanted)
    _change_about(session, programme, wanted.about)
    for change in made.locations:
        _change_location(session, programme, change, wanted, now)
    if made.settings:
        later = service.versions_after(session, programme.id, valid_from)
        if later:
            raise Conflict(
                _(
                    "Version %(given)s is to follow on %(given_2)s. Roll it back first, or apply "
                    "the file from then on with --from.",
                    given=later[0][0],
                    given_2=f"{later[0][1]:%Y-%m-%d}",
                )
            )
        service.change_settings(
            session, programme.id, wanted.settings.as_json(), valid_from=valid_from
        )
    if made.about or made.locations:
        # What cards show has changed: delivery brings them up to date.
        degrees = {each.slug: each.degrees for each in wanted.locations or ()}
        moved = {change.where.partition(": ")[2] for change in made.locations}
        places = {slug: degrees[slug] for slug in moved}
        designs.change(session, programme.id, {}, places=places, now=now)
    session.flush()
    return made


def create(session: Session, wanted: Described, *, slug: str, now: datetime) -> Programme:
    """Make a programme that is what a file says. Raises `Invalid`, `Conflict`."""
    about = {key: value for key, value in wanted.about.items() if key != "slug"}
    colours = {**service.DEFAULT_COLOURS, **about.pop("colours", {})}
    programme = service.create_programme(
        session,
        slug=slug,
        name=about.pop("name", slug),
        now=now,
        colours=colours,
        settings=wanted.settings.as_json(),
        **about,
    )
    for each in wanted.locations or ():
        service.add_location(session, programme.id, slug=each.slug, name=each.name, now=now)
    placed = {each.slug: each.degrees for each in wanted.locations or () if each.degrees}
    if placed:
        designs.change(session, programme.id, {}, places=placed, now=now)
    return programme


def _change_about(session: Session, programme: Programme, about: Mapping[str, Any]) -> None:
    wrong = {}
    for key, value in about.items():
        if value == getattr(programme, key):
            continue
        if key == "slug":
            wrong[key] = [_("It stands in posters and links, and stays what it is.")]
        elif key in ("currency", "time_zone") and _has_entries(session, programme):
            wrong[key] = [_("There are entries already that count by it: it stays what it is.")]
    if wrong:
        raise Conflict(" ".join(f"programme.{key}: {texts[0]}" for key, texts in wrong.items()))
    if "name" in about and (not about["name"].strip() or len(about["name"]) > 80):
        raise Invalid(_("programme.name: a name has 1 to 80 characters."))
    if len(about.get("benefit", "")) > 200:
        raise Invalid(_("programme.benefit: it has at most 200 characters."))
    if "time_zone" in about:
        check_time_zone(about["time_zone"])
    if "currency" in about and not is_currency(about["currency"]):
        raise Invalid(
            _(
                "There is no currency %(given)s; write one such as EUR.",
                given=repr(about["currency"]),
            )
        )
    if "points_names" in about:
        wording.check_points_names(about["points_names"])
    if "colours" in about:
        _check_colours({**programme.colours, **about["colours"]})
    if "benefit" in about:
        programme.benefit_lines = []
    for key, value in about.items():
        if key != "slug" and value != getattr(programme, key):
            setattr(programme, key, {**programme.colours, **value} if key == "colours" else value)


def _check_colours(colours: Mapping[str, str]) -> None:
    unknown = sorted(colours.keys() - set(_ALL_COLOURS))
    if unknown:
        raise Invalid(
            _(
                "There is no colour %(given)s; there are %(known)s.",
                given=repr(unknown[0]),
                known=", ".join(_ALL_COLOURS),
            )
        )
    try:
        Colours(**colours)
    except (TypeError, ValueError) as error:
        raise Invalid(_("The colours do not make sense: %(error)s", error=error)) from error


def _has_entries(session: Session, programme: Programme) -> bool:
    found = select(Entry.sequence).where(Entry.programme_id == programme.id).limit(1)
    return session.scalar(found) is not None


def _change_location(
    session: Session, programme: Programme, change: Change, wanted: Described, now: datetime
) -> None:
    slug = change.where.partition(": ")[2]
    place = next(each for each in wanted.locations or () if each.slug == slug)
    if change.before is None:
        service.add_location(session, programme.id, slug=slug, name=place.name, now=now)
        return
    if not place.name.strip() or len(place.name) > 80:
        raise Invalid(_("locations: %(slug)s: a name has 1 to 80 characters.", slug=slug))
    service.location_by_slug(session, programme.id, slug).name = place.name
