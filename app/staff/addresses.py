"""The address a member of staff gave, for a link to another password and for nothing else."""

import re

from sqlalchemy.orm import Session

from app.errors import Invalid
from app.keys import KeyRing
from app.languages import _
from app.staff.links import login_of
from app.staff.login_models import Login
from app.staff.models import Staff

LONGEST = 254
_ADDRESS = re.compile(r"[^@\s\x00-\x20\x7f]{1,64}@[^@\s\x00-\x20\x7f]+\.[^@\s\x00-\x20\x7f.]+")


def keep(session: Session, keys: KeyRing, person: Staff, typed: str) -> None:
    """Keep *typed* as the person's address, sealed; with none the earlier one goes.

    Raises `Invalid` for what is no address.
    """
    email = typed.strip()
    login = login_of(session, person, locked=True)
    if not email:
        login.email = None
    elif len(email) > LONGEST or not _ADDRESS.fullmatch(email):
        words = _("This is not an e-mail address. Write one such as name@example.com.")
        raise Invalid(words, {"email": [words]})
    else:
        login.email = keys.seal(email.encode(), context=_context(login))
    session.flush()


def address_of(session: Session, keys: KeyRing, person: Staff) -> str | None:
    """The address of *person*, if there is one and they still work here."""
    login = session.get(Login, person.id)
    if login is None or login.email is None or person.left_at is not None:
        return None
    return keys.open_sealed(login.email, context=_context(login)).decode()


def _context(login: Login) -> bytes:
    return f"address of staff {login.staff_id}".encode()
