"""Signing in to the staff pages: the name and password, then, where there is one, the second
factor. A name that nobody has is treated as one with a wrong password throughout."""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import IPv6Address, ip_address, ip_network

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.attempts import count_attempt, forgive, take_back
from app.db import Database
from app.errors import TooMany
from app.keys import KeyRing
from app.languages import _, ngettext
from app.staff import passwords, second_factor
from app.staff.errors import SignInOver, WrongCode, WrongPassword
from app.staff.links import login_of
from app.staff.login_models import HalfSignIn, Login
from app.staff.models import Staff

WINDOW = timedelta(minutes=15)
#: Wrong tries for one name: from one address, and from all of them together. The first keeps
#: guessers off; the second is higher, so that a guesser elsewhere seldom locks the owner out.
NAME_TRIES_HERE, NAME_TRIES = 5, 25
#: Wrong tries from one address, whoever they were for; a shop's computers share one.
ADDRESS_TRIES = 30
CODE_TRIES = 5
HALF_LIFE = timedelta(minutes=10)
TOKEN_BYTES = 32


class Owed(StrEnum):
    """What a right password alone does not do."""

    NOTHING = "nothing"
    CODE = "code"
    #: The role needs a second factor and there is none yet.
    SET_UP = "set_up"


@dataclass(frozen=True, slots=True)
class Half:
    """A right password: whose it is, what is owed, and the token that goes on with it."""

    staff_id: str
    owed: Owed
    token: str


@dataclass(frozen=True, slots=True)
class _Kept:
    staff_id: str | None
    password_hash: str | None


def check_password(
    database: Database,
    programme_id: str,
    name: str,
    password: str,
    *,
    address: str,
    now: datetime,
    random_bytes: Callable[[int], bytes] = secrets.token_bytes,
) -> Half:
    """Half a sign-in. Raises `WrongPassword` and `TooMany`, either of them for any name.

    The try is counted before the password is looked at, so that many at once are counted too. No
    transaction is open while it is hashed.
    """
    place = neighbourhood(address)
    subjects = _subjects(programme_id, name, place)
    with database.write(programme_id) as session:
        for scope, subject, limit in subjects:
            _count(session, scope, subject, limit, now)
        kept = _kept(session, name)
    if not passwords.is_password(password, kept.password_hash) or kept.staff_id is None:
        raise WrongPassword(_("The name or the password is not right. Try again."))
    with database.write(programme_id) as session:
        person = session.get_one(Staff, kept.staff_id)
        login = login_of(session, person, locked=True)
        if login.password_hash != kept.password_hash or person.left_at is not None:
            raise WrongPassword(_("The name or the password is not right. Try again."))
        if passwords.wants_new_hash(kept.password_hash or ""):
            login.password_hash = passwords.hash_again(password)
        forgive(session, *subjects[0][:2])
        for each in subjects[1:]:
            take_back(session, *each[:2])
        return _half(session, person, login, now=now, random_bytes=random_bytes)


def begin(
    session: Session,
    person: Staff,
    *,
    now: datetime,
    random_bytes: Callable[[int], bytes] = secrets.token_bytes,
) -> Half:
    """Half a sign-in for who just set a password by a link: as good as having typed it."""
    return _half(session, person, login_of(session, person), now=now, random_bytes=random_bytes)


def half_of(session: Session, token: str, *, now: datetime) -> tuple[HalfSignIn, Staff, Login]:
    """Whose half sign-in it is. Raises `SignInOver`."""
    half = session.scalar(
        select(HalfSignIn).where(HalfSignIn.token_hash == _hash(token[:200])).with_for_update()
    )
    if half is None or half.ended_at is not None or half.expires_at <= now:
        raise SignInOver(_("This took too long. Please begin again with your password."))
    person = session.get_one(Staff, half.staff_id)
    if person.left_at is not None:
        raise SignInOver(_("This took too long. Please begin again with your password."))
    return half, person, login_of(session, person, locked=True)


def owed(person: Staff, login: Login) -> Owed:
    """What *person* still owes after the password."""
    if login.totp_secret is not None:
        return Owed.CODE
    return Owed.SET_UP if second_factor.is_needed(person.role) else Owed.NOTHING


