"""Lists of customers that somebody brings: card numbers, e-mail addresses, telephone or customer
numbers, one a line. Only the accounts that are found are kept, never what was written."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from app.campaigns.models import Listed, UploadedList
from app.cards.models import Card
from app.db import new_id, programme_of
from app.errors import Invalid
from app.keys import KeyRing
from app.languages import _
from app.members import service as members

MOST_LINES = 200_000
MOST_BYTES = 10_000_000
_LONGEST_LINE = 254
_TOGETHER = 500


def upload(
    session: Session, keys: KeyRing, name: str, content: bytes, *, now: datetime
) -> UploadedList:
    """Keep whom the lines of *content* (UTF-8) name. Raises `Invalid`, which says what to do."""
    name = " ".join(name.split()) or f"{now:%Y-%m-%d}"
    if len(name) > 120 or not name.isprintable():
        raise Invalid(_("A list's name has at most 120 characters."), {"name": [_("too long")]})
    lines = _lines(content)
    programme_id = programme_of(session)
    made = UploadedList(id=new_id(), programme_id=programme_id, name=name, created_at=now)
    session.add(made)
    session.flush()
    found: set[str] = set()
    unknown = 0
    for start in range(0, len(lines), _TOGETHER):
        page = lines[start : start + _TOGETHER]
        accounts = _accounts(session, keys, programme_id, page)
        unknown += sum(not each for each in accounts)
        new = sorted({account for each in accounts for account in each} - found)
        found.update(new)
        if new:
            rows = [
                {"list_id": made.id, "account_id": each, "programme_id": programme_id}
                for each in new
            ]
            session.execute(insert(Listed), rows)
    made.found, made.unknown = len(found), unknown
    session.flush()
    return made


def lists_of(session: Session, limit: int = 100) -> list[UploadedList]:
    """The programme's lists, the newest first."""
    return list(
        session.scalars(select(UploadedList).order_by(UploadedList.created_at.desc()).limit(limit))
    )


def _lines(content: bytes) -> list[str]:
    if len(content) > MOST_BYTES:
        raise Invalid(_("The file is larger than 10 MB: split it."), {"file": [_("too large")]})
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        said = _("The file is no plain text in UTF-8: save it as CSV (UTF-8).")
        raise Invalid(said, {"file": [said]}) from None
    lines = [line.split(";")[0].split(",")[0].strip().strip('"') for line in text.splitlines()]
    lines = list(dict.fromkeys(line for line in lines if 0 < len(line) <= _LONGEST_LINE))
    if not lines:
        said = _("The file names nobody: write one card number, e-mail or telephone number a line.")
        raise Invalid(said, {"file": [said]})
    if len(lines) > MOST_LINES:
        said = _("A list has at most %(most)s lines: split it.", most=f"{MOST_LINES:,}")
        raise Invalid(said, {"file": [said]})
    return lines


def _accounts(
    session: Session, keys: KeyRing, programme_id: str, lines: Sequence[str]
) -> list[list[str]]:
    """The accounts that each line names; mostly one, none where nobody is found."""
    by_card = {
        row.serial_number: row.account_id
        for row in session.execute(
            select(Card.serial_number, Card.account_id).where(Card.serial_number.in_(lines))
        )
    }
    by_card |= {
        row.id: row.account_id
        for row in session.execute(select(Card.id, Card.account_id).where(Card.id.in_(lines)))
    }
    by_number = members.members_by_numbers(session, keys, programme_id, list(lines))
    people: list[list[str]] = []
    for line in lines:
        if line in by_card:
            people.append([])
        elif line in by_number:
            people.append([by_number[line]])
        elif "@" in line:
            people.append(members.members_by_email(session, keys, programme_id, line))
        else:
            people.append(members.members_by_phone(session, keys, programme_id, line))
    of_member = _accounts_of(session, {each for found in people for each in found})
    return [
        [by_card[line]]
        if line in by_card
        else sorted({account for each in found for account in of_member.get(each, ())})
        for line, found in zip(lines, people, strict=True)
    ]


def _accounts_of(session: Session, member_ids: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    rows = session.execute(
        select(Card.member_id, Card.account_id).where(Card.member_id.in_(sorted(member_ids)))
    )
    for row in rows:
        found.setdefault(str(row.member_id), []).append(row.account_id)
    return found
