"""Prepaid passes: entries are bought on a receipt, used one by one, and go with what comes back."""

from typing import Any

import pytest

from app.benefits.check import check
from app.programmes.service import change_settings

SETTINGS: dict[str, Any] = {
    "multipasses": [
        {
            "code": "swim",
            "names": {"en": "Three swims", "de": "Drei Mal Schwimmen"},
            "items": ["SWIM-3"],
            "entries": 3,
            "entry_names": {"en": "A swim", "de": "Einmal Schwimmen"},
            "lasts_months": 1,
        }
    ]
}


@pytest.fixture
def pool(shop: Any) -> Any:
    with shop.context.database.write(shop.programme_id) as session:
        change_settings(session, shop.programme_id, SETTINGS, valid_from=shop.context.clock())
    return shop


def buy(pool: Any, card: Any, pieces: int = 1) -> Any:
    line = {"item": "swim-3 ", "quantity": pieces, "amount_minor": 2000 * pieces}
    answer = pool.accrue(card, 2000 * pieces, lines=[line])
    assert answer.status_code == 201, answer.json
    return answer.json


def enter(pool: Any, card: Any, **more: Any) -> Any:
    body = pool.posting(code=card.code, reward="swim", **more)
    return pool.ask("POST", "/reward-redemptions", body)


def left(pool: Any, card: Any) -> int:
    [tile] = pool.ask("POST", "/presentations", {"code": card.code}).json["rewards"]
    assert tile["can_take"] is (tile["left"] > 0)
    return int(tile["left"])


def whole(pool: Any) -> None:
    with pool.context.database.read_all() as session:
        assert [str(each) for each in check(session)] == []


def test_entries_are_used_one_by_one_and_no_more_than_there_are(pool: Any) -> None:
    card = pool.issue()
    assert left(pool, card) == 0
    assert enter(pool, card).status_code == 409
    buy(pool, card)
    for rest in (2, 1, 0):
        assert enter(pool, card).status_code == 201
        assert left(pool, card) == rest
    assert enter(pool, card).status_code == 409
    whole(pool)


def test_an_entry_used_twice_with_one_id_is_one(pool: Any) -> None:
    card = pool.issue()
    buy(pool, card)
    body = pool.posting(code=card.code, reward="swim")
    answers = [pool.ask("POST", "/reward-redemptions", body) for _ in range(3)]
    assert {each.status_code for each in answers} == {201}
    assert left(pool, card) == 2


def test_an_entry_by_mistake_is_given_back(pool: Any) -> None:
    card = pool.issue()
    buy(pool, card)
    used = enter(pool, card).json["posting_id"]
    undone = pool.ask("POST", "/reversals", pool.posting(posting_id=used))
    assert undone.status_code == 201, undone.json
    assert left(pool, card) == 3
    whole(pool)


def test_what_comes_back_takes_its_entries(pool: Any) -> None:
    card = pool.issue()
    bought = buy(pool, card, pieces=2)
    assert left(pool, card) == 6
    back = pool.ask(
        "POST",
        "/reversals",
        pool.posting(posting_id=bought["posting_id"], lines=[{"position": 1, "quantity": 1}]),
    )
    assert back.status_code == 201, back.json
    assert left(pool, card) == 3
    whole(pool)


def test_points_are_not_taken_for_an_entry(pool: Any) -> None:
    card = pool.issue()
    buy(pool, card)
    assert enter(pool, card, points=5).status_code == 422
    assert left(pool, card) == 3


def test_an_entry_is_named_in_the_members_language(pool: Any) -> None:
    card = pool.issue(language="de")
    buy(pool, card)
    [tile] = pool.ask("POST", "/presentations", {"code": card.code}).json["rewards"]
    assert (tile["name"], tile["kind"]) == ("Einmal Schwimmen", "entry")
