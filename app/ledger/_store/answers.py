"""The rows of postings: each id is taken once, with its first answer."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from sqlalchemy import bindparam, insert, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from app.db import Prepared, Question, write_all_if_new
from app.ledger._book import Book, Row
from app.ledger._operation import Item
from app.ledger._store._statements import table_of, update_rows
from app.ledger.models import Posting

_postings = table_of(Posting)


class First(NamedTuple):
    """The first answer to a posting's id."""

    id: str
    operation: str
    fingerprint: bytes
    answer: Row


_firsts = Prepared(
    select(*(_postings.c[name] for name in First._fields)).where(
        _postings.c.id.in_(bindparam("ids", expanding=True))
    )
)


def firsts(session: Session, posting_ids: Collection[str]) -> dict[str, First]:
    """What was answered to these ids before, by id."""
    rows = _firsts(session, {"ids": sorted(posting_ids)})
    return {row.id: First(*row) for row in rows}


def firsts_asked(posting_ids: Collection[str], programme_id: str) -> Question:
    """What `firsts` asks, for `app.db.asked_ahead`."""
    return Question(_firsts, {"ids": sorted(posting_ids)}, programme_id)


def claim(
    session: Session, items: Sequence[tuple[Item, Book, Row]], *, are_new: bool = False
) -> set[str]:
    """Store postings and their answers; the ids of those that were not taken already.

    Waits for another transaction that is just storing one of the ids; in the order of the ids, so
    that no two wait for each other. *are_new*: this very transaction looked and found none of them
    taken.
    """
    rows = _rows(items)
    if session.get_bind().dialect.name == "postgresql":
        return {row.id for row in _claim(session, rows)}
    # Here nobody else writes: what is not taken now is free until the end of the transaction.
    ids = {item.request.id for item, _, _ in items}
    free = ids if are_new else ids - firsts(session, ids).keys()
    new = [row for row in rows if row["id"] in free]
    if new:
        _store_new(session, new)
    return free


def claim_and_write(
    session: Session,
    items: Sequence[tuple[Item, Book, Row]],
    writes: Sequence[tuple[Prepared, list[Row]]],
) -> bool:
    """The same with *writes*, in one journey, where none of the ids was taken already.

    False where nothing was stored nor written: it is to be done one after the other.
    """
    return write_all_if_new(session, (_claim, _rows(items)), writes)


def _rows(items: Sequence[tuple[Item, Book, Row]]) -> list[Row]:
    return [
        {
            "programme_id": book.account.programme_id,
            "id": item.request.id,
            "operation": item.request.operation,
            "fingerprint": item.request.fingerprint,
            "account_id": book.account.id,
            "till_id": item.request.till_id,
            "answer": answer,
            "recorded_at": book.now,
        }
        for item, book, answer in sorted(items, key=lambda each: each[0].request.id)
    ]


def amend(session: Session, answers: Sequence[tuple[str, Row]]) -> None:
    """Write the answers of these postings anew."""
    update_rows(session, Posting, [{"of_id": id_, "answer": answer} for id_, answer in answers])


_store_new = Prepared(insert(_postings))
_claim = Prepared(
    postgresql.insert(_postings)
    .on_conflict_do_nothing(index_elements=["programme_id", "id"])
    .returning(_postings.c.id)
)
