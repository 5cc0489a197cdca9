"""Coupons and rewards of a shop system: once, and given back by a return."""

import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.benefits import service as benefits
from app.benefits.models import Coupon
from app.clock import FixedClock
from app.pos import listing
from app.programmes.service import change_settings
from app.webhooks.models import Event
from tests.app.api.pos.shop_system import ShopSystem
from tests.app.webhooks.test_events import listen

SETTINGS: dict[str, Any] = {
    "rules": [
        {"name": "Welcome", "kind": "basket", "at_least": "5", "first_purchase": True,
         "gives": {"coupon": {"off": 1}}},
    ],
    "coupons": [
        {"code": "off", "names": {"en": "2 EUR off"}, "kind": "amount_off", "amount": "2",
         "at_least": "10"},
    ],
    "rewards": [
        {"code": "latte", "names": {"en": "A latte"}, "kind": "goods", "points": 40},
        {"code": "grinder", "names": {"en": "A grinder"}, "kind": "goods", "points": 300},
        {"code": "gold", "names": {"en": "Gold leaf"}, "kind": "gift", "points": 900},
    ],
}  # fmt: skip


@pytest.fixture
def card(shop: Any, system: ShopSystem, clock: FixedClock) -> Any:
    """A card with 500 points and a coupon."""
    with shop.context.database.write(shop.programme_id) as session:
        change_settings(session, shop.programme_id, SETTINGS, valid_from=clock())
    made = shop.issue()
    assert system.accrue(made, 50000, receipt="R-1").json["points"] == 500
    return made


def coupons(system: ShopSystem, card: Any, query: str = "") -> list[dict[str, Any]]:
    answer = system.ask("GET", f"/accounts/{card.account_id}/coupons{query}")
    assert answer.status_code == 200, answer.json
    return list(answer.json["items"])


def test_a_coupon_is_listed_quoted_and_looked_up(system: ShopSystem, card: Any) -> None:
    [own] = coupons(system, card)
    assert (own["code"], own["amount_minor"], own["can_use"]) == ("off", 200, True)
    assert system.ask("GET", f"/coupons/{own['id']}").json == own
    assert system.ask("GET", "/coupons/nonsense").status_code == 404
    body = {"card": card.code, "amount_minor": 1500, "currency": "EUR"}
    [quoted] = system.ask("POST", "/quote", body).json["redeem"]["coupons"]
    assert (quoted["off_minor"], quoted["can_use"]) == (200, True)
    small = system.ask("POST", "/quote", body | {"amount_minor": 999}).json["redeem"]
    assert (small["coupons"][0]["off_minor"], small["coupons"][0]["can_use"]) == (None, False)


def test_the_coupon_s_own_code_is_enough(shop: Any, system: ShopSystem, card: Any) -> None:
    [own] = coupons(system, card)
    with shop.context.database.write(shop.programme_id) as session:
        made = benefits.issue_card(session, shop.context.keys, own["id"], now=shop.context.clock())
    found = system.ask("POST", "/coupons/search", {"code": made.code})
    assert found.json["id"] == own["id"]
    members = system.ask("POST", "/coupons/search", {"code": card.code})
    assert members.status_code == 404
    body = {"card": made.code, "amount_minor": 1500, "currency": "EUR"}
    assert system.ask("POST", "/quote", body).json["redeem"]["coupons"][0]["off_minor"] == 200
    answer = system.post("/coupon-redemptions", {"card": made.code, "amount_minor": 1500})
    assert (answer.status_code, answer.json["benefit"]["amount_minor"]) == (201, 200)
    seen = system.ask("GET", f"/members/{made.id}")
    assert (seen.json["member"], seen.json["coupon"]["status"]) == (None, "used")


def test_it_is_redeemed_once_and_a_return_gives_it_back(
    shop: Any, system: ShopSystem, card: Any
) -> None:
    listen(shop)
    [own] = coupons(system, card)
    body = {"card": card.id, "coupon_id": own["id"], "amount_minor": 1500}
    first = system.post("/coupon-redemptions", body)
    assert first.status_code == 201, first.json
    again = system.post("/coupon-redemptions", body)
    assert (again.status_code, again.json["code"]) == (409, "coupon_not_open")
    assert coupons(system, card) == []
    assert [each["status"] for each in coupons(system, card, "?all=true")] == ["used"]
    back = system.post("/returns", {"posting_id": first.json["posting_id"]})
    assert back.status_code == 201, back.json
    assert len(coupons(system, card)) == 1
    with shop.context.database.read(shop.programme_id) as session:
        events = [event.type for event in session.scalars(select(Event).order_by(Event.sequence))]
    assert [each for each in events if each.startswith("coupon")] == [
        "coupon.redeemed",
        "coupon.returned",
    ]


