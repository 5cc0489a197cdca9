"""What the staff write down about members: notes, and the line for whoever is at the counter."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from app.db import new_id, programme_of
from app.errors import Invalid, NotFound
from app.keys import KeyRing
from app.languages import _
from app.members.models import Member, MemberNote

LONGEST_NOTE = 2_000
LONGEST_COUNTER_NOTE = 120


@dataclass(frozen=True, slots=True)
class Note:
    """One note, opened. *written_by_id* is somebody of the staff."""

    id: str
    text: str
    written_by_id: str
    written_at: datetime


@dataclass(frozen=True, slots=True)
class ForCounter:
    """What the counter is told of a member: that this is somebody special, and one line."""

    is_vip: bool = False
    note: str | None = None


def write(
    session: Session, keys: KeyRing, member_id: str, text: str, *, staff_id: str, now: datetime
) -> str:
    """Keep a note; its id. Raises `Invalid` for an empty or too long one, `NotFound`."""
    _check_known(session, member_id)
    text = _plain(text, LONGEST_NOTE, "text", lines=True)
    if not text:
        words = _("Write something first.")
        raise Invalid(words, {"text": [words]})
    note_id = new_id()
    session.add(
        MemberNote(
            id=note_id,
            programme_id=programme_of(session),
            member_id=member_id,
            text=keys.seal(text.encode(), context=_context(note_id)),
            written_by_id=staff_id,
            written_at=now,
        )
    )
    session.flush()
    return note_id


def remove(session: Session, member_id: str, note_id: str) -> None:
    """Take a note of this member away. Raises `NotFound`."""
    gone = session.execute(
        delete(MemberNote)
        .where(MemberNote.id == note_id, MemberNote.member_id == member_id)
        .returning(MemberNote.id)
    ).first()
    if gone is None:
        raise NotFound(_("There is no such note."))


def notes_of(session: Session, keys: KeyRing, member_ids: list[str]) -> list[Note]:
    """The notes about these members, the newest first."""
    rows = session.scalars(
        select(MemberNote)
        .where(MemberNote.member_id.in_(member_ids))
        .order_by(MemberNote.written_at.desc(), MemberNote.id.desc())
    )
    return [Note(row.id, open_text(keys, row), row.written_by_id, row.written_at) for row in rows]


def open_text(keys: KeyRing, note: MemberNote) -> str:
    """A note's text in the clear."""
    return keys.open_sealed(note.text, context=_context(note.id)).decode()


def tell_counter(
    session: Session, keys: KeyRing, member_id: str, *, is_vip: bool, note: str
) -> None:
    """Say what the counter is to be told of a member. Raises `Invalid`, `NotFound`."""
    note = _plain(note, LONGEST_COUNTER_NOTE, "note")
    _check_known(session, member_id)
    sealed = keys.seal(note.encode(), context=_counter_context(member_id)) if note else None
    session.execute(
        update(Member).where(Member.id == member_id).values(is_vip=is_vip, counter_note=sealed)
    )


def for_counter(session: Session, keys: KeyRing, member_id: str | None) -> ForCounter:
    """What the counter is to be told of a member."""
    if member_id is None:
        return ForCounter()
    row = session.execute(
        select(Member.is_vip, Member.counter_note).where(Member.id == member_id)
    ).first()
    if row is None:
        return ForCounter()
    note = row.counter_note
    if note is not None:
        note = keys.open_sealed(note, context=_counter_context(member_id)).decode()
    return ForCounter(row.is_vip, note)


def _check_known(session: Session, member_id: str) -> None:
    if session.scalar(select(Member.id).where(Member.id == member_id)) is None:
        raise NotFound(_("There is no such member in this programme."))


def _plain(text: str, most: int, field: str, *, lines: bool = False) -> str:
    text = text.replace("\r\n", "\n").strip()
    if not lines:
        text = " ".join(text.split())
    if len(text) > most:
        words = _("Please use at most %(most)s letters.", most=most)
        raise Invalid(words, {field: [words]})
    if not text.replace("\n", "").replace("\t", "").isprintable():
        words = _("Please use letters only.")
        raise Invalid(words, {field: [words]})
    return text


def _context(note_id: str) -> bytes:
    return f"member_notes/{note_id}/text".encode()


def _counter_context(member_id: str) -> bytes:
    return f"members/{member_id}/counter_note".encode()
