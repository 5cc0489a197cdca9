"""One customer joins: an account, a card and the secret link to its page."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app.cards import service as cards
from app.cards.links import keep_link
from app.cards.models import Card
from app.errors import NotFound
from app.keys import KeyRing
from app.ledger import service as ledger
from app.members import consents
from app.members import service as members
from app.members.consents import Wording
from app.members.service import Contact
from app.programmes.models import Programme
from app.referrals import service as referrals
from app.web.correspondence import welcome


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
    agreed: Sequence[Wording] = (),
    referral_code: str | None = None,
    secret: bytes | None = None,
    by_letter: bool = False,
) -> Joined:
    """Give somebody a card. Nothing is asked that is not needed: the contact may be empty.

    A contact that is known already is answered like a new one, so that joining tells nobody who
    is a member; the earlier card stays what it is. With *by_letter* the address gets a letter:
    a new one is asked whether it is theirs, a known one gets the link to the card that it has.
    *agreed* are the texts that were consented to; *secret* is what the link is made of. A
    *referral_code* that nobody has is left out of account: whoever mistyped it still wants the
    card.
    """
    member_id = None
    if contact != Contact():
        member_id = members.add_member(
            session, keys, programme.id, contact, language=language, now=now
        ).id
        for read in agreed if contact.email else ():
            consents.give(session, programme.id, member_id, read, language, now)
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
    if secret is None:
        token = cards.create_link(session, card, now=now)
    else:
        token = keep_link(session, card, secret, now=now)
    if by_letter and contact.email and member_id is not None:
        welcome(session, keys, programme, card, contact.email, now=now)
    return Joined(card, token)
