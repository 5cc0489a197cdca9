"""Joining, and reading what a member told us. Personal data is decrypted here and nowhere else."""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.orm import Session

from app.db import Prepared, new_id
from app.errors import Invalid
from app.keys import KeyRing
from app.languages import _
from app.members import consents as wordings
from app.members import words
from app.members.models import Consent, Member

LANGUAGES = ("en", "de", "lv", "ru")
#: Loose on purpose: only a message that arrives proves an address.
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]+(?:\.[^@\s.]+)+")
_PHONE = re.compile(r"\+?[0-9]{5,15}", re.ASCII)
_MONTH_DAY = re.compile(r"(?:--)?([0-9]{1,2})-([0-9]{1,2})", re.ASCII)
#: What may be consented to, and the version of the text that comes along for it.
PURPOSES = {purpose: wordings.BUILT_IN for purpose in wordings.TEXTS}
_DAY_MONTH = re.compile(r"([0-9]{1,2})\.\s?([0-9]{1,2})\.?", re.ASCII)
_PHONE_MARKS = re.compile(r"\(0\)|[\s().\-/\u2010-\u2015]")


@dataclass(frozen=True, slots=True)
class Contact:
    """What a member chose to tell us; everything may be empty."""

    name: str | None = None
    email: str | None = None
    phone: str | None = None
    #: What the member was called by in the system before.
    number: str | None = None
    #: Month and day, as "05-17"; nobody asks for the year.
    birthday: str | None = None
    #: What they like to be called at the till; nobody is found by it.
    nickname: str | None = None


#: What a contact is made of, in the order of `Contact`; and what members are found by.
FIELDS = ("name", "email", "phone", "number", "birthday", "nickname")
_INDEXED = frozenset({"email", "phone", "number", "birthday"})
_members: Any = Member.__table__
_insert_members = Prepared(
    insert(_members),
    binary=[*FIELDS, *(f"{field}_index" for field in sorted(_INDEXED))],
)
_by_number = Prepared(
    select(_members.c.id, _members.c.number_index).where(
        _members.c.number_index.in_(bindparam("indexes", expanding=True))
    )
)


@dataclass(frozen=True, slots=True)
class NewMember:
    """Somebody who is to be added."""

    contact: Contact
    language: str
    joined_at: datetime


def read_contact(
    name: str, email: str, phone: str = "", birthday: str = "", nickname: str = ""
) -> Contact:
    """Clean what was typed. Raises `Invalid` that names the field and says what to do."""
    wrong: dict[str, list[str]] = {}
    name = _plain_name(name, "name", wrong)
    nickname = _plain_name(nickname, "nickname", wrong)
    email = email.strip()
    if email and (len(email) > 254 or not _EMAIL.fullmatch(email)):
        wrong["email"] = [
            _("This does not look like an e-mail address. Check it, or leave it empty.")
        ]
    digits = plain_phone(phone)
    if phone.strip() and digits is None:
        wrong["phone"] = [
            _("This does not look like a telephone number. Check it, or leave it out.")
        ]
    born = plain_birthday(birthday)
    if birthday.strip() and born is None:
        wrong["birthday"] = [_("Write month and day, such as 05-17, without the year.")]
    if wrong:
        raise Invalid(_("Please look at the fields that are marked."), wrong)
    return Contact(name or None, email or None, digits, birthday=born, nickname=nickname or None)


def _plain_name(typed: str, field: str, wrong: dict[str, list[str]]) -> str:
    name = " ".join(unicodedata.normalize("NFC", typed).split())
    if len(name) > 60:
        wrong[field] = [_("Please use at most 60 letters.")]
    elif any(unicodedata.category(letter).startswith("C") for letter in name):
        wrong[field] = [_("Please use letters only.")]
    return name


def plain_birthday(text: str) -> str | None:
    """A birthday as it is kept, "05-17", from "05-17", "--05-17" (ISO 8601), "17.5." or "17.05".

    None where it is none.
    """
    text = text.strip()
    match = _MONTH_DAY.fullmatch(text)
    month, day = (match[1], match[2]) if match else ("", "")
    if match is None and (match := _DAY_MONTH.fullmatch(text)):
        month, day = match[2], match[1]
    if match is None:
        return None
    try:
        # A leap year: there are birthdays on 29 February.
        return f"{date(2024, int(month), int(day)):%m-%d}"
    except ValueError:
        return None


