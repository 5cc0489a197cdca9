"""counterfoil programme apply | show | diff | example: a programme as one readable file."""

import re
from pathlib import Path

from tests.app.cli.conftest import Installation


def test_what_is_shown_is_applied_and_nothing_differs(cafe: Installation, tmp_path: Path) -> None:
    file = tmp_path / "shop.toml"
    file.write_text(cafe.run("programme", "show"))
    assert cafe.run("programme", "diff", str(file)).startswith("Nothing changes")
    assert cafe.run("programme", "apply", str(file)).startswith("Nothing changes")
    file.write_text(file.read_text().replace("per_amount = 1", "per_amount = 2"))
    result = cafe.type("programme", "diff", str(file))
    assert (result.exit_code, result.stdout) == (1, "earning.per_amount: 1 becomes 2\n")
    dry = cafe.run("programme", "apply", str(file), "--dry-run")
    assert dry == "earning.per_amount: 1 becomes 2\n"
    said = cafe.json("programme", "apply", str(file))
    assert (said["version"], len(said["changes"])) == (2, 1)
    assert cafe.json("programme", "settings")["settings"]["per_amount"] == "2"
    assert cafe.run("programme", "diff", str(file)).startswith("Nothing changes")


def test_with_another_rate_the_line_that_customers_read_is_asked_about(
    cafe: Installation, tmp_path: Path
) -> None:
    file = tmp_path / "shop.toml"
    file.write_text(cafe.run("programme", "show").replace("points = 1", "points = 2"))
    said = cafe.run("programme", "apply", str(file)).splitlines()[-1]
    assert said.startswith("Customers still read: ") and "--line" in said
    file.write_text(file.read_text().replace("points = 2", "points = 3"))
    said = cafe.run("programme", "apply", str(file), "--line").splitlines()[-1]
    assert re.fullmatch(r"Customers read from then on: 3 \w+ for every €1\.00 you spend\.", said)
    again = cafe.run("programme", "apply", str(file), "--line")
    assert "The rate stays, and so does the line" in again
    change = tmp_path / "change.json"
    change.write_text('{"points": "4"}')
    cafe.run("location", "add", "harbour", "Harbour")
    piloted = cafe.run("programme", "pilot", str(change), "--location", "harbour", "--line")
    assert "Customers read from then on: 4 " in piloted
    refused = cafe.refused("programme", "pilot", str(change), "--segment", "new", "--line")
    assert "A poster is read by everybody" in refused


def test_a_change_may_begin_later(cafe: Installation, tmp_path: Path) -> None:
    file = tmp_path / "shop.toml"
    file.write_text(cafe.run("programme", "show").replace("points = 1", "points = 3"))
    cafe.run("programme", "apply", str(file), "--from", "2099-01-01")
    assert "points = 1\n" in cafe.run("programme", "show")
    assert "points = 3\n" in cafe.run("programme", "show", "--at", "2099-01-01")
    again = cafe.run("programme", "apply", str(file), "--from", "2099-01-01")
    assert again.startswith("Nothing changes")
    assert "Version 2 is to follow" in cafe.refused("programme", "apply", str(file))


def test_an_example_makes_a_programme(fresh: Installation, tmp_path: Path) -> None:
    assert fresh.run("programme", "example").split() == ["bookshop", "builders-merchant", "cafe"]
    for name in ("bookshop", "builders-merchant", "cafe"):
        file = tmp_path / f"{name}.toml"
        file.write_text(fresh.run("programme", "example", name))
        assert "is there. Customers join at" in fresh.run("programme", "apply", str(file))
        assert fresh.run("programme", "apply", str(file)).startswith("Nothing changes")
    # Each can be joined: its signing key is there.
    assert fresh.json("card", "issue", "--programme", "kaffa")["card_id"]


def test_what_is_wrong_is_told_with_file_line_and_cure(cafe: Installation, tmp_path: Path) -> None:
    file = tmp_path / "shop.toml"
    file.write_text("[earning]\npionts = 1\nper_amount = 0\n")
    result = cafe.type("programme", "apply", str(file))
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "shop.toml cannot be used like this.",
        "  line 2, column 1: There is no 'pionts' in earning. Did you mean 'points'?",
        "  line 3, column 1: earning.per_amount: Give a number above zero up to 999,999.999999 "
        'as text, such as "1" or "0.5"; 6 decimals at most.',
    ]
    file.write_bytes(b"name = \xff")
    assert "save it as UTF-8" in cafe.refused("programme", "diff", str(file))
