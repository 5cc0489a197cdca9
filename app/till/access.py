"""Who may speak for a till: enrolment, the till's token, the cashier's session."""

import base64
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from app.attempts import count_attempt, note_attempt, refuse_if_too_many
from app.cards.service import RandomBytes, hash_token
from app.db import EVERYWHERE, Prepared, Question, enter
from app.errors import Conflict, Invalid, NotFound
from app.languages import _
from app.programmes.models import Location, Programme
from app.programmes.service import location_by_slug
from app.staff import service as staff
from app.staff.errors import PinLocked, WrongPin
from app.staff.models import Role, Staff
from app.till.errors import EnrolmentRefused, OtherProgramme, SignInAgain, TillRevoked
from app.till.models import CashierSession, EnrolmentCode, Till

#: Ten bytes: 80 random bits, typed as four groups of four letters.
CODE_BYTES = 10
CODE_LIFE = timedelta(minutes=15)
ENROL_TRIES = 10
ENROL_WINDOW = timedelta(minutes=15)
#: Wrong PINs at one till, whoever they were for; right ones count for nothing.
WRONG_PINS = 30
WRONG_PIN_WINDOW = timedelta(minutes=5)
SESSION_LIFE = timedelta(hours=12)
#: A manager's PIN approves what is done right after it was typed.
APPROVAL_LIFE = timedelta(minutes=2)
TOKEN_BYTES = 32


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A fresh cashier's session; the token is shown this once."""

    token: str
    expires_at: datetime
    person: Staff


def add_till(
    session: Session,
    programme_id: str,
    *,
    location: str,
    name: str,
    now: datetime,
    random_bytes: RandomBytes = secrets.token_bytes,
) -> tuple[Till, str]:
    """Make a till at a location (its slug); the till and its enrolment code."""
    if not name.strip() or len(name) > 80:
        raise Invalid(
            _("A till's name has 1 to 80 characters."), {"name": [_("1 to 80 characters")]}
        )
    if session.scalar(select(Till.id).where(Till.programme_id == programme_id, Till.name == name)):
        raise Conflict(_("There is a till called '%(name)s' already.", name=name))
    place = location_by_slug(session, programme_id, location)
    till = Till(programme_id=programme_id, location_id=place.id, name=name, created_at=now)
    session.add(till)
    session.flush()
    return till, new_code(session, till, now=now, random_bytes=random_bytes)


def new_code(
    session: Session,
    till: Till,
    *,
    now: datetime,
    random_bytes: RandomBytes = secrets.token_bytes,
) -> str:
    """A code that enrols this till once within 15 minutes; earlier codes of it end now."""
    _end_codes(session, till, now)
    letters = base64.b32encode(random_bytes(CODE_BYTES)).decode()
    session.add(
        EnrolmentCode(
            programme_id=till.programme_id,
            till_id=till.id,
            code_hash=hash_token(letters),
            expires_at=now + CODE_LIFE,
        )
    )
    session.flush()
    return "-".join(letters[start : start + 4] for start in range(0, 16, 4))


def till_by_name(session: Session, programme_id: str, name: str) -> Till:
    """The till of that name. Raises `NotFound`."""
    till = session.scalar(select(Till).where(Till.programme_id == programme_id, Till.name == name))
    if till is None:
        raise NotFound(_("There is no till called %(name)s.", name=repr(name)))
    return till


def revoke(session: Session, till: Till, *, now: datetime) -> None:
    """Refuse the till from now on; what waits in its queue stays there.

    A code that nobody has used yet ends too: it would let the till in again.
    """
    _end_codes(session, till, now)
    _end_sessions(session, till, now)
    session.execute(update(Till).where(Till.id == till.id).values(revoked_at=now, token_hash=None))


def _end_sessions(session: Session, till: Till, now: datetime) -> None:
    session.execute(
        update(CashierSession)
        .where(CashierSession.till_id == till.id, CashierSession.ended_at.is_(None))
        .values(ended_at=now)
    )


def _end_codes(session: Session, till: Till, now: datetime) -> None:
    session.execute(
        update(EnrolmentCode)
        .where(EnrolmentCode.till_id == till.id, EnrolmentCode.used_at.is_(None))
        .values(used_at=now)
    )


