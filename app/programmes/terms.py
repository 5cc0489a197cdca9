"""The rules that hold at a moment, ready to be used: read in one query, worked out once a version.

A version never changes once it is written, so what was worked out of it is kept by its id: a
version that was rolled back leaves its id, unlike its number, to nobody.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from app.db import Prepared, Question
from app.errors import NotFound
from app.languages import _
from app.ledger.postings import Terms
from app.programmes.earning import Tariff, tariff_of
from app.programmes.models import Programme, ProgrammePilot, ProgrammeVersion
from app.programmes.settings import Settings, settings_from_json
from app.webhooks.events import is_heard

#: Versions read at once: the one that holds, and those before it that a late receipt may need.
_AT_ONCE = 8
#: Versions kept worked out; each is a few kilobytes.
_MOST_KEPT = 4096
_kept: dict[tuple[str, str, str, str], "Version"] = {}

_versions: Any = ProgrammeVersion.__table__
_programmes: Any = Programme.__table__
_pilots: Any = ProgrammePilot.__table__
_BEGUN = (
    select(
        _versions.c.id,
        _versions.c.number,
        _versions.c.valid_from,
        _programmes.c.currency,
        _programmes.c.time_zone,
        _programmes.c.has_pilots,
        is_heard(_programmes.c.id).label("is_heard"),
    )
    .select_from(_versions.join(_programmes, _programmes.c.id == _versions.c.programme_id))
    .where(
        _versions.c.programme_id == bindparam("programme"),
        _versions.c.valid_from <= bindparam("now"),
    )
    .order_by(_versions.c.valid_from.desc(), _versions.c.number.desc())
)
_newest_versions = Prepared(_BEGUN.limit(_AT_ONCE))
_all_versions = Prepared(_BEGUN)
_begun_pilots = Prepared(
    select(
        _pilots.c.id,
        _pilots.c.number,
        _pilots.c.valid_from,
        _pilots.c.ends_at,
        _pilots.c.changes,
        _pilots.c.locations,
        _pilots.c.segments,
    )
    .where(
        _pilots.c.programme_id == bindparam("programme"),
        _pilots.c.valid_from <= bindparam("now"),
    )
    .order_by(_pilots.c.valid_from.desc(), _pilots.c.number.desc())
)
_settings_of = Prepared(select(_versions.c.settings).where(_versions.c.id == bindparam("version")))


@dataclass(frozen=True, slots=True)
class Pilot:
    """Where and for whom a version is on trial; empty: anywhere, anybody."""

    id: str
    locations: frozenset[str]
    segments: frozenset[str]


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a programme's settings; it holds from *valid_from* on.

    With a *pilot* it is what a pilot makes of the version that holds everywhere.
    """

    number: int
    valid_from: datetime
    settings: Settings
    tariff: Tariff
    pilot: Pilot | None = None


