"""Notes what became of those whose cards were told: pushed, fetched, failed and why.

Delivery knows the wallets; this keeps what it says, a page at a time, and the counts in step with
the rows. Whoever failed is looked at again: delivery goes on trying.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import bindparam, or_, select, update
from sqlalchemy.orm import Session

from app.campaigns.models import Campaign, Recipient, State
from app.campaigns.planning import reason_of, tally
from app.clock import whole_second
from app.db import Prepared

PAGE = 1000
_ON_THE_WAY = (State.SENT, State.FAILED, State.PUSHED, State.ON_PAGE)
#: So often somebody is looked at who is on the way, or failed.
SOON, LATER = timedelta(milliseconds=100), timedelta(seconds=20)
#: Fetches are noted in bunches, within this time.
_NOTED_WITHIN = timedelta(seconds=10)
#: A phone that has not fetched after so long is not asked about any more.
FETCH_WITHIN = timedelta(days=7)

_recipients: Any = Recipient.__table__
_ids: Any = bindparam("ids", expanding=True)


def _new(name: str, column: str) -> Any:
    return bindparam(name, type_=_recipients.c[column].type)


_to_look_at = Prepared(
    select(
        _recipients.c.account_id,
        _recipients.c.occasion,
        _recipients.c.state,
        _recipients.c.card_id,
        _recipients.c.version,
        _recipients.c.sent_at,
        _recipients.c.reason,
    )
    .where(
        _recipients.c.campaign_id == bindparam("campaign"),
        or_(_recipients.c.state == State.SENT, _recipients.c.state == State.FAILED),
        _recipients.c.looked_at <= bindparam("before"),
    )
    .order_by(_recipients.c.looked_at)
    .limit(bindparam("limit"))
)
_note = Prepared(
    update(_recipients)
    .where(
        _recipients.c.campaign_id == bindparam("of_campaign"),
        _recipients.c.account_id == bindparam("of_account"),
        _recipients.c.occasion == bindparam("of_occasion"),
    )
    .values(
        state=_new("new_state", "state"),
        looked_at=_new("new_looked_at", "looked_at"),
        arrived_at=_new("new_arrived_at", "arrived_at"),
        reason=_new("new_reason", "reason"),
    )
)
_told = Prepared(
    select(
        _recipients.c.account_id,
        _recipients.c.occasion,
        _recipients.c.sent_at,
        _recipients.c.state,
        _recipients.c.reason,
    ).where(
        _recipients.c.campaign_id == bindparam("campaign"),
        _recipients.c.account_id.in_(_ids),
        or_(*(_recipients.c.state == each for each in _ON_THE_WAY)),
    )
)


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a card's pass: *state* is SENT while nobody knows, *reason* why it failed."""

    state: State
    at: datetime | None = None
    reason: str | None = None


class Wallets(Protocol):
    """Knows how far wallets are: `app.delivery.reaching`."""

    def fates(self, session: Session, wanted: Mapping[str, int]) -> Mapping[str, Fate]:
        """What became of the passes of these cards, each since it was to show that version."""

    def fetched(
        self, session: Session, programme_id: str, since: datetime, limit: int
    ) -> Sequence[tuple[str, datetime]]:
        """Accounts whose passes were fetched after *since*, with when, the earliest first."""


def look(
    session: Session, campaign: Campaign, wallets: Wallets, *, now: datetime, limit: int = PAGE
) -> int:
    """Note what became of up to *limit* recipients of a campaign that is locked; how many moved."""
    moved = _look_at_the_way(session, campaign, wallets, now, limit)
    return moved + _look_at_fetches(session, campaign, wallets, now, limit)


def _look_at_the_way(
    session: Session, campaign: Campaign, wallets: Wallets, now: datetime, limit: int
) -> int:
    asked = {"campaign": campaign.id, "before": now - SOON, "limit": limit}
    rows = _to_look_at(session, asked).all()
    if not rows:
        return 0
    fates = wallets.fates(session, {row.card_id: row.version for row in rows})
    notes, counts, moved = [], Counter[str](), 0
    for row in rows:
        fate = fates.get(row.card_id, Fate(State.ON_PAGE, row.sent_at))
        if (fate.state, fate.reason) != (row.state, row.reason):
            moved += fate.state != row.state
            counts.update({row.state: -1})
            counts.update({str(fate.state): 1})
            counts.update({reason_of(each): 1 for each in (fate.reason,) if each})
            counts.update({reason_of(each): -1 for each in (row.reason,) if each})
        again = LATER if fate.state == State.FAILED else timedelta(0)
        notes.append(
            {
                "of_campaign": campaign.id,
                "of_account": row.account_id,
                "of_occasion": row.occasion,
                "new_state": str(fate.state),
                "new_looked_at": now + again,
                "new_arrived_at": fate.at,
                "new_reason": fate.reason,
            }
        )
    _note(session, notes)
    if counts:
        tally(campaign, counts)
    session.flush()
    return moved


def _look_at_fetches(
    session: Session, campaign: Campaign, wallets: Wallets, now: datetime, limit: int
) -> int:
    """Phones that fetched since they were looked at last: told and fetched is what arrives."""
    if campaign.approved_at is None or not any(campaign.counts.get(each) for each in _ON_THE_WAY):
        return 0
    since = campaign.cursor.get("fetched_since")
    begin = datetime.fromisoformat(since) if since else campaign.approved_at
    found = wallets.fetched(session, campaign.programme_id, begin, limit)
    if not found:
        return 0
    moments = dict(found)
    asked = {"campaign": campaign.id, "ids": sorted(moments)}
    arrived = [
        row for row in _told(session, asked) if moments[row.account_id] >= whole_second(row.sent_at)
    ]
    if arrived:
        notes = [
            {
                "of_campaign": campaign.id,
                "of_account": row.account_id,
                "of_occasion": row.occasion,
                "new_state": str(State.FETCHED),
                "new_looked_at": now,
                "new_arrived_at": moments[row.account_id],
                "new_reason": None,
            }
            for row in arrived
        ]
        _note(session, notes)
        counts = Counter({str(State.FETCHED): len(arrived)})
        counts.subtract(Counter(str(row.state) for row in arrived))
        counts.subtract(Counter(reason_of(row.reason) for row in arrived if row.reason))
        tally(campaign, counts)
    # What was noted a moment ago may be committed after what was noted later: looked at again.
    last = max(begin, min(max(moments.values()), now - _NOTED_WITHIN))
    if len(found) == limit and last == begin:
        last = max(moments.values())
    if last != begin:
        campaign.cursor = {**campaign.cursor, "fetched_since": last.isoformat()}
    session.flush()
    return len(arrived)