def plain_phone(text: str) -> str | None:
    """A telephone number as it is kept: digits, with + and the country's where they were given.

    None where it is none.
    """
    plain = _PHONE_MARKS.sub("", text.strip())
    plain = "+" + plain[2:] if plain.startswith("00") else plain
    return plain if _PHONE.fullmatch(plain) else None


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
    """Add a person; *consents* are the purposes whose box was ticked, under the present text."""
    [row] = _rows(keys, programme_id, [NewMember(contact, language, now)])
    member = Member(**row)
    member_id = member.id
    session.add(member)
    session.flush()
    words.add(session, keys, programme_id, [(member_id, contact.name)])
    for purpose in sorted(consents & wordings.TEXTS.keys()):
        read = wordings.current(session, programme_id, purpose)
        wordings.give(session, programme_id, member_id, read, language, now)
    return member


def add_members(
    session: Session, keys: KeyRing, programme_id: str, people: Sequence[NewMember]
) -> list[str]:
    """Add many people in one statement; their ids, in their order. None has consented."""
    rows = _rows(keys, programme_id, people)
    if rows:
        _insert_members(session, rows)
    ids = [str(row["id"]) for row in rows]
    named = ((member_id, each.contact.name) for member_id, each in zip(ids, people, strict=True))
    words.add(session, keys, programme_id, named)
    return ids


def _rows(keys: KeyRing, programme_id: str, people: Sequence[NewMember]) -> list[dict[str, Any]]:
    seal = _sealing(keys, programme_id)
    rows = []
    for person in people:
        member_id = new_id()
        row: dict[str, Any] = {"id": member_id, "programme_id": programme_id}
        row |= seal(member_id, person.contact)
        row["language"] = person.language if person.language in LANGUAGES else "en"
        row["is_vip"] = False
        row["created_at"] = person.joined_at
        rows.append(row)
    return rows


def sealed_contact(
    keys: KeyRing, programme_id: str, member_id: str, contact: Contact
) -> dict[str, bytes | None]:
    """The columns of a member's row that hold a contact: ciphertexts and blind indexes."""
    return _sealing(keys, programme_id)(member_id, contact)


def _sealing(keys: KeyRing, programme_id: str) -> Callable[[str, Contact], dict[str, bytes | None]]:
    """`sealed_contact` for many: the keys are looked up once."""
    sealed, hashed = keys.sealer(), keys.blind_indexer()

    def seal(member_id: str, contact: Contact) -> dict[str, bytes | None]:
        columns: dict[str, bytes | None] = {}
        for field in FIELDS:
            text = getattr(contact, field)
            context = _context(member_id, field)
            columns[field] = None if text is None else sealed(text.encode(), context)
            if field in _INDEXED:
                found_by = None if text is None else hashed(_indexed(programme_id, field, text))
                columns[f"{field}_index"] = found_by
        return columns

    return seal


def withdraw_consents(
    session: Session, member_id: str, *, now: datetime, purpose: str | None = None
) -> int:
    """End every consent of a member, or those to *purpose*; how many there were."""
    standing = update(Consent).where(Consent.member_id == member_id, Consent.withdrawn_at.is_(None))
    if purpose is not None:
        standing = standing.where(Consent.purpose == purpose)
    return len(session.execute(standing.values(withdrawn_at=now).returning(Consent.id)).all())


def has_consented(session: Session, member_id: str | None, purpose: str | None = None) -> bool:
    """Whether a consent of this member stands: to *purpose*, or where empty to any."""
    if member_id is None:
        return False
    standing = select(Consent.id).where(
        Consent.member_id == member_id, Consent.withdrawn_at.is_(None)
    )
    if purpose is not None:
        standing = standing.where(Consent.purpose == purpose)
    return session.scalar(standing.limit(1)) is not None


def contact_of(session: Session, keys: KeyRing, member_id: str | None) -> Contact:
    """What the member told us; an empty contact for a card without a member, or an erased one."""
    if member_id is None:
        return Contact()
    columns = (getattr(Member, field) for field in FIELDS)
    row = session.execute(select(*columns).where(Member.id == member_id)).first()
    return Contact() if row is None else open_contact(keys, member_id, row)


