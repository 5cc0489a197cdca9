"""Several cards on one account: who may do what with the points that they share."""

import secrets
from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cards import service
from app.cards.models import Card
from app.cards.rules import Holder, Period, Role
from app.cards.service import RandomBytes
from app.errors import Conflict, Forbidden, Invalid, NotFound, Unavailable
from app.keys import KeyRing
from app.languages import _
from app.ledger import service as ledger
from app.ledger.models import AccountKind
from passes.card import CardStatus

#: How often the cards of an account are looked for that somebody else is changing.
_TRIES = 10


def holder_of(card: Card) -> Holder:
    """What the card's holder may do."""
    period = None if card.redeem_period is None else Period(card.redeem_period)
    return Holder(Role(card.role), card.redeem_limit, period)


def cards_of(session: Session, account_id: str) -> list[Card]:
    """Every card of an account, the oldest first."""
    found = select(Card).where(Card.account_id == account_id).order_by(Card.issued_at, Card.id)
    return list(session.scalars(found))


def issue(
    session: Session,
    keys: KeyRing,
    programme_id: str,
    *,
    account_id: str,
    holder: Holder,
    now: datetime,
    member_id: str | None = None,
    language: str = "en",
    source: str = "cli",
    random_bytes: RandomBytes = secrets.token_bytes,
) -> Card:
    """Issue a further card of an account. Raises `Invalid` for a role that it cannot have."""
    account = ledger.lock_account(session, account_id)
    _check_fits(account.kind, holder)
    card = service.issue_card(
        session,
        keys,
        programme_id,
        account_id=account.id,
        member_id=member_id,
        language=language,
        source=source,
        now=now,
        random_bytes=random_bytes,
    )
    _give(card, holder)
    session.flush()
    return card


def set_role(
    session: Session, card_id: str, holder: Holder, *, now: datetime, by: Card | None = None
) -> Card:
    """Give a card another role or limit: staff may (no *by*), or the owner of the account.

    Raises `Forbidden` for anybody else, `Conflict` where nobody would be owner any more.
    """
    # The account is locked after its cards, and before them nowhere.
    cards = _lock_cards_beside(session, card_id)
    card = next(each for each in cards if each.id == card_id)
    if by is not None:
        owner = next((each for each in cards if each.id == by.id), None)
        if owner is None or owner.role != Role.OWNER or owner.status != CardStatus.ACTIVE:
            raise Forbidden(_("Only an owner of the account gives its cards their roles."))
    account = ledger.lock_account(session, card.account_id)
    _check_fits(account.kind, holder)
    if card.status not in {CardStatus.ACTIVE, CardStatus.BLOCKED}:
        raise Conflict(_("This card is over. Change the card that took its place."))
    others = [each for each in cards if each.id != card.id and each.status == CardStatus.ACTIVE]
    if holder.role != Role.OWNER and card.role == Role.OWNER:
        if others and not any(each.role == Role.OWNER for each in others):
            raise Conflict(_("An account has an owner: make another card its owner first."))
    if holder_of(card) != holder:
        _give(card, holder)
        session.flush()
        service.touch(session, card, now=now)
    return card


def _check_fits(kind: str, holder: Holder) -> None:
    if kind == AccountKind.PERSONAL and holder.role != Role.OWNER:
        text = _("A personal account has owners only. Open one for a household or a company.")
        raise Invalid(text, {"role": [text]})


def _give(card: Card, holder: Holder) -> None:
    card.role = str(holder.role)
    card.redeem_limit = holder.limit
    card.redeem_period = None if holder.period is None else str(holder.period)


def _lock_cards_beside(session: Session, card_id: str) -> list[Card]:
    def account() -> list[str]:
        account_id = session.scalar(select(Card.account_id).where(Card.id == card_id))
        if account_id is None:
            raise NotFound(_("There is no such card in this programme."))
        return [account_id]

    return lock_cards(session, account)


def lock_cards(session: Session, of: Callable[[], Sequence[str]]) -> list[Card]:
    """All cards of some accounts, locked in the order of their ids and read afresh.

    *of* says which accounts, anew each time: while we wait for a card, another may come in its
    place, or go to another account. Raises `Unavailable` where that does not come to rest.
    """
    for _try in range(_TRIES):
        # What was locked in vain is given up with the savepoint: waiting for one more card while
        # holding the others, two would wait for each other.
        savepoint = session.begin_nested()
        wanted = of()
        cards = list(
            session.scalars(
                select(Card)
                .where(Card.account_id.in_(wanted))
                .order_by(Card.id)
                .with_for_update()
                .execution_options(populate_existing=True)
            )
        )
        if {card.id for card in cards} == ids_of(session, wanted) and of() == wanted:
            savepoint.commit()
            return cards
        savepoint.rollback()
    raise Unavailable(_("The cards of this account are being changed just now. Try again."))


def ids_of(session: Session, account_ids: Sequence[str]) -> set[str]:
    """The ids of all cards of these accounts, as they are now."""
    return set(session.scalars(select(Card.id).where(Card.account_id.in_(account_ids))))


def predecessors(session: Session, card: Card) -> list[str]:
    """The card and all that it took the place of: what they redeemed counts as its own."""
    replaced: dict[str | None, list[str]] = {}
    rows = session.execute(
        select(Card.id, Card.replaced_by_id).where(
            Card.account_id == card.account_id, Card.replaced_by_id.is_not(None)
        )
    )
    for row in rows:
        replaced.setdefault(row.replaced_by_id, []).append(row.id)
    found = [card.id]
    for card_id in found:
        found += replaced.get(card_id, [])
    return found
