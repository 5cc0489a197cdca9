"""At the till: stamps, rewards and coupons are shown, and redeemed once."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.benefits import service as benefits
from app.benefits.check import check
from app.cards.models import Card
from app.cards.service import replace_card
from app.errors import Conflict
from app.ledger.postings import Circumstances, Given, Present, Request
from app.programmes import giving
from app.programmes.service import change_settings
from app.programmes.terms import rulebook_of

SETTINGS: dict[str, Any] = {
    "static_redeem_limit": 200,
    "stamps": [
        {
            "code": "coffee",
            "names": {"en": "Coffee card", "lv": "Kafijas karte"},
            "size": 3,
            "per": "item",
            "categories": ["coffee"],
        },
        {"code": "visits", "names": {"en": "Visits"}, "size": 10, "at_least": "5.00"},
    ],
    "rewards": [
        {"code": "free", "names": {"en": "Free coffee"}, "stamps": "coffee"},
        {"code": "mug", "names": {"en": "A mug"}, "points": 10, "stock": 1},
        {
            "code": "off",
            "names": {"en": "Money off"},
            "kind": "amount_off",
            "points_from": 5,
            "points_step": 5,
            "points_to": 100,
        },
        {"code": "gold", "names": {"en": "For gold"}, "points": 1, "tiers": ["gold"]},
    ],
    "coupons": [
        {
            "code": "five",
            "names": {"en": "5 EUR off", "lv": "5 EUR atlaide"},
            "kind": "amount_off",
            "amount": "5.00",
            "at_least": "20",
            "valid_days": 30,
        }
    ],
    "tiers": {"levels": [{"code": "gold", "at_least": 100000}]},
}
COFFEES = [{"item": "Latte", "category": "coffee", "quantity": 2, "amount_minor": 600}]


@pytest.fixture
def cafe(shop: Any) -> Any:
    with shop.context.database.write(shop.programme_id) as session:
        change_settings(session, shop.programme_id, SETTINGS, valid_from=shop.context.clock())
    return shop


def give_coupon(cafe: Any, card: Any, *, own_pass: bool = False) -> tuple[str, Card | None]:
    """A coupon of 5 EUR; its id, and its own pass."""
    now = cafe.context.clock()
    with cafe.context.database.write(cafe.programme_id) as session:
        book = rulebook_of(session, cafe.programme_id, now)
        request = Request(str(uuid.uuid4()), "present", bytes(32))
        present = Present(card.account_id, (Given("coupon", "five", 1, "by hand"),), "welcome")
        giving.post(session, book, request, present, Circumstances(now), now=now)
        [coupon] = benefits.coupons(session, card.account_id, now=now)
        made = None
        if own_pass:
            made = benefits.issue_card(session, cafe.context.keys, coupon.id, now=now)
            session.flush()
            session.expunge(made)
        return coupon.id, made


def look(cafe: Any, card: Any) -> Any:
    answer = cafe.ask("POST", "/presentations", {"code": card.code})
    assert answer.status_code == 200
    return answer.json


def reward(cafe: Any, card: Any, code: str, **more: Any) -> Any:
    body = cafe.posting(code=card.code, reward=code, **more)
    return cafe.ask("POST", "/reward-redemptions", body)


def coupon(cafe: Any, card: Any, **more: Any) -> Any:
    return cafe.ask("POST", "/coupon-redemptions", cafe.posting(code=card.code, **more))


def whole(cafe: Any) -> None:
    with cafe.context.database.read_all() as session:
        assert [str(each) for each in check(session)] == []


def test_a_receipt_stamps_its_goods_and_its_visit_and_a_return_unstamps_them(cafe: Any) -> None:
    card = cafe.issue(language="lv")
    accrued = cafe.accrue(card, 600, lines=COFFEES)
    assert accrued.status_code == 201, accrued.json
    assert any("2 no 3" in sentence for sentence in accrued.json["explain"])
    shown = look(cafe, card)["stamps"]
    assert [(each["name"], each["count"], each["size"]) for each in shown] == [
        ("Kafijas karte", 2, 3),
        ("Visits", 1, 10),
    ]
    part = cafe.posting(
        posting_id=accrued.json["posting_id"], lines=[{"position": 1, "quantity": 1}]
    )
    returned = cafe.ask("POST", "/reversals", part)
    assert returned.status_code == 201, returned.json
    # One coffee of two came back, and what is kept is worth less than 5.00.
    assert [each["count"] for each in look(cafe, card)["stamps"]] == [1, 0]
    assert any("Kafijas karte" in sentence for sentence in returned.json["explain"])
    whole(cafe)


def test_a_full_card_is_a_tile_that_can_be_taken_once(cafe: Any) -> None:
    card = cafe.issue()
    tiles = {each["code"]: each for each in look(cafe, card)["rewards"]}
    assert not tiles["free"]["can_take"]
    assert tiles["free"]["why_not"] == "3 stamps are missing."
    assert tiles["gold"]["why_not"] == "It is for members of gold."
    cafe.accrue(card, 900, lines=[COFFEES[0] | {"quantity": 4, "amount_minor": 900}])
    shown = look(cafe, card)
    assert shown["stamps"][0] == {
        "code": "coffee",
        "name": "Coffee card",
        "count": 1,
        "size": 3,
        "full": 1,
        "owed": 0,
    }
    assert {each["code"]: each["can_take"] for each in shown["rewards"]}["free"]
    body = cafe.posting(code=card.code, reward="free", receipt="77")
    taken = cafe.ask("POST", "/reward-redemptions", body)
    assert taken.status_code == 201, taken.json
    assert taken.json["benefit"]["name"] == "Free coffee"
    assert taken.json["benefit"]["gives"] == "goods"
    assert taken.json["explain"][0] == "Redeemed: “Free coffee”."
    again = cafe.ask("POST", "/reward-redemptions", body)
    assert again.headers["Idempotent-Replay"] == "true"
    assert again.json == taken.json
    refused = reward(cafe, card, "free")
    assert (refused.status_code, refused.json["code"]) == (409, "not_enough")
    back = cafe.posting(posting_id=taken.json["posting_id"])
    assert cafe.ask("POST", "/reversals", back).status_code == 201
    assert look(cafe, card)["stamps"][0]["full"] == 1
    whole(cafe)


def test_points_that_the_cashier_chooses_become_money_off(cafe: Any) -> None:
    card = cafe.issue()
    cafe.accrue(card, 4200)
    tile = {each["code"]: each for each in look(cafe, card)["rewards"]}["off"]
    assert (tile["points_from"], tile["points_step"], tile["points_to"]) == (5, 5, 40)
    refused = reward(cafe, card, "off", points=7)
    assert refused.status_code == 422
    assert "steps of 5" in refused.json["detail"]
    taken = reward(cafe, card, "off", points=40, amount_minor=1000)
    assert taken.json["benefit"]["amount_minor"] == 40
    assert taken.json["points"] == -40
    assert cafe.balance(card) == 2
    whole(cafe)


def test_the_last_one_is_gone_for_the_next(cafe: Any) -> None:
    one, other = cafe.issue(), cafe.issue()
    for card in (one, other):
        cafe.accrue(card, 4200)
    assert reward(cafe, one, "mug").status_code == 201
    refused = reward(cafe, other, "mug")
    assert (refused.status_code, refused.json["code"]) == (409, "out_of_stock")
    assert cafe.balance(other) == 42
    assert {each["code"]: each["left"] for each in look(cafe, other)["rewards"]}["mug"] == 0
    whole(cafe)


def test_a_coupon_is_told_apart_by_its_own_code_and_spends_nothing_else(cafe: Any) -> None:
    card = cafe.issue()
    cafe.accrue(card, 4200)
    _, own = give_coupon(cafe, card, own_pass=True)
    shown = look(cafe, own)
    assert shown["card"]["kind"] == "coupon"
    assert (shown["member"], shown["standing"], shown["rewards"]) == (None, None, [])
    assert (shown["coupon"]["name"], shown["coupon"]["amount_minor"]) == ("5 EUR off", 500)
    assert reward(cafe, own, "mug").json["code"] == "scan_the_card"
    held = cafe.ask("POST", "/holds", cafe.posting(code=own.code, points=5))
    assert (held.status_code, held.json["code"]) == (409, "scan_the_card")
    too_small = coupon(cafe, own, amount_minor=1999)
    assert too_small.status_code == 422
    used = coupon(cafe, own, amount_minor=2000, receipt="12")
    assert used.status_code == 201, used.json
    assert used.json["benefit"]["amount_minor"] == 500
    again = look(cafe, own)
    assert (again["outcome"], again["coupon"]) == ("expired", None)
    assert "used" in again["message"]
    assert coupon(cafe, own, amount_minor=2000).json["code"] == "card_refused"
    with cafe.context.database.read(cafe.programme_id) as session:
        assert session.scalar(select(Card.status).where(Card.id == own.id)) == "used"
    whole(cafe)


def test_a_coupon_on_the_members_card_is_used_once_and_comes_back_with_its_receipt(
    cafe: Any,
) -> None:
    card, stranger = cafe.issue(language="lv"), cafe.issue()
    coupon_id, own = give_coupon(cafe, card, own_pass=True)
    [shown] = look(cafe, card)["coupons"]
    assert (shown["id"], shown["name"], shown["can_use"]) == (coupon_id, "5 EUR atlaide", True)
    assert coupon(cafe, stranger, coupon_id=coupon_id, amount_minor=2000).status_code == 404
    assert coupon(cafe, card, amount_minor=2000).status_code == 422
    used = coupon(cafe, card, coupon_id=coupon_id, amount_minor=2500, receipt="12")
    assert used.status_code == 201, used.json
    refused = coupon(cafe, card, coupon_id=coupon_id, amount_minor=2500)
    assert (refused.status_code, refused.json["code"]) == (409, "coupon_not_open")
    assert look(cafe, card)["coupons"] == []
    sale = cafe.accrue(card, 2500, coupons_minor=500, receipt="12").json
    back = cafe.ask("POST", "/reversals", cafe.posting(posting_id=sale["posting_id"]))
    assert back.status_code == 201, back.json
    assert [each["id"] for each in look(cafe, card)["coupons"]] == [coupon_id]
    assert look(cafe, own)["outcome"] == "accepted"
    whole(cafe)


def test_what_rules_give_goes_with_the_part_of_the_receipt_that_it_was_given_for(
    cafe: Any,
) -> None:
    rules = [
        {
            "name": "Big basket",
            "kind": "basket",
            "at_least": "50",
            "gives": {"coupon": {"five": 1}, "gift": {"tote": 1}},
        },
        {
            "name": "Cake",
            "kind": "item",
            "categories": ["cake"],
            "gives": {"stamps": {"visits": 2}},
        },
    ]
    with cafe.context.database.write(cafe.programme_id) as session:
        change_settings(
            session, cafe.programme_id, {"rules": rules}, valid_from=cafe.context.clock()
        )
    card = cafe.issue()
    lines = [
        {"item": "Cake", "category": "cake", "quantity": 2, "amount_minor": 2000},
        {"item": "Beans", "category": "beans", "quantity": 1, "amount_minor": 4000},
    ]
    sale = cafe.accrue(card, 6000, lines=lines)
    assert sale.status_code == 201, sale.json
    shown = look(cafe, card)
    assert [each["code"] for each in shown["coupons"]] == ["five"]
    # Two for each cake, and one for the visit.
    assert shown["stamps"][1]["count"] == 5
    one_cake = cafe.posting(
        posting_id=sale.json["posting_id"], lines=[{"position": 1, "quantity": 1}]
    )
    back = cafe.ask("POST", "/reversals", one_cake).json
    shown = look(cafe, card)
    assert [each["code"] for each in shown["coupons"]] == ["five"], "50.00 are kept"
    assert shown["stamps"][1]["count"] == 3
    other = cafe.posting(posting_id=sale.json["posting_id"], lines=[{"position": 1, "quantity": 1}])
    told = cafe.ask("POST", "/reversals", other).json["explain"]
    shown = look(cafe, card)
    assert (shown["coupons"], shown["stamps"][1]["count"]) == ([], 1)
    assert any(each.startswith("Take the gift back: “tote”") for each in told)
    undone = cafe.ask("POST", "/reversals", cafe.posting(posting_id=back["posting_id"]))
    assert undone.status_code == 201, undone.json
    shown = look(cafe, card)
    assert [each["code"] for each in shown["coupons"]] == ["five"]
    assert shown["stamps"][1]["count"] == 3
    whole(cafe)


def test_another_programmes_coupon_is_none_of_ours(cafe: Any, open_shop: Any) -> None:
    other = open_shop()
    with other.context.database.write(other.programme_id) as session:
        change_settings(session, other.programme_id, SETTINGS, valid_from=other.context.clock())
    theirs = other.issue()
    coupon_id, own = give_coupon(other, theirs, own_pass=True)
    mine = cafe.issue()
    assert coupon(cafe, mine, coupon_id=coupon_id, amount_minor=2500).status_code == 404
    assert coupon(cafe, own, amount_minor=2500).json["outcome"] == "other_programme"
    assert coupon(other, own, amount_minor=2500).status_code == 201
    back = cafe.posting(posting_id=str(uuid.uuid4()))
    assert cafe.ask("POST", "/reversals", back).status_code == 404


def test_a_coupons_pass_is_not_replaced(cafe: Any) -> None:
    _, own = give_coupon(cafe, cafe.issue(), own_pass=True)
    with (
        cafe.context.database.write(cafe.programme_id) as session,
        pytest.raises(Conflict, match="not replaced"),
    ):
        replace_card(session, cafe.context.keys, own.id, now=cafe.context.clock())


def test_a_coupon_ends_with_its_last_local_day(cafe: Any) -> None:
    card = cafe.issue()
    coupon_id, _ = give_coupon(cafe, card)
    cafe.context.clock.advance(timedelta(days=31))
    cafe.session = cafe.sign_in()
    assert look(cafe, card)["coupons"] == []
    refused = coupon(cafe, card, coupon_id=coupon_id, amount_minor=2500)
    assert (refused.status_code, refused.json["code"]) == (409, "coupon_not_open")
    assert "until the end of" in refused.json["detail"]


def test_why_a_reward_cannot_be_had_is_said_in_the_member_s_language(cafe: Any) -> None:
    tiles = {each["code"]: each for each in look(cafe, cafe.issue(language="lv"))["rewards"]}
    assert tiles["free"]["why_not"] == "Trūkst 3 zīmogu."
    assert tiles["gold"]["why_not"] == "Tikai līmeņa gold dalībniekiem."
