"""What a member told us, put right as the member asks: contact, language, consents."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db import programme_of
from app.errors import Conflict, Invalid, NotFound
from app.keys import KeyRing
from app.languages import _
from app.members import consents, words
from app.members.models import Consent, Member
from app.members.service import FIELDS, LANGUAGES, PURPOSES, Contact, contact_of, sealed_contact


@dataclass(frozen=True, slots=True)
class Consented:
    """Whether a member consents to a purpose now, and since when it is so."""

    purpose: str
    is_given: bool
    since: datetime | None


def set_contact(
    session: Session, keys: KeyRing, member_id: str, contact: Contact, *, language: str
) -> list[str]:
    """Write a member's contact anew; the names of the fields that changed, never what they hold.

    The number of the system before stays. Raises `NotFound`, `Invalid`.
    """
    if language not in LANGUAGES:
        raise Invalid(
            _("Choose one of the languages."), {"language": [_("Choose one of the languages.")]}
        )
    member = session.scalar(select(Member).where(Member.id == member_id).with_for_update())
    if member is None:
        raise NotFound(_("There is no such member in this programme."))
    before = contact_of(session, keys, member_id)
    changed = [
        field
        for field in FIELDS
        if field != "number" and getattr(before, field) != getattr(contact, field)
    ]
    values: dict[str, Any] = sealed_contact(keys, programme_of(session), member_id, contact)
    for name in changed:
        setattr(member, name, values[name])
        if f"{name}_index" in values:
            setattr(member, f"{name}_index", values[f"{name}_index"])
    if "name" in changed:
        words.replace(session, keys, member.programme_id, member_id, contact.name)
    if "email" in changed:
        # Nobody has answered from there yet.
        member.email_confirmed_at = None
    if member.language != language:
        member.language = language
        changed.append("language")
    session.flush()
    return changed


def consents_of(session: Session, member_id: str) -> list[Consented]:
    """Where each purpose stands, in the order of `PURPOSES`."""
    rows = session.scalars(
        select(Consent).where(Consent.member_id == member_id).order_by(Consent.given_at, Consent.id)
    )
    newest = {row.purpose: row for row in rows}
    found = []
    for purpose in [*PURPOSES, *(each for each in newest if each not in PURPOSES)]:
        row = newest.get(purpose)
        if row is None:
            found.append(Consented(purpose, False, None))
        else:
            is_given = row.withdrawn_at is None
            found.append(Consented(purpose, is_given, row.withdrawn_at or row.given_at))
    return found


def set_consent(
    session: Session, member_id: str, purpose: str, *, is_given: bool, now: datetime
) -> bool:
    """Write down that the member consents or no longer does; False where it was so before.

    Raises `Conflict` for a purpose that nobody may consent to any more.
    """
    standing = session.scalars(
        select(Consent)
        .where(
            Consent.member_id == member_id,
            Consent.purpose == purpose,
            Consent.withdrawn_at.is_(None),
        )
        .with_for_update()
    ).all()
    if is_given == bool(standing):
        return False
    for each in standing:
        each.withdrawn_at = now
    if is_given:
        if purpose not in PURPOSES:
            raise Conflict(_("Nobody is asked for this any more."))
        # Said to somebody: in which language, nobody knows.
        programme_id = programme_of(session)
        read = consents.current(session, programme_id, purpose)
        consents.give(session, programme_id, member_id, read, None, now)
    session.flush()
    return True


def masked(contact: Contact) -> Contact:
    """A contact as whoever may not see it sees it: enough to ask "does it end in 56?"."""
    return Contact(
        name=contact.name,
        nickname=contact.nickname,
        email=None if contact.email is None else _mask_email(contact.email),
        phone=None if contact.phone is None else f"••••{contact.phone[-2:]}",
        number=contact.number,
        birthday=None if contact.birthday is None else "••••",
    )


def _mask_email(email: str) -> str:
    name, _, host = email.rpartition("@")
    return f"{name[:1]}•••@{host[:1]}•••.{host.rpartition('.')[2]}"
