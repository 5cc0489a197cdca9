"""Adding staff and checking their PINs."""

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta

from passlib.hash import argon2
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.errors import Conflict, Invalid, NotFound
from app.languages import _
from app.staff.errors import PinLocked, WrongPin
from app.staff.models import Role, Staff

PIN_DIGITS = 6
#: Wrong PINs in a row until the name is locked, and for how long.
PIN_TRIES = 5
LOCK = timedelta(minutes=5)
#: RFC 9106's second recommended setting, with less memory for a small machine: a six-digit PIN is
#: guarded by the lock, not by the hash alone.
PIN_HASH = argon2.using(type="ID", memory_cost=19_456, time_cost=2, parallelism=1)
#: Checked when the name is unknown, so that an unknown name takes as long as a wrong PIN. Written
#: down: computing it took every process longer than most of its imports. No PIN is known for it.
_NOBODY = f"$argon2id$v=19$m={PIN_HASH.memory_cost},t=2,p=1${'A' * 22}${'A' * 43}"


def add_staff(
    session: Session, programme_id: str, *, name: str, role: str, pin: str, now: datetime
) -> Staff:
    """Add a person. Raises `Invalid` for an unknown role or a PIN that is not six digits."""
    if not name.strip() or len(name) > 80:
        raise Invalid(_("A name has 1 to 80 characters."))
    if role not in list(Role):
        raise Invalid(_no_role(role))
    if session.scalar(
        select(Staff.id).where(Staff.programme_id == programme_id, Staff.name == name)
    ):
        raise Conflict(_("There is somebody called '%(name)s' already.", name=name))
    person = Staff(
        programme_id=programme_id, name=name, role=role, pin_hash=hash_pin(pin), created_at=now
    )
    session.add(person)
    session.flush()
    return person


def _no_role(role: str) -> str:
    roles = ", ".join(Role)
    return _("There is no role '%(role)s'; choose one of %(roles)s.", role=role, roles=roles)


def hash_pin(pin: str) -> str:
    """The argon2id hash of a PIN. Raises `Invalid` unless it is six digits, not all the same."""
    if len(pin) != PIN_DIGITS or not pin.isascii() or not pin.isdigit():
        raise Invalid(_("A PIN has six digits."), {"pin": [_("six digits")]})
    if len(set(pin)) == 1:
        raise Invalid(_("That PIN is too easy to guess."), {"pin": [_("not one digit six times")]})
    return str(PIN_HASH.hash(pin))


def make_pin(below: Callable[[int], int] = secrets.randbelow) -> str:
    """A random PIN that `hash_pin` takes; *below* draws a whole number below the one given."""
    while True:
        pin = f"{below(10**PIN_DIGITS):0{PIN_DIGITS}d}"
        if len(set(pin)) > 1:
            return pin


def check_pin(session: Session, name: str, pin: str, *, now: datetime) -> Staff:
    """The person, if the PIN is theirs.

    Raises `WrongPin`, or `PinLocked` after `PIN_TRIES` wrong ones in a row. The caller commits in
    either case: a wrong PIN is counted.
    """
    person = session.scalar(
        select(Staff).where(Staff.name == name, Staff.left_at.is_(None)).with_for_update()
    )
    wrong = WrongPin("The name or the PIN is not right. Try again.")
    if person is None:
        PIN_HASH.verify(pin[:64], _NOBODY)
        raise wrong
    if person.locked_until and person.locked_until > now:
        wait = int((person.locked_until - now).total_seconds()) + 1
        raise PinLocked(
            f"Too many wrong PINs. Try again in {wait} seconds, or ask a manager.", wait
        )
    if PIN_HASH.verify(pin[:64], person.pin_hash):
        person.pin_failures = 0
        person.locked_until = None
        return person
    person.pin_failures += 1
    if person.pin_failures >= PIN_TRIES:
        person.pin_failures = 0
        person.locked_until = now + LOCK
    raise wrong


def person_by_name(session: Session, name: str) -> Staff:
    """The person of that name who works here now. Raises `NotFound`."""
    found = session.scalar(select(Staff).where(Staff.name == name, Staff.left_at.is_(None)))
    if found is None:
        raise NotFound(_("Nobody called %(name)s works here.", name=repr(name)))
    return found


def leave(session: Session, name: str, *, now: datetime) -> None:
    """Somebody leaves: the PIN and every session of theirs end. The name stays taken, since the
    ledger's entries name the person."""
    person_by_name(session, name).left_at = now


def set_role(session: Session, person: Staff, role: str) -> None:
    """Give *person* another role. The caller ends their sessions: they were another's."""
    if role not in list(Role):
        raise Invalid(_no_role(role))
    if role != Role.OWNER:
        keep_an_owner(session, person)
    person.role = role


def keep_an_owner(session: Session, person: Staff) -> None:
    """Raise `Conflict` where *person* is the last owner, who is to go or to be something else."""
    if person.role != Role.OWNER:
        return
    # Locked in order: of two owners who dismiss each other at once, one stays.
    owners = session.scalars(
        select(Staff.id)
        .where(Staff.role == Role.OWNER, Staff.left_at.is_(None))
        .order_by(Staff.id)
        .with_for_update()
    ).all()
    if set(owners) <= {person.id}:
        raise Conflict(
            _("%(name)s is the only owner. Make somebody else an owner first.", name=person.name)
        )


def set_pin(session: Session, name: str, pin: str, *, now: datetime) -> None:
    """Give somebody another PIN, and lift a lock."""
    person = person_by_name(session, name)
    person.pin_hash = hash_pin(pin)
    person.pin_changed_at = now
    person.pin_failures = 0
    person.locked_until = None


def changed_since(session: Session, since: datetime) -> list[tuple[str, datetime]]:
    """Who left or got another PIN after *since*, and when: their earlier PINs are over."""
    rows = session.execute(
        select(Staff.id, Staff.left_at, Staff.pin_changed_at)
        .where(or_(Staff.left_at > since, Staff.pin_changed_at > since))
        .order_by(Staff.id)
    )
    return [
        (row.id, max(at for at in (row.left_at, row.pin_changed_at) if at is not None))
        for row in rows
    ]


def person_by_id(session: Session, staff_id: str) -> Staff:
    """The person of that id, who may have left since. Raises `NotFound`."""
    found = session.scalar(select(Staff).where(Staff.id == staff_id))
    if found is None:
        raise NotFound(_("Nobody of that id works in this programme."))
    return found
