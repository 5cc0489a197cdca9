"""Links that set a password: an invitation, or a reset. Once, for a day, kept as a hash."""

import hashlib
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from app.errors import Conflict
from app.languages import _
from app.staff import passwords, second_factor
from app.staff.errors import LinkOver
from app.staff.login_models import HalfSignIn, LinkKind, Login, PasswordLink
from app.staff.models import Staff

LIFE = timedelta(hours=24)
#: Of one that goes by e-mail to who asks for it.
LETTER_LIFE = timedelta(hours=1)
#: 256 random bits.
TOKEN_BYTES = 32


def login_of(session: Session, person: Staff, *, locked: bool = False) -> Login:
    """How *person* signs in; made where it is not there yet. *locked*: others wait their turn."""
    asked = select(Login).where(Login.staff_id == person.id)
    found = session.scalar(asked.with_for_update() if locked else asked)
    if found is None:
        found = Login(programme_id=person.programme_id, staff_id=person.id)
        session.add(found)
        session.flush()
    return found


def make_link(
    session: Session,
    person: Staff,
    *,
    now: datetime,
    forgets_second_factor: bool = False,
    life: timedelta = LIFE,
    ends_earlier: bool = True,
    random_bytes: Callable[[int], bytes] = secrets.token_bytes,
) -> str:
    """The token of a link that sets *person*'s password, shown this once; earlier ones
    end, unless *ends_earlier* is off: then whoever asks for one takes none away.

    It is an invitation for who never had a password, else a reset. What they sign in with now
    stays good until the link is used. Raises `Conflict` for who has left.
    """
    if person.left_at is not None:
        raise Conflict(_("%(name)s does not work here any more.", name=person.name))
    login = login_of(session, person)
    if ends_earlier:
        end_links(session, person, now=now)
    token = random_bytes(TOKEN_BYTES).hex()
    kind = LinkKind.RESET if login.password_hash else LinkKind.INVITATION
    session.add(
        PasswordLink(
            programme_id=person.programme_id,
            staff_id=person.id,
            token_hash=_hash(token),
            kind=str(kind),
            forgets_second_factor=forgets_second_factor,
            created_at=now,
            expires_at=now + life,
        )
    )
    session.flush()
    return token


def address(url: str, slug: str, token: str) -> str:
    """The link itself, under the service's public address *url*."""
    return f"{url}/staff/{slug}/link/{token}"


def end_links(session: Session, person: Staff, *, now: datetime) -> None:
    """Take back every link of *person* that nobody used."""
    session.execute(
        update(PasswordLink)
        .where(PasswordLink.staff_id == person.id, PasswordLink.ended_at.is_(None))
        .values(ended_at=now)
    )


def person_of_link(session: Session, token: str, *, now: datetime) -> tuple[PasswordLink, Staff]:
    """Whose link it is. Raises `LinkOver`. Looking at it does not use it up: chats look too."""
    link = session.scalar(
        select(PasswordLink)
        .where(PasswordLink.token_hash == _hash(token[:200]), PasswordLink.ended_at.is_(None))
        .with_for_update()
    )
    if link is None or link.expires_at <= now:
        raise LinkOver(_("This link was used already, or is too old. Ask for a new one."))
    person = session.get_one(Staff, link.staff_id)
    if person.left_at is not None:
        raise LinkOver(_("This link was used already, or is too old. Ask for a new one."))
    return link, person


def use_link(
    session: Session, token: str, password: str, *, programme_name: str, now: datetime
) -> Staff:
    """Set the password of a link's owner and use the link up. Raises `LinkOver`, `Invalid`.

    The caller ends the person's sessions: whoever had them may be why the link was asked for.
    """
    link, person = person_of_link(session, token, now=now)
    login = login_of(session, person, locked=True)
    if link.forgets_second_factor:
        second_factor.remove(session, login)
    set_password(session, person, password, programme_name=programme_name, now=now)
    link.ended_at = now
    session.flush()
    return person


def set_password(
    session: Session, person: Staff, password: str, *, programme_name: str, now: datetime
) -> None:
    """Give *person* another password. Links to set one and half-done sign-ins end."""
    login = login_of(session, person, locked=True)
    login.password_hash = passwords.hash_password(password, about=(person.name, programme_name))
    login.password_changed_at = now
    end_links(session, person, now=now)
    session.execute(delete(HalfSignIn).where(HalfSignIn.staff_id == person.id))
    session.flush()


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
