"""What points are called, in any language, and how many decimals money has."""

import pytest
from babel import Locale

from app.errors import Invalid
from app.programmes.wording import check_points_names, currency_exponent, points_label


@pytest.mark.parametrize(("currency", "decimals"), [("EUR", 2), ("JPY", 0), ("KWD", 3)])
def test_a_currency_has_its_own_decimals(currency: str, decimals: int) -> None:
    assert currency_exponent(currency) == decimals


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
