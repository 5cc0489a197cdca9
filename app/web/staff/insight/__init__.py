"""Insight: what the programme brings, in findings that each have a chart, a table and a file."""

from collections.abc import Callable

from flask import request
from sqlalchemy.orm import Session

from app.errors import NotFound
from app.insight import reading
from app.languages import Lazy, _, lazy
from app.staff.permissions import Permission
from app.web.staff.door import Answer, StaffPages, Visit
from app.web.staff.insight import cohorts, places, points, tiers, visits
from app.web.staff.insight.asking import PERIODS, Ask, ask, span
from app.web.staff.insight.shown import Shown
from app.web.staff.navigation import NavItem

pages = StaffPages("insight", __name__)
NAV = (NavItem(40, lazy("Insight"), "insight.index", Permission.SEE_INSIGHT),)

#: Every finding, by its name in addresses.
FINDINGS: dict[str, Callable[[Ask, Session], Shown]] = {
    "visits": visits.visits,
    "spend": visits.spend,
    "repeat": visits.repeat,
    "active": visits.active,
    "points": points.flows,
    "outstanding": points.outstanding,
    "tiers": tiers.standing,
    "moves": tiers.moves,
    "cohorts": cohorts.cohorts,
    "locations": places.locations,
}
#: The pages: their names in the address and in words, and what is on them.
TOPICS: dict[str, tuple[Lazy, tuple[str, ...]]] = {
    "visits": (lazy("Visits"), ("visits", "spend", "repeat", "active")),
    "points": (lazy("Points"), ("points", "outstanding")),
    "tiers": (lazy("Tiers"), ("tiers", "moves")),
    "cohorts": (lazy("Who stays"), ("cohorts",)),
    "locations": (lazy("Locations"), ("locations",)),
}


@pages.get("/", Permission.SEE_INSIGHT)
def index(visit: Visit) -> Answer:
    """Who came and what they spent."""
    return _page(visit, "visits")


@pages.get("/<topic>", Permission.SEE_INSIGHT)
def topic(visit: Visit, topic: str) -> Answer:
    """Another topic."""
    if topic not in TOPICS:
        raise NotFound(_("There is no such page."))
    return _page(visit, topic)


@pages.get("/<finding>.csv", Permission.SEE_INSIGHT)
def csv(visit: Visit, finding: str) -> Answer:
    """The numbers of one finding, to take away."""
    if finding not in FINDINGS:
        raise NotFound(_("There is no such table."))
    with visit.read() as session:
        asked = ask(visit, session, request.args)
        shown = FINDINGS[finding](asked, session)
    name = f"{visit.programme.slug}-{finding}-{asked.period.first}-{asked.period.last}"
    header = [each.removeprefix("#") for each in shown.headers]
    return visit.csv(name, header, [[cell.value for cell in row] for row in shown.rows])


def _page(visit: Visit, name: str) -> Answer:
    with visit.read() as session:
        asked = ask(visit, session, request.args)
        findings = [FINDINGS[each](asked, session) for each in TOPICS[name][1]]
        figures = visits.figures(asked, session) if name == "visits" else []
        standing = reading.standing(session)
    return visit.show(
        "staff/insight/page.html",
        ask=asked,
        topic=name,
        topics=TOPICS,
        periods=PERIODS,
        findings=findings,
        figures=figures,
        complete_until=standing.complete_until,
        span=span(asked.period),
        before_span=span(asked.period.before),
    )
