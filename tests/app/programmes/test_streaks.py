"""A visit in each of so many periods in a row completes a streak, once, and begins the next."""

import uuid
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.clock import FixedClock
from app.db import Database
from app.errors import Invalid
from app.ledger.postings import Accrue, Circumstances, Request, Reverse
from app.programmes import giving
from app.programmes.earning import Sale
from app.programmes.pricing import price
from app.programmes.rules.streaks import Streak
from app.programmes.service import change_settings
from app.programmes.settings import settings_from_json
from app.programmes.terms import rulebook_of
from tests.app.api.programmes import Programme

WEEKS = {
    "name": "Four weeks in a row",
    "kind": "visit",
    "role": "always",
    "streak": {"weeks": 4},
    "gives": {"points": 40},
}
MONDAY = date(2026, 3, 2)


@pytest.fixture
def moving() -> FixedClock:
    return FixedClock(datetime(2026, 3, 2, 9, tzinfo=UTC))


@pytest.fixture
def shop(database: Database, moving: FixedClock, tmp_path: Path) -> Programme:
    shop = Programme.alone(database, moving, tmp_path)
    with database.write(shop.programme_id) as session:
        change_settings(session, shop.programme_id, {"rules": [WEEKS]}, valid_from=moving())
    return shop


def visit(shop: Programme, account_id: str, day: date) -> tuple[str, int]:
    """A receipt of 1 EUR at noon of that day; its posting and points."""
    shop.context.clock.now = now = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)  # type: ignore[attr-defined]
    posting = str(uuid.uuid4())
    with shop.context.database.write(shop.programme_id) as session:
        book = rulebook_of(session, shop.programme_id, now)
        priced = price(session, book, Sale(1_00, "EUR", now), now=now)
        posted = giving.post(
            session, book, Request(posting, "accrual", bytes(32)),
            Accrue(account_id, 1_00, "EUR", **priced.fields()), Circumstances(now), now=now,
        )  # fmt: skip
    return posting, posted.answer["points"]


def test_every_fourth_week_in_a_row_gives_it_once(shop: Programme) -> None:
    account_id = shop.issue().account_id
    points = []
    for week in range(9):
        first = visit(shop, account_id, MONDAY + timedelta(weeks=week, days=week % 7))[1]
        second = visit(shop, account_id, MONDAY + timedelta(weeks=week, days=6))[1]
        points.append((first, second))
    assert points == [(41 if week in (3, 7) else 1, 1) for week in range(9)]


def test_a_week_without_a_visit_begins_it_anew(shop: Programme) -> None:
    account_id = shop.issue().account_id
    weeks = [0, 1, 2, 4, 5, 6, 7]
    points = [visit(shop, account_id, MONDAY + timedelta(weeks=week))[1] for week in weeks]
    assert points == [1, 1, 1, 1, 1, 1, 41]


def test_a_receipt_that_came_back_was_no_visit(shop: Programme) -> None:
    account_id = shop.issue().account_id
    postings = [visit(shop, account_id, MONDAY + timedelta(weeks=week))[0] for week in range(3)]
    now = shop.context.clock()
    with shop.context.database.write(shop.programme_id) as session:
        book = rulebook_of(session, shop.programme_id, now)
        giving.post(
            session, book, Request(str(uuid.uuid4()), "reversal", bytes(32)),
            Reverse(postings[1]), Circumstances(now), now=now,
        )  # fmt: skip
    assert visit(shop, account_id, MONDAY + timedelta(weeks=3))[1] == 1


@given(st.sets(st.integers(0, 60)), st.integers(2, 6))
def test_the_days_of_a_run_are_counted_whatever_else_was_visited(
    others: set[int], count: int
) -> None:
    day = date(2026, 6, 1)
    visited = {day - timedelta(days=each) for each in others if each > 0}
    run = 1
    while day - timedelta(days=run) in visited:
        run += 1
    assert Streak("days", count).is_completed(day, visited) is (run % count == 0)
    assert not Streak("days", count).is_completed(day, {*visited, day})


def test_months_follow_each_other_over_the_year() -> None:
    visited = [date(2025, 11, 30), date(2025, 12, 1)]
    assert Streak("months", 3).is_completed(date(2026, 1, 31), visited)


@pytest.mark.parametrize(
    "wrong",
    [{"years": 2}, {"weeks": 1}, {"weeks": 500}, {"weeks": "4"}, {}, 4, {"days": 2, "weeks": 2}],
)
def test_a_streak_that_makes_no_sense_is_refused(wrong: Any) -> None:
    with pytest.raises(Invalid):
        settings_from_json(
            {"points": "1", "per_amount": "1", "rules": [{**WEEKS, "streak": wrong}]}
        )


def test_a_streak_reads_what_it_keeps() -> None:
    read = settings_from_json({"points": "1", "per_amount": "1", "rules": [WEEKS]})
    assert settings_from_json(read.as_json()) == read
