"""counterfoil backup | restore | db upgrade."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any


def set_revision(installation: Any, revision: str) -> None:
    with closing(sqlite3.connect(installation.data / "counterfoil.sqlite")) as raw, raw:
        raw.execute("UPDATE alembic_version SET version_num = ?", (revision,))


def test_a_backup_is_restored_into_an_empty_place(
    cafe: Any, elsewhere: Any, tmp_path: Path
) -> None:
    card, file = cafe.json("card", "issue"), tmp_path / "backup"
    said = cafe.run("backup", str(file))
    assert str(cafe.data / "master.key") in said
    assert file.stat().st_mode & 0o077 == 0
    new = elsewhere()
    new.data.mkdir(parents=True, mode=0o700)
    shutil.copy(cafe.data / "master.key", new.data)
    assert "the service can be started" in new.run("restore", str(file))
    assert new.run("ledger", "check") == "The ledger is whole.\n"
    # Before anything is asked of it: a key that nobody needed yet is made when it is.
    assert new.json("keys", "list") == cafe.json("keys", "list")
    assert new.get(card["pass_url"]).status_code == 200


def test_without_the_master_key_the_restore_says_what_is_missing(
    cafe: Any, elsewhere: Any, tmp_path: Path
) -> None:
    cafe.run("backup", str(tmp_path / "backup"))
    said = elsewhere().run("restore", str(tmp_path / "backup"))
    assert "bring the master key" in said


def test_a_backup_writes_over_a_file_only_when_told_to(cafe: Any, tmp_path: Path) -> None:
    file = tmp_path / "backup"
    file.write_text("dear to me")
    assert "or add --force" in cafe.refused("backup", str(file))
    assert file.read_text() == "dear to me"
    cafe.run("backup", str(file), "--force")
    assert file.read_bytes().startswith(b"PK")


def test_a_backup_that_cannot_be_written_is_told_so(cafe: Any, tmp_path: Path) -> None:
    for file in (tmp_path / "nowhere" / "backup", tmp_path):
        result = cafe.type("backup", str(file), "--force")
        assert result.exit_code == 1
        assert str(file) in result.stderr
        assert "cannot be written" in result.stderr


def test_a_place_that_is_not_empty_is_left_as_it_is(cafe: Any, tmp_path: Path) -> None:
    file = tmp_path / "backup"
    cafe.run("backup", str(file))
    card = cafe.json("card", "issue")
    result = cafe.type("restore", str(file))
    assert (result.exit_code, "is not empty" in result.stderr) == (1, True)
    assert cafe.get(card["card_url"]).status_code == 200


def test_what_is_no_backup_is_refused_and_nothing_is_made(elsewhere: Any, tmp_path: Path) -> None:
    file, new = tmp_path / "backup", elsewhere()
    file.write_text("hello")
    result = new.type("restore", str(file))
    assert (result.exit_code, "is not a backup" in result.stderr) == (1, True)
    assert new.run("programme", "list") == ""


def test_the_database_is_brought_to_this_release_as_often_as_one_likes(elsewhere: Any) -> None:
    new = elsewhere()
    for _ in range(2):
        assert new.run("db", "upgrade") == "The database is of this release.\n"
    assert new.run("programme", "list") == ""


def test_a_database_of_a_newer_release_is_left_alone(cafe: Any) -> None:
    set_revision(cafe, "9999")
    said = "The database was made by a newer release of Counterfoil: install that one."
    assert cafe.refused("programme", "list") == said
    assert "newer release" in cafe.refused("db", "upgrade")


def test_a_database_of_something_else_is_left_alone(cafe: Any, tmp_path: Path) -> None:
    other = tmp_path / "other.sqlite"
    with closing(sqlite3.connect(other)) as raw, raw:
        raw.execute("CREATE TABLE songs (title)")
    cafe.settings["COUNTERFOIL_DATABASE_URL"] = f"sqlite:///{other}"
    assert "something else" in cafe.refused("programme", "list")
