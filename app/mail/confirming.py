"""Whether an address is its member's: a letter to it, answered once."""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.errors import NotFound
from app.keys import KeyRing
from app.languages import _
from app.mail import tokens
from app.members.models import Member

_WHAT = "confirm"


def confirm_token(session: Session, keys: KeyRing, member_id: str) -> str:
    """What a letter to the member's present address carries; another address, another token."""
    index = session.scalar(select(Member.email_index).where(Member.id == member_id))
    return tokens.make(keys, _WHAT, member_id, _detail(index))


def member_to_confirm(session: Session, keys: KeyRing, token: str) -> Member:
    """Whom a token was made for, if the address is still that one. Raises `NotFound`.

    In a session for all programmes: the token alone says whose it is.
    """
    member = session.get(Member, _id(tokens.subject_of(token)))
    tokens.check(keys, token, _WHAT, _detail(None if member is None else member.email_index))
    if member is None:
        raise NotFound(_("This link is too old, or not whole. Open it from the letter again."))
    return member


def confirm(session: Session, member_id: str, *, now: datetime) -> bool:
    """Note that the address is the member's; False where that was known."""
    confirmed = session.execute(
        update(Member)
        .where(Member.id == member_id, Member.email_confirmed_at.is_(None))
        .values(email_confirmed_at=now)
        .returning(Member.id)
    )
    return confirmed.first() is not None


def _detail(index: bytes | None) -> str:
    return "" if index is None else index.hex()


def _id(text: str) -> str:
    """An id as text, or one that nobody has: a database need not see what is no id."""
    plain = text.replace("-", "")
    is_id = len(plain) == 32 and set(plain) <= set("0123456789abcdef")
    return text if is_id else "00000000-0000-0000-0000-000000000000"
