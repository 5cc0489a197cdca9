"""Who was asked to come, and when: what visits of one's own accord are told apart by."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, or_, select
from sqlalchemy.orm import Session

from app.campaigns.models import TOLD, Recipient
from app.db import EVERYWHERE, Prepared
from app.insight.folding import Nudges, coupon_nudges

_recipients: Any = Recipient.__table__
_told = Prepared(
    select(_recipients.c.account_id, _recipients.c.sent_at).where(
        _recipients.c.account_id.in_(bindparam("ids", expanding=True)),
        _recipients.c.sent_at.is_not(None),
        _recipients.c.sent_at >= bindparam("since"),
        _recipients.c.held_out.is_(False),
        or_(*(_recipients.c.state == str(each) for each in TOLD)),
    )
)


def message_nudges(
    session: Session, account_ids: Sequence[str], since: datetime
) -> Iterator[tuple[str, datetime]]:
    """Messages of campaigns; whoever was held out got none."""
    yield from _told(session, {"ids": list(account_ids), "since": since}, programme_id=EVERYWHERE)


#: Everything that asks members to come.
NUDGES: tuple[Nudges, ...] = (coupon_nudges, message_nudges)
