"""What a programme has besides points is read with words for what is wrong; pure rules."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from app.errors import Invalid
from app.ledger.grounds import Kept, KeptLine, count_left
from app.ledger.postings import Line
from app.programmes import worth
from app.programmes.fields import Wrong
from app.programmes.mechanics import coupons, rewards, stamps
from app.programmes.settings import settings_from_json

LINES = (
    Line("Latte", 700, 2, "Coffee"),
    Line("Bagel", 400, 1, "food"),
    Line("Espresso", 300, 3, "coffee"),
    Line("Latte", 0, 1, "coffee"),
)


def card(**more: Any) -> stamps.StampCard:
    [read] = stamps.read([{"code": "c", "names": {"en": "Card"}, "size": 10, **more}])
    return read


def given(each: stamps.StampCard, *, earning: int = 1400, least: int = 0) -> int:
    found = stamps.given([each], LINES, earning_minor=earning, thresholds={"c": least})
    return sum(thing.count for thing in found)


@pytest.mark.parametrize(
    ("more", "count"),
    [
        ({}, 1),
        ({"per": "rule"}, 0),
        ({"per": "item"}, 6),
        ({"per": "item", "categories": ["coffee"]}, 5),
        ({"per": "item", "items": ["LATTE"]}, 2),
        ({"per": "item", "items": ["bagel"], "categories": ["tea"]}, 1),
        ({"per": "item", "categories": ["coffee"], "at_most": 3}, 3),
        ({"per": "item", "categories": ["wine"]}, 0),
    ],
)
def test_a_receipt_stamps_its_visit_or_its_goods(more: dict[str, Any], count: int) -> None:
    assert given(card(**more)) == count


def test_too_small_a_receipt_stamps_nothing() -> None:
    assert given(card(), earning=499, least=500) == 0
    assert given(card(), earning=500, least=500) == 1


def test_what_is_kept_of_the_goods_keeps_its_stamps() -> None:
    each = card(per="item", categories=["coffee"])
    [thing] = stamps.given([each], LINES, earning_minor=1400, thresholds={})
    one_latte_back = {
        1: KeptLine(1000, 350),
        2: KeptLine(1000, 400),
        3: KeptLine(3000, 300),
        4: KeptLine(1000, 0),
    }
    assert count_left(thing.count, thing.grounds, Kept(1050, 1050, one_latte_back)) == 4
    everything = Kept(0, 0, {}, is_nothing=True)
    assert count_left(thing.count, thing.grounds, everything) == 0


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("stamps", {}, "Give a list of at most 50."),
        ("stamps", [{"code": "c", "size": 10}], "Stamp card 1: names is missing."),
        ("stamps", [{"code": "C!", "names": {"en": "x"}, "size": 10}], "small letters"),
        ("stamps", [{"code": "c", "names": {"en": "x"}, "size": 25}], "at most 24"),
        ("stamps", [{"code": "c", "names": {"en": "x"}, "size": 5, "items": ["a"]}], "per: choose"),
        ("stamps", [{"code": "c", "names": {"en": "x"}, "size": 5, "colour": 1}], "no 'colour'"),
        ("rewards", [{"code": "r", "names": {"en": "x"}}], "say what it costs"),
        ("rewards", [{"code": "r", "names": {"en": "x"}, "stamps": "c"}], "no stamp card 'c'"),
        (
            "rewards",
            [{"code": "r", "names": {"en": "x"}, "points": 1, "tiers": ["gold"]}],
            "no tier 'gold'",
        ),
        (
            "rewards",
            [{"code": "r", "names": {"en": "x"}, "kind": "amount_off", "points": 1}],
            "how much an amount_off takes off",
        ),
        (
            "rewards",
            [{"code": "r", "names": {"en": "x"}, "points": 1, "valid_to": "2026-02-30"}],
            'write a day as "2026-06-01"',
        ),
        ("coupons", [{"code": "k", "names": {"en": "x"}, "kind": "percent_off"}], "percent"),
        ("coupons", [{"code": "k", "names": {"en": "x"}}] * 2, "Two have the same code"),
        ("coupons", [{"code": "k", "names": {}}], "write them by language"),
    ],
)
def test_what_makes_no_sense_is_said_with_the_cure(field: str, value: Any, says: str) -> None:
    with pytest.raises(Invalid) as refused:
        settings_from_json({"points": "1", "per_amount": "1", field: value})
    assert says in " ".join(refused.value.fields[field])


def test_the_cashier_chooses_within_what_is_allowed() -> None:
    [reward] = rewards.read(
        [
            {
                "code": "off",
                "names": {"en": "Off"},
                "kind": "amount_off",
                "points_from": 100,
                "points_step": 50,
                "points_to": 250,
            }
        ]
    )
    assert [reward.costs(points) for points in (100, 150, 250)] == [100, 150, 250]
    for points in (None, 50, 120, 300):
        with pytest.raises(Wrong, match="from 100 to 250 points, in steps of 50"):
            reward.costs(points)


def test_a_reward_has_its_days_and_its_tiers() -> None:
    [reward] = rewards.read(
        [
            {
                "code": "r",
                "names": {"en": "R"},
                "points": 1,
                "valid_from": "2026-06-01",
                "valid_to": "2026-06-30",
                "tiers": ["gold"],
            }
        ]
    )
    assert reward.why_not(date(2026, 6, 30), "gold") is None
    assert reward.why_not(date(2026, 5, 31), "gold") == "It can be had from June 1, 2026 on."
    assert reward.why_not(date(2026, 7, 1), "gold") == "It could be had until June 30, 2026."
    assert reward.why_not(date(2026, 6, 1), None) == "It is for members of gold."


def test_a_percentage_is_rounded_down_and_nothing_takes_off_more_than_there_is() -> None:
    [fifth] = coupons.read(
        [{"code": "f", "names": {"en": "F"}, "kind": "percent_off", "percent": "20"}]
    )
    assert worth.of_coupon(fifth, 999, "EUR")["amount_minor"] == 199
    assert worth.of_coupon(fifth, None, "EUR")["amount_minor"] is None
    [five] = coupons.read(
        [{"code": "v", "names": {"en": "V"}, "kind": "amount_off", "amount": "5"}]
    )
    assert worth.of_coupon(five, 300, "EUR")["amount_minor"] == 300
    assert worth.of_coupon(five, 600, "JPY")["amount_minor"] == 5
    assert coupons.read_one(five.as_json()) == five
    assert five.amount == Decimal(5)
