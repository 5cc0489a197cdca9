"""What is added up of entries and readings: the same sums for the step and for what is fresh."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import astuple, dataclass
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, case, extract, func, select
from sqlalchemy.orm import Session

from app.cards.models import CardScan
from app.figures.models import QUARTER_MINUTES, QUARTERS
from app.ledger.models import Entry, EntryKind


@dataclass(frozen=True, slots=True)
class Sums:
    """What `app.figures.models.Figures` has of one time, by the same names."""

    enrolments: int = 0
    scans: int = 0
    receipts: int = 0
    money_minor: int = 0
    points_in: int = 0
    points_out: int = 0
    points_expired: int = 0

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))


@dataclass(frozen=True, slots=True)
class Bin:
    """A quarter of an hour of a programme's local day."""

    programme_id: str
    day: date
    quarter: int


def quarter_of(moment: datetime, zone: ZoneInfo) -> int:
    """Which quarter of its local day a moment is in."""
    local = moment.astimezone(zone)
    return (local.hour * 60 + local.minute) // QUARTER_MINUTES


def of_entries(session: Session, *where: ColumnElement[bool]) -> Select[Any]:
    """Programme, local day, quarter of the UTC day and the sums of entries."""
    kind, points = Entry.kind, Entry.points
    is_receipt = kind == EntryKind.ACCRUAL
    # A till with a network has said that it read the card; the others say so by the receipt.
    is_read_apart = is_receipt & (Entry.late | (Entry.actor_kind == "api"))
    given = kind.in_([EntryKind.ACCRUAL, EntryKind.BONUS, EntryKind.OPENING])
    is_back = (kind == EntryKind.REVERSAL) & (points < 0)
    is_restored = (kind == EntryKind.REVERSAL) & (points > 0)
    is_adjusted = kind == EntryKind.ADJUSTMENT
    quarter = _utc_quarter(session, Entry.occurred_at)
    return (
        select(
            Entry.programme_id,
            Entry.day,
            quarter,
            _count(is_read_apart),
            _count(is_receipt & (Entry.amount_minor > 0)),
            func.sum(Entry.counted_minor),
            _sum(given | is_back | (is_adjusted & (points > 0)), points),
            _sum(
                (kind == EntryKind.REDEMPTION) | is_restored | (is_adjusted & (points < 0)), -points
            ),
            _sum(kind == EntryKind.EXPIRY, -points),
        )
        .where(*where)
        .group_by(Entry.programme_id, Entry.day, quarter)
    )


def of_scans(session: Session, *where: ColumnElement[bool]) -> Select[str, date, int, int]:
    """The same of readings: programme, local day, quarter of the UTC day, how many."""
    quarter = _utc_quarter(session, CardScan.scanned_at)
    return (
        select(CardScan.programme_id, CardScan.day, quarter, func.count())
        .where(*where)
        .group_by(CardScan.programme_id, CardScan.day, quarter)
    )


def bins_of_entries(rows: Iterable[Any], zones: dict[str, ZoneInfo]) -> dict[Bin, Sums]:
    """Rows of `of_entries` in local quarters."""
    found: dict[Bin, Sums] = {}
    for programme_id, day, quarter, *figures in rows:
        bin_ = _local(programme_id, day, int(quarter), zones[programme_id])
        found[bin_] = found.get(bin_, Sums()) + Sums(0, *(int(each or 0) for each in figures))
    return found


def bins_of_scans(rows: Iterable[Any], zones: dict[str, ZoneInfo]) -> dict[Bin, Sums]:
    """Rows of `of_scans` in local quarters."""
    found: dict[Bin, Sums] = {}
    for programme_id, day, quarter, count in rows:
        bin_ = _local(programme_id, day, int(quarter), zones[programme_id])
        found[bin_] = found.get(bin_, Sums()) + Sums(scans=int(count))
    return found


def bins_of_cards(programme_id: str, issued: Iterable[datetime], zone: ZoneInfo) -> dict[Bin, Sums]:
    """Moments at which cards were given, in local quarters."""
    places = Counter(
        (moment.astimezone(zone).date(), quarter_of(moment, zone)) for moment in issued
    )
    return {
        Bin(programme_id, day, quarter): Sums(enrolments=count)
        for (day, quarter), count in places.items()
    }


def _local(programme_id: str, day: date, utc_quarter: int, zone: ZoneInfo) -> Bin:
    # Every zone is a whole number of quarters from UTC. On the day of a change of the clocks the
    # hours before it are told by the offset after it.
    offset = datetime.combine(day, time(12), zone).utcoffset()
    minutes = int(offset.total_seconds()) // 60 if offset is not None else 0
    return Bin(programme_id, day, (utc_quarter + minutes // QUARTER_MINUTES) % QUARTERS)


def _utc_quarter(session: Session, moment: Any) -> ColumnElement[int]:
    if session.get_bind().dialect.name == "postgresql":
        moment = func.timezone("UTC", moment)
    hour, minute = extract("hour", moment), extract("minute", moment)
    return hour * (60 // QUARTER_MINUTES) + func.floor(minute / QUARTER_MINUTES)


def _count(condition: Any) -> ColumnElement[Any]:
    return func.sum(case((condition, 1), else_=0))


def _sum(condition: Any, figure: Any) -> ColumnElement[Any]:
    return func.sum(case((condition, figure), else_=0))
