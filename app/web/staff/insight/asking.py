"""What a page of insight was asked for: a period, and perhaps one location."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from babel.dates import format_skeleton
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.insight import reading
from app.insight.periods import Grain, Named, Period, asked_for
from app.insight.reading import Figures, Piece
from app.languages import Lazy, lazy
from app.ledger.rules import local_day
from app.programmes.models import Location
from app.web.formats import day, locale_now
from app.web.staff.door import Visit

PERIODS: dict[Named, Lazy] = {
    Named.DAYS_7: lazy("Last 7 days"),
    Named.DAYS_30: lazy("Last 30 days"),
    Named.DAYS_90: lazy("Last 90 days"),
    Named.THIS_MONTH: lazy("This month"),
    Named.LAST_MONTH: lazy("Last month"),
    Named.THIS_YEAR: lazy("This year"),
    Named.MONTHS_12: lazy("Last 12 months"),
}
_SKELETONS = {
    Grain.DAY: "MMMd",
    Grain.WEEK: "MMMd",
    Grain.MONTH: "yMMM",
    Grain.QUARTER: "yQQQ",
    Grain.YEAR: "y",
}


@dataclass(frozen=True, slots=True)
class Ask:
    """The question: which days, and where. *wrong* names what of it could not be understood."""

    visit: Visit
    period: Period
    name: Named | None
    location: Location | None
    locations: list[Location]
    today: date
    wrong: str | None
    #: What was read for it: several findings are about the same figures.
    read: dict[Any, Any] = field(default_factory=dict)

    @property
    def programme_id(self) -> str:
        """Whose figures."""
        return self.visit.programme.id

    @property
    def location_id(self) -> str | None:
        """Of which location alone; empty: of all."""
        return self.location.id if self.location else None

    @property
    def currency(self) -> str:
        """Of all money."""
        return self.visit.programme.currency

    @property
    def words(self) -> dict[str, str]:
        """The question as it stands in an address."""
        found = {"period": str(self.name)}
        if self.name is None:
            found = {
                "from": self.period.first.isoformat(),
                "to": self.period.last.isoformat(),
            }
        if self.location:
            found["location"] = self.location.slug
        return found


def figures(ask: Ask, session: Session, period: Period) -> Figures:
    """The figures of a period, where it was asked for."""
    key = "figures", period
    if key not in ask.read:
        ask.read[key] = reading.figures(session, ask.programme_id, period, ask.location_id)
    found: Figures = ask.read[key]
    return found


def pieces(ask: Ask, session: Session, period: Period, *, everywhere: bool = False) -> list[Piece]:
    """A period in pieces, where it was asked for, or *everywhere*; of the one before without who
    came: that is compared as a whole."""
    location_id = None if everywhere else ask.location_id
    key = "pieces", period, location_id
    if key not in ask.read:
        ask.read[key] = reading.pieces(
            session, ask.programme_id, period, location_id, who_came=period == ask.period
        )
    found: list[Piece] = ask.read[key]
    return found


def ask(visit: Visit, session: Session, words: Mapping[str, str]) -> Ask:
    """Read the question. What makes no sense is left out, and named."""
    today = local_day(visit.now, visit.programme.time_zone)
    period, name, wrong = asked_for(words, today)
    locations = list(
        session.scalars(
            select(Location)
            .where(Location.programme_id == visit.programme.id)
            .order_by(Location.name, Location.id)
        )
    )
    slug = words.get("location", "")
    location = next((each for each in locations if each.slug == slug), None)
    if slug and location is None:
        wrong = wrong or "location"
    return Ask(visit, period, name, location, locations, today, wrong)


def span(period: Period) -> str:
    """A period from its first day to its last."""
    return f"{day(period.first)} – {day(period.last)}" if period.days > 1 else day(period.first)


def piece_name(piece: Period, grain: Grain) -> str:
    """A piece of a chart, briefly."""
    skeleton = _SKELETONS[grain]
    return str(format_skeleton(skeleton, piece.first, locale=locale_now()))


def month_name(month: date) -> str:
    """A month with its year."""
    return str(format_skeleton("yMMM", month, locale=locale_now()))
