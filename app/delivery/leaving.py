"""One customer leaves: who that is, what would be lost, and the erasure itself."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.cards import ending
from app.cards.models import Card, ErasureRequest
from app.context import Context
from app.delivery import kept
from app.delivery.models import AppleRegistration, GooglePass
from app.errors import NotFound
from app.keys import KeyRing
from app.languages import _
from app.ledger import service as ledger
from app.members import service as members
from app.members.reads import Reader, note_read
from app.members.service import Contact


@dataclass(frozen=True, slots=True)
class Person:
    """Whoever is behind a card or an address: the rows of the members' table (joining twice makes
    two, a card without a name has none), and every card, the newest first."""

    member_ids: list[str]
    cards: list[Card]


@dataclass(frozen=True, slots=True)
class Belongings:
    """What a person has here, and loses by leaving. *shared_accounts* go on without them."""

    contacts: list[Contact]
    cards: list[Card]
    points: int
    shared_accounts: int
    apple_devices: int
    google_passes: int


def find_person(session: Session, keys: KeyRing, programme_id: str, who: str) -> Person:
    """The person with this card (its id or serial number) or this whole e-mail address.

    Raises `NotFound` where there is nobody.
    """
    if "@" in who:
        member_ids = members.members_by_email(session, keys, programme_id, who)
        if not member_ids:
            raise NotFound(_("Nobody gave this address."))
        return Person(member_ids, _cards_of(session, member_ids))
    card = session.scalar(select(Card).where((Card.id == who) | (Card.serial_number == who)))
    if card is None:
        raise NotFound(_("There is no such card in this programme."))
    if card.member_id is None:
        return Person([], _succession(session, card))
    return Person([card.member_id], _cards_of(session, [card.member_id]))


def belongings(session: Session, keys: KeyRing, person: Person, *, now: datetime) -> Belongings:
    """What the person has here at *now*."""
    card_ids = [card.id for card in person.cards]
    accounts = {card.account_id for card in person.cards}
    own = {each for each in accounts if not is_shared(session, each, card_ids)}
    return Belongings(
        contacts=[members.contact_of(session, keys, each) for each in person.member_ids],
        cards=person.cards,
        points=sum(ledger.standing(session, each, now=now).balance for each in sorted(own)),
        shared_accounts=len(accounts - own),
        apple_devices=_count(session, AppleRegistration, card_ids),
        google_passes=_count(session, GooglePass, card_ids),
    )


def is_shared(session: Session, account_id: str, card_ids: list[str]) -> bool:
    """Whether somebody else's card is on the account too: a household, a company."""
    other = select(Card.id).where(Card.account_id == account_id, Card.id.not_in(card_ids)).limit(1)
    return session.scalar(other) is not None


def erase(
    context: Context,
    programme_id: str,
    who: str,
    reader: Reader,
    *,
    now: datetime,
    asked_by: datetime | None = None,
) -> Person:
    """Forget a person: their data, consents, links, built passes, and what wallets show.

    In one transaction the row of the members' table goes and every card ends; what the ledger
    holds stays whole, and says no longer who. Delivery then voids Apple's passes and blanks
    Google's. With *asked_by* only if the holder of the card *who* asked for it and it was due by
    then: they may have thought better of it a moment ago. Done again for a card, it clears away
    what an interruption may have left. Raises `NotFound`; OSError where the built passes cannot be
    overwritten (do it again then).
    """
    with context.database.write(programme_id) as session:
        person = find_person(session, context.keys, programme_id, who)
        if asked_by is not None and not _still_asks(session, who, asked_by):
            return Person([], [])
        # A card that is being replaced just now has its successor before this goes on, or never.
        members.lock(session, person.member_ids)
        person = find_person(session, context.keys, programme_id, who)
        for member_id in person.member_ids:
            note_read(session, member_id, reader, "erase", now=now)
        # An account is locked by what ends a card on it; always in one order.
        for card in sorted(person.cards, key=lambda card: (card.account_id, card.id)):
            ending.erase(session, card, now=now)
        for member_id in person.member_ids:
            members.erase(session, member_id)
    kept.purge(context, [card.id for card in person.cards])
    return person


def _still_asks(session: Session, card_id: str, asked_by: datetime) -> bool:
    """Whether a request stands; it is locked, so that it cannot be withdrawn any more."""
    found = session.scalar(
        select(ErasureRequest)
        .where(ErasureRequest.card_id == card_id, ErasureRequest.due_at <= asked_by)
        .with_for_update()
    )
    return found is not None


def _cards_of(session: Session, member_ids: list[str]) -> list[Card]:
    return list(
        session.scalars(
            select(Card)
            .where(Card.member_id.in_(member_ids))
            .order_by(Card.issued_at.desc(), Card.id)
        )
    )


def _succession(session: Session, card: Card) -> list[Card]:
    """A card without a member, those that it replaced and those that replaced it."""
    found = {card.id: card}
    waiting = [card]
    while waiting:
        each = waiting.pop()
        near = select(Card).where(
            (Card.replaced_by_id == each.id) | (Card.id == each.replaced_by_id)
        )
        for other in session.scalars(near):
            if other.id not in found and other.member_id is None:
                found[other.id] = other
                waiting.append(other)
    return sorted(found.values(), key=lambda card: card.issued_at, reverse=True)


def _count(
    session: Session, wallet: type[AppleRegistration] | type[GooglePass], card_ids: list[str]
) -> int:
    counted = select(func.count()).select_from(wallet).where(wallet.card_id.in_(card_ids))
    return session.scalar(counted) or 0
