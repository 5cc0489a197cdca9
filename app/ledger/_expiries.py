"""What of some lots has expired, and whether it had counted for a tier by then."""

from collections.abc import Collection
from datetime import date
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.ledger._book import Book
from app.ledger.models import Draw, Entry, EntryKind


def expired_since(
    session: Session, book: Book, lot_ids: Collection[str], sequence: int
) -> dict[str, int]:
    """How many points of each lot have expired in entries after *sequence*."""
    found = (
        select(Draw.lot_id, func.sum(Draw.points))
        .join(Entry, Entry.id == Draw.entry_id)
        .where(Draw.lot_id.in_(lot_ids), Entry.kind == EntryKind.EXPIRY, Entry.sequence > sequence)
        .group_by(Draw.lot_id)
    )
    expired = {str(lot_id): int(points) for lot_id, points in session.execute(found)}
    just_now = {entry["id"] for entry in book.entries if entry["kind"] == EntryKind.EXPIRY}
    for draw in book.draws:
        if draw["entry_id"] in just_now and draw["lot_id"] in lot_ids:
            expired[draw["lot_id"]] = expired.get(draw["lot_id"], 0) + draw["points"]
    return expired


def never_counted(session: Session, book: Book, lot_ids: Collection[str], sequence: int) -> int:
    """How many points of the lots expired after *sequence* before they had counted for a tier."""
    return -sum(each.counted_points for each in uncounted(session, book, lot_ids, sequence))


class Uncounted(NamedTuple):
    """An expiry of a lot that had not counted for a tier by then; *counted_points* is negative."""

    id: str
    lot_id: str
    points: int
    day: date
    counted_points: int


def uncounted(
    session: Session, book: Book, lot_ids: Collection[str], sequence: int
) -> list[Uncounted]:
    """The expiries of the lots after *sequence* that took back what had not counted yet."""
    found = (
        select(Entry.id, Draw.lot_id, Draw.points, Entry.day, Entry.counted_points)
        .join(Draw, Draw.entry_id == Entry.id)
        .where(Draw.lot_id.in_(lot_ids), Entry.kind == EntryKind.EXPIRY)
        .where(Entry.counted_points < 0, Entry.sequence > sequence)
        .order_by(Entry.sequence)
    )
    just_now = {
        entry["id"]: entry
        for entry in book.entries
        if entry["kind"] == EntryKind.EXPIRY and entry["counted_points"] < 0
    }
    unwritten = [
        (draw["entry_id"], draw["lot_id"], draw["points"], just_now[draw["entry_id"]])
        for draw in book.draws
        if draw["entry_id"] in just_now and draw["lot_id"] in lot_ids
    ]
    written = [
        Uncounted(row.id, str(row.lot_id), row.points, row.day, row.counted_points)
        for row in session.execute(found)
    ]
    return written + [
        Uncounted(id_, lot_id, points, entry["day"], entry["counted_points"])
        for id_, lot_id, points, entry in unwritten
    ]
