"""Today: four figures with last week beside them, and beneath only what needs a hand."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from app.figures import reading
from app.figures.reading import Days
from app.figures.sums import Sums
from app.languages import _, lazy
from app.programmes.service import version_at
from app.programmes.wording import currency_exponent
from app.staff.permissions import Permission
from app.web.formats import money, number
from app.web.staff.door import StaffPages, Visit
from app.web.staff.navigation import NavItem
from app.web.staff.today import attention

pages = StaffPages("today", __name__)
NAV = [NavItem(10, lazy("Today"), "today.index", Permission.SEE_TODAY)]
#: The box that a line of thirty days is drawn in.
_WIDTH, _HEIGHT = 240, 48


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure as it is shown: today, the same time last week, and the line of the last days."""

    label: str
    value: str
    before: str
    is_better: bool | None
    line: str
    sentence: str
    note: str = ""


@pages.get("/", Permission.SEE_TODAY)
def index(visit: Visit) -> Any:
    """The whole page."""
    return visit.show("staff/today/index.html", **_facts(visit))


@pages.get("/live", Permission.SEE_TODAY)
def live(visit: Visit) -> Any:
    """What changes of it, fetched again and again."""
    return visit.show("staff/today/_live.html", **_facts(visit))


def _facts(visit: Visit) -> dict[str, Any]:
    with visit.read() as session:
        days = reading.read(session, visit.programme.id, visit.programme.time_zone, now=visit.now)
        return {
            "tiles": _tiles(session, visit, days),
            "is_complete": days.is_complete,
            "found": attention.look(session, visit),
        }


def _tiles(session: Session, visit: Visit, days: Days) -> list[Tile]:
    currency = visit.programme.currency
    worth = version_at(session, visit.programme.id, visit.now).settings.point_value

    def in_money(points: int) -> str:
        minor = points * worth * Decimal(10) ** currency_exponent(currency)
        return money(int(minor), currency)

    def points(sums: Sums) -> str:
        given, spent = number(sums.points_in), number(sums.points_out)
        return _("%(given)s in, %(spent)s out", given=given, spent=spent)

    behind = _(
        "Worth %(given)s in, %(spent)s out",
        given=in_money(days.today.points_in),
        spent=in_money(days.today.points_out),
    )
    return [
        _tile(days, _("New cards"), lambda each: each.enrolments),
        _tile(days, _("Cards read"), lambda each: each.scans),
        _tile(
            days,
            _("Points"),
            lambda each: each.points_in,
            words=points,
            note=behind,
            span=_points_span(days),
        ),
        _tile(
            days,
            _("Money that earned"),
            lambda each: each.money_minor,
            words=lambda each: money(each.money_minor, currency),
        ),
    ]


def _points_span(days: Days) -> str:
    """How many points came in and went out on each day, apart from each other."""
    given = [sums.points_in for _day, sums in days.days]
    spent = [sums.points_out for _day, sums in days.days]
    return _(
        "The last %(days)s days: in, %(least_in)s to %(most_in)s a day; "
        "out, %(least_out)s to %(most_out)s a day.",
        days=number(len(given)),
        least_in=number(min(given)),
        most_in=number(max(given)),
        least_out=number(min(spent)),
        most_out=number(max(spent)),
    )


def _tile(
    days: Days,
    label: str,
    figure: Callable[[Sums], int],
    *,
    words: Callable[[Sums], str] | None = None,
    note: str = "",
    span: str = "",
) -> Tile:
    say = words or (lambda sums: number(figure(sums)))
    now, before = figure(days.today), figure(days.last_week)
    counts = [figure(sums) for _day, sums in days.days]
    [least, most] = sorted(days.days, key=lambda each: figure(each[1]))[:: len(days.days) - 1]
    return Tile(
        label=label,
        value=say(days.today),
        before=_(
            "%(figure)s last week by %(time)s",
            figure=say(days.last_week),
            time=f"{days.until:%H:%M}",
        ),
        is_better=None if now == before else now > before,
        line=_line(counts),
        sentence=span
        or _(
            "The last %(days)s days: between %(least)s and %(most)s a day.",
            days=number(len(counts)),
            least=say(least[1]),
            most=say(most[1]),
        ),
        note=note,
    )


def _line(counts: list[int]) -> str:
    """The points of a line through *counts*, from zero up, as SVG has them."""
    least, most = min(0, *counts), max(1, *counts)
    step = _WIDTH / (len(counts) - 1)
    height = _HEIGHT / (most - least)
    return " ".join(
        f"{place * step:.1f},{_HEIGHT - (count - least) * height:.1f}"
        for place, count in enumerate(counts)
    )
