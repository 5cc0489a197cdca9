"""Members who asked to be forgotten: a day to think better of it, then it is done."""

import logging
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.cards.models import Card, ErasureRequest
from app.context import Context
from app.delivery import leaving
from app.errors import CounterfoilError
from app.members.reads import Reader

_log = logging.getLogger(__name__)

GRACE = timedelta(hours=24)
READER = Reader("member", "card page")
#: Erased in one step; each is a transaction of its own.
AT_ONCE = 20


def ask(session: Session, card: Card, *, now: datetime) -> ErasureRequest:
    """Have the card's holder forgotten after a day; asked twice, the first time counts."""
    found = session.get(ErasureRequest, card.id)
    if found is None:
        found = ErasureRequest(
            programme_id=card.programme_id, card_id=card.id, asked_at=now, due_at=now + GRACE
        )
        session.add(found)
        session.flush()
    return found


def withdraw(session: Session, card_id: str) -> bool:
    """Think better of it, for all cards of the card's holder; False where nobody had asked."""
    gone = session.execute(
        delete(ErasureRequest)
        .where(ErasureRequest.card_id.in_(_cards_with(session, card_id)))
        .returning(ErasureRequest.card_id)
    )
    return bool(gone.all())


def asked(session: Session, card_id: str) -> ErasureRequest | None:
    """What the card's holder asked, with whichever card."""
    return session.scalars(
        select(ErasureRequest)
        .where(ErasureRequest.card_id.in_(_cards_with(session, card_id)))
        .order_by(ErasureRequest.due_at)
        .limit(1)
    ).first()


def step(context: Context, *, now: datetime, limit: int = AT_ONCE) -> int:
    """Forget those whose day is over; how many. Bounded, safe to be killed and to run again."""
    with context.database.read_all() as session:
        due = session.execute(
            select(ErasureRequest.programme_id, ErasureRequest.card_id)
            .where(ErasureRequest.due_at <= now)
            .order_by(ErasureRequest.due_at, ErasureRequest.card_id)
            .limit(limit)
        ).all()
    done = 0
    for programme_id, card_id in due:
        try:
            leaving.erase(context, programme_id, card_id, READER, now=now, asked_by=now)
        except (CounterfoilError, OSError):
            # The next step tries again; the others are not kept waiting.
            _log.exception("the holder of card %s could not be erased yet", card_id)
            continue
        # Only now: whatever came between, the step does it again.
        with context.database.write(programme_id) as session:
            session.execute(delete(ErasureRequest).where(ErasureRequest.card_id == card_id))
        done += 1
    return done


def _cards_with(session: Session, card_id: str) -> list[str]:
    member_id = session.scalar(select(Card.member_id).where(Card.id == card_id))
    if member_id is None:
        return [card_id]
    return list(session.scalars(select(Card.id).where(Card.member_id == member_id)))
