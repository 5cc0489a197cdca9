"""One customer joins: an account, a card and the secret link to its page."""

import contextlib
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app.cards import service as cards
from app.cards.models import Card
from app.errors import NotFound
from app.keys import KeyRing
from app.ledger import service as ledger
from app.members import service as members
from app.members.service import Contact
from app.programmes.models import Programme
from app.referrals import service as referrals


@dataclass(frozen=True, slots=True)
class Joined:
    """A fresh card and the token of the link to it, which is shown this once."""

    card: Card
    link_token: str


def join(
    session: Session,
    keys: KeyRing,
    programme: Programme,
    contact: Contact,
    *,
    language: str,
    source: str,
    now: datetime,
    consents: frozenset[str] = frozenset(),
    referral_code: str | None = None,
) -> Joined:
    """Give somebody a card. Nothing is asked that is not needed: the contact may be empty.

    A contact that is known already is answered like a new one, so that joining tells nobody who
    is a member; the earlier card stays what it is. A *referral_code* that nobody has is left out
    of account: whoever mistyped it still wants the card.
    """
    member_id = None
    if contact != Contact():
        member_id = members.add_member(
            session,
            keys,
            programme.id,
            contact,
            language=language,
            consents=consents if contact.email else frozenset(),
            now=now,
        ).id
    account = ledger.open_account(session, now=now)
    card = cards.issue_card(
        session,
        keys,
        programme.id,
        account_id=account.id,
        member_id=member_id,
        language=language,
        source=source,
        now=now,
    )
    if referral_code:
        with contextlib.suppress(NotFound):
            referrals.refer(session, referral_code, account.id, now=now)
    return Joined(card, cards.create_link(session, card, now=now))
