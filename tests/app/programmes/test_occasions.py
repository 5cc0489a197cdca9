"""Presents come on their day, once a year, late rather than not, never in the month of joining."""

import uuid
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app.benefits import service as benefits
from app.cards.service import issue_card
from app.clock import FixedClock
from app.db import Database
from app.errors import Invalid
from app.ledger import service as ledger
from app.ledger.models import Account, AccountKind, Entry
from app.ledger.postings import Adjust, Circumstances, Request
from app.members import service as members
from app.members.service import plain_birthday, read_contact
from app.programmes import occasions
from app.programmes.mechanics.occasions import days_of, read
from app.programmes.service import change_settings
from tests.app.api.programmes import Programme

BIRTHDAY = {"code": "birthday", "names": {"en": "Happy birthday!"}, "on": "birthday", "points": 50}
CAKE = {"code": "cake", "names": {"en": "A cake"}, "kind": "goods", "valid_days": 14}


class Calendar(FixedClock):
    """A clock that is set to a day."""

    def set(self, month: int, day: int, *, year: int = 2026, hour: int = 9) -> None:
        self.now = datetime(year, month, day, hour, tzinfo=UTC)


@pytest.fixture
def moving() -> Calendar:
    return Calendar(datetime(2026, 1, 10, 9, tzinfo=UTC))


@pytest.fixture
def shop(database: Database, moving: Calendar, tmp_path: Path) -> Programme:
    return Programme.alone(database, moving, tmp_path)


def settle(shop: Programme, **settings: Any) -> None:
    with shop.context.database.write(shop.programme_id) as session:
        change_settings(session, shop.programme_id, settings, valid_from=shop.context.clock())


def member(shop: Programme, birthday: str) -> str:
    """Somebody with a card, born on that day; the account's id."""
    context, now = shop.context, shop.context.clock()
    with context.database.write(shop.programme_id) as session:
        person = members.add_member(
            session, context.keys, shop.programme_id,
            read_contact("", "", birthday=birthday), language="en", now=now,
        )  # fmt: skip
        account = ledger.open_account(session, now=now, kind=AccountKind.PERSONAL)
        issue_card(
            session, context.keys, shop.programme_id,
            account_id=account.id, member_id=person.id, now=now,
        )  # fmt: skip
        return account.id


def run(shop: Programme, limit: int = 100) -> int:
    """Everything that is due now."""
    total = 0
    while True:
        with shop.context.database.write_all() as session:
            done = occasions.give(session, shop.context.clock(), limit, shop.context.keys)
        if not done:
            return total
        total += done


def balance(shop: Programme, account_id: str) -> int:
    with shop.context.database.read(shop.programme_id) as session:
        return ledger.standing(session, account_id, now=shop.context.clock()).balance


def test_a_birthday_is_celebrated_once_and_again_next_year(
    shop: Programme, moving: Calendar
) -> None:
    settle(shop, occasions=[BIRTHDAY])
    ada, ben = member(shop, "05-17"), member(shop, "05-18")
    run(shop)
    for day in range(15, 17):
        moving.set(5, day)
        run(shop)
        assert (balance(shop, ada), balance(shop, ben)) == (0, 0)
    moving.set(5, 17)
    for _ in range(3):
        run(shop)
        assert (balance(shop, ada), balance(shop, ben)) == (50, 0)
    moving.set(5, 18)
    run(shop)
    assert (balance(shop, ada), balance(shop, ben)) == (50, 50)
    moving.set(5, 18, year=2027)
    run(shop)
    assert (balance(shop, ada), balance(shop, ben)) == (100, 100)


def test_the_day_is_the_shops_day(shop: Programme, moving: Calendar) -> None:
    settle(shop, occasions=[BIRTHDAY])
    ada = member(shop, "05-17")
    run(shop)
    moving.set(5, 16, hour=20)
    run(shop)
    assert balance(shop, ada) == 0
    moving.set(5, 16, hour=22)  # In Riga it is one o'clock of the 17th.
    run(shop)
    assert balance(shop, ada) == 50


def test_nobody_joins_for_the_present(shop: Programme, moving: Calendar) -> None:
    settle(shop, occasions=[BIRTHDAY])
    ada = member(shop, "01-20")
    run(shop)
    moving.set(1, 20)
    run(shop)
    assert balance(shop, ada) == 0, "joined in January"
    moving.set(1, 20, year=2027)
    run(shop)
    assert balance(shop, ada) == 50


def test_a_service_that_was_away_makes_up_for_a_week(shop: Programme, moving: Calendar) -> None:
    settle(shop, occasions=[BIRTHDAY])
    ada, ben = member(shop, "05-17"), member(shop, "05-10")
    run(shop)
    moving.set(5, 9)
    run(shop)
    moving.set(5, 20)
    run(shop)
    assert (balance(shop, ada), balance(shop, ben)) == (50, 0), "ten days ago is too long"


