"""What is filled into the text of each who is told: points, those that end soon, and their day."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from app.campaigns.plans import Plan
from app.db import Prepared
from app.ledger.models import Account, Lot

#: What expires within so many days is what a text calls "expiring".
EXPIRING_DAYS = 30
#: What stands for the day where nothing ends.
NO_DAY = "–"

_accounts: Any = Account.__table__
_lots: Any = Lot.__table__
_ids: Any = bindparam("ids", expanding=True)

_balances = Prepared(select(_accounts.c.id, _accounts.c.balance).where(_accounts.c.id.in_(_ids)))
_expiring = Prepared(
    select(
        _lots.c.account_id,
        func.sum(_lots.c.remaining - _lots.c.held).label("points"),
        func.min(_lots.c.expires_at).label("first"),
    )
    .where(
        _lots.c.account_id.in_(_ids),
        _lots.c.remaining > _lots.c.held,
        _lots.c.expires_at > bindparam("now"),
        _lots.c.expires_at <= bindparam("until"),
    )
    .group_by(_lots.c.account_id)
)


def facts_of(
    session: Session,
    plan: Plan,
    account_ids: Collection[str],
    *,
    time_zone: str,
    now: datetime,
) -> dict[str, dict[str, Any]]:
    """For each account what the plan's texts ask for.

    Points end at the first moment of a day of the programme: the day that is named, as
    2026-05-12, is the last one on which they count, in the programme's own zone.
    """
    found: dict[str, dict[str, Any]] = {each: {} for each in account_ids}
    content = plan.content
    texts = [*content.message.values(), *(t for each in content.article.values() for t in each)]
    ids = list(account_ids)
    if ids and any("{points}" in text for text in texts):
        for row in _balances(session, {"ids": ids}):
            found[row.id]["points"] = row.balance
    if ids and any("{expir" in text for text in texts):
        until = now + timedelta(days=EXPIRING_DAYS)
        zone = ZoneInfo(time_zone)
        for facts in found.values():
            facts |= {"expiring": 0, "expires_on": NO_DAY}
        for row in _expiring(session, {"ids": ids, "now": now, "until": until}):
            last = (row.first - timedelta(microseconds=1)).astimezone(zone).date()
            found[row.account_id] |= {"expiring": int(row.points), "expires_on": last.isoformat()}
    return found
