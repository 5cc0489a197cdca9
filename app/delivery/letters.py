"""What letters to members need to know of programmes and cards."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cards import links
from app.cards.models import Card
from app.context import Context
from app.mail.confirming import confirm_token
from app.mail.models import OutgoingMail
from app.mail.sending import Composer
from app.programmes.models import Programme
from app.staff import links as staff_links
from app.staff.models import Staff

_MOST_REPLACEMENTS = 50


def sender_of(session: Session, programme_id: str) -> tuple[str, str | None]:
    """The programme's name, and where its operator reads answers."""
    programme = session.get_one(Programme, programme_id)
    contact = programme.operator_contact or ""
    return programme.name, contact if "@" in contact and " " not in contact else None


def card_link(
    session: Session, context: Context, _mail: OutgoingMail, card_id: str, _now: datetime
) -> str:
    """The address of a card's page; of the card that took its place."""
    card = session.scalar(select(Card).where(Card.id == card_id))
    for _ in range(_MOST_REPLACEMENTS):
        if card is None or card.replaced_by_id is None:
            break
        card = session.scalar(select(Card).where(Card.id == card.replaced_by_id))
    if card is None:
        return context.config.url
    # Sent again, it is the same letter with the same link; a million letters keep no link.
    return f"{context.config.url}/card/{links.pass_token(context.keys, card.id)}"


def confirm_link(
    session: Session, context: Context, mail: OutgoingMail, _: str, _now: datetime
) -> str:
    """Where the member says that the address is theirs."""
    token = confirm_token(session, context.keys, mail.member_id or "")
    return f"{context.config.url}/confirm/{token}"


def staff_link(
    session: Session, context: Context, mail: OutgoingMail, what: str, now: datetime
) -> str:
    """A fresh link to set another password: sent again, the letter has another one."""
    person = session.get_one(Staff, mail.staff_id)
    token = staff_links.make_link(
        session,
        person,
        now=now,
        forgets_second_factor=what == "forgets",
        life=staff_links.LETTER_LIFE,
        ends_earlier=False,
    )
    slug = session.get_one(Programme, person.programme_id).slug
    return staff_links.address(context.config.url, slug, token)


COMPOSER = Composer(
    sender_of, {"card_link": card_link, "confirm_link": confirm_link, "staff_link": staff_link}
)