def test_many_birthdays_are_given_in_small_steps(shop: Programme, moving: Calendar) -> None:
    settle(shop, occasions=[BIRTHDAY])
    people = [member(shop, "05-17") for _ in range(7)]
    moving.set(5, 16)
    run(shop)
    moving.set(5, 17)
    with shop.context.database.write_all() as session:
        assert occasions.give(session, moving(), 3, shop.context.keys) == 3
    assert sum(balance(shop, each) for each in people) == 150
    run(shop, limit=3)
    assert [balance(shop, each) for each in people] == [50] * 7


def test_a_coupon_can_be_a_present_some_days_before(shop: Programme, moving: Calendar) -> None:
    gift = {**BIRTHDAY, "points": 0, "gives": {"coupon": {"cake": 1}}, "days_before": 3}
    settle(shop, occasions=[gift], coupons=[CAKE])
    ada = member(shop, "05-17")
    run(shop)
    moving.set(5, 13)
    run(shop)
    with shop.context.database.read(shop.programme_id) as session:
        assert benefits.coupons(session, ada, now=moving()) == []
    moving.set(5, 14)
    run(shop)
    run(shop)
    with shop.context.database.read(shop.programme_id) as session:
        [coupon] = benefits.coupons(session, ada, now=moving())
        assert coupon.what == "cake"


def test_the_day_of_joining_needs_no_birthday(shop: Programme, moving: Calendar) -> None:
    settle(shop, occasions=[{**BIRTHDAY, "on": "joining", "code": "year", "lasts_days": 10}])
    card = shop.issue()
    run(shop)
    assert balance(shop, card.account_id) == 0
    moving.set(1, 10, year=2027)
    run(shop)
    assert balance(shop, card.account_id) == 50
    moving.set(1, 22, year=2027)
    assert balance(shop, card.account_id) == 0, "the points lasted ten days"


def test_of_two_programmes_each_gives_its_own(shop: Programme, moving: Calendar) -> None:
    other = Programme.open(shop.context, "other")
    for each, points in ((shop, 50), (other, 70)):
        settle(each, occasions=[{**BIRTHDAY, "points": points}])
    ada, ben = member(shop, "05-17"), member(other, "05-17")
    run(shop)
    moving.set(5, 17)
    run(shop)
    assert (balance(shop, ada), balance(other, ben)) == (50, 70)
    with shop.context.database.read_all() as session:
        assert len(session.scalars(select(Entry)).all()) == 2


def test_an_account_that_was_merged_gets_nothing(shop: Programme, moving: Calendar) -> None:
    settle(shop, occasions=[BIRTHDAY])
    ada, into = member(shop, "05-17"), member(shop, "06-01")
    run(shop)
    with shop.context.database.write(shop.programme_id) as session:
        session.get_one(Account, ada).merged_into_id = into
    moving.set(5, 17)
    run(shop)
    with shop.context.database.read(shop.programme_id) as session:
        assert session.scalars(select(Entry)).all() == []


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("05-17", "05-17"), ("--05-17", "05-17"), ("17.5.", "05-17"), ("17.05", "05-17"),
        ("29.2.", "02-29"), ("2-9", "02-09"), ("02-30", None), ("1990-05-17", None),
        ("17.05.1990", None), ("13-01", None), ("x", None), ("", None),
    ],
)  # fmt: skip
def test_a_birthday_is_a_day_and_a_month(typed: str, kept: str | None) -> None:
    assert plain_birthday(typed) == kept


def test_a_year_is_refused_with_what_to_write() -> None:
    with pytest.raises(Invalid) as refused:
        read_contact("", "", birthday="1990-05-17")
    assert "without the year" in refused.value.fields["birthday"][0]


def test_who_was_born_on_29_february_celebrates_every_year() -> None:
    assert days_of(date(2027, 2, 28)) == ["02-28", "02-29"]
    assert days_of(date(2028, 2, 28)) == ["02-28"]
    assert days_of(date(2028, 2, 29)) == ["02-29"]
    every = {day for n in range(366) for day in days_of(date(2027, 1, 1) + timedelta(n))}
    assert len(every) == 366


def test_an_occasion_reads_what_it_keeps() -> None:
    [found] = read([{**BIRTHDAY, "gives": {"stamps": {"coffee": 2}, "gift": {"mug": 1}}}])
    assert read([found.as_json()]) == (found,)


def test_who_cannot_be_given_anything_keeps_nobody_from_theirs(
    shop: Programme, moving: Calendar
) -> None:
    settle(shop, occasions=[BIRTHDAY])
    people = [member(shop, "05-17") for _ in range(3)]
    moving.set(5, 16)
    run(shop)
    moving.set(5, 17)
    with shop.context.database.write(shop.programme_id) as session:
        # The id of the first one's present is taken by something else.
        name = f"{shop.programme_id}/{people[0]}/birthday/2026/points"
        taken = Request(str(uuid.uuid5(occasions._SPACE, name)), "adjustment", bytes(32))
        ledger.post(
            session, taken, Adjust(people[0], 1, "x"), Circumstances(moving()), now=moving()
        )
    run(shop)
    assert [balance(shop, each) for each in people] == [1, 50, 50]
