"""Signing in: the password, what is owed after it, links, and how often one may try."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from app.attempts import Attempt
from app.clock import FixedClock
from app.db import Database
from app.errors import Conflict, Invalid, TooMany
from app.keys import KeyRing
from app.programmes.service import create_programme
from app.staff import links, passwords, second_factor, signing_in
from app.staff.errors import LinkOver, SignInOver, WrongCode, WrongPassword
from app.staff.login_models import HalfSignIn, PasswordLink
from app.staff.models import Staff
from app.staff.signing_in import Half, Owed
from tests.app.staff.conftest import PASSWORD
from tests.app.staff.test_second_factor import Phone

Try = Callable[..., Half]


@pytest.fixture
def try_password(database: Database, kaffa: str, clock: FixedClock) -> Try:
    def one(name: str = "Olga", password: str = PASSWORD, address: str = "192.0.2.1") -> Half:
        return signing_in.check_password(
            database, kaffa, name, password, address=address, now=clock()
        )

    return one


def refused(attempt: Callable[[], object]) -> str:
    with pytest.raises((WrongPassword, TooMany)) as error:
        attempt()
    return f"{type(error.value).__name__}: {error.value.message}"


def test_a_right_password_is_half_a_sign_in_and_who_owns_the_programme_owes_the_other_half(
    database: Database, kaffa: str, clock: FixedClock, hire: Callable[..., Staff], try_password: Try
) -> None:
    hire()
    hire("Marta", "manager")
    assert try_password().owed == Owed.SET_UP
    half = try_password(" Marta ")
    assert half.owed == Owed.NOTHING
    with database.write(kaffa) as session:
        assert signing_in.finish(session, half.token, now=clock()).name == "Marta"
        with pytest.raises(SignInOver):
            signing_in.finish(session, half.token, now=clock())
        owner = session.scalars(select(Staff).where(Staff.name == "Olga")).one()
        begun = signing_in.begin(session, owner, now=clock())
        with pytest.raises(SignInOver):
            signing_in.finish(session, begun.token, now=clock())


def test_the_second_factor_is_set_up_in_the_first_sign_in_and_asked_for_from_then_on(
    database: Database,
    kaffa: str,
    keys: KeyRing,
    clock: FixedClock,
    hire: Callable[..., Staff],
    try_password: Try,
) -> None:
    hire()
    half = try_password()
    with database.write(kaffa) as session:
        _, person, login = signing_in.half_of(session, half.token, now=clock())
        phone = Phone(second_factor.begin(keys, login, name=person.name, issuer="Kaffa").uri)
    with database.write(kaffa) as session, pytest.raises(WrongCode):
        signing_in.check_code(session, keys, half.token, phone.code(clock), now=clock())
    with database.write(kaffa) as session:
        _, recovery = signing_in.confirm_set_up(
            session, keys, half.token, phone.code(clock), now=clock()
        )
    clock.advance(timedelta(minutes=1))
    half = try_password()
    assert half.owed == Owed.CODE
    with database.write(kaffa) as session:
        with pytest.raises(SignInOver):
            signing_in.finish(session, half.token, now=clock())
        with pytest.raises(WrongCode):  # who knows the password alone sets up no other phone
            signing_in.confirm_set_up(session, keys, half.token, "123456", now=clock())
        person, by_recovery = signing_in.check_code(
            session, keys, half.token, phone.code(clock), now=clock()
        )
        assert (person.name, by_recovery) == ("Olga", False)
    half = try_password()
    with database.write(kaffa) as session:
        assert signing_in.check_code(session, keys, half.token, recovery[0], now=clock())[1]


def test_half_a_sign_in_lasts_ten_minutes_and_belongs_to_its_programme(
    database: Database, kaffa: str, clock: FixedClock, hire: Callable[..., Staff], try_password: Try
) -> None:
    hire("Marta", "manager")
    half = try_password("Marta")
    with database.write_all() as session:
        other = create_programme(session, slug="tea", name="Tea", now=clock()).id
    with database.write(other) as session, pytest.raises(SignInOver):
        signing_in.finish(session, half.token, now=clock())
    with database.read(kaffa) as session:
        kept = session.scalars(select(HalfSignIn.token_hash)).one()
        assert half.token.encode() not in kept and len(half.token) == 64
    clock.advance(timedelta(minutes=10))
    with database.write(kaffa) as session, pytest.raises(SignInOver):
        signing_in.finish(session, half.token, now=clock())


def test_an_unknown_name_hears_the_same_as_a_wrong_password_and_takes_as_much_work(
    database: Database,
    kaffa: str,
    clock: FixedClock,
    hire: Callable[..., Staff],
    try_password: Try,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hire("Marta", "manager")
    hire("Invited", "manager", password=None)
    gone = hire("Gone", "manager")
    with database.write(kaffa) as session:
        session.execute(update(Staff).where(Staff.id == gone.id).values(left_at=clock()))
    hashed: list[str] = []
    real = passwords.is_password

    def counted(password: str, kept: str | None) -> bool:
        hashed.append(password)
        return real(password, kept)

    monkeypatch.setattr(passwords, "is_password", counted)
    said: dict[str, list[str]] = {}
    for name in ("Marta", "Invited", "Gone", "Nobody", "", "x" * 5000, "'; --", "\0"):
        place = f"192.0.2.{len(said)}"
        said[name] = [refused(lambda: try_password(name, "wrong", place)) for _ in range(7)]  # noqa: B023
    assert len({tuple(each) for each in said.values()}) == 1
    assert [each.split(":")[0] for each in said["Marta"]] == ["WrongPassword"] * 5 + ["TooMany"] * 2
    assert len(hashed) == 5 * len(said)


def test_guessing_is_over_after_five_tries_also_for_the_right_password(
    clock: FixedClock, hire: Callable[..., Staff], try_password: Try
) -> None:
    hire("Marta", "manager")
    hire("Anna", "manager")
    for _ in range(5):
        refused(lambda: try_password("Marta", "wrong"))
    assert refused(lambda: try_password("Marta")).startswith("TooMany")
    assert try_password("Anna").owed == Owed.NOTHING
    assert try_password("Marta", address="198.51.100.7").owed == Owed.NOTHING
    clock.advance(timedelta(minutes=15, seconds=1))
    assert try_password("Marta").owed == Owed.NOTHING


def test_a_right_password_forgives_the_slips_before_it_and_counts_for_nothing(
    database: Database, hire: Callable[..., Staff], try_password: Try
) -> None:
    hire("Marta", "manager")
    for _ in range(3):
        for _ in range(4):
            refused(lambda: try_password("Marta", "wrong"))
        try_password("Marta")
    for _ in range(signing_in.ADDRESS_TRIES):
        try_password("Marta")
    with database.read_all() as session:
        subjects = set(session.scalars(select(Attempt.subject)))
    assert not any("Marta" in each for each in subjects)


def test_many_addresses_guess_at_one_name_no_more_often_than_its_limit(
    hire: Callable[..., Staff], try_password: Try
) -> None:
    hire("Marta", "manager")
    said = [
        refused(lambda place=place: try_password("Marta", "wrong", f"203.0.113.{place}"))
        for place in range(signing_in.NAME_TRIES + 1)
    ]
    assert [each.split(":")[0] for each in said[-2:]] == ["WrongPassword", "TooMany"]


def test_one_address_guesses_at_many_names_no_more_often_than_its_limit(
    hire: Callable[..., Staff], try_password: Try
) -> None:
    hire("Marta", "manager")
    for number in range(signing_in.ADDRESS_TRIES):
        address = f"2001:db8::{number:x}"  # of one /64: whose it is, is one subscriber
        assert "WrongPassword" in refused(
            lambda number=number, address=address: try_password(f"Name {number}", "x", address)
        )
    assert "TooMany" in refused(lambda: try_password("Marta", PASSWORD, "2001:db8::ffff"))
    assert try_password("Marta", PASSWORD, "2001:db8:0:1::1").owed == Owed.NOTHING


def test_guesses_that_come_all_at_once_are_counted_all_the_same(
    hire: Callable[..., Staff], try_password: Try
) -> None:
    hire("Marta", "manager")
    said: list[str] = []

    def guess() -> None:
        said.append(refused(lambda: try_password("Marta", "wrong")).split(":")[0])

    threads = [threading.Thread(target=guess) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said) == ["TooMany"] * 7 + ["WrongPassword"] * 5


def test_codes_are_guessed_at_five_times_whatever_the_half(
    database: Database,
    kaffa: str,
    keys: KeyRing,
    clock: FixedClock,
    hire: Callable[..., Staff],
    try_password: Try,
) -> None:
    person = hire()
    with database.write(kaffa) as session:
        login = links.login_of(session, person)
        phone = Phone(second_factor.begin(keys, login, name="Olga", issuer="Kaffa").uri)
        second_factor.confirm(session, keys, login, phone.code(clock), now=clock())
    clock.advance(timedelta(minutes=1))

    def guess(code: str) -> None:
        half = try_password()
        with database.write(kaffa) as session:
            signing_in.check_code(session, keys, half.token, code, now=clock())

    for number in range(5):
        with pytest.raises(WrongCode):
            guess(f"{(int(phone.code(clock)) + number + 1) % 1_000_000:06d}"[::-1] + "0")
    with pytest.raises(TooMany):
        guess(phone.code(clock))
    clock.advance(timedelta(minutes=16))
    guess(phone.code(clock))


class TestLinks:
    def test_a_link_sets_a_password_once_within_a_day(
        self,
        database: Database,
        kaffa: str,
        clock: FixedClock,
        hire: Callable[..., Staff],
        try_password: Try,
    ) -> None:
        person = hire("Marta", "manager", password=None)
        with database.write(kaffa) as session:
            token = links.make_link(session, person, now=clock())
            kept = session.scalars(select(PasswordLink)).one()
            assert kept.kind == "invitation" and token.encode() not in kept.token_hash
        clock.advance(timedelta(hours=23, minutes=59))
        with database.write(kaffa) as session:
            with pytest.raises(Invalid):
                links.use_link(session, token, "short", programme_name="Kaffa", now=clock())
            used = links.use_link(session, token, PASSWORD, programme_name="Kaffa", now=clock())
            assert used.name == "Marta"
            with pytest.raises(LinkOver):
                links.use_link(
                    session, token, "another one of mine", programme_name="", now=clock()
                )
        assert try_password("Marta").owed == Owed.NOTHING

    def test_a_link_ends_after_a_day_by_the_next_link_and_when_its_owner_leaves(
        self, database: Database, kaffa: str, clock: FixedClock, hire: Callable[..., Staff]
    ) -> None:
        person = hire("Marta", "manager")
        with database.write(kaffa) as session:
            first = links.make_link(session, person, now=clock())
            second = links.make_link(session, person, now=clock())
            assert links.person_of_link(session, second, now=clock())[0].kind == "reset"
            for wrong in (first, "", second.upper(), second + "0", "x" * 10_000):
                with pytest.raises(LinkOver):
                    links.person_of_link(session, wrong, now=clock())
            with pytest.raises(LinkOver):
                links.person_of_link(session, second, now=clock() + links.LIFE)
        with database.write(kaffa) as session:
            session.get_one(Staff, person.id).left_at = clock()
        with database.write(kaffa) as session:
            with pytest.raises(LinkOver):
                links.person_of_link(session, second, now=clock())
            with pytest.raises(Conflict):
                links.make_link(session, session.get_one(Staff, person.id), now=clock())

    def test_only_a_reset_that_says_so_forgets_the_second_factor(
        self,
        database: Database,
        kaffa: str,
        keys: KeyRing,
        clock: FixedClock,
        hire: Callable[..., Staff],
    ) -> None:
        person = hire()
        with database.write(kaffa) as session:
            login = links.login_of(session, person)
            phone = Phone(second_factor.begin(keys, login, name="Olga", issuer="Kaffa").uri)
            second_factor.confirm(session, keys, login, phone.code(clock), now=clock())
            for forgets, owed in ((False, Owed.CODE), (True, Owed.SET_UP)):
                token = links.make_link(session, person, now=clock(), forgets_second_factor=forgets)
                assert signing_in.owed(person, login) == Owed.CODE  # until it is used
                links.use_link(session, token, PASSWORD, programme_name="Kaffa", now=clock())
                assert signing_in.owed(person, login) == owed

    def test_another_password_ends_half_done_sign_ins(
        self,
        database: Database,
        kaffa: str,
        clock: FixedClock,
        hire: Callable[..., Staff],
        try_password: Try,
    ) -> None:
        person = hire("Marta", "manager")
        half = try_password("Marta")
        with database.write(kaffa) as session:
            links.set_password(
                session, person, "quite another one", programme_name="Kaffa", now=clock()
            )
            with pytest.raises(SignInOver):
                signing_in.finish(session, half.token, now=clock())
            assert session.scalar(select(func.count(HalfSignIn.id))) == 0
        refused(lambda: try_password("Marta"))
