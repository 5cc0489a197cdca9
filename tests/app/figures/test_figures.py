"""Figures: every row counts once and at once, whoever has added it up and however far they got."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from app.cards.service import replace_card
from app.clock import FixedClock
from app.context import Context
from app.figures import adding, reading
from app.figures.sums import Sums

#: The programme's zone in these tests is UTC+3 in summer.
ZONE = "Europe/Riga"


def step(context: Context, limit: int = adding.BATCH) -> int:
    with context.database.write_all() as session:
        return adding.step(session, context.clock(), limit)


def read(shop: Any) -> reading.Days:
    with shop.context.database.read(shop.programme_id) as session:
        return reading.read(session, shop.programme_id, ZONE, now=shop.context.clock())


def present(shop: Any, card: Any) -> None:
    answer = shop.ask("POST", "/presentations", {"code": card.code})
    assert answer.status_code in (200, 201), answer.json


def busy_day(shop: Any) -> None:
    """Two cards given, three readings, two receipts of 12.50, one brought back, 5 points spent."""
    one, two = shop.issue(), shop.issue()
    for card in (one, two, two):
        present(shop, card)
    first = shop.accrue(one)
    assert first.status_code == 201, first.json
    assert shop.accrue(two).status_code == 201
    returned = shop.ask("POST", "/reversals", shop.posting(posting_id=first.json["posting_id"]))
    assert returned.status_code == 201, returned.json


DAY = Sums(enrolments=2, scans=3, receipts=2, money_minor=1250, points_in=12)


def test_what_has_just_happened_is_in_the_figures_before_anybody_added_up(shop: Any) -> None:
    busy_day(shop)
    found = read(shop)
    assert found.today == DAY
    assert found.is_complete
    assert found.last_week == Sums()
    assert len(found.days) == 30
    assert found.days[-1] == (date(2026, 6, 1), DAY)


@pytest.mark.parametrize("limit", [1, 2, 1000])
def test_adding_up_changes_no_figure_however_small_its_steps(
    shop: Any, clock: FixedClock, limit: int
) -> None:
    busy_day(shop)
    assert step(shop.context, limit) == 0, "nothing of the last ten minutes is settled"
    clock.advance(timedelta(minutes=11))
    seen, done = read(shop).today, 0
    while more := step(shop.context, limit):
        done += more
        assert read(shop).today == seen == DAY
    assert done >= 8
    assert step(shop.context, limit) == 0


def test_a_step_that_is_lost_is_done_again_and_once(shop: Any, clock: FixedClock) -> None:
    busy_day(shop)
    clock.advance(timedelta(minutes=11))
    with pytest.raises(ZeroDivisionError), shop.context.database.write_all() as session:
        assert adding.step(session, clock()) > 0
        raise ZeroDivisionError
    assert read(shop).today == DAY
    step(shop.context)
    assert read(shop).today == DAY


def test_last_week_is_compared_up_to_the_same_quarter_of_an_hour(
    shop: Any, clock: FixedClock
) -> None:
    # 12:00 in Riga.
    busy_day(shop)
    clock.advance(timedelta(days=7))
    shop.session = shop.sign_in()
    assert read(shop).last_week == Sums(), "12:00 to 12:15 is not over"
    clock.advance(timedelta(minutes=15))
    assert read(shop).last_week == DAY
    assert read(shop).until.strftime("%H:%M") == "12:15"
    step(shop.context)
    assert read(shop).last_week == DAY
    assert read(shop).today == Sums()
    clock.advance(-timedelta(minutes=15))
    assert read(shop).last_week == Sums()


def test_a_day_ends_at_midnight_where_the_shop_is(shop: Any, clock: FixedClock) -> None:
    clock.advance(timedelta(hours=11, minutes=55))  # 23:55 in Riga, 20:55 UTC
    shop.session = shop.sign_in()
    present(shop, shop.issue())
    clock.advance(timedelta(minutes=10))
    present(shop, shop.issue())
    expected = Sums(enrolments=1, scans=1)
    assert [each for _, each in read(shop).days[-2:]] == [expected, expected]
    clock.advance(timedelta(minutes=11))
    step(shop.context)
    assert [each for _, each in read(shop).days[-2:]] == [expected, expected]


def test_a_replaced_card_is_no_enrolment_and_an_offline_receipt_is_a_reading(
    shop: Any, clock: FixedClock
) -> None:
    card = shop.issue()
    with shop.context.database.write(shop.programme_id) as session:
        new = replace_card(session, shop.context.keys, card.id, now=clock())
    late = shop.accrual(new, occurred_at=(clock() - timedelta(minutes=30)).isoformat())
    answer = shop.ask("POST", "/accruals", late | {"offline": True})
    assert answer.status_code == 201, answer.json
    for _ in range(2):
        found = read(shop).today
        assert (found.enrolments, found.scans, found.receipts) == (1, 1, 1)
        clock.advance(timedelta(minutes=11))
        step(shop.context)


def test_a_programme_sees_its_own_figures_alone(
    open_shop: Callable[[], Any], clock: FixedClock
) -> None:
    one, other = open_shop(), open_shop()
    busy_day(one)
    assert read(other).today == Sums()
    clock.advance(timedelta(minutes=11))
    step(one.context)
    assert read(one).today == DAY
    assert read(other).today == Sums()


def test_a_history_too_long_to_read_is_said_to_be_incomplete(
    shop: Any, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "FRESH", 1)
    busy_day(shop)
    assert not read(shop).is_complete
    clock.advance(timedelta(minutes=11))
    step(shop.context)
    assert read(shop).is_complete
    assert read(shop).today == DAY
