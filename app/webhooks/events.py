"""What there is to tell, and writing it down in the transaction in which it happens.

A programme that has no endpoint writes nothing. The ledger is told by its `Terms` whether somebody
listens; everything else asks here.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, exists, insert, select
from sqlalchemy.orm import Session

from app.db import Prepared, new_id, programme_of
from app.webhooks.models import Endpoint, Event

#: Every type of event, with what it says of itself in lists and in the OpenAPI document.
TYPES: dict[str, str] = {
    "points.accrued": "A receipt earned points; bonuses are among the entries.",
    "points.redeemed": "Held points were spent.",
    "points.returned": "A posting was taken back, whole or in part.",
    "points.adjusted": "Points were given or taken by hand.",
    "points.expired": "Points expired.",
    "points.transferred": "Points moved with a merge of accounts, or came back from one.",
    "tier.changed": "An account went up or down a tier.",
    "card.issued": "A card was issued.",
    "card.blocked": "A card is refused from now on.",
    "card.unblocked": "A blocked card is good again.",
    "card.expired": "A card's time was ended.",
    "card.replaced": "A card was replaced; the old one is refused from now on.",
    "card.erased": "A card ended for good, with what was known of its holder.",
    "coupon.issued": "A coupon was given.",
    "coupon.redeemed": "A coupon was used.",
    "coupon.returned": "A used coupon was given back by a return.",
}
#: Only sent by hand, whatever an endpoint wants.
TEST = "webhook.test"
ALL = "*"

#: The events' table, for whoever writes many rows at once.
table: Any = Event.__table__
_endpoints: Any = Endpoint.__table__
_any_endpoint = Prepared(
    select(_endpoints.c.id).where(_endpoints.c.programme_id == bindparam("programme")).limit(1)
)
_write = Prepared(insert(table))
_HEARD = "webhooks_heard"


def is_heard(programme_id: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether anybody is to be told what happens in a programme: a column for other statements."""
    return exists(select(_endpoints.c.id).where(_endpoints.c.programme_id == programme_id))


def event_row(
    programme_id: str, type_: str, data: Mapping[str, Any], *, now: datetime
) -> dict[str, Any]:
    """A row of the events' table; *data* is JSON and says nothing of a person."""
    return {
        "programme_id": programme_id,
        "id": new_id(),
        "type": type_,
        "data": dict(data),
        "happened_at": now,
        "spread": False,
    }


def tell(session: Session, type_: str, data: Mapping[str, Any], *, now: datetime) -> None:
    """Write an event of the session's programme, if anybody listens: it is told after the commit.

    What is rolled back with the transaction is never told.
    """
    programme_id = programme_of(session)
    heard: dict[str, bool] = session.info.setdefault(_HEARD, {})
    if programme_id not in heard:
        found = _any_endpoint(session, {"programme": programme_id}).first()
        heard[programme_id] = found is not None
    if heard[programme_id]:
        _write(session, [event_row(programme_id, type_, data, now=now)])
