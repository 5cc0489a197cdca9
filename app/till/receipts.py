"""What belongs to one receipt: points that were redeemed on it earn nothing."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from app.db import Prepared
from app.ledger.models import Hold, HoldStatus

#: Receipt numbers come again: a redemption belongs to a receipt no further apart than this.
SAME_SALE = timedelta(days=1)


class NumberedSale(NamedTuple):
    """A receipt as the till names it."""

    account_id: str
    number: str
    till_id: str | None
    occurred_at: datetime


_holds: Any = Hold.__table__
_redeemed = Prepared(
    select(
        _holds.c.account_id,
        _holds.c.receipt_number,
        _holds.c.till_id,
        _holds.c.points,
        _holds.c.created_at,
    ).where(
        _holds.c.account_id.in_(bindparam("ids", expanding=True)),
        _holds.c.receipt_number.in_(bindparam("numbers", expanding=True)),
        _holds.c.status == HoldStatus.CAPTURED,
    )
)


def paid_with_points(
    session: Session, sales: Collection[NumberedSale]
) -> dict[NumberedSale | None, int]:
    """How many points were redeemed on each of the receipts, as far as any were."""
    if not sales:
        return {}
    rows = _redeemed(
        session,
        {
            "ids": sorted({sale.account_id for sale in sales}),
            "numbers": sorted({sale.number for sale in sales}),
        },
    )
    paid: dict[NumberedSale | None, int] = {}
    for sale in sales:
        points = sum(
            row.points
            for row in rows
            if (row.account_id, row.receipt_number, row.till_id) == sale[:3]
            and abs(row.created_at - sale.occurred_at) <= SAME_SALE
        )
        if points:
            paid[sale] = points
    return paid
