"""Who may speak for a till: codes, tokens and cashiers' sessions."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from app.clock import FixedClock
from app.errors import Conflict, Invalid, NotFound, TooMany
from app.staff.models import Staff
from app.till import access
from app.till.errors import EnrolmentRefused, SignInAgain, TillRevoked
from app.till.models import Till

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def writing(shop: Any) -> Any:
    return shop.context.database.write(shop.programme_id)


def till_of(session: Any, shop: Any, name: str = "Counter 1") -> Till:
    return access.till_by_name(session, shop.programme_id, name)


def new_code(shop: Any) -> str:
    with writing(shop) as session:
        return access.new_code(session, till_of(session, shop), now=shop.context.clock())


def enrol(shop: Any, code: str, address: str = "192.0.2.7") -> str:
    with shop.context.database.write_all() as session:
        return access.enrol(session, code, address=address, now=shop.context.clock())[1]


def revoke(shop: Any) -> None:
    with writing(shop) as session:
        access.revoke(session, till_of(session, shop), now=shop.context.clock())


def is_known(shop: Any, token: str) -> bool:
    with shop.context.database.read_all() as session:
        try:
            access.authenticate(session, token)
        except TillRevoked:
            return False
    return True


class TestCodes:
    def test_a_code_has_sixteen_letters_in_four_groups(self, shop: Any) -> None:
        code = new_code(shop)
        assert [len(group) for group in code.split("-")] == [4, 4, 4, 4]
        assert access.CODE_BYTES * 8 >= 64

    def test_a_code_may_be_typed_in_small_letters_and_with_spaces(self, shop: Any) -> None:
        assert is_known(shop, enrol(shop, new_code(shop).lower().replace("-", " ")))

    def test_a_new_code_ends_the_one_before_it(self, shop: Any) -> None:
        first, second = new_code(shop), new_code(shop)
        with pytest.raises(EnrolmentRefused):
            enrol(shop, first)
        assert enrol(shop, second)

    def test_a_revoked_till_s_code_that_nobody_used_ends_with_it(self, shop: Any) -> None:
        code = new_code(shop)
        revoke(shop)
        with pytest.raises(EnrolmentRefused):
            enrol(shop, code)
        assert not is_known(shop, shop.token)

    def test_a_revoked_till_is_let_in_again_by_a_new_code(self, shop: Any) -> None:
        revoke(shop)
        token = enrol(shop, new_code(shop))
        assert is_known(shop, token)
        assert not is_known(shop, shop.token)

    def test_enrolling_again_ends_the_token_before(self, shop: Any) -> None:
        token = enrol(shop, new_code(shop))
        assert (is_known(shop, token), is_known(shop, shop.token)) == (True, False)

    def test_guesses_are_counted_by_address_and_forgotten_in_time(
        self, shop: Any, clock: FixedClock
    ) -> None:
        code = new_code(shop)
        for _ in range(access.ENROL_TRIES):
            with pytest.raises(EnrolmentRefused):
                enrol(shop, "AAAA-AAAA-AAAA-AAAA")
        with pytest.raises(TooMany):
            enrol(shop, code)
        assert enrol(shop, code, address="192.0.2.8")
        clock.advance(access.ENROL_WINDOW + timedelta(seconds=1))
        assert enrol(shop, new_code(shop))

    @pytest.mark.parametrize("code", ["", "-", "x" * 10_000, "ÄÖÜ", "\x00"])
    def test_a_code_of_any_form_is_just_refused(self, shop: Any, code: str) -> None:
        with pytest.raises(EnrolmentRefused):
            enrol(shop, code)


class TestTills:
    @pytest.mark.parametrize("token", ["", "x", "0" * 64, "0" * 100_000])
    def test_a_token_that_was_never_given_is_refused(self, shop: Any, token: str) -> None:
        assert not is_known(shop, token)

    def test_a_till_s_name_is_its_programme_s_own(
        self, shop: Any, open_shop: Callable[[], Any]
    ) -> None:
        other = open_shop()
        with writing(shop) as session, pytest.raises(Conflict):
            access.add_till(
                session,
                shop.programme_id,
                location="old-town",
                name="Counter 1",
                now=shop.context.clock(),
            )
        assert is_known(shop, other.token)

    @pytest.mark.parametrize(
        ("change", "error"),
        [
            ({"name": " "}, Invalid),
            ({"name": "C" * 81}, Invalid),
            ({"location": "harbour"}, NotFound),
        ],
    )
    def test_a_till_that_makes_no_sense_is_not_made(
        self, shop: Any, change: dict[str, str], error: type[Exception]
    ) -> None:
        wanted = {"name": "Counter 2", "location": "old-town"} | change
        with pytest.raises(error), writing(shop) as session:
            access.add_till(session, shop.programme_id, now=shop.context.clock(), **wanted)

    def test_a_till_nobody_made_is_not_found(self, shop: Any) -> None:
        with writing(shop) as session, pytest.raises(NotFound, match="Counter 9"):
            till_of(session, shop, "Counter 9")


class TestSessions:
    def person(self, shop: Any, token: str | None, till: str = "Counter 1") -> str | None:
        """Who the session says stands at the till; nobody when it is over."""
        with writing(shop) as session:
            try:
                at = till_of(session, shop, till)
                return access.cashier(session, at, token, now=shop.context.clock()).name
            except SignInAgain:
                return None

    def test_a_session_names_who_signed_in(self, shop: Any) -> None:
        assert self.person(shop, shop.session) == "Anna"

    @pytest.mark.parametrize("token", [None, "", "0" * 64, "x" * 100_000])
    def test_a_session_that_was_never_made_is_none(self, shop: Any, token: str | None) -> None:
        assert self.person(shop, token) is None

    def test_a_session_ends_after_twelve_hours(self, shop: Any, clock: FixedClock) -> None:
        clock.advance(access.SESSION_LIFE - timedelta(seconds=1))
        assert self.person(shop, shop.session) == "Anna"
        clock.advance(timedelta(seconds=1))
        assert self.person(shop, shop.session) is None

    def test_a_session_is_good_at_its_own_till_only(self, shop: Any) -> None:
        with writing(shop) as session:
            access.add_till(
                session,
                shop.programme_id,
                location="old-town",
                name="Counter 2",
                now=shop.context.clock(),
            )
        assert self.person(shop, shop.session, "Counter 2") is None
        with writing(shop) as session:
            elsewhere = till_of(session, shop, "Counter 2")
            access.sign_out(session, elsewhere, shop.session, now=shop.context.clock())
        assert self.person(shop, shop.session) == "Anna"

    def test_who_leaves_is_signed_out_everywhere(self, shop: Any) -> None:
        with writing(shop) as session:
            session.execute(
                update(Staff)
                .where(Staff.id == shop.staff["Anna"])
                .values(left_at=shop.context.clock())
            )
        assert self.person(shop, shop.session) is None

    def test_a_till_tries_only_so_many_pins(self, shop: Any, clock: FixedClock) -> None:
        def sign_in() -> None:
            with writing(shop) as session:
                access.sign_in(session, till_of(session, shop), "Nobody", "1", now=clock())

        answers = []
        for _ in range(access.WRONG_PINS + 1):
            try:
                sign_in()
            except Exception as error:
                answers.append(type(error).__name__)
        assert answers[-2:] == ["WrongPin", "TooMany"]
        clock.advance(access.WRONG_PIN_WINDOW + timedelta(seconds=1))
        assert shop.sign_in("Anna")

    @pytest.mark.parametrize(("name", "is_manager"), [("Anna", False), ("Marta", True)])
    def test_a_cashier_is_no_manager(self, shop: Any, name: str, is_manager: bool) -> None:
        with writing(shop) as session:
            person = session.get_one(Staff, shop.staff[name])
            assert access.is_manager(person) is is_manager