def enrol(
    session: Session,
    code: str,
    *,
    address: str,
    now: datetime,
    continues: str | None = None,
    random_bytes: RandomBytes = secrets.token_bytes,
) -> tuple[Till, str]:
    """Turn a code into a till's token, in a session open for all programmes.

    *continues*: the programme whose postings wait on the machine that asks.

    Raises `TooMany` (per *address*), `EnrolmentRefused`, and `OtherProgramme`, which leaves the
    code as good as it was. A till that is enrolled again gets a new token; its old one ends.
    """
    count_attempt(session, "enrol", address, now=now, limit=ENROL_TRIES, window=ENROL_WINDOW)
    letters = code.upper().replace("-", "").replace(" ", "")
    found = session.scalar(
        select(EnrolmentCode)
        .where(EnrolmentCode.code_hash == hash_token(letters), EnrolmentCode.used_at.is_(None))
        .with_for_update()
    )
    if found is None or found.expires_at <= now:
        raise EnrolmentRefused(
            "This code is wrong, was used, or is older than 15 minutes. "
            "Ask for a new one: counterfoil till code."
        )
    till = session.get_one(Till, found.till_id)
    if continues is not None and continues != till.programme_id:
        raise OtherProgramme(
            "This code is for another programme than the one whose postings wait on this till. "
            "Send them first, or give the till another folder; the code stays good meanwhile."
        )
    enter(session, till.programme_id)
    token = random_bytes(TOKEN_BYTES).hex()
    found.used_at = now
    _end_sessions(session, till, now)
    till.token_hash = hash_token(token)
    till.enrolled_at = now
    till.revoked_at = None
    session.flush()
    return till, token


# --- many at once -----------------------------------------------------------------------------

_tills: Any = Till.__table__
_locations: Any = Location.__table__
_programmes: Any = Programme.__table__
_sessions: Any = CashierSession.__table__
_staff: Any = Staff.__table__
_hashes: Any = bindparam("hashes", expanding=True)
_doors = Prepared(
    select(
        _tills.c.token_hash,
        _tills.c.id,
        _tills.c.programme_id,
        _tills.c.location_id,
        _tills.c.revoked_at,
        _locations.c.partner_id,
        _programmes.c.points_names,
        _programmes.c.currency,
        _programmes.c.time_zone,
    )
    .select_from(
        _tills.join(_locations, _locations.c.id == _tills.c.location_id).join(
            _programmes, _programmes.c.id == _tills.c.programme_id
        )
    )
    .where(_tills.c.token_hash.in_(_hashes))
)
_signed_in = Prepared(
    select(_sessions.c.token_hash, _sessions.c.till_id, _staff.c.id, _staff.c.role)
    .select_from(_sessions.join(_staff, _staff.c.id == _sessions.c.staff_id))
    .where(
        _sessions.c.token_hash.in_(_hashes),
        _sessions.c.ended_at.is_(None),
        _sessions.c.expires_at > bindparam("now"),
        _staff.c.left_at.is_(None),
    )
)


class TillAt(NamedTuple):
    """Which till it is and where it stands."""

    id: str
    programme_id: str
    location_id: str


class Place(NamedTuple):
    """Where something is posted without a till: a shop system, for a location or for none."""

    programme_id: str
    location_id: str | None
    id: None = None


class Person(NamedTuple):
    """Who is signed in."""

    id: str
    role: str


@dataclass(frozen=True, slots=True)
class Door:
    """Where a request came in: the till, whose location it stands in, and its programme."""

    till: TillAt
    partner_id: str | None
    points_names: dict[str, dict[str, str]]
    currency: str
    time_zone: str


def doors(session: Session, tokens: Iterable[str]) -> dict[str, Door | TillRevoked]:
    """Which till each token is of, in a session open for all programmes; or that it is of none."""
    hashes = {token: hash_token(token[:200]) for token in set(tokens)}
    rows = _doors(session, {"hashes": sorted(hashes.values())}, programme_id=EVERYWHERE)
    found = {
        row.token_hash: Door(
            TillAt(row.id, row.programme_id, row.location_id),
            row.partner_id,
            row.points_names,
            row.currency,
            row.time_zone,
        )
        for row in rows
        if row.revoked_at is None
    }
    return {token: found.get(mark) or _revoked() for token, mark in hashes.items()}


def doors_asked(tokens: Iterable[str]) -> Question:
    """What `doors` asks, for `app.db.asked_ahead`."""
    hashes = sorted({hash_token(token[:200]) for token in tokens})
    return Question(_doors, {"hashes": hashes}, EVERYWHERE)


def cashiers_asked(sessions: Iterable[str | None], programme_id: str, *, now: datetime) -> Question:
    """What `cashiers` asks of session tokens, for `app.db.asked_ahead`."""
    hashes = sorted({hash_token((each or "")[:200]) for each in sessions})
    return Question(_signed_in, {"hashes": hashes, "now": now}, programme_id)


