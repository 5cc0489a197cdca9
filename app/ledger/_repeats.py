"""A posting that comes again: it gets its first answer."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy.orm import Session

from app.db import Question
from app.ledger import _store
from app.ledger._operation import canonical_id
from app.ledger.errors import PostingIdReused
from app.ledger.postings import Request


def replayed(session: Session, request: Request) -> dict[str, Any] | None:
    """The first answer to this posting, or None where it is new.

    Raises `PostingIdReused` where the id was used for something else.
    """
    posting_id = canonical_id(request.id)
    first = _store.firsts(session, [posting_id]).get(posting_id) if posting_id else None
    return None if first is None else _again(request, first)


def replayed_many(
    session: Session, requests: Sequence[Request]
) -> list[dict[str, Any] | PostingIdReused | None]:
    """The same for many at once, in their order; a refusal is given back, not raised."""
    firsts = _store.firsts(session, [canonical_id(request.id) or "" for request in requests])
    found: list[dict[str, Any] | PostingIdReused | None] = []
    for request in requests:
        first = firsts.get(canonical_id(request.id) or "")
        try:
            found.append(None if first is None else _again(request, first))
        except PostingIdReused as error:
            found.append(error)
    return found


def replays_asked(posting_ids: Iterable[str], programme_id: str) -> Question:
    """What `replayed_many` asks, for `app.db.asked_ahead`."""
    return _store.firsts_asked([canonical_id(each) or "" for each in posting_ids], programme_id)


def _again(request: Request, first: _store.First) -> dict[str, Any]:
    if first.fingerprint != request.fingerprint:
        raise PostingIdReused(
            "This id was used before for another posting. Make a new id for a new posting."
        )
    return first.answer
