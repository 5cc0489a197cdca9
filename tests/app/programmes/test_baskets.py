"""Member prices, closed deals and discounts on one basket."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import Invalid
from app.ledger.postings import Line
from app.programmes.mechanics import discounts, prices
from app.programmes.mechanics.baskets import Basket, Buyer, price_basket
from app.programmes.settings import settings_from_json

DAY = date(2026, 6, 15)
BASE = {"points": "1", "per_amount": "1"}
GOLD = {"tiers": {"levels": [{"code": "gold", "at_least": 100}]}}
PRICES = [
    {"item": "Beans-1kg", "price": "17.90"},
    {"item": "beans-1kg", "price": "15.00", "tiers": ["gold"], "names": {"en": "Golden beans"}},
    {"item": "mug", "price": "5.00", "from": "2026-06-01", "until": "2026-06-15"},
    {"item": "tea", "price": "9.00"},
]
DISCOUNTS = [
    {"code": "all", "names": {"en": "Members"}, "percent": "5"},
    {
        "code": "trade",
        "names": {"en": "Trade"},
        "kind": "marginal",
        "scale": [{"from": "0", "percent": "3"}, {"from": "500", "percent": "10"}],
        "accounts": ["company"],
        "excluded_categories": ["Tobacco"],
    },
]


def basket(
    amount: int, *lines: Line, tier: str | None = None, kind: str = "personal", spent: int = 0,
    given_discounts: list[dict[str, Any]] = DISCOUNTS, day: date = DAY,
) -> Basket:  # fmt: skip
    return price_basket(
        amount,
        lines,
        Buyer(frozenset({tier} if tier else ()), kind, {"trade": spent}),
        prices=prices.read(PRICES),
        discounts=discounts.read(given_discounts),
        day=day,
        exponent=2,
    )


def test_an_amount_alone_gets_the_discount() -> None:
    found = basket(20_00)
    assert (found.to_pay_minor, found.saved_minor, found.discount_minor) == (19_00, 1_00, 1_00)


def test_a_line_at_a_member_price_is_not_discounted_again() -> None:
    found = basket(40_00, Line("BEANS-1KG ", 20_00), Line("cake", 20_00))
    assert [each.price_minor for each in found.lines] == [17_90, 20_00]
    assert found.discount_minor == 1_00
    assert found.to_pay_minor == 17_90 + 19_00


def test_a_closed_deal_is_for_its_tier() -> None:
    assert basket(20_00, Line("beans-1kg", 20_00), tier="gold").to_pay_minor == 15_00
    assert basket(20_00, Line("beans-1kg", 20_00)).to_pay_minor == 17_90


def test_a_price_holds_to_the_end_of_its_last_day() -> None:
    assert basket(8_00, Line("mug", 8_00), given_discounts=[]).to_pay_minor == 5_00
    after = basket(8_00, Line("mug", 8_00), given_discounts=[], day=date(2026, 6, 16))
    assert after.to_pay_minor == 8_00


def test_members_never_pay_more_than_the_label() -> None:
    found = basket(7_00, Line("tea", 7_00), given_discounts=[])
    assert (found.to_pay_minor, found.lines[0].member_price) == (7_00, None)


def test_a_price_is_for_each_piece_and_for_parts_of_one() -> None:
    pieces = basket(60_00, Line("beans-1kg", 60_00, 3), given_discounts=[])
    assert pieces.to_pay_minor == 53_70
    loose = basket(7_00, Line("beans-1kg", 7_00, Decimal("0.35")), given_discounts=[])
    assert loose.to_pay_minor == 6_27, "6.265, rounded half up"


def test_the_best_discount_counts_and_says_what_it_left_out() -> None:
    found = basket(
        1000_00, Line("paint", 900_00), Line("pipe", 100_00, 1, "tobacco"),
        kind="company", spent=400_00,
    )  # fmt: skip
    assert found.discount is not None and found.discount.code == "trade"
    assert found.discount_minor == 3_00 + 80_00
    assert [(part.minor, part.percent) for part in found.parts] == [
        (100_00, Decimal(3)),
        (800_00, Decimal(10)),
    ]
    small = basket(100_00, kind="company")
    assert small.discount is not None and small.discount.code == "all"


@given(st.lists(st.integers(0, 100_00), max_size=6), st.sampled_from([None, "gold"]))
def test_nobody_ever_pays_less_than_nothing_or_more_than_the_labels(
    amounts: list[int], tier: str | None
) -> None:
    lines = [Line(["beans-1kg", "mug", "cake"][n % 3], each) for n, each in enumerate(amounts)]
    found = basket(sum(amounts), *lines, tier=tier)
    assert 0 <= found.to_pay_minor <= found.label_minor == sum(amounts)


def test_settings_keep_and_give_back_what_they_read() -> None:
    read = settings_from_json({**BASE, **GOLD, "discounts": DISCOUNTS, "prices": PRICES})
    assert settings_from_json(read.as_json()) == read
    assert read.as_json()["prices"][2] == {
        "item": "mug", "price": "5.00", "names": {"en": "mug"},
        "from": "2026-06-01", "until": "2026-06-15",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("discounts", [{"code": "a", "names": {"en": "A"}}], "say how much"),
        ("discounts", [{"code": "a", "names": {"en": "A"}, "kind": "slab"}], "give its steps"),
        (
            "discounts",
            [{"code": "a", "names": {"en": "A"}, "percent": "5", "accounts": ["firm"]}],
            "company",
        ),
        (
            "discounts",
            [{"code": "a", "names": {"en": "A"}, "percent": "5", "tiers": ["x"]}],
            "tier",
        ),
        ("prices", [{"item": "a", "price": "-1"}], "Price 1"),
        ("prices", [{"item": "a", "price": "1", "tiers": ["x"]}], "tier"),
        (
            "prices",
            [{"item": "a", "price": "1", "from": "2026-02-02", "until": "2026-01-01"}],
            "day",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_with_what_to_write(
    name: str, value: list[dict[str, Any]], said: str
) -> None:
    with pytest.raises(Invalid) as refused:
        settings_from_json({**BASE, name: value})
    assert said in " ".join(refused.value.fields[name])
