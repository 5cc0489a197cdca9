"""counterfoil programme settings | rate."""

from typing import Any

import pytest


def test_the_rules_in_force_are_shown(cafe: Any) -> None:
    said = cafe.run("programme", "settings")
    assert said.startswith("Version 1, from the beginning\n  points ")
    shown = cafe.json("programme", "settings")
    assert (shown["version"], shown["settings"]["points"], shown["later"]) == (1, "1", [])


def test_a_change_holds_from_its_date_on_in_the_programme_s_zone(cafe: Any) -> None:
    said = cafe.run(
        "programme", "settings", "--set", "points=2.5", "--set", "carry_remainder=yes",
        "--set", "excluded_categories=tobacco, lottery", "--from", "2099-06-01",
    )  # fmt: skip
    assert said.startswith("Version 2, from 2099-06-01 00:00 (Europe/Riga)")
    now = cafe.run("programme", "settings")
    assert now.endswith("Version 2 follows, from 2099-06-01 00:00 (Europe/Riga)\n")
    assert cafe.json("programme", "settings")["settings"]["points"] == "1"
    then = cafe.json("programme", "settings", "--from", "2099-06-01T00:00")
    assert then["valid_from"] == "2099-05-31T21:00:00+00:00"
    assert then["settings"]["points"] == "2.5"
    assert then["settings"]["excluded_categories"] == ["tobacco", "lottery"]
    before = cafe.json("programme", "settings", "--from", "2099-05-31T23:59+03:00")
    assert before["version"] == 1


def test_a_change_without_a_date_holds_from_now_on(cafe: Any) -> None:
    cafe.run("programme", "settings", "--set", "points=3")
    assert cafe.json("programme", "settings")["settings"]["points"] == "3"


def test_a_wrong_setting_is_named_with_the_cure_and_nothing_is_changed(cafe: Any) -> None:
    result = cafe.type(
        "programme", "settings", "--set", "points=-1", "--set", "colour=red",
        "--set", 'tiers={"levels": [{"code": "gold"}]}', "--set", "grace_days=10",
    )  # fmt: skip
    assert result.exit_code == 1
    assert "  points: Give a number from zero" in result.stderr
    assert "  colour: There is no such setting." in result.stderr
    assert "  tiers: levels.1.at_least: Give a whole number" in result.stderr
    assert cafe.json("programme", "settings")["version"] == 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("settings", "--set", "points"), "Write --set points=VALUE."),
        (("settings", "--from", "tomorrow"), "write one such as 2026-06-01"),
        (("settings", "--from", "0001-01-01"), "write one such as 2026-06-01"),
        (("settings", "--from", "2001-01-01"), "no rules yet on that day"),
        (("settings", "--set", "points=2", "--from", "2021-01-01"), "from today on or later"),
        (("rate", "add", "USD", "0.9", "--day", "soon"), "write one such as 2026-06-01"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(
    cafe: Any, words: tuple[str, ...], says: str
) -> None:
    assert says in cafe.refused("programme", *words)


def test_a_rate_is_added_listed_and_corrected(cafe: Any) -> None:
    assert "Add one: counterfoil programme rate add" in cafe.run("programme", "rate", "list")
    add = ("programme", "rate", "add", "USD")
    said = cafe.run(*add, "0.92", "--day", "2026-05-01", "--source", "ECB")
    assert said == "From 2026-05-01 on one USD is 0.92 EUR (ECB).\n"
    assert "--replace" in cafe.refused(*add, "0.93", "--day", "2026-05-01")
    cafe.run(*add, "0.93", "--day", "2026-05-01", "--replace")
    cafe.run("programme", "rate", "add", "GBP", "1.15", "--day", "2026-05-01")
    cafe.run(*add, "0.94")
    listed = cafe.json("programme", "rate", "list", "USD")
    assert [each["rate"] for each in listed] == ["0.94", "0.93"]
    assert cafe.run("programme", "rate", "list").splitlines()[0] == (
        "2026-05-01  1 GBP = 1.15 EUR  by hand"
    )


def test_a_rate_that_makes_no_sense_is_named(cafe: Any) -> None:
    result = cafe.type("programme", "rate", "add", "EUR", "x")
    assert result.exit_code == 1
    assert "  currency: The programme counts in EUR itself" in result.stderr
    assert "  rate: Say what one EUR is in EUR, such as 0.9213" in result.stderr
