"""A tier that staff give or end by hand: no posting, but a change of the account all the same."""

from datetime import datetime

from sqlalchemy.orm import Session

from app.errors import Conflict, Invalid
from app.languages import _
from app.ledger import _store, tiers
from app.ledger._book import Book
from app.ledger.explain import Reason
from app.ledger.postings import Circumstances, Terms
from app.ledger.tiers import TierScheme

_MOST_NOTE = 200


def lift_tier(
    session: Session,
    account_id: str,
    tier: str,
    until: datetime,
    *,
    note: str,
    circumstances: Circumstances,
    now: datetime,
    terms: Terms,
) -> list[Reason]:
    """Lift an account to *tier* until *until*, the first moment without; what changed.

    Raises `UnknownAccount`; `Invalid` for an unknown tier, a moment that has passed, or no note.
    """
    _check_note(note)
    book, scheme = _page(session, account_id, now, terms)
    state, days = book.account.tier, book.days
    changes = tiers.override(scheme, state, tier, until, days, now, terms.time_zone)
    return _write(session, book, list(changes), circumstances, note)


def end_lift(
    session: Session,
    account_id: str,
    *,
    note: str,
    circumstances: Circumstances,
    now: datetime,
    terms: Terms,
) -> list[Reason]:
    """End a lift before its time; what changed. Raises `UnknownAccount`, `Conflict`, `Invalid`."""
    _check_note(note)
    book, scheme = _page(session, account_id, now, terms)
    if book.account.tier.override is None:
        raise Conflict(_("This account's tier was not set by hand: there is nothing to end."))
    changes = tiers.end_override(scheme, book.account.tier, book.days, now, terms.time_zone)
    return _write(session, book, list(changes), circumstances, note)


def _check_note(note: str) -> None:
    if not note.strip() or len(note) > _MOST_NOTE:
        text = _("Say why, in at most %(most)s letters.", most=_MOST_NOTE)
        raise Invalid(text, {"reason": [text]})


def _page(
    session: Session, account_id: str, now: datetime, terms: Terms
) -> tuple[Book, TierScheme]:
    if terms.tiers is None:
        raise Conflict(_("This programme has no tiers."))
    account = _store.lock_one(session, account_id, terms)
    book = _store.load(session, [account], now, whole=True, terms=terms)[account.id]
    book.settle()
    return book, terms.tiers


def _write(
    session: Session,
    book: Book,
    changes: list[tiers.Change],
    circumstances: Circumstances,
    note: str,
) -> list[Reason]:
    book.is_tier_moved = True
    told = book.note_tiers(changes, circumstances, note=note)
    book.account.raise_version(book.now)
    _store.flush(session, [book])
    return told
