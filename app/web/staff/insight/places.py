"""Each location beside the others."""

from sqlalchemy.orm import Session

from app.insight import groups
from app.insight.groups import AtLocation
from app.insight.rules import NOWHERE
from app.languages import _
from app.web import formats
from app.web.staff.insight.asking import Ask, span
from app.web.staff.insight.shown import Cell, Shown, amount, count, words


def locations(ask: Ask, session: Session) -> Shown:
    """What each brought."""
    found = groups.locations(session, ask.programme_id, ask.period)
    before = groups.visits_by_location(session, ask.programme_id, ask.period.before)
    all_visits = sum(each.brought.visits for each in found)
    title = _("There are no visits to compare locations by")
    sentence = _("From %(span)s nobody came.", span=span(ask.period))
    if all_visits:
        title, sentence = _told(ask, found[0], all_visits)
    drawn = found[:20]
    return Shown(
        id="locations",
        title=title,
        sentence=sentence,
        option={
            "grid": {"right": 56},
            "xAxis": {"type": "value", "min": 0},
            "yAxis": {
                "type": "category",
                "inverse": True,
                "data": [_name(each) for each in drawn],
                "axisLabel": {"width": 140, "overflow": "truncate"},
            },
            "series": [
                {
                    "type": "bar",
                    "name": _("Visits"),
                    "data": [each.brought.visits for each in drawn],
                    "barMaxWidth": 40,
                    "label": {"show": True, "position": "right"},
                }
            ],
        },
        headers=[
            _("Location"),
            "#" + _("Visits"),
            "#" + _("Visits before"),
            "#" + _("Members who came"),
            "#" + _("Joined"),
            "#" + _("Money"),
            "#" + _("Average receipt"),
            "#" + _("Issued"),
            "#" + _("Spent"),
        ],
        rows=[_row(ask, each, before) for each in found],
    )


def _told(ask: Ask, first: AtLocation, all_visits: int) -> tuple[str, str]:
    """What stands out, and the same in numbers."""
    told = {
        "span": span(ask.period),
        "visits": formats.number(all_visits),
        "first": formats.number(first.brought.visits),
    }
    part = formats.percent(first.brought.visits / all_visits, 0)
    if first.location is None:
        return _("%(share)s of the visits belong to no location", share=part), _(
            "Visits from %(span)s: %(visits)s, of them without a location: %(first)s. "
            "Whoever joined is counted at the location whose poster brought them.",
            **told,
        )
    name = first.location.name
    return _("%(name)s has %(share)s of the visits", name=name, share=part), _(
        "Visits at all locations from %(span)s: %(visits)s, of them at %(name)s: %(first)s. "
        "Whoever joined is counted at the location whose poster brought them.",
        name=name,
        **told,
    )


def _name(each: AtLocation) -> str:
    return each.location.name if each.location else _("No location")


def _row(ask: Ask, each: AtLocation, before: dict[str, int]) -> list[Cell]:
    brought = each.brought
    many = brought.receipts
    average = (2 * brought.spend_minor + many) // (2 * many) if many else None
    return [
        words(_name(each)),
        count(brought.visits),
        count(before.get(each.location.id if each.location else NOWHERE, 0)),
        count(each.came if each.location else None),
        count(each.joined),
        amount(brought.spend_minor, ask.currency),
        amount(average, ask.currency),
        count(brought.issued),
        count(brought.spent),
    ]
