"""Ends cards for good, with whatever in them could tell who held them."""

from datetime import datetime

from sqlalchemy.orm import Session

from app.cards import news, pins, service
from app.cards.links import revoke_links
from app.cards.models import Card
from app.webhooks.events import tell
from passes.card import CardStatus


def erase(session: Session, card: Card, *, now: datetime) -> bool:
    """End a card whose holder is forgotten; False where that was done before.

    Its links lead nowhere, every till refuses it, and its passes are wanted in their last form:
    void at Apple, inactive and blank at Google. Its entries in the ledger stay, and its account.
    """
    if card.status == CardStatus.ERASED:
        return False
    card.status = CardStatus.ERASED
    # A reason may name somebody.
    card.status_reason = None
    card.frozen_at = None
    card.status_changed_at = now
    card.member_id = None
    session.flush()
    pins.remove_pin(session, card.id)
    news.forget(session, [card.id])
    revoke_links(session, card.id, now=now)
    service.touch(session, card, now=now)
    tell(session, "card.erased", service.told_of(card), now=now)
    return True
