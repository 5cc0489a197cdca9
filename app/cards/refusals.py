"""The signed list of cards that a till without a network has to refuse."""

import threading
import time
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from weakref import WeakKeyDictionary

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import func, literal, select
from sqlalchemy.orm import Session

from app.cards.models import Card, SigningKey
from app.errors import Misconfigured
from app.keys import KeyRing, Purpose
from passes import refused
from passes.card import CardStatus
from passes.code import Outcome

#: A list of this many takes some tenths of a second: tills that ask for the same share it.
LONG = 2_000
#: And for no longer than this, should two changes at once have looked like none.
SHARED_FOR_SECONDS = 600.0


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
    packed = _packed(session, programme_id)
    statement = refused.sign(
        packed,
        programme_id=programme_id,
        key_id=key_id,
        signed_at=now,
        private_key=Ed25519PrivateKey.from_private_bytes(secret),
    )
    return SignedList(packed, statement)


@dataclass(frozen=True, slots=True)
class _Shared:
    mark: tuple[Any, ...]
    packed: bytes
    made_at: float


_shared: WeakKeyDictionary[Any, dict[str, _Shared]] = WeakKeyDictionary()
_lock = threading.Lock()


def _packed(session: Session, programme_id: str) -> bytes:
    """The list of the session's programme; a long one is made once for all who ask."""
    mark = _mark(session)
    if mark[0] < LONG:
        return refused.pack(refused_cards(session))
    with _lock:  # one at a time: whoever waits finds it made
        lists = _shared.setdefault(session.get_bind(), {})
        known, now = lists.get(programme_id), time.monotonic()
        if known and known.mark == mark and now - known.made_at < SHARED_FOR_SECONDS:
            return known.packed
        packed = refused.pack(refused_cards(session))
        lists[programme_id] = _Shared(mark, packed, now)
        return packed


def _mark(session: Session) -> tuple[Any, ...]:
    """What changes with the list: looked up in its index, many times quicker than the list."""
    found = select(
        func.count(),
        func.max(Card.status_changed_at),
        func.min(Card.id),
        func.max(Card.id),
        func.sum(func.length(Card.status)),
    ).where(_is_refused())
    return tuple(session.execute(found).one())


def _is_refused() -> Any:
    # Written out, so that the databases see that an index of these cards alone will do.
    return Card.status != literal(str(CardStatus.ACTIVE), literal_execute=True)


def refused_cards(session: Session) -> list[tuple[str, Outcome]]:
    """Cards that a till without a network must refuse too, and why."""
    rows = session.execute(select(Card.id, Card.status).where(_is_refused()))
    return [(row.id, outcome_of(row.status)) for row in rows]


@cache
def outcome_of(status: str) -> Outcome:
    """What a till is told of a card that is not active: whether it was used up or erased, and
    so who somebody was, is none of its business."""
    ended = status in {CardStatus.USED, CardStatus.ERASED}
    return Outcome.EXPIRED if ended else Outcome(status)
