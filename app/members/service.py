"""Joining, and reading what a member told us. Personal data is decrypted here and nowhere else."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.db import new_id
from app.errors import Invalid
from app.keys import KeyRing
from app.members.models import Consent, Member

LANGUAGES = ("en", "de", "lv", "ru")
#: Loose on purpose: only a message that arrives proves an address.
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]+(?:\.[^@\s.]+)+")
#: What may be consented to, and the version of the sentence that is shown for it.
PURPOSES = {"messages": "2026-1"}


@dataclass(frozen=True, slots=True)
class Contact:
    """What a member chose to tell us; everything may be empty."""

    name: str | None = None
    email: str | None = None


def read_contact(name: str, email: str) -> Contact:
    """Clean what was typed. Raises `Invalid` that names the field and says what to do."""
    name = " ".join(unicodedata.normalize("NFC", name).split())
    email = email.strip()
    wrong: dict[str, list[str]] = {}
    if len(name) > 60:
        wrong["name"] = ["Please use at most 60 letters."]
    elif any(unicodedata.category(letter).startswith("C") for letter in name):
        wrong["name"] = ["Please use letters only."]
    if email and (len(email) > 254 or not _EMAIL.fullmatch(email)):
        wrong["email"] = ["This does not look like an e-mail address. Check it, or leave it empty."]
    if wrong:
        raise Invalid("Please look at the fields that are marked.", wrong)
    return Contact(name or None, email or None)


def add_member(
    session: Session,
    keys: KeyRing,
    programme_id: str,
    contact: Contact,
    *,
    language: str,
    consents: frozenset[str] = frozenset(),
    now: datetime,
) -> Member:
    """Add a person; *consents* are the purposes whose box was ticked."""
    member_id = new_id()
    member = Member(
        id=member_id,
        programme_id=programme_id,
        name=_seal(keys, contact.name, member_id, "name"),
        email=_seal(keys, contact.email, member_id, "email"),
        email_index=email_index(keys, programme_id, contact.email) if contact.email else None,
        language=language if language in LANGUAGES else "en",
        created_at=now,
    )
    session.add(member)
    session.flush()
    for purpose in sorted(consents & PURPOSES.keys()):
        session.add(
            Consent(
                programme_id=programme_id,
                member_id=member_id,
                purpose=purpose,
                text_version=PURPOSES[purpose],
                given_at=now,
            )
        )
    return member


def withdraw_consents(session: Session, member_id: str, *, now: datetime) -> int:
    """End every consent of a member; how many there were."""
    ended = session.execute(
        update(Consent)
        .where(Consent.member_id == member_id, Consent.withdrawn_at.is_(None))
        .values(withdrawn_at=now)
        .returning(Consent.id)
    )
    return len(ended.all())


def has_consented(session: Session, member_id: str | None) -> bool:
    """Whether a consent of this member stands."""
    return member_id is not None and (
        session.scalar(
            select(Consent.id)
            .where(Consent.member_id == member_id, Consent.withdrawn_at.is_(None))
            .limit(1)
        )
        is not None
    )


def contact_of(session: Session, keys: KeyRing, member_id: str | None) -> Contact:
    """What the member told us; an empty contact for a card without a member, or an erased one."""
    if member_id is None:
        return Contact()
    row = session.execute(select(Member.name, Member.email).where(Member.id == member_id)).first()
    if row is None:
        return Contact()
    return Contact(
        _open(keys, row.name, member_id, "name"), _open(keys, row.email, member_id, "email")
    )


def open_name(keys: KeyRing, member_id: str | None, sealed: bytes | None) -> str | None:
    """A name as it stands in the members' table, in the clear; None for nobody's, or none."""
    return None if member_id is None else _open(keys, sealed, member_id, "name")


def members_by_email(session: Session, keys: KeyRing, programme_id: str, email: str) -> list[str]:
    """Ids of the members who gave this address; whatever key their index was made with."""
    indexes = keys.blind_indexes(_indexed(programme_id, email))
    return list(session.scalars(select(Member.id).where(Member.email_index.in_(indexes))))


def email_index(keys: KeyRing, programme_id: str, email: str) -> bytes:
    """The keyed hash an address is found by; another one in every programme."""
    return keys.blind_index(_indexed(programme_id, email))


def _indexed(programme_id: str, email: str) -> str:
    return f"{programme_id}\n{email.strip().casefold()}"


def _context(member_id: str, field: str) -> bytes:
    # Bound to its row and column: a ciphertext copied elsewhere does not open.
    return f"members/{member_id}/{field}".encode()


def _seal(keys: KeyRing, text: str | None, member_id: str, field: str) -> bytes | None:
    if text is None:
        return None
    return keys.seal(text.encode(), context=_context(member_id, field))


def _open(keys: KeyRing, sealed: bytes | None, member_id: str, field: str) -> str | None:
    if sealed is None:
        return None
    return keys.open_sealed(sealed, context=_context(member_id, field)).decode()