@dataclass(frozen=True, slots=True)
class Rulebook:
    """The newest versions of a programme's rules that had begun at a moment."""

    session: Session
    programme_id: str
    currency: str
    time_zone: str
    #: Id, number and beginning of each, the one that holds first.
    versions: tuple[Any, ...]
    #: All pilots that had begun, the newest first.
    pilots: tuple[Any, ...] = ()

    def at(
        self,
        moment: datetime,
        location: str | None = None,
        segments: Collection[str] = (),
    ) -> Version:
        """The version that holds at *moment*, no later than that of the rulebook.

        With a *location* (its slug) or *segments* (those that the account is in) a pilot may hold
        there or for them. Raises `NotFound` where there were no rules yet.
        """
        if not self.pilots:
            return self._plain(moment)
        for version in self.choices(moment, location):
            pilot = version.pilot
            if pilot is None or not pilot.segments or not pilot.segments.isdisjoint(segments):
                return version
        raise AssertionError("the last choice is the version that holds everywhere")

    def everywhere(self, moment: datetime) -> Version:
        """The version that holds at *moment* where there is no pilot."""
        return self._plain(moment)

    def choices(self, moment: datetime, location: str | None) -> tuple[Version, ...]:
        """The versions that may hold at *moment* in a location, in the order they are asked.

        All but the last are pilots for some segments.
        """
        main = self._row(moment)
        found = []
        for row in self.pilots:
            if not row.valid_from <= moment or (row.ends_at and row.ends_at <= moment):
                continue
            if row.locations and location not in row.locations:
                continue
            found.append(self._read(main, row))
            if not row.segments:
                return tuple(found)
        return (*found, self._read(main))

    def possible(self, since: datetime) -> Iterator[Version]:
        """All versions that held at any time from *since* on, alone and under each pilot."""
        moments = [row.valid_from for row in self.versions if row.valid_from > since]
        for moment in (since, *moments):
            row = self._row(moment)
            yield self._read(row)
            yield from (self._read(row, pilot) for pilot in self.pilots)

    def _plain(self, moment: datetime) -> Version:
        return self._read(self._row(moment))

    def _row(self, moment: datetime) -> Any:
        for row in self.versions:
            if row.valid_from <= moment:
                return row
        if len(self.versions) < _AT_ONCE:
            raise NotFound(_("The programme had no rules yet on that day."))
        return rulebook_of(self.session, self.programme_id, moment).versions[0]

    def terms(self, now: datetime) -> Terms:
        """What the ledger has to keep of the rules that hold at *now*."""
        settings = self._plain(now).settings
        rolling = settings.expiry_mode == "inactivity"
        return Terms(
            time_zone=self.time_zone,
            tiers=settings.tiers.scheme if settings.tiers else None,
            inactivity_months=settings.inactivity_months if rolling else 0,
            is_heard=bool(self.versions[0].is_heard),
        )

    def _read(self, row: Any, pilot: Any = None) -> Version:
        key = (row.id, pilot.id if pilot else "", self.currency, self.time_zone)
        found = _kept.get(key)
        if found is None:
            kept = _settings_of(
                self.session, {"version": row.id}, programme_id=self.programme_id
            ).scalar_one()
            first = row
            on_trial = None
            if pilot is not None:
                kept, first = kept | pilot.changes, pilot
                on_trial = Pilot(pilot.id, frozenset(pilot.locations), frozenset(pilot.segments))
            settings = settings_from_json(kept)
            tariff = tariff_of(settings, self.currency, self.time_zone)
            found = Version(first.number, first.valid_from, settings, tariff, on_trial)
            if len(_kept) >= _MOST_KEPT:
                _kept.clear()
            _kept[key] = found
        return found


def rulebook_of(session: Session, programme_id: str, now: datetime) -> Rulebook:
    """The rules of a programme as they hold at *now* and held before, in one query.

    Of several versions from the same moment the one that was published last holds. Raises
    `NotFound` where there were no rules yet.
    """
    rows = _newest_versions(
        session, {"programme": programme_id, "now": now}, programme_id=programme_id
    )
    if not rows:
        raise NotFound(_("The programme had no rules yet on that day."))
    pilots: tuple[Any, ...] = ()
    if rows[0].has_pilots:
        given = {"programme": programme_id, "now": now}
        pilots = tuple(_begun_pilots(session, given, programme_id=programme_id))
    return Rulebook(session, programme_id, rows[0].currency, rows[0].time_zone, tuple(rows), pilots)


def rules_asked(programme_id: str, now: datetime) -> Question:
    """What `rulebook_of` asks, for `app.db.asked_ahead`."""
    return Question(_newest_versions, {"programme": programme_id, "now": now}, programme_id)


def whole_rulebook(session: Session, programme_id: str, now: datetime) -> Rulebook:
    """All versions that had begun at *now*, for whoever looks at receipts of any day."""
    given = {"programme": programme_id, "now": now}
    rows = _all_versions(session, given, programme_id=programme_id)
    book = rulebook_of(session, programme_id, now)
    return replace(book, versions=tuple(rows))


def terms_of(session: Session, programme_id: str, now: datetime) -> Terms:
    """What the ledger has to keep of a programme's rules as they are at *now*."""
    return rulebook_of(session, programme_id, now).terms(now)