def cashiers(
    session: Session, asked: Iterable[tuple[str, str | None]], *, now: datetime
) -> dict[tuple[str, str | None], Person | None]:
    """Who is signed in, for each till and session token that is asked for."""
    marks = {each: hash_token((each[1] or "")[:200]) for each in set(asked)}
    if not marks:
        return {}
    rows = _signed_in(session, {"hashes": sorted(set(marks.values())), "now": now})
    found = {(row.till_id, row.token_hash): Person(row.id, row.role) for row in rows}
    return {each: found.get((each[0], mark)) for each, mark in marks.items()}


def check_is(person: Person | Staff | None, staff_id: str) -> str:
    """The id of *person*. Raises `SignInAgain` unless it is the one that the till names."""
    if person is None:
        raise SignInAgain("Please sign in again with your PIN.")
    if person.id != staff_id:
        raise SignInAgain("Another cashier is signed in at this till. Please sign in again.")
    return person.id


def _revoked() -> TillRevoked:
    return TillRevoked(
        "This till is no longer enrolled. Ask for a new code and enrol it again; "
        "what waits in its queue is kept."
    )


def authenticate(session: Session, token: str) -> Till:
    """The till whose token this is, in a session open for all programmes. Raises `TillRevoked`."""
    till = session.scalar(select(Till).where(Till.token_hash == hash_token(token[:200])))
    if till is None or till.revoked_at is not None:
        raise _revoked()
    return till


def sign_in(
    session: Session,
    till: Till,
    name: str,
    pin: str,
    *,
    now: datetime,
    random_bytes: RandomBytes = secrets.token_bytes,
) -> SignedIn:
    """Sign a cashier in at *till*. Raises `WrongPin`, `PinLocked` and `TooMany`."""
    refuse_if_too_many(session, "pin", till.id, now=now, limit=WRONG_PINS, window=WRONG_PIN_WINDOW)
    try:
        person = staff.check_pin(session, name, pin, now=now)
    except (WrongPin, PinLocked):
        note_attempt(session, "pin", till.id, now=now)
        raise
    token = random_bytes(TOKEN_BYTES).hex()
    session.add(
        CashierSession(
            programme_id=till.programme_id,
            till_id=till.id,
            staff_id=person.id,
            token_hash=hash_token(token),
            expires_at=now + SESSION_LIFE,
        )
    )
    session.flush()
    return SignedIn(token, now + SESSION_LIFE, person)


def sign_out(session: Session, till: Till, token: str, *, now: datetime) -> None:
    """End a cashier's session; one that has ended already stays so."""
    session.execute(
        update(CashierSession)
        .where(CashierSession.token_hash == hash_token(token), CashierSession.till_id == till.id)
        .values(ended_at=now)
    )


def cashier(
    session: Session,
    till: Till,
    token: str | None,
    *,
    now: datetime,
    begun_since: datetime | None = None,
) -> Staff:
    """The person behind a cashier's session at this till. Raises `SignInAgain`."""
    ends_after = now if begun_since is None else begun_since + SESSION_LIFE
    person = session.scalar(
        select(Staff)
        .join(CashierSession, CashierSession.staff_id == Staff.id)
        .where(
            CashierSession.token_hash == hash_token((token or "")[:200]),
            CashierSession.till_id == till.id,
            CashierSession.ended_at.is_(None),
            CashierSession.expires_at > ends_after,
            Staff.left_at.is_(None),
        )
    )
    if person is None:
        raise SignInAgain("Please sign in again with your PIN.")
    return person


def approver(session: Session, till: Till, token: str, *, now: datetime) -> Staff:
    """The manager who signed in at this till just now, to approve one thing.

    The session is used up by it. Raises `SignInAgain` where it began more than two minutes ago.
    """
    person = cashier(session, till, token, now=now, begun_since=now - APPROVAL_LIFE)
    sign_out(session, till, token, now=now)
    return person


def known_person(session: Session, staff_id: str) -> str | None:
    """The id, where it is somebody's who works or worked here: a till without a network may say
    anything, and what it says is written down only where it can be true."""
    return session.scalar(select(Staff.id).where(Staff.id == staff_id))


def is_manager(person: Staff | Person) -> bool:
    """Whether this person may approve what a cashier may not do alone."""
    return person.role in {Role.MANAGER, Role.OWNER}
