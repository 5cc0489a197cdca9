"""counterfoil export: into a folder of its own, and back in elsewhere."""

import json

from tests.app.cli.conftest import Installation


def test_the_command_writes_a_folder_that_the_import_reads(cafe: Installation) -> None:
    file = cafe.data / "old.csv"
    file.write_text("number,name,points\nA,Ada,10\n")
    cafe.run("import", "members", str(file))
    out = cafe.data / "out"
    said = cafe.run("export", "--out", str(out))
    assert "keep it where nobody else can read it" in said
    assert json.loads((out / "manifest.json").read_text())["programme"] == "kaffa"
    cafe.run("programme", "add", "second", "Second")
    told = cafe.json("import", "members", str(out / "customers.csv"), "--programme", "second")
    assert (told["customers"], told["points"], told["wrong"]) == (1, 10, 0)
    assert "not empty" in cafe.refused("export", "--out", str(out), "--programme", "kaffa")
    assert "entries" in cafe.run("export", "--list").splitlines()
