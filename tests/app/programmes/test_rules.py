"""What a receipt earns and what points are called, by the numbers alone."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from babel import Locale
from hypothesis import given
from hypothesis import strategies as st

from app.errors import Invalid
from app.programmes.rules import (
    HIGHEST_AMOUNT_MINOR,
    Settings,
    check_points_names,
    check_time_zone,
    currency_exponent,
    explain_points,
    points_for,
    points_label,
    settings_from_json,
)


def rate(points: str, per_amount: str = "1") -> Settings:
    return settings_from_json({"points": points, "per_amount": per_amount})


@pytest.mark.parametrize(
    ("points", "per_amount", "amount_minor", "exponent", "earned"),
    [
        ("100", "1", 115, 2, 115),  # in binary 1.15 × 100 is 114.99…
        ("3", "1", 10, 2, 0),
        ("10", "1", 30, 2, 3),
        ("0.1", "1", 300, 2, 0),  # in binary 0.1 × 3 is 0.300…04
        ("0.1", "0.3", 300, 2, 1),  # and 0.3 ÷ 0.3 less than one
        ("1", "3", 300, 2, 1),  # one point for every three
        ("1", "3", 299, 2, 0),
        ("1", "3", 600, 2, 2),
        ("1", "3", 100_000_000, 2, 333_333),
        ("1.5", "1", 1999, 2, 29),  # rounded down once, at the end
        ("1", "1", 1250, 2, 12),
        ("1", "100", 1250, 0, 12),  # yen have no decimals
        ("1", "1", 1250, 3, 1),  # dinars have three
        ("1", "0.001", 1250, 3, 1250),
        ("1", "1", 1, 2, 0),
        ("0.000001", "1000000", HIGHEST_AMOUNT_MINOR, 0, 0),
    ],
)
def test_a_receipt_earns_whole_points_rounded_down_once(
    points: str, per_amount: str, amount_minor: int, exponent: int, earned: int
) -> None:
    settings = Settings(Decimal(points), Decimal(per_amount))
    assert points_for(settings, amount_minor, exponent) == earned


rates = st.integers(1, 10**12 - 1).map(lambda digits: Decimal(digits).scaleb(-6))


@given(rates, rates, st.integers(1, HIGHEST_AMOUNT_MINOR), st.sampled_from([0, 2, 3]))
def test_points_are_the_exact_quotient_whatever_the_rate(
    points: Decimal, per_amount: Decimal, amount_minor: int, exponent: int
) -> None:
    exact = Fraction(points) * Fraction(amount_minor, 10**exponent) / Fraction(per_amount)
    assert points_for(Settings(points, per_amount), amount_minor, exponent) == int(exact)


@pytest.mark.parametrize(("currency", "decimals"), [("EUR", 2), ("JPY", 0), ("KWD", 3)])
def test_a_currency_has_its_own_decimals(currency: str, decimals: int) -> None:
    assert currency_exponent(currency) == decimals


@pytest.mark.parametrize(
    ("currency", "amount_minor", "sentence"),
    [
        ("EUR", 1250, "€12.50 at 2 per full €1.00: 25 beans."),
        ("JPY", 1250, "¥1,250 at 2 per full ¥1: 25 beans."),
        ("KWD", 12500, "KWD12.500 at 2 per full KWD1.000: 25 beans."),
    ],
)
def test_the_explanation_says_what_was_paid_and_the_rate(
    currency: str, amount_minor: int, sentence: str
) -> None:
    said = explain_points(rate("2.0"), amount_minor, currency, 25, "beans")
    assert said == sentence


def test_settings_survive_being_kept() -> None:
    settings = Settings(
        Decimal("0.10"), Decimal("3"), 24, redeem_minimum=10, return_policy="only_pending"
    )
    assert settings_from_json(settings.as_json()) == settings
    assert settings.as_json()["points"] == "0.10"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"points": "0"}, "points"),
        ({"points": "-1"}, "points"),
        ({"points": "NaN"}, "points"),
        ({"points": "Infinity"}, "points"),
        ({"points": "one"}, "points"),
        ({"points": True}, "points"),
        ({"points": None}, "points"),
        ({"points": ["1"]}, "points"),
        ({"points": "1e-999999"}, "points"),
        ({"points": "0.0000001"}, "points"),
        ({"points": "1000000"}, "points"),
        ({"points": "999999", "per_amount": "0.000001"}, "points"),
        ({"per_amount": "0"}, "per_amount"),
        ({"redeem_step": 0}, "redeem_step"),
        ({"redeem_step": 1.0}, "redeem_step"),
        ({"redeem_step": True}, "redeem_step"),
        ({"redeem_minimum": "5"}, "redeem_minimum"),
        ({"expires_after_months": -1}, "expires_after_months"),
        ({"debt_floor": 10**10}, "debt_floor"),
        ({"return_policy": "perhaps"}, "return_policy"),
        ({"return_policy": ["allow_debt"]}, "return_policy"),
        ({"return_policy": None}, "return_policy"),
        ({"pointz": "1"}, "pointz"),
    ],
)
def test_a_setting_that_makes_no_sense_is_named(change: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        settings_from_json({"points": "1", "per_amount": "1"} | change)
    assert refused.value.fields.keys() == {field}


def test_every_wrong_setting_is_named_at_once() -> None:
    with pytest.raises(Invalid) as refused:
        settings_from_json({"points": "0", "redeem_step": 0, "colour": "red"})
    assert refused.value.fields.keys() == {"points", "per_amount", "redeem_step", "colour"}


NAMES = {
    "en": {"one": "bean", "other": "beans"},
    "de": {"one": "Bohne", "other": "Bohnen"},
    "lv": {"zero": "pupiņu", "one": "pupiņa", "other": "pupiņas"},
    "ru": {"one": "боб", "few": "боба", "many": "бобов", "other": "боба"},
}


@pytest.mark.parametrize(
    ("language", "points", "label"),
    [
        ("en", 0, "beans"),
        ("en", 1, "bean"),
        ("en", -1, "bean"),
        ("en", 21, "beans"),
        ("de", 1, "Bohne"),
        ("de", 2, "Bohnen"),
        ("lv", 0, "pupiņu"),
        ("lv", 1, "pupiņa"),
        ("lv", 2, "pupiņas"),
        ("lv", 11, "pupiņu"),
        ("lv", 21, "pupiņa"),
        ("lv", 111, "pupiņu"),
        ("ru", 1, "боб"),
        ("ru", 2, "боба"),
        ("ru", 5, "бобов"),
        ("ru", 11, "бобов"),
        ("ru", 21, "боб"),
        ("ru", 112, "бобов"),
        ("ru", -3, "боба"),
    ],
)
def test_points_are_named_as_the_number_asks(language: str, points: int, label: str) -> None:
    assert points_label(NAMES, points, language) == label


@pytest.mark.parametrize("language", ["en", "de", "lv", "ru"])
def test_plurals_are_those_of_cldr(language: str) -> None:
    forms = ("zero", "one", "two", "few", "many", "other")
    names = {language: {form: form for form in forms}}
    cldr = Locale(language).plural_form
    numbers = [*range(1300), 1_000_000, 1_000_001]
    assert [points_label(names, n, language) for n in numbers] == [cldr(n) for n in numbers]


def test_a_language_without_names_of_its_own_uses_another() -> None:
    assert points_label(NAMES, 1, "fr") == "bean"
    assert points_label({"de": NAMES["de"]}, 1, "lv") == "Bohne"
    assert points_label({"ru": {"one": "боб", "other": "бобов"}}, 2, "ru") == "бобов"


@pytest.mark.parametrize(
    "names",
    [
        {},
        {"en": {"one": "bean"}},
        {"en": {"one": "", "other": "beans"}},
        {"en": {"other": " "}},
        {"en": {"other": "b" * 31}},
    ],
)
def test_points_without_a_name_are_refused(names: dict[str, dict[str, str]]) -> None:
    with pytest.raises(Invalid):
        check_points_names(names)


@pytest.mark.parametrize("zone", ["", "Riga", "europe/riga", "../etc/passwd", "UTC+2"])
def test_a_zone_that_is_none_is_refused(zone: str) -> None:
    with pytest.raises(Invalid, match="write one such as Europe/Riga"):
        check_time_zone(zone)
