"""People and their PINs."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from app.clock import FixedClock
from app.db import Database
from app.errors import Conflict, Invalid, NotFound
from app.programmes.service import create_programme
from app.staff.errors import PinLocked, WrongPin
from app.staff.models import Role, Staff
from app.staff.service import LOCK, PIN_TRIES, add_staff, check_pin, person_by_id

PIN = "274913"

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def programme_id(database: Database, clock: FixedClock) -> str:
    with database.write_all() as session:
        return create_programme(session, slug="kaffa", name="Kaffa", now=clock()).id


@pytest.fixture
def add(database: Database, clock: FixedClock, programme_id: str) -> Callable[..., str]:
    def add_one(**options: Any) -> str:
        person = {"name": "Anna", "role": "cashier", "pin": PIN} | options
        with database.write(programme_id) as session:
            return add_staff(session, programme_id, now=clock(), **person).id

    return add_one


@pytest.fixture
def try_pin(database: Database, clock: FixedClock, programme_id: str) -> Callable[..., str]:
    def try_one(pin: str, name: str = "Anna") -> str:
        with database.write(programme_id) as session:
            return check_pin(session, name, pin, now=clock()).name

    return try_one


@pytest.mark.parametrize("role", [role.value for role in Role])
def test_every_role_can_be_given(
    database: Database, programme_id: str, add: Callable[..., str], role: str
) -> None:
    with database.read(programme_id) as session:
        assert person_by_id(session, add(role=role)).role == role


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "  "},
        {"name": "A" * 81},
        {"role": "boss"},
        {"role": "MANAGER"},
        {"pin": ""},
        {"pin": "12345"},
        {"pin": "1234567"},
        {"pin": "12345a"},
        {"pin": "１２３４５６"},
        {"pin": "111111"},
    ],
)
def test_a_person_that_makes_no_sense_is_refused(
    add: Callable[..., str], wrong: dict[str, str]
) -> None:
    with pytest.raises(Invalid):
        add(**wrong)


def test_a_name_is_given_once_in_a_programme(
    database: Database, clock: FixedClock, add: Callable[..., str]
) -> None:
    add()
    with pytest.raises(Conflict):
        add(pin="860257")
    with database.write_all() as session:
        other = create_programme(session, slug="tea", name="Tea", now=clock())
        add_staff(session, other.id, name="Anna", role="cashier", pin=PIN, now=clock())


def test_a_pin_is_kept_as_an_argon2id_hash_only(
    database: Database, programme_id: str, add: Callable[..., str]
) -> None:
    with database.read(programme_id) as session:
        kept = person_by_id(session, add()).pin_hash
    assert kept.startswith("$argon2id$")
    assert PIN not in kept


def test_the_right_pin_forgives_the_wrong_ones_before_it(
    add: Callable[..., str], try_pin: Callable[..., str]
) -> None:
    add()
    for _ in range(2):
        for _ in range(PIN_TRIES - 1):
            with pytest.raises(WrongPin):
                try_pin("999998")
        assert try_pin(PIN) == "Anna"


def test_five_wrong_pins_lock_the_name_for_five_minutes_and_no_other(
    clock: FixedClock, add: Callable[..., str], try_pin: Callable[..., str]
) -> None:
    add()
    add(name="Marta")
    for _ in range(PIN_TRIES):
        with pytest.raises(WrongPin):
            try_pin("999998")
    with pytest.raises(PinLocked) as locked:
        try_pin(PIN)
    assert locked.value.retry_after_seconds == LOCK.total_seconds() + 1
    assert try_pin(PIN, "Marta") == "Marta"
    clock.advance(LOCK - timedelta(seconds=1))
    with pytest.raises(PinLocked):
        try_pin(PIN)
    clock.advance(timedelta(seconds=1))
    assert try_pin(PIN) == "Anna"


def test_trying_while_locked_does_not_lock_for_longer(
    clock: FixedClock, add: Callable[..., str], try_pin: Callable[..., str]
) -> None:
    add()
    for _ in range(PIN_TRIES):
        with pytest.raises(WrongPin):
            try_pin("999998")
    for _ in range(3):
        clock.advance(timedelta(minutes=1))
        with pytest.raises(PinLocked):
            try_pin("999998")
    clock.advance(timedelta(minutes=2))
    assert try_pin(PIN) == "Anna"


@pytest.mark.parametrize("pin", ["", "0" * 100_000, "27491\x00", "27491３"])
def test_a_pin_of_any_form_is_just_wrong(
    add: Callable[..., str], try_pin: Callable[..., str], pin: str
) -> None:
    add()
    for name in ("Anna", "Nobody"):
        with pytest.raises(WrongPin, match="The name or the PIN is not right"):
            try_pin(pin, name)


def test_who_has_left_signs_in_no_more_but_is_still_known(
    database: Database,
    clock: FixedClock,
    programme_id: str,
    add: Callable[..., str],
    try_pin: Callable[..., str],
) -> None:
    anna = add()
    with database.write(programme_id) as session:
        session.execute(update(Staff).where(Staff.id == anna).values(left_at=clock()))
    with pytest.raises(WrongPin):
        try_pin(PIN)
    with database.read(programme_id) as session:
        assert person_by_id(session, anna).name == "Anna"


def test_a_person_of_another_programme_is_nobody(
    database: Database, clock: FixedClock, add: Callable[..., str]
) -> None:
    anna = add()
    with database.write_all() as session:
        other = create_programme(session, slug="tea", name="Tea", now=clock()).id
    with database.write(other) as session:
        with pytest.raises(NotFound):
            person_by_id(session, anna)
        with pytest.raises(WrongPin):
            check_pin(session, "Anna", PIN, now=clock())
