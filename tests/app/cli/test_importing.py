"""counterfoil import: a report by line before anything is written."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.app.cli.conftest import Installation


@pytest.fixture
def listed(cafe: Installation) -> Callable[[str], str]:
    def write(text: str) -> str:
        path = cafe.data / "old.csv"
        path.write_text(text)
        return str(path)

    return write


def test_a_dry_run_reports_and_writes_nothing(
    cafe: Installation, listed: Callable[[str], str]
) -> None:
    file = listed("number,points,shoes\nA,10,44\nB,x,45\n")
    result = cafe.type("import", "members", file, "--dry-run")
    assert result.exit_code == 1
    assert "line 3, points: 'x' is not a whole number of points." in result.stdout
    assert "Would come in: 1 customers with 10 points" in result.stdout
    assert "Not used: shoes." in result.stdout
    assert "1 customer cannot be imported" in result.stderr
    result = cafe.type("import", "members", file, "--dry-run", "--json")
    told: dict[str, Any] = json.loads(result.stdout)
    assert (told["customers"], told["wrong"], told["written"]) == (1, 1, False)
    assert told["problems"][0]["line"] == 3
    rows = cafe.type("import", "members", file, "--dry-run", "--format", "csv").stdout.splitlines()
    assert rows[0] == "line,column,level,what,cure"
    assert rows[1].startswith("3,points,error,")


def test_nothing_comes_in_while_a_line_is_wrong_unless_it_is_left_out(
    cafe: Installation, listed: Callable[[str], str]
) -> None:
    file = listed("number,points\nA,10\nB,x\n")
    result = cafe.type("import", "members", file)
    assert result.exit_code == 1
    assert "Nothing was imported" in result.stderr
    links = cafe.data / "links.csv"
    told = cafe.json("import", "members", file, "--skip-wrong", "--links", str(links))
    assert (told["customers"], told["wrong"], told["written"]) == (1, 1, True)
    assert links.stat().st_mode & 0o777 == 0o600
    number, link = links.read_text().splitlines()[1].split(",")
    assert number == "A"
    assert cafe.get(link).status_code == 200
