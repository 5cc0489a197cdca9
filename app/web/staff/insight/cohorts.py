"""Who stays: of those who came first in one month, how many came in each month after it."""

from typing import Any

from sqlalchemy.orm import Session

from app.insight import groups
from app.languages import _
from app.web import formats
from app.web.staff.insight.asking import Ask, month_name
from app.web.staff.insight.shown import PERCENT, Cell, Shown, count, share


def cohorts(ask: Ask, session: Session) -> Shown:
    """Cohorts of retention, as a heat map."""
    last = ask.period.last.replace(day=1)
    found = groups.cohorts(session, ask.programme_id, last, ask.location_id)
    # Of months that are over: one that has just begun would look like a loss.
    is_over = ask.period.until > ask.today or ask.period.until.day != 1
    months = max((len(each.came) for each in found), default=1)
    full = [each for each in found if len(each.came) > (2 if is_over else 1)]
    people, stayed = sum(each.members for each in full), sum(each.came[1] for each in full)
    title = _("There are no two months to compare yet")
    sentence = _("A cohort is everybody whose first visit was in one month.")
    if people:
        title = _(
            "Of new members, %(share)s come again in the next month",
            share=formats.percent(stayed / people, 0),
        )
        sentence += " " + _(
            "Of %(people)s who came first in one of the months that can be judged, %(stayed)s came "
            "in the month after it.",
            people=formats.number(people),
            stayed=formats.number(stayed),
        )
    if is_over:
        sentence += " " + _("The last month is not over: its cells still grow.")
    names = [month_name(each.first_month) for each in found]
    cells = [
        [month, at, round(came / each.members, 4)]
        for at, each in enumerate(found)
        for month, came in enumerate(each.came)
        if month
    ]
    return Shown(
        id="cohorts",
        title=title,
        sentence=sentence,
        tall=len(found) > 5,
        option=_heat(names, months, cells) if cells else None,
        headers=[
            _("First visit in"),
            "#" + _("Members"),
            *("#" + _("Month %(number)s", number=month) for month in range(1, months)),
        ],
        rows=[
            [
                Cell(month_name(each.first_month), each.first_month),
                count(each.members),
                *(
                    share(each.came[month] / each.members if month < len(each.came) else None, 0)
                    for month in range(1, months)
                ),
            ]
            for each in found
        ],
    )


def _heat(names: list[str], months: int, cells: list[list[float]]) -> dict[str, Any]:
    """A heat map of [month, row, share]."""
    return {
        "format": PERCENT,
        "tooltip": {"trigger": "item"},
        "xAxis": {
            "type": "category",
            "data": [str(month) for month in range(1, months)],
            "name": _("months after the first"),
            "nameLocation": "middle",
            "nameGap": 32,
        },
        "yAxis": {"type": "category", "data": names, "inverse": True},
        "visualMap": {"min": 0, "max": 1, "show": False},
        "series": [
            {
                "type": "heatmap",
                "name": _("Share"),
                "format": {"kind": "percent", "short": True},
                "label": {"show": True},
                "data": [[month - 1, at, part] for month, at, part in cells],
            }
        ],
    }
