"""The measures of a period by location, and by the month in which members came first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.insight.models import InsightCohort, InsightDay, InsightMembers, InsightReturn
from app.insight.periods import Period, month_after
from app.insight.reading import Brought, brought_on, within
from app.insight.rules import ALL_LOCATIONS
from app.programmes.models import Location

#: Cohorts that are shown, and months of each.
MONTHS = 12


# --- by location ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AtLocation:
    """What a period brought at one location; *location* empty: at none that is known."""

    location: Location | None
    came: int
    joined: int
    brought: Brought


def locations(session: Session, programme_id: str, period: Period) -> list[AtLocation]:
    """Each location that there is, and what is at none, those with the most visits first."""
    known = {
        each.id: each
        for each in session.scalars(select(Location).where(Location.programme_id == programme_id))
    }
    brought = dict(
        brought_on(session, programme_id, None, within(InsightDay, period), InsightDay.location_id)
    )
    joined = {
        location_id: int(count)
        for location_id, count in session.execute(
            select(InsightMembers.location_id, func.sum(InsightMembers.joined))
            .where(InsightMembers.programme_id == programme_id, within(InsightMembers, period))
            .group_by(InsightMembers.location_id)
        )
    }
    came = {
        location_id: int(members)
        for location_id, members in session.execute(
            select(InsightReturn.location_id, func.sum(InsightReturn.one))
            .where(
                InsightReturn.programme_id == programme_id,
                # Named, so that each is found by the index.
                InsightReturn.location_id.in_(known),
                within(InsightReturn, period),
                InsightReturn.before < period.first,
            )
            .group_by(InsightReturn.location_id)
        )
    }
    places = {*known, *brought, *joined}
    found = [
        AtLocation(
            known.get(place),
            came.get(place, 0),
            joined.get(place, 0),
            brought.get(place, Brought()),
        )
        for place in places
    ]
    return sorted(found, key=_busiest_first)


def visits_by_location(session: Session, programme_id: str, period: Period) -> dict[str, int]:
    """The visits of each location, by its id; `rules.NOWHERE` is that of none."""
    return {
        location_id: brought.visits
        for location_id, brought in brought_on(
            session, programme_id, None, within(InsightDay, period), InsightDay.location_id
        )
    }


def _busiest_first(each: AtLocation) -> tuple[int, str]:
    return -each.brought.visits, each.location.name if each.location else ""


# --- cohorts ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CohortRow:
    """Members who came first in one month: how many, and how many of them came in that month and
    in each one after it (None: it is not over by then, or not even begun)."""

    first_month: date
    members: int
    came: Sequence[int]


def cohorts(
    session: Session, programme_id: str, last_month: date, location_id: str | None = None
) -> list[CohortRow]:
    """The cohorts of the last `MONTHS` months, the oldest first, each up to *last_month*."""
    first = month_after(last_month, 1 - MONTHS)
    found: dict[date, dict[date, int]] = {}
    for first_month, month, members in session.execute(
        select(InsightCohort.first_month, InsightCohort.month, InsightCohort.members).where(
            InsightCohort.programme_id == programme_id,
            InsightCohort.location_id == (location_id or ALL_LOCATIONS),
            InsightCohort.first_month.between(first, last_month),
            InsightCohort.month <= last_month,
        )
    ):
        found.setdefault(first_month, {})[month] = int(members)
    rows = []
    for first_month, by_month in sorted(found.items()):
        members = by_month.get(first_month, 0)
        if members > 0:
            many = (last_month.year - first_month.year) * 12 + last_month.month - first_month.month
            came = [by_month.get(month_after(first_month, each), 0) for each in range(many + 1)]
            rows.append(CohortRow(first_month, members, came))
    return rows
