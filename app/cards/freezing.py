"""Freezing: a member blocks their own card, and unblocks it. What staff blocked, only staff do."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cards.models import Card
from app.cards.service import STATUS_EVENTS, told_of, touch
from app.errors import Conflict
from app.languages import _
from app.webhooks.events import tell
from passes.card import CardStatus


def freeze(session: Session, card_id: str, *, now: datetime) -> Card:
    """Block the card for its owner; one that is frozen stays so. Raises `Conflict`."""
    card = _locked(session, card_id)
    if card.frozen_at is not None:
        return card
    if card.status != CardStatus.ACTIVE:
        raise Conflict(_("This card cannot be used as it is: ask in the shop."))
    return _set(session, card, CardStatus.BLOCKED, now, frozen_at=now)


def unfreeze(session: Session, card_id: str, *, now: datetime) -> Card:
    """Make a frozen card good again. Raises `Conflict` for one that staff blocked."""
    card = _locked(session, card_id)
    if card.status == CardStatus.ACTIVE:
        return card
    if card.frozen_at is None:
        raise Conflict(_("This card was blocked by the shop: ask there."))
    return _set(session, card, CardStatus.ACTIVE, now, frozen_at=None)


def _set(
    session: Session, card: Card, status: CardStatus, now: datetime, *, frozen_at: datetime | None
) -> Card:
    card.status = status
    card.status_reason = None
    card.status_changed_at = now
    card.frozen_at = frozen_at
    session.flush()
    touch(session, card, now=now)
    tell(session, STATUS_EVENTS[status], told_of(card), now=now)
    return card


def _locked(session: Session, card_id: str) -> Card:
    return session.scalars(
        select(Card)
        .where(Card.id == card_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
