"""What a programme's settings may say."""

import json
from decimal import Decimal
from typing import Any

import pytest

from app.errors import Invalid
from app.programmes.settings import (
    Settings,
    check_time_zone,
    setting_from_text,
    setting_names,
    settings_from_json,
)
from tests.app.programmes.every_setting import EVERYTHING


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


@pytest.mark.parametrize("zone", ["", "Riga", "europe/riga", "../etc/passwd", "UTC+2"])
def test_a_zone_that_is_none_is_refused(zone: str) -> None:
    with pytest.raises(Invalid, match="write one such as Europe/Riga"):
        check_time_zone(zone)
