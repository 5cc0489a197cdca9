"""What a programme's settings may say, and what points are called."""

import json
from decimal import Decimal
from typing import Any

import pytest
from babel import Locale

from app.errors import Invalid
from app.programmes.settings import (
    Settings,
    check_time_zone,
    setting_from_text,
    setting_names,
    settings_from_json,
)
from app.programmes.wording import check_points_names, currency_exponent, points_label


@pytest.mark.parametrize(("currency", "decimals"), [("EUR", 2), ("JPY", 0), ("KWD", 3)])
def test_a_currency_has_its_own_decimals(currency: str, decimals: int) -> None:
    assert currency_exponent(currency) == decimals


#: Every setting, none as it is by default.
EVERYTHING: dict[str, Any] = {
    "points": "0.10",
    "per_amount": "3",
    "expires_after_months": 24,
    "expires_round_up": "quarter",
    "expiry_mode": "inactivity",
    "inactivity_months": 12,
    "pending_days": 14,
    "pending_until_confirmed": False,
    "carry_remainder": True,
    "earn_on": "net",
    "excluded_categories": ["tobacco", "lottery"],
    "bonuses": [
        {"name": "Big shop", "at_least": "99.50", "points": 50},
        {"name": "Welcome", "at_least": "1", "points": 5, "once": "welcome"},
    ],
    "tiers": {
        "levels": [
            {"code": "silver", "at_least": 1, "names": {}, "multiplier": "1"},
            {
                "code": "gold",
                "at_least": 1000,
                "names": {"en": "Gold", "lv": "Zelts"},
                "multiplier": "1.50",
            },
        ],
        "measure": "spend",
        "window": "rolling",
        "downgrade": "one_step",
        "grace_days": 30,
    },
    "rules": [
        {
            "name": "Books",
            "kind": "amount",
            "role": "promotion",
            "from": "2026-06-01T00:00",
            "until": "2026-07-01T12:30",
            "weekdays": ["mon", "sun"],
            "hours": ["08:00-11:00", "22:00-02:00"],
            "locations": ["old-town"],
            "tiers": ["gold"],
            "points": "0.50",
            "per_amount": "1",
            "on": "net",
            "only_categories": ["books"],
        },
        {
            "name": "Breakfast",
            "kind": "basket",
            "role": "always",
            "segments": ["new"],
            "first_purchase": True,
            "at_least": "5.00",
            "contains": [
                {"categories": ["coffee"], "quantity": "1"},
                {"items": ["bun"], "quantity": "2", "at_least": "3"},
            ],
            "a_day": 2,
            "once": "breakfast",
            "most": 3,
            "each": True,
            "worth": 9,
            "gives": {"points": 5, "stamps": {"coffee": 1}, "gift": {"mug": 2}},
        },
        {
            "name": "Buns",
            "kind": "item",
            "role": "base",
            "items": ["bun"],
            "per_quantity": "0.5",
            "gives": {"points": 2},
        },
        {"name": "Twice", "kind": "multiplier", "role": "promotion", "factor": "2.0"},
        {"name": "Visit", "kind": "visit", "role": "base", "gives": {"points": 3}},
    ],
    "stacking": "best",
    "segments": {
        "new": {"joined_within_days": 30},
        "busy": {
            "kinds": ["personal", "company"],
            "tiers": ["gold"],
            "within_days": 90,
            "visits_at_least": 3,
            "visits_at_most": 30,
            "spend_at_least": "0",
            "spend_at_most": "99.50",
        },
    },
    "point_value": "0.005",
    "redeem_minimum": 10,
    "redeem_step": 5,
    "redeem_maximum_share": 50,
    "static_redeem_limit": 0,
    "return_policy": "only_pending",
    "debt_floor": 7,
    "grace_days": 0,
    "expected_redemption": "0.85",
    "adjust_alone_below": 500,
    "stamps": [
        {
            "code": "coffee",
            "names": {"en": "Coffee card", "lv": "Kafijas karte"},
            "size": 10,
            "per": "item",
            "items": ["Latte"],
            "categories": ["coffee"],
            "at_least": "2.50",
            "at_most": 5,
            "lasts_months": 12,
        }
    ],
    "rewards": [
        {"code": "tenth", "names": {"en": "The tenth is free"}, "stamps": "coffee"},
        {
            "code": "off",
            "names": {"en": "Money off"},
            "kind": "amount_off",
            "points_from": 100,
            "points_step": 50,
            "points_to": 1000,
        },
        {
            "code": "fifth",
            "names": {"en": "A fifth off"},
            "kind": "percent_off",
            "points": 300,
            "percent": "20.00",
            "stock": 50,
            "valid_from": "2026-06-01",
            "valid_to": "2026-08-31",
            "tiers": ["gold"],
        },
    ],
    "coupons": [
        {
            "code": "welcome",
            "names": {"en": "5 EUR off"},
            "kind": "amount_off",
            "amount": "5.00",
            "at_least": "20",
            "valid_days": 30,
            "valid_to": "2026-12-31",
            "tiers": ["silver"],
        }
    ],
    "discounts": [
        {
            "code": "trade",
            "names": {"en": "Trade"},
            "kind": "marginal",
            "scale": [{"from": "0", "percent": "3.5"}, {"from": "500.00", "percent": "5"}],
            "months": 12,
            "tiers": ["gold"],
            "accounts": ["company"],
            "excluded_categories": ["tobacco"],
        }
    ],
    "prices": [
        {
            "item": "beans",
            "price": "17.90",
            "names": {"en": "Beans"},
            "tiers": ["gold"],
            "from": "2026-06-01",
            "until": "2026-06-30",
        }
    ],
    "multipasses": [
        {
            "code": "swim10",
            "names": {"en": "Ten swims"},
            "items": ["SWIM-10"],
            "entries": 10,
            "entry_names": {"en": "A swim"},
            "lasts_months": 12,
        }
    ],
    "clubs": [
        {
            "code": "friends",
            "names": {"en": "Friends"},
            "months": 12,
            "items": ["MEMBER-12"],
            "renew_days": 14,
        }
    ],
    "occasions": [
        {
            "code": "birthday",
            "names": {"en": "Happy birthday!"},
            "on": "birthday",
            "points": 50,
            "gives": {"coupon": {"welcome": 1}},
            "days_before": 3,
            "lasts_days": 30,
            "tiers": ["gold"],
        }
    ],
    "referral": {
        "names": {"en": "Thanks"},
        "at_least": "10.00",
        "within_days": 30,
        "referrer": {"points": 100},
        "referred": {"points": 50, "gives": {"coupon": {"welcome": 1}}},
        "taper": [100, 50],
        "most_a_year": 5,
    },
    "welcome_points": 25,
    "volumes": [
        {
            "code": "trade",
            "names": {"en": "Volume bonus"},
            "every": "quarter",
            "scale": [{"from": "5000", "percent": "1"}, {"from": "20000", "percent": "2"}],
            "kind": "slab",
            "accounts": ["company", "household"],
            "after_days": 7,
        }
    ],
}


