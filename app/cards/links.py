"""The secret links to a card's page: made, followed, revoked. Only their hashes are kept."""

import hashlib
import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from app.cards.models import Card, CardLink
from app.db import new_id
from app.errors import NotFound
from app.keys import KeyRing
from app.languages import _
from app.mail import tokens
from passes.card import CardStatus

#: 24 bytes: 192 random bits in a link, well above the 128 that keep it from being guessed.
LINK_BYTES = 24
_PASS_LINK = "pass link"  # noqa: S105 - a name, not a token
#: The links of such cards lead nowhere, the one in the pass included.
_OVER = (CardStatus.REPLACED, CardStatus.ERASED)


def create_link(
    session: Session,
    card: Card,
    *,
    now: datetime,
    random_bytes: Callable[[int], bytes] = secrets.token_bytes,
) -> str:
    """Make a secret link token for the card's page. It cannot be read back, only made anew."""
    token = random_bytes(LINK_BYTES).hex()
    session.add(
        CardLink(
            programme_id=card.programme_id,
            card_id=card.id,
            token_hash=hash_token(token),
            created_at=now,
        )
    )
    session.flush()
    return token


def keep_link(session: Session, card: Card, secret: bytes, *, now: datetime) -> str:
    """The token that is *secret*, which somebody made of a key; kept once, revoked for good."""
    token = secret.hex()
    known = select(CardLink.id).where(CardLink.token_hash == hash_token(token))
    if session.scalar(known) is None:
        create_link(session, card, now=now, random_bytes=lambda _: secret)
    return token


def known_link(session: Session, secret: bytes) -> str | None:
    """The token that is *secret*, where it leads to a card already."""
    token = secret.hex()
    return None if _by_hash(session, token) is None else token


def create_links(
    session: Session,
    programme_id: str,
    card_ids: Sequence[str],
    *,
    now: datetime,
    random_bytes: Callable[[int], bytes] = secrets.token_bytes,
) -> list[str]:
    """The same for many cards in one statement; the tokens, in their order."""
    tokens = [random_bytes(LINK_BYTES).hex() for _ in card_ids]
    rows = [
        {
            "id": new_id(),
            "programme_id": programme_id,
            "card_id": card_id,
            "token_hash": hash_token(token),
            "created_at": now,
        }
        for card_id, token in zip(card_ids, tokens, strict=True)
    ]
    if rows:
        session.execute(insert(CardLink), rows)
    return tokens


def pass_token(keys: KeyRing, card_id: str) -> str:
    """What stands in the link in a card's passes. Nothing is kept of it: it is made of a key, so
    that a pass built anew has the same. It is good until the card is replaced or erased."""
    return pass_tokens(keys)(card_id)


def pass_tokens(keys: KeyRing) -> Callable[[str], str]:
    """`pass_token` for many cards at once; not to be kept: a rotated key is not noticed."""
    return tokens.maker(keys, _PASS_LINK)


def card_by_link(session: Session, keys: KeyRing, token: str) -> Card:
    """The card behind a link. Raises `NotFound` for an unknown or revoked one alike."""
    card = None
    if "." in token:
        with suppress(NotFound):
            card_id = tokens.check(keys, token, _PASS_LINK)
            card = session.scalar(select(Card).where(Card.id == card_id, Card.status.not_in(_OVER)))
    else:
        card = _by_hash(session, token)
    if card is None:
        raise NotFound(_("This link does not lead to a card, or no longer."))
    return card


def _by_hash(session: Session, token: str) -> Card | None:
    return session.scalar(
        select(Card)
        .join(CardLink, CardLink.card_id == Card.id)
        .where(CardLink.token_hash == hash_token(token), CardLink.revoked_at.is_(None))
    )


def revoke_links(session: Session, card_id: str, *, now: datetime) -> int:
    """Make every link of the card useless; how many there were."""
    result = session.execute(
        update(CardLink)
        .where(CardLink.card_id == card_id, CardLink.revoked_at.is_(None))
        .values(revoked_at=now)
        .returning(CardLink.id)
    )
    return len(result.all())


def hash_token(token: str) -> bytes:
    """SHA-256 of a random token; it has too many bits to be guessed, so no salt is needed."""
    return hashlib.sha256(token.encode()).digest()
