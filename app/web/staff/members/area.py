"""The blueprint of the members' pages, and what all of them begin with."""

import re
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cards import service as cards
from app.cards.models import Card
from app.delivery.leaving import Person, find_person
from app.errors import NotFound
from app.languages import _
from app.ledger.postings import Circumstances
from app.members import service as members
from app.members.changing import masked
from app.members.reads import Reader, note_reads
from app.members.service import Contact
from app.programmes.models import Location
from app.staff.models import Staff
from app.staff.permissions import Permission
from app.till.models import Till
from app.web.staff.door import StaffPages, Visit
from passes.code import Kind

pages = StaffPages("members", __name__)
_CARD_ID = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose page it is: the card that was asked for, and the person behind it with all cards."""

    card: Card
    person: Person
    contact: Contact

    @property
    def member_id(self) -> str | None:
        """The member's row; None where nobody told us anything."""
        return self.card.member_id


def reader(visit: Visit) -> Reader:
    """Who reads, as it is recorded."""
    return Reader("staff", visit.person.name)


def subject_of(session: Session, visit: Visit, card_id: str) -> Subject:
    """The person with that card. Raises `NotFound`, also for a coupon, which is nobody."""
    card = cards.card_by_id(session, card_id) if _CARD_ID.fullmatch(card_id) else None
    if card is None or card.kind == Kind.COUPON:
        raise NotFound(_("There is no such card in this programme."))
    keys = visit.context.keys
    person = find_person(session, keys, visit.programme.id, card.id)
    return Subject(card, person, members.contact_of(session, keys, card.member_id))


def read_subject(visit: Visit, card_id: str, purpose: str) -> Subject:
    """The same, once it is on record that somebody looks; masked for whoever may not see it all."""
    with visit.write() as session:
        subject = subject_of(session, visit, card_id)
        note_reads(session, subject.person.member_ids, reader(visit), purpose, now=visit.now)
    return Subject(subject.card, subject.person, shown(visit, subject.contact))


def shown(visit: Visit, contact: Contact) -> Contact:
    """A contact as this person may see it."""
    return contact if visit.may(Permission.SEE_CONTACTS) else masked(contact)


def names(session: Session, model: type[Staff] | type[Till] | type[Location]) -> dict[str, str]:
    """What all of these are called, by their ids."""
    return {row.id: row.name for row in session.execute(select(model.id, model.name))}


def circumstances(visit: Visit, card_id: str) -> Circumstances:
    """How the ledger writes down what this person posts by hand."""
    return Circumstances(
        occurred_at=visit.now, actor_kind="staff", actor_id=visit.person.id, card_id=card_id
    )
