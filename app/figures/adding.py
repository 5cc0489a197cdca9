"""The background step that adds up what is settled; each row once, however often it is killed."""

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import case, func, literal, select, tuple_
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from app.cards.finding import IS_NO_COUPON
from app.cards.models import Card, CardScan
from app.figures import sums
from app.figures.models import Figures, FiguresMark
from app.figures.sums import Bin, Sums
from app.ledger.models import Entry
from app.programmes.models import Programme
from passes.code import Kind

#: No transaction lasts this long: what is older has been committed, or never will be. So nothing
#: with a lower number can appear any more.
SETTLED = timedelta(minutes=10)
#: Rows of each source added up in one transaction.
BATCH = 20_000


def step(session: Session, now: datetime, limit: int = BATCH) -> int:
    """One bounded step over all programmes; how many rows were added up, 0 when nothing is left.

    In a session for all programmes. Safe to run side by side: a source that another one is adding
    up is left to it.
    """
    zones = {
        row.id: ZoneInfo(row.time_zone)
        for row in session.execute(select(Programme.id, Programme.time_zone))
    }
    done = _entries(session, zones, now, limit) + _scans(session, zones, now, limit)
    for programme_id, zone in zones.items():
        done += _cards(session, programme_id, zone, now, limit)
    return done


def _entries(session: Session, zones: dict[str, ZoneInfo], now: datetime, limit: int) -> int:
    mark = _take(session, "entries")
    if mark is None:
        return 0
    after, until = (
        mark.sequence,
        _until(session, Entry.sequence, Entry.recorded_at, mark, now, limit),
    )
    if until <= after:
        return 0
    rows = session.execute(
        sums.of_entries(session, Entry.sequence > after, Entry.sequence <= until)
    )
    _add(session, sums.bins_of_entries(rows, zones))
    mark.sequence = until
    session.flush()
    return until - after


def _scans(session: Session, zones: dict[str, ZoneInfo], now: datetime, limit: int) -> int:
    mark = _take(session, "scans")
    if mark is None:
        return 0
    after = mark.sequence
    until = _until(session, CardScan.sequence, CardScan.scanned_at, mark, now, limit)
    if until <= after:
        return 0
    rows = session.execute(
        sums.of_scans(session, CardScan.sequence > after, CardScan.sequence <= until)
    )
    _add(session, sums.bins_of_scans(rows, zones))
    mark.sequence = until
    session.flush()
    return until - after


def _until(
    session: Session, number: Any, moment: Any, mark: FiguresMark, now: datetime, limit: int
) -> int:
    """The last number of the next *limit* rows that comes before any that is not settled."""
    ahead = (
        select(number.label("number"), moment.label("moment"))
        .where(number > mark.sequence)
        .order_by(number)
        .limit(limit)
        .subquery()
    )
    fresh = case((ahead.c.moment > now - SETTLED, ahead.c.number))
    last, first_fresh = session.execute(select(func.max(ahead.c.number), func.min(fresh))).one()
    if last is None:
        return mark.sequence
    return int(last if first_fresh is None else first_fresh - 1)


def _cards(session: Session, programme_id: str, zone: ZoneInfo, now: datetime, limit: int) -> int:
    mark = _take(session, f"cards {programme_id}")
    if mark is None:
        return 0
    rows = session.execute(
        enrolled(programme_id, mark).where(Card.issued_at <= now - SETTLED).limit(limit)
    ).all()
    if not rows:
        return 0
    _add(session, sums.bins_of_cards(programme_id, (row.issued_at for row in rows), zone))
    mark.moment, mark.row_id = rows[-1].issued_at, rows[-1].id
    session.flush()
    return len(rows)


def enrolled(programme_id: str, mark: FiguresMark | None) -> Any:
    """Cards given to somebody who had none, after *mark*, in their order."""
    older = aliased(Card)
    found = (
        select(Card.issued_at, Card.id)
        .where(
            Card.programme_id == programme_id,
            IS_NO_COUPON,
            Card.kind != int(Kind.TEST),
            ~select(older.id).where(older.replaced_by_id == Card.id).exists(),
        )
        .order_by(Card.issued_at, Card.id)
    )
    if mark is None or mark.moment is None:
        return found
    # As a pair, which the index finds at once: an import gives many cards at one moment.
    last = tuple_(literal(mark.moment, Card.issued_at.type), literal(mark.row_id, Card.id.type))
    return found.where(tuple_(Card.issued_at, Card.id) > last)


def _take(session: Session, source: str) -> FiguresMark | None:
    """The mark of a source, locked until the transaction ends; None where another has it."""
    found = session.scalar(
        select(FiguresMark)
        .where(FiguresMark.source == source)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    if found is not None:
        return found
    if session.scalar(select(FiguresMark.source).where(FiguresMark.source == source)):
        return None
    try:
        with session.begin_nested():
            mark = FiguresMark(source=source)
            session.add(mark)
    except IntegrityError:
        return None
    return mark


def _add(session: Session, bins: dict[Bin, Sums]) -> None:
    """Add to the rows of these quarters; those that are not there yet are made."""
    by_programme: dict[str, dict[tuple[Any, int], Sums]] = {}
    for bin_, more in bins.items():
        by_programme.setdefault(bin_.programme_id, {})[bin_.day, bin_.quarter] = more
    for programme_id, quarters in by_programme.items():
        days = sorted({day for day, _ in quarters})
        known = {
            (row.day, row.quarter): row
            for row in session.scalars(
                select(Figures).where(
                    Figures.programme_id == programme_id, Figures.day.between(days[0], days[-1])
                )
            )
        }
        for (day, quarter), more in quarters.items():
            row = known.get((day, quarter))
            if row is None:
                row = Figures(programme_id=programme_id, day=day, quarter=quarter, **asdict(Sums()))
                session.add(row)
            for name, figure in asdict(more).items():
                setattr(row, name, getattr(row, name) + figure)
    session.flush()
