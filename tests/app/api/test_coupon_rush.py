"""A coupon works once, however many tills ask at once and whichever way: on both databases."""

import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from app.benefits import service as benefits
from app.benefits.check import check
from app.ledger.postings import Circumstances, Given, Present, Request
from app.programmes import giving
from app.programmes.service import change_settings
from app.programmes.terms import rulebook_of

SETTINGS: dict[str, Any] = {
    "coupons": [{"code": "cake", "names": {"en": "A slice of cake"}}],
    "stamps": [{"code": "coffee", "names": {"en": "Coffee"}, "size": 2, "per": "rule"}],
    "rewards": [
        {"code": "free", "names": {"en": "Free"}, "stamps": "coffee"},
        {"code": "mug", "names": {"en": "A mug"}, "points": 1, "stock": 3},
    ],
}


@pytest.fixture
def cafe(shop: Any) -> Any:
    with shop.context.database.write(shop.programme_id) as session:
        change_settings(session, shop.programme_id, SETTINGS, valid_from=shop.context.clock())
    return shop


def give(cafe: Any, card: Any, *given: Given) -> None:
    now = cafe.context.clock()
    with cafe.context.database.write(cafe.programme_id) as session:
        giving.post(
            session,
            rulebook_of(session, cafe.programme_id, now),
            Request(str(uuid.uuid4()), "present", bytes(32)),
            Present(card.account_id, given, "rush"),
            Circumstances(now),
            now=now,
        )


def rush(cafe: Any, path: str, bodies: list[dict[str, Any]]) -> Counter[int]:
    app = cafe.client.application

    def ask(body: dict[str, Any]) -> int:
        with app.test_client() as client:
            return int(replace(cafe, client=client).ask("POST", path, body).status_code)

    with ThreadPoolExecutor(16) as pool:
        return Counter(pool.map(ask, bodies))


def whole(cafe: Any) -> None:
    with cafe.context.database.read_all() as session:
        assert [str(each) for each in check(session)] == []


@pytest.mark.parametrize("turn", range(3))
def test_of_fifty_tills_with_one_coupon_one_redeems_it(cafe: Any, turn: int) -> None:
    card = cafe.issue()
    give(cafe, card, Given("coupon", "cake", 1, "rush"))
    now = cafe.context.clock()
    with cafe.context.database.write(cafe.programme_id) as session:
        [coupon] = benefits.coupons(session, card.account_id, now=now)
        own = benefits.issue_card(session, cafe.context.keys, coupon.id, now=now).code
        coupon_id = coupon.id
    bodies = [
        cafe.posting(code=own) if number % 2 else cafe.posting(code=card.code, coupon_id=coupon_id)
        for number in range(50)
    ]
    assert rush(cafe, "/coupon-redemptions", bodies) == {201: 1, 409: 49}
    whole(cafe)


def test_the_last_rewards_are_taken_exactly(cafe: Any) -> None:
    cards = [cafe.issue() for _ in range(8)]
    for card in cards:
        cafe.accrue(card, 1000)
    bodies = [cafe.posting(code=card.code, reward="mug") for card in cards * 3]
    assert rush(cafe, "/reward-redemptions", bodies) == {201: 3, 409: 21}
    assert sum(cafe.balance(card) for card in cards) == 80 - 3
    whole(cafe)


def test_a_full_card_is_spent_once_at_many_tills(cafe: Any) -> None:
    card = cafe.issue()
    give(cafe, card, Given("stamps", "coffee", 5, "rush"))
    bodies = [cafe.posting(code=card.code, reward="free") for _ in range(20)]
    assert rush(cafe, "/reward-redemptions", bodies) == {201: 2, 409: 18}
    whole(cafe)


def test_the_same_redemption_sent_by_many_at_once_is_one(cafe: Any) -> None:
    card = cafe.issue()
    give(cafe, card, Given("stamps", "coffee", 4, "rush"))
    body = cafe.posting(code=card.code, reward="free")
    assert rush(cafe, "/reward-redemptions", [body] * 20) == {201: 20}
    with cafe.context.database.read(cafe.programme_id) as session:
        [left] = benefits.tallies(session, card.account_id, now=cafe.context.clock())
        assert left.count == 2
    whole(cafe)


def test_accruals_returns_and_redemptions_of_one_account_do_not_wait_for_each_other(
    cafe: Any,
) -> None:
    card = cafe.issue()
    give(cafe, card, Given("coupon", "cake", 8, "rush"), Given("stamps", "coffee", 8, "rush"))
    now = cafe.context.clock()
    with cafe.context.database.write(cafe.programme_id) as session:
        ids = [each.id for each in benefits.coupons(session, card.account_id, now=now)]
        for each in ids:
            benefits.issue_card(session, cafe.context.keys, each, now=now)
    sales = [cafe.accrue(card, 500).json["posting_id"] for _ in range(8)]
    app = cafe.client.application

    def ask(what: tuple[str, dict[str, Any]]) -> int:
        with app.test_client() as client:
            return int(replace(cafe, client=client).ask("POST", *what).status_code)

    wanted: list[tuple[str, dict[str, Any]]] = []
    for coupon_id, sale in zip(ids, sales, strict=True):
        wanted += [
            ("/coupon-redemptions", cafe.posting(code=card.code, coupon_id=coupon_id)),
            ("/reversals", cafe.posting(posting_id=sale)),
            ("/accruals", cafe.accrual(card, 700)),
            ("/reward-redemptions", cafe.posting(code=card.code, reward="free")),
        ]
    with ThreadPoolExecutor(16) as pool:
        statuses = Counter(pool.map(ask, wanted))
    assert statuses == {201: 28, 409: 4}
    whole(cafe)
