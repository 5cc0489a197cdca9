"""Finding the card behind what was scanned, and saying to the cashier why there is none."""

import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from app.cards.errors import CardRefused
from app.cards.models import Card, SigningKey
from app.cards.refusals import outcome_of
from app.db import Prepared, Question, programme_of
from passes.card import CardStatus
from passes.code import Outcome, Reading, card_id_told, parse, verify
from passes.errors import CodeError


def card_by_code(
    session: Session, text: str, *, now: datetime, at: datetime | None = None
) -> tuple[Card, Reading]:
    """The card behind a scanned text, and what was read.

    *at* is when it was scanned (now, where empty): a card blocked since was good then.

    Raises `CardRefused` with the outcome and a sentence for the cashier. Neither a one-time value
    nor anything else is consumed here.
    """
    reading = _read(session, text, now)
    card = session.scalar(select(Card).where(Card.id == reading.card.card_id_hex))
    if card is None:
        # Signed by us and yet unknown: the database is older than the card (a restored backup).
        raise CardRefused(
            Outcome.NOT_A_CARD, "This card is not known here. Ask the customer to join again."
        )
    if card.status != CardStatus.ACTIVE and card.status_changed_at <= (at or now):
        raise CardRefused(outcome_of(card.status), _why_not_active(card))
    return card, reading


class FoundCard(NamedTuple):
    """What a posting has to know of a card."""

    id: str
    account_id: str
    language: str


_cards: Any = Card.__table__
_signing_keys: Any = SigningKey.__table__
_scanned = Prepared(
    select(
        *(
            _cards.c[name]
            for name in (
                "id",
                "account_id",
                "language",
                "code",
                "status",
                "status_reason",
                "status_changed_at",
            )
        ),
        _signing_keys.c.valid_until,
    )
    .select_from(_cards.join(_signing_keys, _signing_keys.c.key_id == _cards.c.key_id))
    .where(_cards.c.id.in_(bindparam("ids", expanding=True)))
)


def cards_by_codes(
    session: Session, scanned: Sequence[tuple[str, datetime]], *, now: datetime
) -> list[FoundCard | CardRefused]:
    """The cards behind many scanned texts, each with when it was scanned; in their order.

    The same verdict as `card_by_code`, which has the last word: only a text that is, letter for
    letter, a good card's own code is taken without looking at its signature, which is ours.
    """
    ids = _ids_told(text for text, _ in scanned)
    rows = {row.id: row for row in _scanned(session, {"ids": sorted(set(ids.values()))})}
    found: list[FoundCard | CardRefused] = []
    for text, at in scanned:
        card = rows.get(ids.get(text, ""))
        if (
            card is not None
            and card.status == CardStatus.ACTIVE
            and (card.valid_until is None or card.valid_until > now)
            and secrets.compare_digest(card.code.encode(), text.encode())
        ):
            found.append(FoundCard(card.id, card.account_id, card.language))
            continue
        try:
            row, _ = card_by_code(session, text, now=now, at=at)
            found.append(FoundCard(row.id, row.account_id, row.language))
        except CardRefused as refused:
            found.append(refused)
    return found


def cards_asked(texts: Iterable[str], programme_id: str) -> Question:
    """What `cards_by_codes` asks, for `app.db.asked_ahead`."""
    return Question(_scanned, {"ids": sorted(set(_ids_told(texts).values()))}, programme_id)


def _ids_told(texts: Iterable[str]) -> dict[str, str]:
    """The cards' ids as the texts have them, by text; nothing of a text that is no code."""
    told = {text: card_id_told(text) for text in texts}
    return {text: card_id for text, card_id in told.items() if card_id is not None}


def _read(session: Session, text: str, now: datetime) -> Reading:
    try:
        key_id = parse(text).card.key_id
    except CodeError as error:
        raise CardRefused(error.outcome, error.message) from error
    # The key's owner is looked up past the wall, so that a card of another programme is called so.
    table = SigningKey.__table__
    row = (
        session.connection()
        .execute(
            select(table.c.programme_id, table.c.public_key, table.c.valid_until).where(
                table.c.key_id == key_id
            )
        )
        .first()
    )
    if row is None:
        raise CardRefused(
            Outcome.UNKNOWN_KEY, "This card was signed with a key that is not known here."
        )
    try:
        reading = verify(text, {key_id: Ed25519PublicKey.from_public_bytes(row.public_key)})
    except CodeError as error:
        raise CardRefused(error.outcome, error.message) from error
    if row.programme_id != programme_of(session):
        raise CardRefused(Outcome.OTHER_PROGRAMME, "This is a card of another programme.")
    if row.valid_until is not None and row.valid_until <= now:
        raise CardRefused(
            Outcome.EXPIRED, "This card is no longer valid. Give the customer a new one."
        )
    return reading


def _why_not_active(card: Card) -> str:
    day = f"{card.status_changed_at:%-d %B %Y}"
    reason = f" ({card.status_reason})" if card.status_reason else ""
    match card.status:
        case CardStatus.BLOCKED if card.frozen_at is not None:
            return (
                f"This card was blocked by its owner on {day}. "
                "Ask them to unblock it on their card's page."
            )
        case CardStatus.BLOCKED:
            return f"This card was blocked on {day}{reason}. A manager can unblock it."
        case CardStatus.REPLACED:
            return f"This card was replaced on {day}. Ask for the customer's new card."
        case CardStatus.USED:
            return f"This coupon was used on {day}. It is good once."
        case CardStatus.ERASED:
            return f"This card was given back on {day}. The customer can join anew."
        case _:
            return f"This card expired on {day}. Give the customer a new one."
