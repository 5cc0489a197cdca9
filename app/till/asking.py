"""What a cashier asks before something is posted: what an amount would give, and a receipt."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.ledger.models import Entry, EntryKind, Receipt, ReceiptReturn
from app.ledger.postings import Line
from app.programmes.earning import Sale
from app.programmes.quoting import quote
from app.programmes.terms import rulebook_of
from app.till.counter import Counter, card_of
from app.till.receipts import NumberedSale, paid_with_points

#: Receipt numbers come again, as when a register starts anew; the latest are meant.
MOST_RECEIPTS = 5


def quoted(
    session: Session, counter: Counter, body: Mapping[str, Any], *, now: datetime
) -> dict[str, Any]:
    """What an accrual of the same body would give now. Nothing is kept.

    Raises `CardRefused`, and what the accrual would raise of an amount that makes no sense.
    """
    card = card_of(session, counter, body["code"], now, now=now)
    paid = 0
    if body.get("receipt"):
        numbered = NumberedSale(card.account_id, body["receipt"], counter.till.id, now)
        paid = paid_with_points(session, [numbered]).get(numbered, 0)
    sale = Sale(
        amount_minor=body["amount_minor"],
        currency=body["currency"],
        occurred_at=now,
        paid_with_points=paid,
        lines=tuple(Line(**line) for line in body.get("lines") or ()),
    )
    said = quote(
        session,
        rulebook_of(session, counter.till.programme_id, now),
        sale,
        card.account_id,
        now=now,
        location_id=counter.till.location_id,
    )
    given = [{"kind": each.kind, "count": each.count} for each in said.value.given]
    return {"points": said.points, "given": given}


def receipts_of(session: Session, number: str) -> list[dict[str, Any]]:
    """The latest receipts of that number: what was paid, what it gave, what came back of it."""
    given = (
        select(
            Entry.receipt_id,
            func.min(Entry.posting_id).label("posting_id"),
            func.sum(Entry.points).label("points"),
        )
        .where(Entry.kind == EntryKind.ACCRUAL, Entry.receipt_id.is_not(None))
        .group_by(Entry.receipt_id)
        .subquery()
    )
    returned = (
        select(ReceiptReturn.receipt_id, func.sum(ReceiptReturn.amount_minor).label("amount_minor"))
        .where(ReceiptReturn.reversed_at.is_(None))
        .group_by(ReceiptReturn.receipt_id)
        .subquery()
    )
    rows = session.execute(
        select(Receipt, given.c.posting_id, given.c.points, returned.c.amount_minor)
        .join(given, given.c.receipt_id == Receipt.id)
        .outerjoin(returned, returned.c.receipt_id == Receipt.id)
        .where(Receipt.number == number)
        .order_by(Receipt.occurred_at.desc())
        .limit(MOST_RECEIPTS)
    )
    return [
        {
            "posting_id": posting_id,
            "amount_minor": receipt.amount_minor,
            "currency": receipt.currency,
            "occurred_at": receipt.occurred_at.isoformat(),
            "points": int(points),
            "returned_minor": int(back or 0),
        }
        for receipt, posting_id, points, back in rows
    ]
