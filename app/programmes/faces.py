"""How a card of a programme looks right now: the one place where a CardFace is filled in."""

from datetime import datetime

from sqlalchemy.orm import Session

from app.cards.models import Card
from app.keys import KeyRing
from app.ledger import service as ledger
from app.members import service as members
from app.programmes import rules
from app.programmes.models import Programme
from app.programmes.service import programme_by_id
from passes.card import CardFace, CardStatus, Colours


def face_of(
    session: Session,
    keys: KeyRing,
    card: Card,
    *,
    now: datetime,
    programme: Programme | None = None,
) -> CardFace:
    """The card's face from the ledger, the member's name and the programme's look."""
    programme = programme or programme_by_id(session, card.programme_id)
    standing = ledger.standing(session, card.account_id, now=now)
    return CardFace(
        programme_name=programme.name,
        organisation=programme.name,
        description=f"{programme.name} loyalty card",
        serial_number=card.serial_number,
        code=card.code,
        balance=standing.balance,
        pending=standing.pending,
        points_label=rules.points_label(programme.points_names, standing.balance, card.language),
        colours=Colours(**programme.colours),
        issued_on=card.issued_on,
        member_name=members.contact_of(session, keys, card.member_id).name,
        status=CardStatus(card.status),
        language=card.language,
    )