def open_contact(keys: KeyRing, member_id: str, row: Any) -> Contact:
    """A contact out of a row of the members' table that has the columns of `FIELDS`."""
    return Contact(*(_open(keys, getattr(row, field), member_id, field) for field in FIELDS))


def open_name(keys: KeyRing, member_id: str | None, sealed: bytes | None) -> str | None:
    """A name as it stands in the members' table, in the clear; None for nobody's, or none."""
    return None if member_id is None else _open(keys, sealed, member_id, "name")


def lock(session: Session, member_ids: Sequence[str]) -> None:
    """Let no card be issued to these people until the transaction ends."""
    session.execute(
        select(Member.id).where(Member.id.in_(member_ids)).order_by(Member.id).with_for_update()
    )


def erase(session: Session, member_id: str) -> bool:
    """Forget a person: the row, and what points to it; False where there is none.

    Those are the consents, the notes and what the member is found by.

    Cards that point to it are to be ended before (`cards.ending`). What others recorded under the
    member's id stays, and is nobody's from here on.
    """
    session.execute(delete(Consent).where(Consent.member_id == member_id))
    erased = session.execute(
        delete(Member).where(Member.id == member_id).returning(Member.id)
    ).first()
    return erased is not None


def members_by_email(session: Session, keys: KeyRing, programme_id: str, email: str) -> list[str]:
    """Ids of the members who gave this address; whatever key their index was made with."""
    indexes = keys.blind_indexes(_indexed(programme_id, "email", email))
    return list(session.scalars(select(Member.id).where(Member.email_index.in_(indexes))))


def email_mark(keys: KeyRing, programme_id: str, email: str) -> str:
    """What stands for an address where something about it is counted; it tells nobody which."""
    return keys.blind_index(_indexed(programme_id, "email", email)).hex()


def members_by_phone(session: Session, keys: KeyRing, programme_id: str, phone: str) -> list[str]:
    """Ids of the members who gave this telephone number, however it is written."""
    plain = plain_phone(phone)
    if plain is None:
        return []
    indexes = keys.blind_indexes(_indexed(programme_id, "phone", plain))
    return list(session.scalars(select(Member.id).where(Member.phone_index.in_(indexes))))


def members_by_birthday(
    session: Session,
    keys: KeyRing,
    programme_id: str,
    days: Sequence[str],
    *,
    after: str,
    limit: int,
) -> list[str]:
    """Ids of members born on these days ("05-17"), in their order, those above *after*."""
    indexes = birthday_indexes(keys, programme_id, days)
    found = session.scalars(
        select(Member.id)
        .where(Member.birthday_index.in_(indexes), Member.id > after)
        .order_by(Member.id)
        .limit(limit)
    )
    return list(found)


def birthday_indexes(keys: KeyRing, programme_id: str, days: Sequence[str]) -> list[bytes]:
    """What members born on these days ("05-17") are found by in the members' table."""
    return [
        index
        for day in days
        for index in keys.blind_indexes(_indexed(programme_id, "birthday", day))
    ]


def members_by_numbers(
    session: Session, keys: KeyRing, programme_id: str, numbers: Sequence[str]
) -> dict[str, str]:
    """Ids of the members who had these numbers in the system before, by number."""
    hashes = keys.blind_indexers()
    indexes = {
        hashed(_indexed(programme_id, "number", number)): number
        for number in numbers
        for hashed in hashes
    }
    if not indexes:
        return {}
    rows = _by_number(session, {"indexes": list(indexes)})
    return {indexes[bytes(row.number_index)]: row.id for row in rows}


def _indexed(programme_id: str, field: str, text: str) -> str:
    """What is hashed: another one in every programme, and for every field."""
    if field == "email":
        return f"{programme_id}\n{text.strip().casefold()}"
    return f"{programme_id}\n{field}\n{text}"


def _context(member_id: str, field: str) -> bytes:
    # Bound to its row and column: a ciphertext copied elsewhere does not open.
    return f"members/{member_id}/{field}".encode()


def _open(keys: KeyRing, sealed: bytes | None, member_id: str, field: str) -> str | None:
    if sealed is None:
        return None
    return keys.open_sealed(sealed, context=_context(member_id, field)).decode()
