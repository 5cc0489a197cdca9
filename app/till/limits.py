"""What the holder of a card may redeem from an account that several share.

A limit is for a local day, week or month of the programme, and counts what the card (and any that
it took the place of) has redeemed in it or holds now.
"""

from datetime import datetime

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from app.cards.holders import holder_of, predecessors
from app.cards.models import Card
from app.cards.rules import Role, window
from app.ledger import service as ledger
from app.ledger import writing
from app.ledger.models import Hold, HoldStatus
from app.till.errors import CardOnlyCollects, LimitReached


def lock(session: Session, card: Card) -> None:
    """Lock the card's account until the transaction ends, and read the card under that lock.

    Two holds at once would each see the other's points unspent; and a card may just have changed
    its role, or moved to another account.
    """
    locked = None
    while locked != card.account_id:
        locked = card.account_id
        ledger.lock_account(session, locked)
        session.scalars(
            select(Card).where(Card.id == card.id).execution_options(populate_existing=True)
        ).one()


def left(
    session: Session, card: Card, *, now: datetime, time_zone: str
) -> tuple[int, datetime] | None:
    """How many points the card may still redeem, and until when; None where it has no limit."""
    holder = holder_of(card)
    if holder.limit is None or holder.period is None:
        return None
    begins, ends = window(holder.period, now, time_zone)
    spent = session.scalar(
        select(func.coalesce(func.sum(Hold.points), 0)).where(
            Hold.card_id.in_(predecessors(session, card)),
            Hold.created_at >= begins,
            or_(
                Hold.status == HoldStatus.CAPTURED,
                and_(Hold.status == HoldStatus.OPEN, Hold.expires_at > now),
            ),
        )
    )
    return max(0, holder.limit - int(spent or 0)), ends


def most(session: Session, card: Card, available: int, *, now: datetime, time_zone: str) -> int:
    """How many of *available* points may be redeemed with the card."""
    if card.role == Role.COLLECTOR:
        return 0
    limit = left(session, card, now=now, time_zone=time_zone)
    return max(0, available if limit is None else min(available, limit[0]))


def check(session: Session, card: Card, points: int, *, now: datetime, time_zone: str) -> None:
    """Raise `CardOnlyCollects` or `LimitReached` where the card may not redeem so many points.

    Its account is locked (`lock`).
    """
    if card.role == Role.COLLECTOR:
        raise CardOnlyCollects(
            "This card collects points and redeems none. An owner of the account can redeem them, "
            "or give this card another role."
        )
    limit = left(session, card, now=now, time_zone=time_zone)
    if limit is None or points <= limit[0]:
        return
    rest, ends = limit
    until = writing.last_day(ends, time_zone, "en")
    what = f"only {rest} are left" if rest else "nothing is left"
    raise LimitReached(
        f"This card may redeem {card.redeem_limit} points a {card.redeem_period}: of these {what} "
        f"until the end of {until}. "
        + (f"Redeem at most {rest} points, or ask" if rest else "Ask")
        + " an owner of the account.",
        left=rest,
        until=ends.isoformat(),
    )
