"""A quote says what the accrual then gives, to whoever asks, and leaves no trace."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from app.clock import FixedClock
from app.ledger.models import Entry
from app.programmes.service import change_settings
from tests.app.api.pos.shop_system import ShopSystem

BASKET: dict[str, Any] = {"amount_minor": 1250, "currency": "EUR"}


def rule(shop: Any, clock: FixedClock, **settings: Any) -> None:
    with shop.context.database.write(shop.programme_id) as session:
        change_settings(session, shop.programme_id, settings, valid_from=clock())


def test_a_quote_is_what_the_accrual_then_gives(
    shop: Any, system: ShopSystem, clock: FixedClock
) -> None:
    rules = [
        {"name": "Coffee", "kind": "item", "categories": ["coffee"], "gives": {"points": 3}},
        {"name": "Big", "kind": "basket", "at_least": "10", "gives": {"points": 20}},
    ]
    rule(shop, clock, rules=rules)
    card = shop.issue()
    lines = [{"item": "latte", "category": "coffee", "quantity": 2, "amount_minor": 1250}]
    body = BASKET | {"card": card.code, "lines": lines}
    for named in (card.code, card.id):
        quoted = system.ask("POST", "/quote", body | {"card": named})
        assert quoted.status_code == 200, quoted.json
    with shop.context.database.read(shop.programme_id) as session:
        assert session.scalar(select(func.count()).select_from(Entry)) == 0
    posted = system.post("/accruals", body)
    assert posted.status_code == 201, posted.json
    assert quoted.json["earn"]["points"] == posted.json["points"] > 12
    assert quoted.json["earn"]["explain"][: len(posted.json["explain"])] == posted.json["explain"]


def test_without_a_card_it_says_what_somebody_new_would_earn(system: ShopSystem) -> None:
    quoted = system.ask("POST", "/quote", BASKET)
    assert quoted.json["earn"]["points"] == 12
    assert quoted.json["redeem"] is None


def test_it_says_how_many_points_may_be_redeemed_on_the_basket(
    shop: Any, system: ShopSystem, rich: Any, clock: FixedClock
) -> None:
    body = BASKET | {"card": rich.code}
    points = system.ask("POST", "/quote", body).json["redeem"]["points"]
    assert (points["maximum"], points["static_limit"], points["point_value"]) == (500, 50, "0.01")
    rule(shop, clock, redeem_maximum_share=20, redeem_step=50)
    assert system.ask("POST", "/quote", body).json["redeem"]["points"]["maximum"] == 250


def test_points_that_are_going_to_be_redeemed_earn_nothing(system: ShopSystem, rich: Any) -> None:
    body = BASKET | {"card": rich.code, "paid_with_points": 500}
    assert system.ask("POST", "/quote", body).json["earn"]["points"] == 7


def test_what_an_accrual_would_refuse_a_quote_refuses(
    shop: Any, system: ShopSystem, clock: FixedClock
) -> None:
    card = shop.issue()
    for wrong, status in (
        ({"currency": "XXX"}, {404, 409, 422}),
        ({"tax_minor": 1251}, {422}),
        ({"lines": [{"item": "x", "quantity": 1, "amount_minor": 1}]}, {422}),
        ({"card": "f" * 16}, {404}),
        ({"card": "X" * 120}, {409}),
        ({"location": "moon"}, {404}),
        ({"occurred_at": (clock() - timedelta(days=15)).isoformat()}, {422}),
    ):
        answer = system.ask("POST", "/quote", BASKET | {"card": card.code} | wrong)
        assert answer.status_code in status, (wrong, answer.json)
        assert answer.mimetype == "application/problem+json"


@pytest.mark.parametrize("lines", [30, 500])
def test_a_basket_may_be_long(shop: Any, system: ShopSystem, lines: int) -> None:
    given = [{"item": f"item {n}", "quantity": 1, "amount_minor": 10} for n in range(lines)]
    body = {"amount_minor": 10 * lines, "currency": "EUR", "lines": given}
    answer = system.ask("POST", "/quote", body | {"card": shop.issue().code})
    assert answer.status_code == 200


def test_it_says_what_the_basket_costs_the_member(
    shop: Any, system: ShopSystem, clock: FixedClock
) -> None:
    rule(
        shop,
        clock,
        discounts=[{"code": "five", "names": {"en": "Five off", "de": "Fünf ab"}, "percent": "5"}],
        prices=[{"item": "beans", "price": "17.90", "names": {"en": "Beans", "de": "Bohnen"}}],
    )
    lines = [
        {"item": "beans", "quantity": 1, "amount_minor": 2000},
        {"item": "cake", "quantity": 1, "amount_minor": 1000},
    ]
    body = {"amount_minor": 3000, "currency": "EUR", "lines": lines}
    card = shop.issue(language="de")
    cost = system.ask("POST", "/quote", body | {"card": card.code}).json["cost"]
    assert (cost["label_minor"], cost["to_pay_minor"], cost["saved_minor"]) == (3000, 2740, 260)
    assert [each["member_price"] for each in cost["lines"]] == ["Bohnen", None]
    assert cost["discount"]["name"] == "Fünf ab"
    assert cost["discount"]["parts"] == [{"amount_minor": 1000, "percent": "5"}]
    new = system.ask("POST", "/quote", body).json["cost"]
    assert new["to_pay_minor"] == 2740, "somebody who joins now pays that too"
