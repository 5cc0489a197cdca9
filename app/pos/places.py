"""Where a shop system posts: its key's location, the one that it names, or none."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import NotFound
from app.ledger.models import Entry, EntryKind, Receipt
from app.ledger.rules import start_of_day
from app.pos.errors import OtherLocation, SeveralReceipts
from app.pos.keys import Holder
from app.programmes.service import location_by_slug
from app.till.access import Place

#: As many receipts of one number are named, where it is not enough to tell them apart.
_MOST_NAMED = 5


def place_of(session: Session, holder: Holder, slug: str | None) -> Place:
    """The place to post for. Raises `NotFound`, `OtherLocation`."""
    if slug is None:
        return Place(holder.programme_id, holder.location_id)
    found = location_by_slug(session, holder.programme_id, slug)
    if holder.location_id not in (None, found.id):
        raise OtherLocation("This API key is for another location. Leave the location out.")
    return Place(holder.programme_id, found.id)


@dataclass(frozen=True, slots=True)
class SoldOn:
    """A receipt as the counter knows it: its number, and the local day where that is known."""

    number: str
    day: date | None


def posting_of(session: Session, place: Place, sold: SoldOn, time_zone: str) -> str:
    """The posting that a receipt of the place was given points by.

    Raises `NotFound`, and `SeveralReceipts` that names them.
    """
    found: Any = (
        select(Entry.posting_id, Entry.occurred_at)
        .join(Receipt, Receipt.id == Entry.receipt_id)
        .where(Receipt.number == sold.number, Entry.kind == EntryKind.ACCRUAL)
        .order_by(Entry.sequence.desc())
        .limit(_MOST_NAMED)
    )
    if place.location_id is not None:
        found = found.where(Receipt.location_id == place.location_id)
    if sold.day is not None:
        begins = _midnight(sold.day, time_zone)
        found = found.where(
            Receipt.occurred_at >= begins,
            Receipt.occurred_at < _midnight(sold.day + timedelta(days=1), time_zone),
        )
    rows = session.execute(found).all()
    if not rows:
        raise NotFound(
            "No receipt of this number has earned points there. Check the number, the day and the "
            "location, or name the posting."
        )
    if len(rows) > 1:
        raise SeveralReceipts(
            "Several receipts have this number. Say the day and the location, or name the posting.",
            posting_ids=[row.posting_id for row in rows],
        )
    return str(rows[0].posting_id)


def _midnight(day: date, time_zone: str) -> datetime:
    return start_of_day(day, time_zone)
