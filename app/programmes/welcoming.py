"""The welcome: points for who joined and whose e-mail address is confirmed, once."""

import uuid
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cards.models import Card
from app.keys import KeyRing
from app.languages import _, speaking
from app.ledger import service as ledger
from app.ledger.postings import Adjust, Circumstances, Request
from app.members import service as members
from app.members.models import Member
from app.programmes import giving
from app.programmes.terms import rulebook_of

_SPACE = uuid.UUID("5f0b6e0a-6d5b-4d0e-8c1f-0f3f2a0d9b31")
_OPERATION = "welcome"
_IMPORTED = "import "


def give(session: Session, keys: KeyRing, card: Card, *, now: datetime) -> int:
    """Give the card's account the welcome of the programme; how many points were given.

    Once an account, and once an address: whoever joins again with it was welcomed before. The
    caller holds the rows of all members with the address (`members.lock`). Who was brought along
    from an earlier system did not join.
    """
    if card.member_id is None or card.source.startswith(_IMPORTED):
        return 0
    book = rulebook_of(session, card.programme_id, now)
    points = book.at(now).settings.welcome_points
    if not points or _was_welcomed(session, keys, card):
        return 0
    name = f"{card.programme_id}/{card.account_id}"
    mark = ledger.fingerprint(card.programme_id, None, _OPERATION, {"name": name})
    request = Request(str(uuid.uuid5(_SPACE, name)), _OPERATION, mark)
    with speaking(card.language):
        reason = _("Welcome")
    given = giving.post(
        session,
        book,
        request,
        Adjust(card.account_id, points, reason, available_from=now),
        Circumstances(now, card_id=card.id, language=card.language),
        now=now,
    )
    return 0 if given.repeated else points


def _was_welcomed(session: Session, keys: KeyRing, card: Card) -> bool:
    """Whether somebody else of this programme confirmed the same address before."""
    email = members.contact_of(session, keys, card.member_id).email
    if email is None:
        return True
    ids = members.members_by_email(session, keys, card.programme_id, email)
    others = select(Member.id).where(
        Member.id.in_(ids), Member.id != card.member_id, Member.email_confirmed_at.is_not(None)
    )
    return session.scalar(others.limit(1)) is not None
