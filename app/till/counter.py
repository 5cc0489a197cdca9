"""The counter: where and by whom a posting is made, on which card, and about what."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cards import service as cards
from app.cards.models import Card
from app.ledger import service as ledger
from app.ledger.models import Posting
from app.ledger.postings import Circumstances, Operation, Request
from app.programmes.models import Location
from app.programmes.terms import terms_of
from app.staff.models import Staff
from app.till.access import Person, TillAt
from app.till.models import Till
from app.till.rules import is_late


@dataclass(frozen=True, slots=True)
class Counter:
    """Where and by whom a posting is made.

    *person* is empty for a till that was offline, and *cashier_id* is then whom it names, if that
    one works or worked here; *approver* is a manager who stood by.
    """

    till: Till | TillAt
    person: Staff | Person | None
    cashier_id: str | None
    offline: bool
    approver: Staff | None = None

    def circumstances(
        self,
        occurred_at: datetime,
        card_id: str | None,
        *,
        now: datetime,
        language: str = "en",
    ) -> Circumstances:
        """How the ledger writes it down; the actor is the server's word where there is one."""
        return Circumstances(
            occurred_at=occurred_at,
            late=is_late(occurred_at, now),
            actor_kind="staff" if self.person else "till",
            actor_id=self.person.id if self.person else self.cashier_id or self.till.id,
            till_id=self.till.id,
            location_id=self.till.location_id,
            card_id=card_id,
            language=language,
        )


def partner_of(session: Session, counter: Counter) -> str | None:
    """The partner of a coalition whose location the till stands in."""
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
    terms = terms_of(session, counter.till.programme_id, now)
    return ledger.post(session, request, operation, where, now=now, terms=terms).answer


def card_of(
    session: Session, counter: Counter, code: str, occurred_at: datetime, *, now: datetime
) -> Card:
    """The card of a posting. What happened before a card was blocked counts."""
    at = occurred_at if counter.offline else now
    card, _ = cards.card_by_code(session, code, now=now, at=at)
    return card
