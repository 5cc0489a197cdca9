"""How a card of a programme looks right now: the one place where a CardFace is filled in."""

from datetime import date, datetime
from typing import Protocol

from sqlalchemy.orm import Session

from app.cards.models import Card
from app.keys import KeyRing
from app.ledger import service as ledger
from app.members import service as members
from app.programmes.models import Programme
from app.programmes.service import programme_by_id
from passes.card import CardFace, CardKind, CardStatus, Colours, Issued, Look
from passes.kinds import points_card
from passes.text import counted, text

#: What a programme's card is to those who hear it read aloud.
_DESCRIPTIONS = {
    "en": "{name} loyalty card",
    "de": "Kundenkarte von {name}",
    "lv": "{name} lojalitātes karte",
    "ru": "Карта лояльности {name}",
}


class Printed(Protocol):
    """What is printed on a card, whoever holds it: a `Card`, or a row with its columns."""

    @property
    def serial_number(self) -> str: ...
    @property
    def code(self) -> str: ...
    @property
    def issued_on(self) -> date: ...
    @property
    def status(self) -> str: ...
    @property
    def language(self) -> str: ...


def look_of(programme: Programme) -> Look:
    """The programme's design: what all its cards share."""
    name = programme.name
    described = {language: words.format(name=name) for language, words in _DESCRIPTIONS.items()}
    return Look(
        kind=CardKind.POINTS,
        programme_name=name,
        organisation=name,
        description=text(described, "description"),
        colours=Colours(**programme.colours),
        counted=counted(programme.points_names),
    )


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
    name = members.contact_of(session, keys, card.member_id).name
    return fill_in(
        look_of(programme), card, name=name, balance=standing.balance, pending=standing.pending
    )


def fill_in(look: Look, card: Printed, *, name: str | None, balance: int, pending: int) -> CardFace:
    """The face of a card of which all that it shows is known."""
    issued = Issued(
        serial_number=card.serial_number,
        code=card.code,
        issued_on=card.issued_on,
        status=CardStatus(card.status),
        language=card.language,
        member_name=name,
    )
    return points_card(look, issued, balance=balance, pending=pending)
