"""What campaigns have to know of the wallets: who holds a card, and how far each one is."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from app.campaigns.arriving import Fate
from app.campaigns.models import State
from app.campaigns.planning import APPLE, GOOGLE
from app.cards.models import Card
from app.db import Prepared
from app.delivery import fetches
from app.delivery.fetches import PassFetch
from app.delivery.models import AppleRegistration, GooglePass
from app.delivery.status import kind_of

_cards: Any = Card.__table__
_apple: Any = AppleRegistration.__table__
_google: Any = GooglePass.__table__
_ids: Any = bindparam("ids", expanding=True)
_holders = {
    lane: Prepared(
        select(_cards.c.account_id)
        .select_from(_cards.join(table, table.c.card_id == _cards.c.id))
        .where(_cards.c.account_id.in_(_ids))
    )
    # Who has both is told by Apple first.
    for lane, table in ((GOOGLE, _google), (APPLE, _apple))
}
_states = [
    Prepared(
        select(
            table.c.card_id,
            table.c.delivered_version,
            table.c.delivered_at,
            table.c.attempts,
            table.c.last_error,
        ).where(table.c.card_id.in_(_ids))
    )
    for table in (_apple, _google)
]


class Reaching:
    """Answers campaigns. It has nothing of its own."""

    def lanes(self, session: Session, account_ids: Sequence[str]) -> Mapping[str, str]:
        """The lane of each account; those without a wallet are left out."""
        found: dict[str, str] = {}
        for lane, holders in _holders.items():
            rows = holders(session, {"ids": list(account_ids)})
            found |= {row.account_id: lane for row in rows}
        return found

    def fates(self, session: Session, wanted: Mapping[str, int]) -> Mapping[str, Fate]:
        """What became of the passes of these cards, each since it was to show that version."""
        found: dict[str, Fate] = {}
        for states in _states:
            for row in states(session, {"ids": list(wanted)}):
                fate = _fate(row, wanted[row.card_id])
                before = found.get(row.card_id)
                # One wallet that has it is enough; of others the one that fails says why.
                if before is None or _RANK[fate.state] > _RANK[before.state]:
                    found[row.card_id] = fate
        return found

    def fetched(
        self, session: Session, programme_id: str, since: datetime, limit: int
    ) -> Sequence[tuple[str, datetime]]:
        """Accounts whose passes were fetched after *since*, with when, the earliest first."""
        rows = session.execute(
            select(Card.account_id, PassFetch.fetched_at)
            .join(Card, Card.id == PassFetch.card_id)
            .where(PassFetch.programme_id == programme_id, PassFetch.fetched_at > since)
            .order_by(PassFetch.fetched_at)
            .limit(limit)
        )
        return [(row.account_id, row.fetched_at) for row in rows]

    def watch(self, session: Session, programme_id: str, until: datetime) -> None:
        """Have fetches of the programme's passes noted until then."""
        fetches.watch(session, programme_id, until=until)


_RANK = {State.SENT: 0, State.FAILED: 1, State.PUSHED: 2}


def _fate(row: Any, version: int) -> Fate:
    if row.delivered_version >= version:
        return Fate(State.PUSHED, row.delivered_at)
    if row.attempts and row.last_error:
        return Fate(State.FAILED, None, kind_of(row.last_error))
    return Fate(State.SENT)
