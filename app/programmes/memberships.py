"""Memberships of clubs, worked out from what was bought and given back."""

from datetime import datetime

from sqlalchemy.orm import Session

from app.benefits import service as benefits
from app.ledger.rules import local_day
from app.programmes.mechanics.clubs import KIND, Membership, membership
from app.programmes.terms import Rulebook


def memberships(
    session: Session, book: Rulebook, account_id: str, *, now: datetime
) -> list[Membership]:
    """The account's memberships, those that are over too; the one that lasts longest first."""
    clubs = book.at(now).settings.clubs
    if not clubs:
        return []
    moves = benefits.history(session, account_id, KIND)
    found = []
    for club in clubs:
        own = [
            (local_day(move.occurred_at, book.time_zone), move.count)
            for move in moves
            if move.what == club.code
        ]
        if (one := membership(club, own)) is not None:
            found.append(one)
    return sorted(found, key=lambda each: each.until, reverse=True)


def clubs_of(session: Session, book: Rulebook, account_id: str, *, now: datetime) -> frozenset[str]:
    """The codes of the clubs that the account is a member of at *now*."""
    today = local_day(now, book.time_zone)
    found = memberships(session, book, account_id, now=now)
    return frozenset(each.club.code for each in found if each.holds(today))
