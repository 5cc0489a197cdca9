"""Everything that is held of one customer, for them to take away.

The tables themselves are asked: a row belongs to a person if it names their member's id, their
card or their account, or if it hangs on such a row. So what a later feature keeps is in the
export without anybody having to think of it.
"""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from sqlalchemy import Table, or_, select
from sqlalchemy.orm import Mapper, Session

from app.cards.models import Card
from app.db import Base
from app.delivery.leaving import Person, is_shared
from app.keys import KeyRing
from app.languages import _
from app.ledger.models import Account
from app.members import notes
from app.members import service as members
from app.members.models import Member

Rows = list[dict[str, Any]]
#: So many values stand in one question to the database.
_CHUNK = 400


def disclose(session: Session, keys: KeyRing, person: Person, *, now: datetime) -> dict[str, Any]:
    """All that is held of *person*, table by table, as it is written in JSON.

    Of an account that others share only what was done with the person's own cards. Secrets and
    their hashes are left out; names and addresses are in the clear.
    """
    card_ids = [card.id for card in person.cards]
    accounts = sorted({card.account_id for card in person.cards})
    own = [each for each in accounts if not is_shared(session, each, card_ids)]
    known = {"member_id": person.member_ids, "card_id": card_ids, "account_id": own}
    found: dict[str, Rows] = {
        "members": _read(session, Member, {"id": person.member_ids}),
        "cards": _read(session, Card, {"id": card_ids}),
        "accounts": _read(session, Account, {"id": accounts}),
    }
    others = [each for each in _tables() if each[0] not in found]
    for name, mapper in others:
        named = {column: ids for column, ids in known.items() if column in mapper.columns}
        if named:
            found[name] = _read(session, mapper.class_, named)
    for name, mapper in others:
        if name not in found:
            found[name] = _hanging(session, mapper, found)
    for member in found["members"]:
        contact = members.contact_of(session, keys, member["id"])
        member |= {field: getattr(contact, field) for field in members.FIELDS}
        member["counter_note"] = notes.for_counter(session, keys, member["id"]).note
    # What they are found by is no text that anybody could read.
    found.pop("member_words", None)
    texts = {each.id: each.text for each in notes.notes_of(session, keys, person.member_ids)}
    for row in found.get("member_notes", []):
        row["text"] = texts[row["id"]]
    return {"exported_at": now.isoformat()} | {
        name: rows for name, rows in sorted(found.items()) if rows
    }


def as_text(disclosed: dict[str, Any]) -> str:
    """The same for people: a paragraph a table, a line a value, what is empty left out."""
    lines = [
        _(
            "Everything that is held of you, row by row, as of %(moment)s.",
            moment=disclosed["exported_at"],
        )
    ]
    for name, rows in disclosed.items():
        if not isinstance(rows, list):
            continue
        lines += ["", name.replace("_", " ").upper()]
        for number, row in enumerate(rows, start=1):
            lines.append(f"  {number}.")
            lines += [
                f"    {column.replace('_', ' ')}: {value}"
                for column, value in row.items()
                if value not in (None, "", [], {})
            ]
    return "\n".join(lines) + "\n"


def _tables() -> list[tuple[str, Mapper[Any]]]:
    found = {str(each.class_.__tablename__): each for each in Base.registry.mappers}
    return sorted(found.items())


def _read(session: Session, model: type[Any], named: dict[str, list[str]]) -> Rows:
    """The rows of a table in which one of the columns holds one of its ids, in their order."""
    table: Table = model.__table__
    asked = [getattr(model, column).in_(ids) for column, ids in named.items() if ids]
    if not asked:
        return []
    order = [getattr(model, column.name) for column in table.primary_key]
    return [
        _said(row) for row in session.scalars(select(model).where(or_(*asked)).order_by(*order))
    ]


def _hanging(session: Session, mapper: Mapper[Any], found: dict[str, Rows]) -> Rows:
    """The rows of a table that point to rows which were found: the lines of a receipt."""
    rows: dict[str, dict[str, Any]] = {}
    for column, parent in _pointers(mapper):
        ids = [row["id"] for row in found.get(parent, [])]
        for start in range(0, len(ids), _CHUNK):
            for row in _read(session, mapper.class_, {column: ids[start : start + _CHUNK]}):
                # One may point to two that were found: it is told once.
                rows[repr(row)] = row
    return list(rows.values())


def _pointers(mapper: Mapper[Any]) -> Iterator[tuple[str, str]]:
    for column in mapper.columns:
        for key in column.foreign_keys:
            table, _, target = key.target_fullname.rpartition(".")
            if target == "id":
                yield column.name, table


def _said(row: Any) -> dict[str, Any]:
    """A row as JSON has it. Bytes are secrets, hashes or sealed; the programme is no news."""
    return {
        column.name: value.isoformat() if isinstance(value, datetime | date) else value
        for column in row.__table__.columns
        if not isinstance(value := getattr(row, column.name), bytes)
        and column.name != "programme_id"
    }
