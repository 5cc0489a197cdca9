"""The rules that hold at a moment, ready to be used: read in one query, worked out once a version.

A version never changes once it is written, so what was worked out of it is kept by its id: a
version that was rolled back leaves its id, unlike its number, to nobody.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from app.db import Prepared
from app.errors import NotFound
from app.ledger.postings import Terms
from app.programmes.earning import Tariff, tariff_of
from app.programmes.models import Programme, ProgrammeVersion
from app.programmes.settings import Settings, settings_from_json
from app.webhooks.events import is_heard

#: Versions read at once: the one that holds, and those before it that a late receipt may need.
_AT_ONCE = 8
#: Versions kept worked out; each is a few kilobytes.
_MOST_KEPT = 4096
_kept: dict[tuple[str, str, str], "Version"] = {}

_versions: Any = ProgrammeVersion.__table__
_programmes: Any = Programme.__table__
_newest_versions = Prepared(
    select(
        _versions.c.id,
        _versions.c.number,
        _versions.c.valid_from,
        _programmes.c.currency,
        _programmes.c.time_zone,
        is_heard(_programmes.c.id).label("is_heard"),
    )
    .select_from(_versions.join(_programmes, _programmes.c.id == _versions.c.programme_id))
    .where(
        _versions.c.programme_id == bindparam("programme"),
        _versions.c.valid_from <= bindparam("now"),
    )
    .order_by(_versions.c.valid_from.desc(), _versions.c.number.desc())
    .limit(_AT_ONCE)
)
_settings_of = Prepared(select(_versions.c.settings).where(_versions.c.id == bindparam("version")))


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a programme's settings; it holds from *valid_from* on."""

    number: int
    valid_from: datetime
    settings: Settings
    tariff: Tariff


@dataclass(frozen=True, slots=True)
class Rulebook:
    """The newest versions of a programme's rules that had begun at a moment."""

    session: Session
    programme_id: str
    currency: str
    time_zone: str
    #: Id, number and beginning of each, the one that holds first.
    versions: tuple[Any, ...]

    def at(self, moment: datetime) -> Version:
        """The version that holds at *moment*, no later than that of the rulebook.

        Raises `NotFound` where there were no rules yet.
        """
        for row in self.versions:
            if row.valid_from <= moment:
                return self._read(row)
        if len(self.versions) < _AT_ONCE:
            raise NotFound("The programme had no rules yet on that day.")
        return rulebook_of(self.session, self.programme_id, moment).at(moment)

    def terms(self, now: datetime) -> Terms:
        """What the ledger has to keep of the rules that hold at *now*."""
        settings = self.at(now).settings
        rolling = settings.expiry_mode == "inactivity"
        return Terms(
            time_zone=self.time_zone,
            tiers=settings.tiers.scheme if settings.tiers else None,
            inactivity_months=settings.inactivity_months if rolling else 0,
            is_heard=bool(self.versions[0].is_heard),
        )

    def _read(self, row: Any) -> Version:
        key = (row.id, self.currency, self.time_zone)
        found = _kept.get(key)
        if found is None:
            kept = _settings_of(
                self.session, {"version": row.id}, programme_id=self.programme_id
            ).scalar_one()
            settings = settings_from_json(kept)
            tariff = tariff_of(settings, self.currency, self.time_zone)
            found = Version(row.number, row.valid_from, settings, tariff)
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
    ).all()
    if not rows:
        raise NotFound("The programme had no rules yet on that day.")
    return Rulebook(session, programme_id, rows[0].currency, rows[0].time_zone, tuple(rows))


def terms_of(session: Session, programme_id: str, now: datetime) -> Terms:
    """What the ledger has to keep of a programme's rules as they are at *now*."""
    return rulebook_of(session, programme_id, now).terms(now)