def test_settings_survive_being_kept_digit_for_digit() -> None:
    settings = settings_from_json(EVERYTHING)
    assert settings.as_json() == EVERYTHING
    assert json.loads(json.dumps(settings.as_json())) == EVERYTHING
    assert list(EVERYTHING) == setting_names()
    assert settings_from_json(settings.as_json()) == settings


def test_what_is_not_said_is_as_it_always_was() -> None:
    settings = settings_from_json({"points": "1", "per_amount": "1"})
    assert settings == Settings(Decimal(1), Decimal(1))
    assert settings_from_json(settings.as_json()) == settings


def test_a_tier_has_names_and_earns_once_where_nothing_else_is_said() -> None:
    tiers = settings_from_json(
        {"points": "1", "per_amount": "1", "tiers": {"levels": [{"code": "a", "at_least": 1}]}}
    ).tiers
    assert tiers is not None
    assert (tiers.names, tiers.multipliers) == ({"a": {}}, {"a": Decimal(1)})


def typed(**texts: str) -> Settings:
    read = {name: setting_from_text(name, text) for name, text in texts.items()}
    return settings_from_json({"points": "1", "per_amount": "1"} | read)


def test_settings_can_be_typed() -> None:
    assert typed(points="2.50", grace_days="7", carry_remainder="yes") == Settings(
        Decimal("2.50"), Decimal(1), grace_days=7, carry_remainder=True
    )
    assert typed(excluded_categories="tobacco, lottery").excluded_categories == (
        "tobacco",
        "lottery",
    )
    assert typed(excluded_categories='["a, b"]').excluded_categories == ("a, b",)
    assert typed(excluded_categories="", bonuses="[]", tiers="null") == typed()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("grace_days", "1.0"),
        ("grace_days", "NaN"),
        ("grace_days", "9" * 5000),
        ("grace_days", "yes"),
        ("carry_remainder", "1"),
        ("carry_remainder", "perhaps"),
        ("points", "true"),
        ("points", " 1"),
        ("earn_on", ""),
        ("bonuses", "[" * 100_000),
        ("tiers", "{}"),
    ],
)
def test_what_is_typed_wrongly_is_named(name: str, text: str) -> None:
    with pytest.raises(Invalid) as refused:
        typed(**{name: text})
    assert refused.value.fields.keys() == {name}


