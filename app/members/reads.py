"""Who looked at personal data: a record that only grows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from app.db import Prepared, new_id, programme_of
from app.members.models import MemberRead

_LONGEST_READER = 80
_reads: Any = MemberRead.__table__
_insert_reads = Prepared(insert(_reads))


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads: *kind* is "cli", "staff" or "api", *name* the account or person behind it."""

    kind: str
    name: str


def note_read(
    session: Session, member_id: str, reader: Reader, purpose: str, *, now: datetime
) -> None:
    """Record that somebody reads what a member told us; before it is shown."""
    session.add(
        MemberRead(
            programme_id=programme_of(session),
            member_id=member_id,
            reader_kind=reader.kind,
            reader=reader.name[:_LONGEST_READER],
            purpose=purpose,
            read_at=now,
        )
    )
    session.flush()


def note_reads(
    session: Session, member_ids: Iterable[str], reader: Reader, purpose: str, *, now: datetime
) -> None:
    """The same of several members in one statement: a list, a file."""
    rows = [
        {
            "id": new_id(),
            "programme_id": programme_of(session),
            "member_id": member_id,
            "reader_kind": reader.kind,
            "reader": reader.name[:_LONGEST_READER],
            "purpose": purpose,
            "read_at": now,
        }
        for member_id in dict.fromkeys(member_ids)
    ]
    if rows:
        _insert_reads(session, rows)


def last_reads(session: Session, member_ids: Sequence[str], *, limit: int) -> list[MemberRead]:
    """The latest readings of these members' data, the newest first."""
    return list(
        session.scalars(
            select(MemberRead)
            .where(MemberRead.member_id.in_(member_ids))
            .order_by(MemberRead.read_at.desc(), MemberRead.id.desc())
            .limit(limit)
        )
    )


def reads_of(session: Session, member_id: str) -> list[MemberRead]:
    """Every reading of a member's data, the oldest first."""
    return list(
        session.scalars(
            select(MemberRead)
            .where(MemberRead.member_id == member_id)
            .order_by(MemberRead.read_at, MemberRead.id)
        )
    )
