"""Readings of cards at counters: what a member's history and the day's figures count."""

from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cards.models import Card, CardScan
from app.db import programme_of


def note_scan(
    session: Session, card: Card, *, till_id: str, location_id: str, day: date, now: datetime
) -> None:
    """Keep that a till read the card on this local *day*."""
    session.add(
        CardScan(
            programme_id=programme_of(session),
            card_id=card.id,
            till_id=till_id,
            location_id=location_id,
            day=day,
            scanned_at=now,
        )
    )


def last_scan(session: Session, card_ids: list[str]) -> datetime | None:
    """When one of these cards was last read at a till; None: never."""
    return session.scalar(
        select(CardScan.scanned_at)
        .where(CardScan.card_id.in_(card_ids))
        .order_by(CardScan.scanned_at.desc())
        .limit(1)
    )
