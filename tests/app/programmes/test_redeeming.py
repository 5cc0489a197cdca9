"""How many points may be redeemed."""

from typing import Any

import pytest

from app.errors import Invalid
from app.programmes.redeeming import check_points, most_redeemable
from app.programmes.settings import Settings, settings_from_json


def rules(**settings: Any) -> Settings:
    return settings_from_json({"points": "1", "per_amount": "1"} | settings)


HALF = rules(redeem_maximum_share=50, point_value="0.05", redeem_minimum=10, redeem_step=5)


@pytest.mark.parametrize(
    ("points", "amount_minor", "field"),
    [
        (5, 10000, "points"),
        (12, 10000, "points"),
        (1005, 10000, "points"),
        (10, None, "amount_minor"),
    ],
)
def test_points_outside_minimum_step_and_share_are_refused(
    points: int, amount_minor: int | None, field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        check_points(HALF, points, amount_minor, "EUR")
    assert refused.value.fields.keys() == {field}


def test_points_inside_minimum_step_and_share_are_taken() -> None:
    check_points(HALF, 10, 10000, "EUR")
    check_points(HALF, 1000, 10000, "EUR")  # 50.00 of 100.00
    check_points(rules(), 1, None, "EUR")


def test_the_refusal_says_how_many_may_be_redeemed() -> None:
    with pytest.raises(Invalid, match=r"50 % of €9\.99 .* redeem at most 95\."):
        check_points(HALF, 100, 999, "EUR")  # 4.995 is 99.9 points, in steps of five 95


@pytest.mark.parametrize(
    ("available", "amount_minor", "most"),
    [(2000, 10000, 1000), (303, 10000, 300), (9, 10000, 0), (-5, 10000, 0), (303, None, 300)],
)
def test_the_most_is_what_there_is_within_the_share_in_whole_steps(
    available: int, amount_minor: int | None, most: int
) -> None:
    assert most_redeemable(HALF, available, amount_minor, "EUR") == most


def test_currencies_have_their_own_decimals_here_too() -> None:
    yen = rules(redeem_maximum_share=50, point_value="1")
    assert most_redeemable(yen, 10**6, 999, "JPY") == 499
    assert most_redeemable(yen, 10**6, 999_999, "KWD") == 499
