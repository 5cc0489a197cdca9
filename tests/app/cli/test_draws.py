"""counterfoil draw: from the terms to a file that anybody can verify without an installation."""

import json
import subprocess
import sys
from pathlib import Path

from tests.app.cli.conftest import Installation


def test_a_draw_is_added_published_and_verified_elsewhere(
    cafe: Installation, tmp_path: Path
) -> None:
    said = cafe.run(
        "draw", "add", "xmas", "Christmas draw", "--prize", "bike=A bicycle", "--prize",
        "3*book=A book", "--closes", "2098-12-24", "--value", "The DAX on 28 December 2098",
        "--value-from", "2098-12-28T18:00",
    )  # fmt: skip
    assert "counterfoil draw publish xmas" in said
    file = tmp_path / "xmas.json"
    cafe.run("draw", "publish", "xmas", "--out", str(file))
    told = json.loads(file.read_text())
    assert told["terms"]["prizes"][1] == {"code": "book", "name": "A book", "count": 3}
    assert cafe.json("draw", "show", "xmas") == told
    shown = cafe.run("draw", "show", "xmas")
    assert told["seed_sha256"] in shown
    assert cafe.run("draw", "show").startswith("xmas")
    assert "Tickets are given until" in cafe.refused("draw", "close", "xmas")
    assert cafe.run("draw", "winners", "xmas") == "Nobody has won yet.\n"
    # A program of its own, without an installation: whoever has the file can check it.
    done = subprocess.run(
        [sys.executable, "-m", "app.cli", "draw", "verify", str(file)],
        env={"PATH": "/usr/bin:/bin", "COUNTERFOIL_DATA": "/nonexistent/at/all"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0].startswith("holds  The terms match their hash")
    assert "open   The list of tickets is not closed yet." in done.stdout
    told["terms"]["title"] = "Another draw"
    file.write_text(json.dumps(told))
    result = cafe.type("draw", "verify", str(file))
    assert result.exit_code == 1
    assert "WRONG  The terms are not those whose hash was published." in result.stdout
    assert "does not hold" in result.stderr
    file.write_text("[]")
    assert "no file of a draw" in cafe.refused("draw", "verify", str(file))


def test_what_makes_no_sense_is_refused_with_the_cure(cafe: Installation) -> None:
    words = ["draw", "add", "x", "X", "--closes", "2098-12-24", "--value", "v", "--value-from"]
    result = cafe.type(*words, "2098-12-23", "--prize", "a=A")
    assert "name a value that comes later" in result.stderr
    assert "--prize bike=" in cafe.refused(*words, "2098-12-30", "--prize", "bike")
    assert "There is no draw" in cafe.refused("draw", "publish", "none")