def check_code(
    session: Session, keys: KeyRing, token: str, code: str, *, now: datetime
) -> tuple[Staff, bool]:
    """End half a sign-in with the second factor; the person, and whether by a recovery code.

    Raises `SignInOver`, `WrongCode` and `TooMany`; the caller commits in each case.
    """
    half, person, login = half_of(session, token, now=now)
    _count(session, "staff_code", person.id, CODE_TRIES, now)
    by_recovery = second_factor.check(session, keys, login, code, now=now)
    forgive(session, "staff_code", person.id)
    half.ended_at = now
    return person, by_recovery


def confirm_set_up(
    session: Session, keys: KeyRing, token: str, code: str, *, now: datetime
) -> tuple[Staff, list[str]]:
    """End half a sign-in by the first code of a second factor; the person's recovery codes."""
    half, person, login = half_of(session, token, now=now)
    if login.totp_secret is not None:
        raise WrongCode(_("There is a second factor already: sign in with its code."))
    _count(session, "staff_code", person.id, CODE_TRIES, now)
    second_factor.confirm(session, keys, login, code, now=now)
    forgive(session, "staff_code", person.id)
    half.ended_at = now
    return person, second_factor.make_recovery_codes(session, login)


def finish(session: Session, token: str, *, now: datetime) -> Staff:
    """End half a sign-in that owes nothing. Raises `SignInOver` where it does."""
    half, person, login = half_of(session, token, now=now)
    if owed(person, login) != Owed.NOTHING:
        raise SignInOver(_("Please sign in with your second factor."))
    half.ended_at = now
    return person


def neighbourhood(address: str) -> str:
    """What tries are counted by: an IPv4 address, or the /64 that an IPv6 one chooses from."""
    try:
        found = ip_address(address)
    except ValueError:
        return address[:45]
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ip_network((found, 64), strict=False))
    return str(found)


def typed_name(name: str) -> str:
    """A name as it is looked up, whatever was typed."""
    # PostgreSQL takes no NUL in a text.
    return name.replace("\0", "�").strip()[:80]


def _half(
    session: Session,
    person: Staff,
    login: Login,
    *,
    now: datetime,
    random_bytes: Callable[[int], bytes],
) -> Half:
    session.execute(delete(HalfSignIn).where(HalfSignIn.expires_at <= now))
    token = random_bytes(TOKEN_BYTES).hex()
    session.add(
        HalfSignIn(
            programme_id=person.programme_id,
            staff_id=person.id,
            token_hash=_hash(token),
            expires_at=now + HALF_LIFE,
        )
    )
    session.flush()
    return Half(person.id, owed(person, login), token)


def _kept(session: Session, name: str) -> _Kept:
    row = session.execute(
        select(Staff.id, Login.password_hash)
        .join(Login, Login.staff_id == Staff.id)
        .where(Staff.name == typed_name(name), Staff.left_at.is_(None))
    ).first()
    return _Kept(None, None) if row is None else _Kept(row[0], row[1])


def _subjects(programme_id: str, name: str, place: str) -> list[tuple[str, str, int]]:
    # What somebody typed as a name may be a password typed into the wrong field: only its hash.
    typed = hashlib.sha256(f"{programme_id} {typed_name(name)}".encode()).hexdigest()[:40]
    return [
        ("staff_name_here", f"{typed} {place}", NAME_TRIES_HERE),
        ("staff_name", typed, NAME_TRIES),
        ("staff_address", place, ADDRESS_TRIES),
    ]


def _count(session: Session, scope: str, subject: str, limit: int, now: datetime) -> None:
    try:
        count_attempt(session, scope, subject, now=now, limit=limit, window=WINDOW)
    except TooMany as error:
        minutes = max(1, error.retry_after_seconds // 60)
        raise TooMany(
            ngettext(
                "Too many tries. Try again in %(num)s minute.",
                "Too many tries. Try again in %(num)s minutes.",
                minutes,
            ),
            error.retry_after_seconds,
            minutes=minutes,
        ) from error


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
