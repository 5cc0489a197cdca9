"""What a backup leaves alone: the last one, other keys, a database in use."""

import json
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import (
    insert,
)

from app.attempts import Attempt
from app.backup import backup, restore
from app.certs import PASS
from app.config import Config
from app.db import Database
from app.errors import Conflict, Misconfigured, Unavailable
from app.keys import KeyRing, Purpose
from app.migrations import is_empty
from tests.app.backup.conftest import KINDS, NOW, Make, attempt, contents, everything, fill


def test_the_master_key_is_never_in_a_backup(make: Make, config: Config, tmp_path: Path) -> None:
    summary = backup(make("sqlite"), config, tmp_path / "backup.zip", now=NOW)
    master = (config.data / "master.key").read_bytes().strip()
    found = contents(tmp_path / "backup.zip")
    assert len([name for name in found if name.startswith("keys/")]) == 3
    assert not any(master in data for data in found.values())
    assert f"keep the file {config.data / 'master.key'} apart" in str(summary)
    environment = replace(config, master_key=b"x" * 32)
    assert "COUNTERFOIL_MASTER_KEY apart" in str(
        backup(make("sqlite"), environment, tmp_path / "backup.zip", now=NOW)
    )


def test_without_the_master_key_a_restore_says_which_one_is_needed(
    make: Make, config: Config, target: Config, tmp_path: Path
) -> None:
    backup(make("sqlite"), config, tmp_path / "backup.zip", now=NOW)
    [mark] = json.loads(zipfile.ZipFile(tmp_path / "backup.zip").read("manifest.json"))[
        "master_keys"
    ]
    summary = restore(tmp_path / "backup.zip", make("sqlite"), target)
    assert f"bring the master key {mark} back" in str(summary)
    assert (target.keys_dir.stat().st_mode & 0o777) == 0o700
    assert all(path.stat().st_mode & 0o077 == 0 for path in target.keys_dir.iterdir())


def test_a_backup_file_is_for_this_account_alone_and_replaces_the_last_one(
    make: Make, config: Config, tmp_path: Path
) -> None:
    file = tmp_path / "backup.zip"
    file.write_text("the last one")
    file.chmod(0o644)
    backup(make("sqlite"), config, file, now=NOW)
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.glob("*backup*")] == ["backup.zip"]


def test_a_backup_that_fails_leaves_the_last_one(
    make: Make, config: Config, tmp_path: Path
) -> None:
    file = tmp_path / "backup.zip"
    file.write_text("the last one")

    def fail(_table: str, _rows: int) -> None:
        raise OSError(28, "No space left on device")

    database = make("sqlite")
    fill(database)
    with pytest.raises(Unavailable, match=r"backup\.zip cannot be written: No space left"):
        backup(database, config, file, now=NOW, progress=fail)
    assert file.read_text() == "the last one"
    assert [path.name for path in tmp_path.glob("*backup*")] == ["backup.zip"]
    with pytest.raises(Unavailable, match="No such file"):
        backup(database, config, tmp_path / "absent" / "backup.zip", now=NOW)


def test_a_database_that_was_never_made_is_not_backed_up(config: Config, tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'empty.sqlite'}")
    with pytest.raises(Misconfigured, match="never made"):
        backup(database, config, tmp_path / "backup.zip", now=NOW)
    database.dispose()


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_restored_over_what_is_there(
    make: Make, config: Config, target: Config, tmp_path: Path, kind: str
) -> None:
    before, after = make("sqlite"), make(kind)
    fill(before)
    backup(before, config, tmp_path / "backup.zip", now=NOW)
    with after.engine.begin() as connection:
        connection.execute(insert(Attempt).values(attempt(1)))
    with pytest.raises(Conflict, match="database is not empty"):
        restore(tmp_path / "backup.zip", after, target)
    assert len(everything(after)["attempts"]) == 1
    assert not target.data.exists()


def test_nothing_is_restored_over_other_keys_or_certificates(
    make: Make, config: Config, target: Config, tmp_path: Path
) -> None:
    after = make("sqlite")
    backup(make("sqlite"), config, tmp_path / "backup.zip", now=NOW)
    KeyRing.open(target).current(Purpose.TOTP_MASTER)
    with pytest.raises(Conflict, match=r"totp_master\.all\.00001\.json is there already"):
        restore(tmp_path / "backup.zip", after, target)
    next(target.keys_dir.glob("totp_master*")).unlink()
    target.certs_dir.mkdir()
    (target.certs_dir / PASS).write_text("mine")
    with pytest.raises(Conflict, match=r"apple-pass\.pem is there already"):
        restore(tmp_path / "backup.zip", after, target)
    assert is_empty(after)


def test_a_restore_that_was_killed_can_be_run_again(
    make: Make, config: Config, tmp_path: Path
) -> None:
    before = make("sqlite")
    fill(before)
    backup(before, config, tmp_path / "backup.zip", now=NOW)
    # Its own keys and certificates, as they would be just before the commit.
    after = make("sqlite")
    restore(tmp_path / "backup.zip", after, config)
    assert everything(after) == everything(before)
    KeyRing.open(config).check()