BONUS = {"name": "Big", "at_least": "5", "points": 5}
LEVEL = {"code": "gold", "at_least": 5}


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("bonuses", "Big", "a list"),
        ("bonuses", [BONUS] * 51, "at most 50"),
        ("bonuses", [BONUS, BONUS], "the same name"),
        ("bonuses", [BONUS, "Big"], "Bonus 2: write it as"),
        ("bonuses", [{"name": "Big", "points": 5}], "Bonus 1: at_least is missing"),
        ("bonuses", [BONUS | {"at_least": 0.5}], "at_least: Give a number above zero"),
        ("bonuses", [BONUS | {"at_least": "0"}], "at_least: Give a number above zero"),
        ("bonuses", [BONUS | {"points": 0}], "points: Give a whole number of at least 1"),
        ("bonuses", [BONUS | {"name": " "}], "1 to 60 characters"),
        ("bonuses", [BONUS | {"once": ""}], "once has 1 to 40 characters"),
        ("bonuses", [BONUS | {"ends": "never"}], "there is no 'ends'"),
        ("tiers", [], "Give {"),
        ("tiers", {"levels": []}, "levels"),
        ("tiers", {"levels": ["gold"]}, "levels.1"),
        ("tiers", {"levels": [LEVEL], "metal": 1}, "metal"),
        ("tiers", {"levels": [LEVEL | {"at_least": "5"}]}, "levels.1.at_least"),
        ("tiers", {"levels": [LEVEL | {"multiplier": 1.5}]}, "Tier 1: multiplier: Give"),
        ("tiers", {"levels": [LEVEL | {"multiplier": "0"}]}, "Tier 1: multiplier: Give"),
        ("tiers", {"levels": [LEVEL | {"multiplier": "100.1"}]}, "up to 100"),
        ("tiers", {"levels": [LEVEL | {"multiplier": "1.00001"}]}, "4 decimals"),
        ("tiers", {"levels": [LEVEL | {"names": "Gold"}]}, "Tier 1: names: write them"),
        ("tiers", {"levels": [LEVEL | {"names": {"english": "Gold"}}]}, "two letters"),
        ("tiers", {"levels": [LEVEL | {"names": {"en": 5}}]}, "1 to 60 characters"),
        ("excluded_categories", "tobacco", "a list"),
        ("excluded_categories", [1], "1 to 64 characters"),
        ("excluded_categories", ["a"] * 201, "at most 200"),
    ],
)
def test_what_is_wrong_inside_a_setting_is_said(name: str, value: Any, says: str) -> None:
    with pytest.raises(Invalid) as refused:
        settings_from_json({"points": "1", "per_amount": "1", name: value})
    [text] = refused.value.fields[name]
    assert says in text


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"expiry_mode": "inactivity"}, "inactivity_months"),
        ({"pending_days": 1, "pending_until_confirmed": True}, "pending_days"),
        ({"pending_days": 28, "expires_after_months": 1}, "pending_days"),
        (
            {"pending_days": 28, "expiry_mode": "inactivity", "inactivity_months": 1},
            "pending_days",
        ),
    ],
)
def test_settings_that_contradict_each_other_are_refused(
    change: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        settings_from_json({"points": "1", "per_amount": "1"} | change)
    assert refused.value.fields.keys() == {field}


@pytest.mark.parametrize(
    ("change", "field"),
    [
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
        ({"points": 1.5}, "points"),
        ({"points": "1_0"}, "points"),
        ({"points": "٣"}, "points"),
        ({"expires_after_months": 1201}, "expires_after_months"),
        ({"expires_round_up": "week"}, "expires_round_up"),
        ({"expiry_mode": "never"}, "expiry_mode"),
        ({"inactivity_months": 1.0}, "inactivity_months"),
        ({"pending_days": 367}, "pending_days"),
        ({"pending_until_confirmed": 1}, "pending_until_confirmed"),
        ({"carry_remainder": "yes"}, "carry_remainder"),
        ({"earn_on": "both"}, "earn_on"),
        ({"point_value": "0"}, "point_value"),
        ({"redeem_maximum_share": 0}, "redeem_maximum_share"),
        ({"redeem_maximum_share": 101}, "redeem_maximum_share"),
        ({"grace_days": 3651}, "grace_days"),
        ({"expected_redemption": "1.01"}, "expected_redemption"),
        ({"expected_redemption": "0"}, "expected_redemption"),
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
        settings_from_json({"points": "-1", "redeem_step": 0, "colour": "red"})
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
