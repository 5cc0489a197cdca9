"""The second factor: codes of an authenticator app (RFC 6238), and recovery codes on paper."""

import base64
import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from passlib.exc import TokenError
from passlib.totp import TOTP
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from app.errors import Conflict
from app.keys import KeyRing, Purpose
from app.languages import _
from app.staff.errors import WrongCode
from app.staff.login_models import Login, RecoveryCode
from app.staff.permissions import SECOND_FACTOR

SECRET_BYTES = 20
#: A phone's clock may be this many seconds off, either way.
WINDOW_SECONDS = 30
RECOVERY_CODES = 10
#: 80 random bits, typed as four groups of four letters.
RECOVERY_BYTES = 10

RandomBytes = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class SetUp:
    """What the person's app is to be given: the text to type, and the address in the QR code."""

    secret: str
    uri: str


def is_needed(role: str) -> bool:
    """Whether somebody of this role signs in with two factors, wanted or not."""
    return role in SECOND_FACTOR


def begin(
    keys: KeyRing, login: Login, *, name: str, issuer: str, random_bytes: RandomBytes | None = None
) -> SetUp:
    """A fresh secret to put into an app; it counts once `confirm` saw a code of it."""
    raw = (random_bytes or secrets.token_bytes)(SECRET_BYTES)
    login.totp_pending = _seal(keys, login, raw)
    return _set_up(raw, name, issuer)


def pending(keys: KeyRing, login: Login, *, name: str, issuer: str) -> SetUp | None:
    """The secret that is being set up, to show the page once more; None where there is none."""
    if login.totp_pending is None:
        return None
    return _set_up(_open(keys, login, login.totp_pending), name, issuer)


def confirm(session: Session, keys: KeyRing, login: Login, code: str, *, now: datetime) -> None:
    """Take the secret that was set up into use. Raises `WrongCode` for a code that is not of it."""
    if login.totp_pending is None:
        raise Conflict(_("There is nothing to confirm. Begin to set up the second factor again."))
    step = _step(_open(keys, login, login.totp_pending), code, now=now, after=0)
    login.totp_secret, login.totp_pending = login.totp_pending, None
    login.totp_since, login.totp_last_step = now, step
    session.flush()


def check(session: Session, keys: KeyRing, login: Login, code: str, *, now: datetime) -> bool:
    """Whether it was a recovery code (else the app's). Raises `WrongCode`. Either works once.

    *login* is a row that was read for update: two who come with the same code at once take turns.
    """
    plain = "".join(code.split()).replace("-", "")[:64]
    if len(plain) != 6 or not plain.isascii() or not plain.isdigit():
        _use_recovery_code(session, login, plain, now=now)
        return True
    if login.totp_secret is None:
        raise _wrong()
    raw = _open(keys, login, login.totp_secret)
    login.totp_last_step = _step(raw, plain, now=now, after=login.totp_last_step)
    if _version(login.totp_secret) != keys.current(Purpose.SECOND_FACTOR).version:
        login.totp_secret = _seal(keys, login, raw)
    session.flush()
    return False


def remove(session: Session, login: Login) -> None:
    """Sign in with the password alone from here on; recovery codes end too."""
    login.totp_secret = login.totp_pending = login.totp_since = None
    login.totp_last_step = 0
    session.execute(delete(RecoveryCode).where(RecoveryCode.staff_id == login.staff_id))
    session.flush()


def make_recovery_codes(
    session: Session, login: Login, *, random_bytes: RandomBytes = secrets.token_bytes
) -> list[str]:
    """Ten fresh codes, shown this once; earlier ones end."""
    session.execute(delete(RecoveryCode).where(RecoveryCode.staff_id == login.staff_id))
    letters = [
        base64.b32encode(random_bytes(RECOVERY_BYTES)).decode() for _ in range(RECOVERY_CODES)
    ]
    session.add_all(
        RecoveryCode(
            programme_id=login.programme_id,
            staff_id=login.staff_id,
            code_hash=_hash(login.staff_id, each),
        )
        for each in letters
    )
    session.flush()
    return ["-".join(each[start : start + 4] for start in range(0, 16, 4)) for each in letters]


def recovery_codes_left(session: Session, staff_id: str) -> int:
    """How many recovery codes of somebody are still good."""
    count = select(func.count(RecoveryCode.id)).where(
        RecoveryCode.staff_id == staff_id, RecoveryCode.used_at.is_(None)
    )
    return session.scalar(count) or 0


def _use_recovery_code(session: Session, login: Login, plain: str, *, now: datetime) -> None:
    used = session.scalars(
        update(RecoveryCode)
        .where(
            RecoveryCode.staff_id == login.staff_id,
            RecoveryCode.code_hash == _hash(login.staff_id, plain.upper()),
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=now)
        .returning(RecoveryCode.id)
    ).all()
    if not used:
        raise _wrong()


def _step(raw: bytes, code: str, *, now: datetime, after: int) -> int:
    """Which thirty seconds the code is of. Raises `WrongCode`, also for one used before."""
    plain = "".join(code.split())[:64]
    if len(plain) != 6 or not plain.isascii() or not plain.isdigit():
        raise _wrong()
    totp = TOTP(key=raw, format="raw")
    try:
        found = totp.match(plain, now, window=WINDOW_SECONDS, last_counter=after)
    except TokenError as error:
        raise _wrong() from error
    return int(found.counter)


def _set_up(raw: bytes, name: str, issuer: str) -> SetUp:
    totp = TOTP(key=raw, format="raw")
    # A colon divides the two in the address.
    uri = totp.to_uri(label=name.replace(":", " "), issuer=issuer.replace(":", " "))
    return SetUp(str(totp.pretty_key(sep=" ")), str(uri))


def _seal(keys: KeyRing, login: Login, raw: bytes) -> bytes:
    return keys.seal(raw, context=_context(login), purpose=Purpose.SECOND_FACTOR)


def _open(keys: KeyRing, login: Login, sealed: bytes) -> bytes:
    return keys.open_sealed(sealed, context=_context(login), purpose=Purpose.SECOND_FACTOR)


def _version(sealed: bytes) -> int:
    return int.from_bytes(sealed[1:3], "big")


def _context(login: Login) -> bytes:
    return f"second factor of {login.staff_id}".encode()


def _hash(staff_id: str, letters: str) -> bytes:
    return hashlib.sha256(f"{staff_id} {letters}".encode()).digest()


def _wrong() -> WrongCode:
    return WrongCode(
        _("This code is not right, or was used already. Wait for the next one in your app."),
        {"code": [_("not right, or used already")]},
    )
