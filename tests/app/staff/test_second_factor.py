"""Codes of an authenticator app, and what stands in for it."""

import base64
import re
import threading
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select

from app.clock import FixedClock
from app.db import Database
from app.errors import Conflict
from app.keys import KeyRing, Purpose
from app.staff import second_factor
from app.staff.errors import WrongCode
from app.staff.links import login_of
from app.staff.login_models import Login, RecoveryCode
from app.staff.models import Role, Staff
from passes.totp import totp


class Phone:
    """An authenticator app that was given the address of a QR code. Its codes come from another
    implementation of RFC 6238 than the one that checks them."""

    def __init__(self, uri: str) -> None:
        query = parse_qs(urlsplit(uri).query)
        self.secret = query["secret"][0]

    def code(self, clock: FixedClock, seconds: int = 0) -> str:
        at = int(clock().timestamp()) + seconds
        return totp(base64.b32decode(self.secret), at, digits=6)


@pytest.fixture
def phone(
    database: Database, kaffa: str, keys: KeyRing, clock: FixedClock, hire: Callable[..., Staff]
) -> Phone:
    """Olga's phone, with the app set up."""
    person = hire()
    with database.write(kaffa) as session:
        login = login_of(session, person)
        phone = Phone(second_factor.begin(keys, login, name="Olga", issuer="Kaffa: beans").uri)
        second_factor.confirm(session, keys, login, phone.code(clock), now=clock())
    clock.advance(timedelta(minutes=2))
    return phone


@pytest.fixture
def check(database: Database, kaffa: str, keys: KeyRing, clock: FixedClock) -> Callable[..., bool]:
    def one(code: str) -> bool:
        with database.write(kaffa) as session:
            login = session.scalars(select(Login).with_for_update()).one()
            return second_factor.check(session, keys, login, code, now=clock())

    return one


def test_owner_and_marketer_need_two_factors_and_nobody_else_does() -> None:
    assert {role for role in Role if second_factor.is_needed(role)} == {"owner", "marketer"}


def test_the_address_in_the_qr_code_is_one_that_apps_read(
    database: Database, kaffa: str, keys: KeyRing, hire: Callable[..., Staff]
) -> None:
    person = hire()
    with database.write(kaffa) as session:
        login = login_of(session, person)
        made = second_factor.begin(keys, login, name="Olga: K", issuer="Café: Kaffa")
        shown_again = second_factor.pending(keys, login, name="Olga: K", issuer="Café: Kaffa")
    assert shown_again == made
    parts = urlsplit(made.uri)
    assert (parts.scheme, parts.netloc) == ("otpauth", "totp")
    assert parts.path.count(":") == 1
    raw = base64.b32decode(parse_qs(parts.query)["secret"][0])
    assert len(raw) == 20
    assert made.secret.replace(" ", "") == parse_qs(parts.query)["secret"][0]


def test_a_code_works_once_and_an_earlier_one_not_after_it(
    phone: Phone, check: Callable[..., bool], clock: FixedClock
) -> None:
    before, code = phone.code(clock, -30), phone.code(clock)
    assert check(f" {code[:3]} {code[3:]} ") is False
    for used in (code, before):
        with pytest.raises(WrongCode):
            check(used)
    clock.advance(timedelta(seconds=30))
    assert check(phone.code(clock)) is False


def test_a_phone_whose_clock_is_half_a_minute_off_still_signs_in_and_one_further_off_does_not(
    phone: Phone, check: Callable[..., bool], clock: FixedClock
) -> None:
    for seconds in (-90, 90):
        with pytest.raises(WrongCode):
            check(phone.code(clock, seconds))
    check(phone.code(clock, -30))
    check(phone.code(clock, 30))


@pytest.mark.parametrize("code", ["", "000000", "12345", "1234567", "١٢٣٤٥٦", "a" * 100_000, "\0"])
def test_a_code_of_any_form_is_just_wrong(
    phone: Phone, check: Callable[..., bool], clock: FixedClock, code: str
) -> None:
    assert phone.code(clock) != code
    with pytest.raises(WrongCode):
        check(code)


def test_the_same_code_sent_by_many_at_once_lets_one_in(
    phone: Phone, check: Callable[..., bool], clock: FixedClock
) -> None:
    code, let_in = phone.code(clock), []

    def come() -> None:
        try:
            check(code)
            let_in.append(True)
        except WrongCode:
            pass

    threads = [threading.Thread(target=come) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(let_in) == 1


def test_the_secret_is_sealed_and_its_key_rotates_without_anybody_noticing(
    phone: Phone,
    check: Callable[..., bool],
    database: Database,
    kaffa: str,
    keys: KeyRing,
    clock: FixedClock,
) -> None:
    def sealed() -> bytes:
        with database.read(kaffa) as session:
            return session.scalars(select(Login.totp_secret)).one() or b""

    before = sealed()
    assert base64.b32decode(phone.secret) not in before
    keys.rotate(Purpose.SECOND_FACTOR)
    keys.retire(Purpose.SECOND_FACTOR, 1)
    check(phone.code(clock))
    assert (before[1:3], sealed()[1:3]) == (b"\0\1", b"\0\2")
    clock.advance(timedelta(seconds=60))
    check(phone.code(clock))


def test_an_app_counts_only_once_a_code_of_it_was_seen(
    phone: Phone,
    check: Callable[..., bool],
    database: Database,
    kaffa: str,
    keys: KeyRing,
    clock: FixedClock,
) -> None:
    with database.write(kaffa) as session:
        login = session.scalars(select(Login)).one()
        other = Phone(second_factor.begin(keys, login, name="Olga", issuer="Kaffa").uri)
        with pytest.raises(WrongCode):
            second_factor.confirm(session, keys, login, phone.code(clock), now=clock())
    with pytest.raises(WrongCode):
        check(other.code(clock))
    assert check(phone.code(clock)) is False
    with database.write(kaffa) as session:
        login = session.scalars(select(Login)).one()
        second_factor.confirm(session, keys, login, other.code(clock), now=clock())
        with pytest.raises(Conflict):
            second_factor.confirm(session, keys, login, other.code(clock), now=clock())
    clock.advance(timedelta(minutes=1))
    with pytest.raises(WrongCode):
        check(phone.code(clock))
    assert check(other.code(clock)) is False


def test_a_recovery_code_stands_in_once_and_new_ones_end_the_old(
    phone: Phone, check: Callable[..., bool], database: Database, kaffa: str
) -> None:
    def make() -> list[str]:
        with database.write(kaffa) as session:
            return second_factor.make_recovery_codes(session, session.scalars(select(Login)).one())

    first = make()
    assert len(set(first)) == 10
    assert all(re.fullmatch(r"[A-Z2-7]{4}(-[A-Z2-7]{4}){3}", each) for each in first)
    assert check(first[0].lower().replace("-", " ")) is True
    with pytest.raises(WrongCode):
        check(first[0])
    with database.read(kaffa) as session:
        assert (
            second_factor.recovery_codes_left(session, session.scalars(select(Staff.id)).one()) == 9
        )
        kept = b"".join(session.scalars(select(RecoveryCode.code_hash)))
    assert first[1].replace("-", "").encode() not in kept
    second = make()
    with pytest.raises(WrongCode):
        check(first[1])
    assert check(second[1]) is True
