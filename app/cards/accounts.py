"""Merging the accounts of cards, and undoing it: the points, and whatever hangs on the cards."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cards.holders import ids_of, lock_cards
from app.cards.models import Card
from app.errors import Unavailable
from app.languages import _
from app.ledger import service as ledger
from app.ledger.models import Account, AccountKind
from app.ledger.postings import Circumstances, Merge, Posted, Request, Terms, Unmerge
from app.members import service as members
from app.members.merging import keep_stricter_consents
from passes.card import CardStatus


def merge(
    session: Session,
    request: Request,
    operation: Merge,
    circumstances: Circumstances,
    *,
    now: datetime,
    terms: Terms,
) -> Posted:
    """Merge one account into another, once: its cards come along and their passes are wanted anew.

    Of two people's accounts that are one person's, the stricter consent wins for each purpose;
    what each told us of themselves stays with their cards. Raises `NotMergeable`.
    """
    cards = _lock(session, [operation.from_account_id, operation.into_account_id])
    posted = ledger.post(session, request, operation, circumstances, now=now, terms=terms)
    if posted.repeated:
        return posted
    found = ledger.merge_of(session, request.id)
    moved = [card for card in cards if card.account_id == found.from_account_id]
    if ids_of(session, [found.from_account_id]) != {card.id for card in moved}:
        raise Unavailable(_("A card of that account was issued just now. Merge again."))
    found.card_ids = [card.id for card in moved]
    _move(session, moved, found.from_account_id, found.into_account_id)
    if _kind(session, found.into_account_id) == AccountKind.PERSONAL:
        people = {card.member_id for card in cards if card.status != CardStatus.ERASED}
        keep_stricter_consents(session, {each for each in people if each is not None}, now=now)
    session.flush()
    return posted


def unmerge(
    session: Session,
    request: Request,
    operation: Unmerge,
    circumstances: Circumstances,
    *,
    now: datetime,
    terms: Terms,
) -> Posted:
    """Undo a merge, once: the cards that came along go back, with those that took their place.

    Raises `AlreadyReversed`, `NotMergeable`, `UnknownPosting`.
    """
    found = ledger.merge_of(session, operation.posting_id)
    cards = _lock(session, [found.into_account_id])
    posted = ledger.post(session, request, operation, circumstances, now=now, terms=terms)
    if not posted.repeated:
        going = _with_successors(cards, found.card_ids or [])
        _move(session, going, found.into_account_id, found.from_account_id)
        session.flush()
    return posted


def _lock(session: Session, account_ids: Sequence[str]) -> list[Card]:
    """The cards of these accounts, locked: people first, then cards, then the ledger's accounts.

    Whoever erases or replaces a card goes in that order too, so that no two wait for each other.
    """
    people = select(Card.member_id).where(
        Card.account_id.in_(account_ids), Card.member_id.is_not(None)
    )
    members.lock(session, sorted({str(each) for each in session.scalars(people)}))
    return lock_cards(session, lambda: account_ids)


def _kind(session: Session, account_id: str) -> str | None:
    return session.scalar(select(Account.kind).where(Account.id == account_id))


def _move(session: Session, cards: Iterable[Card], there: str, here: str) -> None:
    """Give cards to another account. A pass's version is its card's and its account's together
    and never falls, whatever the versions of the two accounts are."""
    rows = session.execute(select(Account.id, Account.version).where(Account.id.in_((there, here))))
    versions = {row.id: row.version for row in rows}
    for card in cards:
        card.account_id = here
        card.version += max(0, versions[there] - versions[here]) + 1


def _with_successors(cards: Sequence[Card], card_ids: Iterable[str]) -> list[Card]:
    by_id = {card.id: card for card in cards}
    found: dict[str, Card] = {}
    for first in card_ids:
        card = by_id.get(first)
        while card is not None and card.id not in found:
            found[card.id] = card
            card = by_id.get(card.replaced_by_id or "")
    return list(found.values())
