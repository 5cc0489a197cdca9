"""The figures of some days, up to this moment."""

from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.cards.models import CardScan
from app.figures import sums
from app.figures.adding import enrolled
from app.figures.models import Figures, FiguresMark
from app.figures.sums import Bin, Sums, quarter_of
from app.ledger.models import Entry

#: So many rows that are not added up yet are read for a page; in ten busy minutes come fewer.
FRESH = 60_000
_NAMES = [each.name for each in fields(Sums)]
#: What is shown beside today: the same weekday.
WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Days:
    """*today* so far, *last_week* on that weekday up to the quarter of an hour that began at
    *until* (local), and each of the last days, the oldest first.

    Not *is_complete* while a history is being added up for the first time.
    """

    today: Sums
    last_week: Sums
    until: datetime
    days: list[tuple[date, Sums]]
    is_complete: bool


def read(
    session: Session, programme_id: str, time_zone: str, *, now: datetime, days: int = 30
) -> Days:
    """The figures of the last *days* local days, in a session for the programme."""
    zone = ZoneInfo(time_zone)
    today = now.astimezone(zone).date()
    first = min(today - timedelta(days=days - 1), today - WEEK)
    quarter = quarter_of(now, zone)
    fresh, is_complete = _fresh(session, programme_id, zone, first)
    by_day = {first + timedelta(days=each): Sums() for each in range((today - first).days + 1)}
    of_day = [func.sum(getattr(Figures, name)) for name in _NAMES]
    for row in session.execute(
        select(Figures.day, *of_day)
        .where(Figures.programme_id == programme_id, Figures.day.between(first, today))
        .group_by(Figures.day)
    ):
        by_day[row[0]] += Sums(*(int(each) for each in row[1:]))
    then = today - WEEK
    [row] = session.execute(
        select(*(func.coalesce(each, 0) for each in of_day)).where(
            Figures.programme_id == programme_id, Figures.day == then, Figures.quarter < quarter
        )
    )
    before = Sums(*(int(each) for each in row))
    for bin_, more in fresh.items():
        if bin_.day in by_day:
            by_day[bin_.day] += more
        if bin_.day == then and bin_.quarter < quarter:
            before += more
    shown = today - timedelta(days=days - 1)
    local = now.astimezone(zone)
    return Days(
        today=by_day[today],
        last_week=before,
        until=local.replace(minute=local.minute // 15 * 15, second=0, microsecond=0),
        days=[(day, found) for day, found in sorted(by_day.items()) if day >= shown],
        is_complete=is_complete,
    )


def _fresh(
    session: Session, programme_id: str, zone: ZoneInfo, first: date
) -> tuple[dict[Bin, Sums], bool]:
    """What is not added up yet; False where that is too much to be read for a page."""
    zones = {programme_id: zone}
    marks = {
        mark.source: mark
        for mark in session.scalars(
            select(FiguresMark).where(
                FiguresMark.source.in_(["entries", "scans", f"cards {programme_id}"])
            )
        )
    }
    found: dict[Bin, Sums] = {}
    is_complete = True
    for source, number, statement, bins in (
        ("entries", Entry.sequence, sums.of_entries, sums.bins_of_entries),
        ("scans", CardScan.sequence, sums.of_scans, sums.bins_of_scans),
    ):
        after = marks[source].sequence if source in marks else 0
        until, is_all = _bounded(session, number, after)
        is_complete &= is_all
        if until > after:
            rows = session.execute(statement(session, number > after, number <= until))
            _merge(found, bins(rows, zones))
    mark = marks.get(f"cards {programme_id}")
    issued = session.execute(enrolled(programme_id, mark).limit(FRESH)).all()
    is_complete &= len(issued) < FRESH
    _merge(found, sums.bins_of_cards(programme_id, (row.issued_at for row in issued), zone))
    return {bin_: each for bin_, each in found.items() if bin_.day >= first}, is_complete


def _bounded(session: Session, number: Any, after: int) -> tuple[int, bool]:
    """The highest number there is, at most `FRESH` beyond *after*; whether that is all."""
    # Past the wall, for a number alone: that of a programme in which nothing happens any more
    # would be looked for among all the others' rows.
    table = number.class_.__table__
    highest = session.connection().execute(select(func.max(table.c.sequence))).scalar()
    newest = int(highest or after)
    return min(newest, after + FRESH), newest <= after + FRESH


def _merge(found: dict[Bin, Sums], more: dict[Bin, Sums]) -> None:
    for bin_, each in more.items():
        found[bin_] = found.get(bin_, Sums()) + each
