"""The letters that members get without asking for news: about their card and their address.

Each is in the language of the member it goes to. To one address only a few a day are written,
whoever asks for them; who asks is told the same in any case.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import mail
from app.attempts import note_attempt, refuse_if_too_many
from app.cards import service as cards
from app.cards.models import Card
from app.errors import TooMany
from app.keys import KeyRing
from app.languages import _, current_language, speaking
from app.ledger import writing
from app.members import service as members
from app.members.models import Member
from app.programmes.models import Programme
from passes.card import CardStatus
from passes.code import Kind

#: Letters to one address that somebody typed, within a day.
LETTERS = 3
LETTERS_WINDOW = timedelta(days=1)
MOST_CARDS = 3
_SCOPE = "letter"
#: Sources of cards that the operator gave out.
_AT_THE_DESK, _IMPORTED = "cli", "import "


def welcome(
    session: Session,
    keys: KeyRing,
    programme: Programme,
    card: Card,
    email: str,
    *,
    now: datetime,
) -> None:
    """Write to who just joined with *email*: the link to the card they have, or a question."""
    if not may_write(session, keys, programme, email, now):
        return
    known = known_card(session, keys, programme.id, email)
    if known is not None:
        _queue_link(session, programme, known, f"joined-again/{card.id}", now)
    elif card.member_id is not None:
        ask_to_confirm(session, programme, card, f"joined/{card.id}", now=now)


def ask_to_confirm(
    session: Session, programme: Programme, card: Card, key: str, *, now: datetime
) -> None:
    """Ask the card's member whether the address is theirs."""
    if card.member_id is None:
        return
    with speaking(_language_of(session, card.member_id)):
        mail.queue(
            session,
            member_id=card.member_id,
            key=key,
            subject=_("%(programme)s: is this your address?", programme=programme.name),
            text="\n\n".join(
                [
                    _(
                        "You gave this address for your %(programme)s card.",
                        programme=programme.name,
                    ),
                    _("Is it yours? Then open this page and press the button:"),
                    "[[confirm_link]]",
                    _("Your card, whenever you look for it:"),
                    "[[card_link]]",
                    _("If it was not you, do nothing: without your answer nothing is sent here."),
                    "",
                ]
            ),
            fills={"card_link": card.id},
            now=now,
        )


def send_link(
    session: Session, keys: KeyRing, programme: Programme, email: str, key: str, *, now: datetime
) -> None:
    """Send the link of a card to the address that it was joined with; to no other."""
    if not may_write(session, keys, programme, email, now):
        return
    known = known_card(session, keys, programme.id, email)
    found = [known] if known is not None else []
    if not found:
        # Nobody knows yet whose address it is: each card that was joined with it, by itself.
        ids = members.members_by_email(session, keys, programme.id, email)
        found = good_cards(session, ids)[:MOST_CARDS]
    for card in found:
        _queue_link(session, programme, card, f"{key}/{card.id}", now)


def tell_of_change(
    session: Session, programme: Programme, card: Card, what: str, key: str, *, now: datetime
) -> None:
    """Tell a confirmed address that something was done with the card; *what* is a sentence's kind:
    "replaced" or "erasing"."""
    member = session.get(Member, card.member_id) if card.member_id else None
    if member is None or member.email_confirmed_at is None:
        return
    with speaking(member.language):
        done = {
            "replaced": _("Your card was replaced. The old one is good for nothing any more."),
            "erasing": _(
                "You asked to be forgotten. It is done tomorrow; until then your card's "
                "page has a button to undo it."
            ),
        }[what]
        mail.queue(
            session,
            member_id=member.id,
            key=key,
            subject=_("%(programme)s: your card", programme=programme.name),
            text="\n\n".join(
                [
                    done,
                    _("If it was not you, open your card's page at once, or ask in the shop:"),
                    "[[card_link]]",
                    "",
                ]
            ),
            fills={"card_link": card.id},
            now=now,
        )


def known_card(session: Session, keys: KeyRing, programme_id: str, email: str) -> Card | None:
    """The card of whoever this address is known to belong to.

    Known is an address that was confirmed, or that the operator brought along: what somebody else
    typed and nobody answered proves nothing, and must not lead the owner to a stranger's card.
    """
    ids = members.members_by_email(session, keys, programme_id, email)
    confirmed = set(
        session.scalars(
            select(Member.id).where(Member.id.in_(ids), Member.email_confirmed_at.is_not(None))
        )
    )
    found = good_cards(session, ids)
    for card in found:
        if card.member_id in confirmed:
            return card
    for card in found:
        if card.source == _AT_THE_DESK or card.source.startswith(_IMPORTED):
            return card
    return None


def good_cards(session: Session, member_ids: Sequence[str]) -> list[Card]:
    """The cards of these members that are not over, the newest first; no coupons."""
    found = cards.cards_of_members(session, member_ids)
    over = {CardStatus.REPLACED, CardStatus.ERASED}
    return [card for card in found if card.status not in over and card.kind != Kind.COUPON]


def _queue_link(
    session: Session, programme: Programme, card: Card, key: str, now: datetime
) -> None:
    if card.member_id is None:
        return
    with speaking(_language_of(session, card.member_id)):
        mail.queue(
            session,
            member_id=card.member_id,
            key=key,
            subject=_("%(programme)s: the way to your card", programme=programme.name),
            text="\n\n".join(
                [
                    _(
                        "You have a card of %(programme)s with this address, issued on %(day)s. "
                        "Here it is:",
                        programme=programme.name,
                        day=writing.day(card.issued_on, current_language()),
                    ),
                    "[[card_link]]",
                    _("Whoever has this link has your card: pass it on to nobody."),
                    _("If you did not ask for it, do nothing."),
                    "",
                ]
            ),
            fills={"card_link": card.id},
            now=now,
        )


def may_write(
    session: Session, keys: KeyRing, programme: Programme, email: str, now: datetime
) -> bool:
    """Count a letter to an address; False where it had enough for a day."""
    subject = members.email_mark(keys, programme.id, email)
    try:
        refuse_if_too_many(session, _SCOPE, subject, now=now, limit=LETTERS, window=LETTERS_WINDOW)
    except TooMany:
        return False
    note_attempt(session, _SCOPE, subject, now=now)
    return True


def _language_of(session: Session, member_id: str) -> str:
    language = session.scalar(select(Member.language).where(Member.id == member_id))
    return language or "en"
