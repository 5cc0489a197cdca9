"""A visit: a posting without money. It gives what coming gives, and is no receipt in any figure."""

from datetime import timedelta
from typing import Any

import pytest

from app.clock import FixedClock
from app.figures import reading as figures
from app.insight import folding
from app.insight import reading as insight
from app.insight.periods import Period
from app.ledger.check import check
from app.programmes.service import change_settings
from tests.app.till.test_accruals import ask, run

#: A point for 10 euros with what is left over carried, five for coming at most twice a day, and a
#: hundred for buying anything at all; a stamp for coming, and one for a purchase.
SETTINGS: dict[str, Any] = {
    "points": "1",
    "per_amount": "10",
    "carry_remainder": True,
    "stamps": [
        {"code": "coming", "names": {"en": "Coming"}, "size": 8},
        {"code": "buying", "names": {"en": "Buying"}, "size": 8, "at_least": "0.01"},
    ],
    "rules": [
        {
            "name": "come",
            "kind": "visit",
            "role": "always",
            "a_day": 3,
            "gives": {"points": 5},
        },
        {
            "name": "buy",
            "kind": "visit",
            "role": "always",
            "at_least": "0.01",
            "gives": {"points": 100},
        },
    ],
}


@pytest.fixture
def rules(shop: Any, clock: FixedClock) -> None:
    with shop.context.database.write(shop.programme_id) as session:
        change_settings(session, shop.programme_id, SETTINGS, valid_from=clock.now)
    clock.advance(timedelta(seconds=1))


def visit(shop: Any, card: Any, **more: Any) -> Any:
    return shop.accrue(card, 0, **more)


def given(answer: Any) -> dict[str, int]:
    return {each["what"]: each["count"] for each in answer.json["given"]}


def test_a_visit_gives_what_coming_gives_and_nothing_for_money(rules: None, shop: Any) -> None:
    card = shop.issue()
    paid = shop.accrue(card, 950)
    assert (paid.json["points"], given(paid)) == (105, {"coming": 1, "buying": 1})
    came = visit(shop, card)
    assert came.status_code == 201, came.json
    assert (came.json["points"], given(came)) == (5, {"coming": 1})
    assert all("0.00" not in each for each in came.json["explain"]), came.json["explain"]
    # What was too little for a point before is neither lost nor turned into one.
    assert shop.accrue(card, 50).json["points"] == 106
    # The day's three were had: the purchases and the visit are all visits.
    assert visit(shop, card).json["points"] == 0


def test_a_visit_is_posted_once_and_both_ways_answer_alike(rules: None, shop: Any) -> None:
    one, other = shop.issue(), shop.issue()
    body = shop.accrual(one, 0)
    first = shop.ask("POST", "/accruals", body)
    again = shop.ask("POST", "/accruals", body)
    assert first.json == again.json and again.headers["Idempotent-Replay"] == "true"
    assert run(shop, [ask(shop, other, 0), ask(shop, other, 0)]) == [5, 5]
    refused = shop.accrue(one, 0, coupons_minor=1)
    assert refused.status_code == 422, refused.json
    assert shop.accrue(one, -1).status_code == 422
    goods = [{"item": "tea", "quantity": 1, "amount_minor": 0}]
    refused = shop.accrue(one, 0, lines=goods)
    assert refused.status_code == 422 and "no goods" in refused.text, refused.json
    assert (shop.balance(one), shop.balance(other)) == (5, 10)


def test_a_visit_is_taken_back_whole_and_the_taking_back_too(rules: None, shop: Any) -> None:
    card = shop.issue()
    came = visit(shop, card, offline=True)
    undone = shop.ask("POST", "/reversals", shop.posting(posting_id=came.json["posting_id"]))
    assert (undone.status_code, undone.json["points"]) == (201, -5), undone.json
    assert shop.balance(card) == 0 and stamps(shop, card) == {}
    twice = shop.ask("POST", "/reversals", shop.posting(posting_id=came.json["posting_id"]))
    assert twice.status_code == 409, twice.json
    # It does not count among the day's visits any more.
    assert [visit(shop, card).json["points"] for _ in range(4)] == [5, 5, 5, 0]
    back = shop.ask("POST", "/reversals", shop.posting(posting_id=undone.json["posting_id"]))
    assert back.json["points"] == 5 and shop.balance(card) == 20
    assert stamps(shop, card) == {"coming": 5}
    with shop.context.database.read_all() as session:
        assert list(check(session)) == []


def stamps(shop: Any, card: Any) -> dict[str, int]:
    seen = shop.ask("POST", "/presentations", {"code": card.code}).json
    return {each["code"]: each["count"] for each in seen["stamps"] if each["count"]}


def test_visits_are_counted_as_such_and_lower_no_average(
    rules: None, shop: Any, clock: FixedClock
) -> None:
    card, other = shop.issue(), shop.issue()
    shop.accrue(card, 1000)
    for each in (card, other, other):
        assert visit(shop, each).status_code == 201
    undone = visit(shop, card)
    shop.ask("POST", "/reversals", shop.posting(posting_id=undone.json["posting_id"]))
    with shop.context.database.read(shop.programme_id) as session:
        today = figures.read(session, shop.programme_id, "Europe/Riga", now=clock()).today
    assert (today.receipts, today.money_minor) == (1, 1000)
    day = clock.now.date()
    clock.advance(timedelta(minutes=11))
    for _ in range(3):
        with shop.context.database.write_all() as session:
            while folding.step(session, clock.now, 100, []):
                pass
    period = Period(day, day + timedelta(days=1))
    with shop.context.database.read(shop.programme_id) as session:
        found = insight.figures(session, shop.programme_id, period)
    assert (found.visits, found.receipts, found.spend_minor) == (4, 1, 1000)
    assert found.average_minor == 1000