def test_a_coupon_that_is_given_is_told(shop: Any, system: ShopSystem, card: Any) -> None:
    listen(shop)
    system.accrue(shop.issue(), 5000)
    with shop.context.database.read(shop.programme_id) as session:
        events = [event.type for event in session.scalars(select(Event).order_by(Event.sequence))]
    assert sorted(events) == ["card.issued", "coupon.issued", "points.accrued"]


def test_of_many_at_once_one_gets_it(system: ShopSystem, card: Any) -> None:
    [own] = coupons(system, card)
    body = {"card": card.id, "coupon_id": own["id"], "amount_minor": 1500}
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: system.post("/coupon-redemptions", body), range(16)))
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 15}


def test_a_reward_needs_what_a_hold_needs(shop: Any, system: ShopSystem, card: Any) -> None:
    quote = {"card": card.code, "amount_minor": 1500, "currency": "EUR"}
    rewards = system.ask("POST", "/quote", quote).json["redeem"]["rewards"]
    assert {each["code"]: each["can_take"] for each in rewards} == {
        "latte": True,
        "grinder": True,
        "gold": False,
    }
    latte = system.post("/reward-redemptions", {"card": card.code, "reward": "latte"})
    assert (latte.status_code, latte.json["points"]) == (201, -40)
    body = {"card": card.code, "reward": "grinder"}
    weak = system.post("/reward-redemptions", body)
    assert (weak.status_code, weak.json["code"]) == (403, "approval_needed")
    manager = {"name": "Marta", "pin": "860257"}
    strong = system.post("/reward-redemptions", body | {"manager": manager})
    assert (strong.status_code, strong.json["points"]) == (201, -300)
    assert system.post("/reward-redemptions", body | {"reward": "moon"}).status_code == 404


def test_rewards_and_holds_share_what_a_static_code_may_redeem_a_day(
    system: ShopSystem, card: Any
) -> None:
    body = {"card": card.code, "reward": "latte"}
    assert system.post("/reward-redemptions", body).status_code == 201
    for path, more in (
        ("/reward-redemptions", body),
        ("/holds", {"card": card.code, "points": 11}),
    ):
        answer = system.post(path, more)
        assert (answer.status_code, answer.json["code"]) == (403, "approval_needed"), path
    assert system.hold(card, 10).status_code == 201


def test_coupons_come_in_pieces_that_miss_none_and_repeat_none(
    shop: Any, system: ShopSystem, card: Any, clock: FixedClock
) -> None:
    with shop.context.database.write(shop.programme_id) as session:
        [first] = session.scalars(select(Coupon))
        for number, days in enumerate((3, None, 3, 1, None, 2, 1)):
            session.add(
                Coupon(
                    programme_id=shop.programme_id,
                    account_id=card.account_id,
                    what=first.what,
                    offer=first.offer,
                    status="used" if number == 5 else "open",
                    valid_from=clock(),
                    expires_at=None if days is None else clock() + timedelta(days=days),
                    issued_at=clock() + timedelta(seconds=number // 2),
                    changed_at=clock(),
                )
            )
    for query in ("", "all=true&"):
        whole = [each["id"] for each in coupons(system, card, f"?{query}")]
        assert len(set(whole)) == (8 if query else 7)
        pieces: list[list[str]] = []
        cursor = ""
        while cursor is not None:
            path = f"/accounts/{card.account_id}/coupons?{query}limit=2{cursor}"
            answer = system.ask("GET", path).json
            pieces.append([each["id"] for each in answer["items"]])
            more = answer["next_cursor"]
            cursor = None if more is None else f"&cursor={more}"
        assert [id_ for piece in pieces for id_ in piece] == whole
        assert [len(piece) for piece in pieces] == ([2, 2, 2, 2] if query else [2, 2, 2, 1])
    ends = [each["expires_at"] for each in coupons(system, card, "?all=true")]
    assert ends == sorted(ends, key=lambda end: (end is None, end))
    other = listing.cursor_of_id(str(uuid.uuid4()))
    for wrong in (other, "MTo0MTc", "x", "limit"):
        answer = system.ask("GET", f"/accounts/{card.account_id}/coupons?cursor={wrong}")
        assert answer.status_code == 422, wrong
    for limit in (0, 201):
        answer = system.ask("GET", f"/accounts/{card.account_id}/coupons?limit={limit}")
        assert answer.status_code == 422, limit


def test_another_programme_s_coupons_are_not_there(
    open_shop: Any, system: ShopSystem, card: Any
) -> None:
    [own] = coupons(system, card)
    theirs = open_shop()
    other = ShopSystem.at(theirs)
    assert other.ask("GET", f"/coupons/{own['id']}").status_code == 404
    assert other.ask("GET", f"/accounts/{card.account_id}/coupons").status_code == 404
    body = {"card": theirs.issue().id, "coupon_id": own["id"], "amount_minor": 1500}
    assert other.post("/coupon-redemptions", body).status_code == 404
