"""Faces of a draft: with made-up data, or with those of a member somebody chose."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.cards.models import Card
from app.designer.samples import CODE, SERIAL, STAMPS, Person, Shown, face_of
from app.errors import NotFound
from app.keys import KeyRing
from app.languages import _
from app.ledger import service as ledger
from app.ledger.models import Account
from app.members import service as members
from app.members.models import Member, MemberRead
from app.members.reads import Reader, note_read
from app.programmes import faces
from app.programmes.designs import Design
from app.programmes.faces import TierNames, look_of, tiers_of
from app.programmes.models import Programme
from app.programmes.terms import rulebook_of
from passes.card import CardFace, CardKind, CardStatus, Issued
from passes.code import Kind

#: Somebody looks at previews with one member's data for a while: that is one reading.
ONE_READING = timedelta(hours=1)
_PURPOSE = "preview"


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose data a preview shows: a card's, or nobody's."""

    card: Card | None = None


NOBODY = Subject()


def shown_of(session: Session, programme: Programme, now: datetime) -> tuple[Shown, TierNames]:
    """What the programme's rules put on cards now."""
    tiers = tiers_of(session, rulebook_of(session, programme.id, now).versions[0].id)
    drawn = tiers.stamps or STAMPS
    tier = next(reversed(tiers.by_code.values()), None)
    return (
        Shown(tier, drawn, drawn.reward, programme.currency, programme.time_zone),
        replace(tiers, stamps=drawn),
    )


def made_up(
    session: Session,
    programme: Programme,
    design: Design,
    kind: CardKind,
    *,
    language: str,
    now: datetime,
    person: Person | None = None,
) -> CardFace:
    """A card of that kind with data that are nobody's; *programme* and *design* are the draft's."""
    shown, tiers = shown_of(session, programme, now)
    person = person or Person()
    issued = Issued(
        serial_number=person.serial_number,
        code=person.code,
        issued_on=now.date(),
        status=CardStatus.ACTIVE,
        language=language,
        valid_until=design.extras.ends_at(programme.time_zone),
        extras=design.extras.of_card(serial_number=SERIAL, code=person.code),
    )
    look = look_of(programme, design, tiers, kind=kind)
    return face_of(look, person, shown, issued, now.date())


def of_subject(
    session: Session,
    keys: KeyRing,
    programme: Programme,
    design: Design,
    kind: CardKind,
    subject: Subject,
    *,
    language: str,
    now: datetime,
) -> CardFace:
    """The subject's card under the draft; of another kind, a made-up one with name and balance.

    The code is not theirs: a preview must not be good at a counter.
    """
    card = subject.card
    if card is None:
        return made_up(session, programme, design, kind, language=language, now=now)
    face = faces.face_of(session, keys, card, now=now, programme=programme, design=design)
    if face.kind is kind:
        issued = replace(face.issued, code=CODE, language=language, status=CardStatus.ACTIVE)
        return replace(face, issued=issued)
    name = members.contact_of(session, keys, card.member_id).name
    balance = ledger.standing(session, card.account_id, now=now).balance
    person = Person(name, balance, card.serial_number)
    return made_up(session, programme, design, kind, language=language, now=now, person=person)


def find(session: Session, keys: KeyRing, programme: Programme, who: str) -> Subject:
    """Whose card *who* names: "longest" (name), "largest" (balance), the number of a card, or a
    whole e-mail address or telephone number; nobody's for "".

    Raises `NotFound` for a card that is not there.
    """
    who = who.strip()[:200]
    if not who:
        return NOBODY
    if who in ("longest", "largest"):
        return Subject(session.scalar(_EXTREMES[who]))
    card = session.scalar(select(Card).where(Card.serial_number == who))
    if card is None:
        found = members.members_by_email(session, keys, programme.id, who)
        found += members.members_by_phone(session, keys, programme.id, who)
        card = session.scalar(
            select(Card)
            .where(Card.member_id.in_(found), Card.status == "active")
            .order_by(Card.issued_at)
            .limit(1)
        )
    if card is None:
        raise NotFound(_("No card has this number, and no member this address or number."))
    return Subject(card)


def note(session: Session, subject: Subject, reader: str, *, now: datetime) -> None:
    """Record that somebody looks at a member's data, once for a while of looking."""
    if subject.card is None or subject.card.member_id is None:
        return
    member_id = subject.card.member_id
    seen = session.scalar(
        select(MemberRead.id)
        .where(
            MemberRead.member_id == member_id,
            MemberRead.reader == reader,
            MemberRead.purpose == _PURPOSE,
            MemberRead.read_at > now - ONE_READING,
        )
        .limit(1)
    )
    if seen is None:
        note_read(session, member_id, Reader("staff", reader), _PURPOSE, now=now)


_ACTIVE = (Card.status == "active", Card.kind != Kind.COUPON)
#: A sealed name is as much longer as the name is.
_EXTREMES = {
    "longest": select(Card)
    .join(Member, Member.id == Card.member_id)
    .where(*_ACTIVE, Member.name.is_not(None))
    .order_by(func.length(Member.name).desc(), Card.id)
    .limit(1),
    "largest": select(Card)
    .join(Account, Account.id == Card.account_id)
    .where(*_ACTIVE)
    .order_by(Account.balance.desc(), Card.id)
    .limit(1),
}
