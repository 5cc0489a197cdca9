"""The counter: where and by whom a posting is made, on which card, and about what."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cards import service as cards
from app.cards.models import Card
from app.ledger.models import Posting
from app.ledger.postings import ActorKind, Circumstances, Operation, Request
from app.programmes import giving
from app.programmes.models import Location
from app.programmes.terms import rulebook_of
from app.staff.models import Staff
from app.till.access import Person, Place, TillAt
from app.till.models import Till
from app.till.rules import is_late


@dataclass(frozen=True, slots=True)
class Counter:
    """Where and by whom a posting is made.

    *till* is a till, or for a shop system the place that it posts for; *api_key_id* is the key
    that such a system came with. *person* is empty for it, and for a till that was offline:
    *cashier_id* is then whom that one names, if somebody of that id works or worked here.
    *approver* is a manager who stood by; *has_fresh_code*: the code had a one-time value in it.
    """

    till: Till | TillAt | Place
    person: Staff | Person | None
    cashier_id: str | None
    offline: bool
    approver: Staff | None = None
    api_key_id: str | None = None
    has_fresh_code: bool = False

    @property
    def actor(self) -> tuple[ActorKind, str | None]:
        """Who does it, as the ledger writes it down: the server's word where there is one."""
        if self.api_key_id is not None:
            return "api", self.api_key_id
        if self.person is not None:
            return "staff", self.person.id
        return "till", self.cashier_id or self.till.id

    def circumstances(
        self,
        occurred_at: datetime,
        card_id: str | None,
        *,
        now: datetime,
        language: str = "en",
    ) -> Circumstances:
        """How the ledger writes it down."""
        actor_kind, actor_id = self.actor
        return Circumstances(
            occurred_at=occurred_at,
            late=is_late(occurred_at, now),
            actor_kind=actor_kind,
            actor_id=actor_id,
            till_id=self.till.id,
            location_id=self.till.location_id,
            card_id=card_id,
            language=language,
        )


def partner_of(session: Session, counter: Counter) -> str | None:
    """The partner of a coalition whose location it is; None: the programme's own."""
    return session.scalar(
        select(Location.partner_id).where(Location.id == counter.till.location_id)
    )


def post_about(
    session: Session,
    counter: Counter,
    request: Request,
    operation: Operation,
    body: Mapping[str, Any],
    about: str,
    *,
    now: datetime,
) -> dict[str, Any]:
    """Post something about an earlier posting; its member's language is the answer's."""
    language = session.scalar(
        select(Card.language)
        .join(Posting, Posting.account_id == Card.account_id)
        .where(Posting.id == about)
        .order_by(Card.issued_at.desc())
        .limit(1)
    )
    where = counter.circumstances(body["occurred_at"], None, now=now, language=language or "en")
    book = rulebook_of(session, counter.till.programme_id, now)
    return giving.post(session, book, request, operation, where, now=now).answer


def card_of(
    session: Session, counter: Counter, code: str, occurred_at: datetime, *, now: datetime
) -> Card:
    """The card of a posting. What happened before a card was blocked counts."""
    at = occurred_at if counter.offline else now
    card, _ = cards.card_by_code(session, code, now=now, at=at)
    return card
