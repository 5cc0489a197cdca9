"""A receipt and how much of it is kept, after everything of it that has come back by now."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.ledger._receipts import back_of, returns_of
from app.ledger.models import Entry, EntryKind, Receipt


@dataclass(frozen=True, slots=True)
class KeptReceipt:
    """A receipt, what it was sold for, and what of that is kept (minor units)."""

    id: str
    number: str | None
    till_id: str | None
    occurred_at: datetime
    sold_minor: int
    kept_minor: int


def kept_receipt(session: Session, posting_id: str) -> KeptReceipt | None:
    """The receipt that a posting gave points for, as it is kept now; None where it is none."""
    row = session.execute(
        select(
            Receipt.id,
            Receipt.number,
            Receipt.till_id,
            Receipt.occurred_at,
            Receipt.amount_minor,
        )
        .join(Entry, Entry.receipt_id == Receipt.id)
        .where(Entry.posting_id == posting_id, Entry.kind == EntryKind.ACCRUAL)
    ).first()
    if row is None:
        return None
    came = [part for part in returns_of(session, row.id) if part.reversed_at is None]
    return KeptReceipt(*row, kept_minor=row.amount_minor - back_of(came))
