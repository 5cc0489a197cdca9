"""counterfoil programme versions | pilot | widen | rollback."""

import json
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def change(tmp_path: Path) -> Path:
    path = tmp_path / "change.json"
    path.write_text(json.dumps({"points": "2", "rules": [DOUBLE]}))
    return path


DOUBLE = {"name": "Double Tuesday", "kind": "multiplier", "factor": "2", "weekdays": ["tue"]}


def test_a_pilot_is_started_widened_and_shown(cafe: Any, change: Path) -> None:
    cafe.run("location", "add", "harbour", "Harbour")
    place = cafe.json("programme", "versions")
    assert [each["number"] for each in place] == [1]
    said = cafe.run("programme", "pilot", str(change), "--location", "harbour")
    assert said.splitlines()[0].startswith("Pilot 2, from ")
    assert "counterfoil programme widen 2 --everywhere" in said
    listed = cafe.run("programme", "versions")
    assert "  points: 1 -> 2\n" in listed
    assert "  rules: Double Tuesday: none -> {" in listed
    assert "harbour" in listed
    assert "(holds now)" in listed
    said = cafe.run("programme", "widen", "2", "--everywhere")
    assert said.startswith("Version 3 holds everywhere, from ")
    assert cafe.json("programme", "settings")["settings"]["points"] == "2"
    assert "over already" in cafe.refused("programme", "rollback", "2")
    cafe.run("programme", "rollback", "3")
    assert cafe.json("programme", "settings")["settings"]["points"] == "1"
    assert "(over)" in cafe.run("programme", "versions")


def test_a_pilot_that_is_rolled_back_is_over(cafe: Any, change: Path) -> None:
    cafe.run("location", "add", "harbour", "Harbour")
    made = cafe.json(
        "programme", "pilot", str(change), "--location", "harbour", "--from", "2099-01-01"
    )
    assert (made["number"], made["locations"]) == (2, ["harbour"])
    assert cafe.json("programme", "rollback", "2")["number"] == 1
    shown = cafe.json("programme", "versions")[-1]
    assert (shown["kind"], shown["valid_from"]) == ("pilot", shown["until"])
    assert "(never held)" in cafe.run("programme", "versions")


def test_a_change_in_toml_says_the_same_as_in_json(cafe: Any, tmp_path: Path) -> None:
    cafe.run("location", "add", "harbour", "Harbour")
    toml = tmp_path / "change.toml"
    toml.write_text(
        "points = 2.50\n[[rules]]\nname = 'June'\nkind = 'visit'\nfrom = 2099-06-01\n"
        "until = 2099-06-30T12:00:00\ngives = { points = 5 }\n"
    )
    made = cafe.json("programme", "pilot", str(toml), "--location", "harbour")
    assert made["changes"]["points"] == "2.50"
    [rule] = made["changes"]["rules"]
    assert (rule["from"], rule["until"]) == ("2099-06-01T00:00", "2099-06-30T12:00")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "Say which settings change"),
        ("{", "Line 1 is no JSON"),
        ("points = ", "That is no TOML"),
        ('{"points": "-1"}', "do not make sense"),
        ('{"rules": [{"name": "x", "kind": "free"}]}', "do not make sense"),
        ('{"redeem_step": 5}', "cannot be put on trial"),
        ("[" * 100_000, "That is no TOML"),
    ],
)
def test_a_change_that_makes_no_sense_is_refused_in_words(
    cafe: Any, tmp_path: Path, text: str, says: str
) -> None:
    path = tmp_path / "change"
    path.write_text(text)
    result = cafe.type("programme", "pilot", str(path), "--segment", "new")
    assert result.exit_code == 1
    assert says in result.stderr


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("pilot", "CHANGE"), "Say where or for whom"),
        (("pilot", "CHANGE", "--location", "nowhere"), "no location 'nowhere'"),
        (("pilot", "CHANGE", "--location", "x", "--from", "2021-01-01"), "from today on or later"),
        (("widen", "1"), "Say --everywhere"),
        (("widen", "1", "--everywhere"), "There is no pilot 1"),
        (("rollback", "7"), "There is no version 7"),
    ],
)
def test_what_makes_no_sense_is_refused(
    cafe: Any, change: Path, words: tuple[str, ...], says: str
) -> None:
    typed = [str(change) if word == "CHANGE" else word for word in words]
    assert says in cafe.refused("programme", *typed)
