"""Amounts as cashiers type them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.amounts import LARGEST_MINOR, parse_amount, show_amount
from scanner.errors import ConfigError


@pytest.mark.parametrize(
    ("typed", "exponent", "minor"),
    [
        ("12.50", 2, 1250),
        ("12,50", 2, 1250),
        ("12.5", 2, 1250),
        (" 12 ", 2, 1200),
        ("0.01", 2, 1),
        ("1250", 0, 1250),
        ("1.234", 3, 1234),
        ("1000000.00", 2, LARGEST_MINOR),
        ("0.29", 2, 29),  # 0.29 * 100 is 28.999999999999996 in floats
    ],
)
def test_an_amount_becomes_minor_units(typed: str, exponent: int, minor: int) -> None:
    assert parse_amount(typed, exponent, "EUR") == minor


@pytest.mark.parametrize(
    "typed",
    ["", "-1", "+1", "0", "0.00", "1e3", "12.505", "1,000.00", "12.", ".5", "nan", "twelve",
     "12 EUR", "١٢", "1000000.01", "9" * 400, "12.50\n13"],
)  # fmt: skip
def test_anything_else_is_refused_in_words(typed: str) -> None:
    with pytest.raises(ConfigError, match=r"amount|too fine|zero|more than"):
        parse_amount(typed, 2, "EUR")


def test_a_currency_without_decimals_takes_none() -> None:
    with pytest.raises(ConfigError, match="no decimals"):
        parse_amount("12.5", 0, "JPY")


@given(st.integers(1, LARGEST_MINOR), st.integers(0, 4))
def test_what_is_shown_can_be_typed(minor: int, exponent: int) -> None:
    shown = show_amount(minor, exponent, "EUR").removesuffix(" EUR").replace(",", "")
    assert parse_amount(shown, exponent, "EUR") == minor
