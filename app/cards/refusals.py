"""The signed list of cards that a till without a network has to refuse."""

from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import literal, select
from sqlalchemy.orm import Session

from app.cards.models import Card, SigningKey
from app.errors import Misconfigured
from app.keys import KeyRing, Purpose
from passes import refused
from passes.card import CardStatus
from passes.code import Outcome


@dataclass(frozen=True, slots=True)
class SignedList:
    """*packed*: the list; *statement*: what the programme signed about it just now."""

    packed: bytes
    statement: bytes

    @property
    def name(self) -> str:
        """What tells this list from any other: lists that are alike have one name."""
        return self.statement[27:43].hex()


def signed_list(session: Session, keys: KeyRing, programme_id: str, *, now: datetime) -> SignedList:
    """The refused cards of the session's programme, signed with its key that signs cards, too.

    Raises `Misconfigured` where the programme has no such key.
    """
    key_id = session.scalar(
        select(SigningKey.key_id).where(
            SigningKey.programme_id == programme_id, SigningKey.retired_at.is_(None)
        )
    )
    if key_id is None:
        raise Misconfigured("The programme has no signing key: run counterfoil keys rotate.")
    secret = keys.get(Purpose.CARD_SIGNING, key_id, programme_id=programme_id).material
    packed = refused.pack(refused_cards(session))
    statement = refused.sign(
        packed,
        programme_id=programme_id,
        key_id=key_id,
        signed_at=now,
        private_key=Ed25519PrivateKey.from_private_bytes(secret),
    )
    return SignedList(packed, statement)


def refused_cards(session: Session) -> list[tuple[str, Outcome]]:
    """Cards that a till without a network must refuse too, and why."""
    # Written out, so that the databases see that an index of these cards alone will do.
    active = literal(str(CardStatus.ACTIVE), literal_execute=True)
    rows = session.execute(select(Card.id, Card.status).where(Card.status != active))
    return [(row.id, outcome_of(row.status)) for row in rows]


def outcome_of(status: str) -> Outcome:
    """What a till is told of a card that is not active: whether it was used up or erased, and
    so who somebody was, is none of its business."""
    ended = status in {CardStatus.USED, CardStatus.ERASED}
    return Outcome.EXPIRED if ended else Outcome(status)
