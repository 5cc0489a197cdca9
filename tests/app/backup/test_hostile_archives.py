"""A backup's file is believed nothing."""

import hashlib
import json
import os
import shutil
import uuid
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.backup import backup, restore
from app.config import Config
from app.db import Database
from app.errors import CounterfoilError, Invalid, Unavailable
from app.keys import KeyRing, Purpose
from app.migrations import is_empty
from tests.app.backup.conftest import (
    KINDS,
    NOW,
    Make,
    config_in,
    data_folder,
    fill,
)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> dict[str, bytes]:
    """The members of a good backup."""
    folder = tmp_path_factory.mktemp("good")
    shutil.copy(sqlite_template, folder / "shop.sqlite")
    database = Database(f"sqlite:///{folder / 'shop.sqlite'}")
    fill(database)
    backup(database, data_folder(folder / "data"), folder / "good.zip", now=NOW)
    database.dispose()
    with zipfile.ZipFile(folder / "good.zip") as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def pack(members: dict[str, bytes], path: Path, *, honest: bool = True) -> Path:
    """An archive of *members*; *honest* brings the manifest up to date with them."""
    members = dict(members)
    if honest:
        manifest = json.loads(members["manifest.json"])
        for name, data in members.items():
            if name != "manifest.json":
                known = manifest["members"].setdefault(name, {})
                known |= {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
                if "rows" in known:
                    known["rows"] = data.count(b"\n")
        manifest["members"] = {n: m for n, m in manifest["members"].items() if n in members}
        members["manifest.json"] = json.dumps(manifest).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def refuses(make: Make, target: Config, path: Path, says: str, kind: str = "sqlite") -> None:
    after = make(kind)
    with pytest.raises(Invalid, match=says):
        restore(path, after, target)
    assert is_empty(after)
    assert not list(target.data.glob("*/*"))


@pytest.mark.parametrize(
    "name",
    [
        "../evil.pem",
        "/etc/passwd",
        "keys/../../evil.json",
        "certs/../keys/field.all.00001.json",
        "certs/a.pem/../../x.pem",
        "keys/.lock",
        "master.key",
        "tables/entries",
        "keys\\x.json",
        "certs/",
        "tables/../x.jsonl",
    ],
)
def test_a_member_that_is_none_of_ours_is_refused(
    make: Make, target: Config, good: dict[str, bytes], tmp_path: Path, name: str
) -> None:
    path = pack(good | {name: b"evil"}, tmp_path / "evil.zip")
    refuses(make, target, path, "nothing of ours")
    path = pack(good | {name: b"evil"}, tmp_path / "evil.zip", honest=False)
    refuses(make, target, path, "does not hold the files that its manifest names")


def test_a_changed_or_missing_member_is_noticed_before_anything_is_written(
    make: Make, target: Config, good: dict[str, bytes], tmp_path: Path
) -> None:
    for name in ("tables/entries.jsonl", "certs/apple-root.pem"):
        path = pack(good | {name: good[name] + b"[]\n"}, tmp_path / "bad.zip", honest=False)
        refuses(make, target, path, f"{name} in the backup is damaged")
        without = {each: data for each, data in good.items() if each != name}
        path = pack(without, tmp_path / "bad.zip", honest=False)
        refuses(make, target, path, "does not hold the files")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b"{}", "Row 5 of attempts .* no list"),
        (b"[1]", "Row 5 of attempts"),
        (b'[1, "a", "b", "2026-06-01T09:00:00+00:00"]', "no text: 1"),
        (b'["5", "a", "b", "2026-06-01T09:00:00"]', "without a zone"),
        (b'["5", "a", "b", 5]', "no moment"),
        (b"[" * 100_000, "Row 5 of attempts"),
        (b'["5", "a", "' + b"b" * 9_000_000 + b'", "2026-06-01T09:00:00+00:00"]', "too long"),
        (b"\xff", "Row 5 of attempts"),
    ],
)
def test_a_broken_row_is_named_and_nothing_is_restored(
    make: Make,
    target: Config,
    good: dict[str, bytes],
    tmp_path: Path,
    line: bytes,
    says: str,
) -> None:
    name = "tables/attempts.jsonl"
    # Hard to deflate: the bound on the archive's claims is another test's subject.
    ballast = {"certs/ballast.pem": os.urandom(60_000)}
    path = pack(good | ballast | {name: good[name] + line + b"\n"}, tmp_path / "bad.zip")
    refuses(make, target, path, says)


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_that_the_database_refuses_undoes_the_others(
    make: Make, target: Config, good: dict[str, bytes], tmp_path: Path, kind: str
) -> None:
    name = "tables/tills.jsonl"
    first, *_ = good[name].splitlines(keepends=True)
    path = pack(good | {name: good[name] + first}, tmp_path / "bad.zip")
    refuses(make, target, path, "does not fit together", kind)


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_without_the_row_it_names_is_refused(
    make: Make, target: Config, good: dict[str, bytes], tmp_path: Path, kind: str
) -> None:
    path = pack(good | {"tables/programmes.jsonl": b""}, tmp_path / "bad.zip")
    refuses(make, target, path, "is not in it|does not fit together", kind)


def changed(good: dict[str, bytes], **changes: object) -> dict[str, bytes]:
    manifest = json.loads(good["manifest.json"]) | changes
    return good | {"manifest.json": json.dumps(manifest).encode()}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"format": 2}, "newer release"),
        ({"revision": "9999"}, "newer release"),
        ({"revision": 1}, "manifest is broken"),
        ({"created_at": "yesterday"}, "manifest is broken"),
        ({"members": []}, "manifest is broken"),
        ({"members": {"tables/entries.jsonl": {"sha256": "", "size": -1}}}, "manifest is broken"),
    ],
)
def test_a_manifest_that_makes_no_sense_is_refused(
    make: Make,
    target: Config,
    good: dict[str, bytes],
    tmp_path: Path,
    changes: dict[str, object],
    says: str,
) -> None:
    path = pack(changed(good, **changes), tmp_path / "bad.zip", honest=False)
    refuses(make, target, path, says)


def test_a_table_too_many_or_too_few_is_refused(
    make: Make, target: Config, good: dict[str, bytes], tmp_path: Path
) -> None:
    name = "tables/attempts.jsonl"
    path = pack({n: data for n, data in good.items() if n != name}, tmp_path / "bad.zip")
    refuses(make, target, path, "does not hold the tables of its schema")
    manifest = json.loads(good["manifest.json"])
    manifest["members"][name]["columns"]["password"] = "text"
    path = pack(changed(good, members=manifest["members"]), tmp_path / "bad.zip")
    refuses(make, target, path, "other columns")


def test_an_archive_that_claims_too_much_is_refused_unread(
    make: Make, target: Config, good: dict[str, bytes], tmp_path: Path
) -> None:
    bomb = good | {"tables/attempts.jsonl": b"\n" * 100_000_000}
    refuses(make, target, pack(bomb, tmp_path / "bomb.zip"), "more than its size can be")
    small = good | {"certs/large.pem": bytes(1_100_000)}
    refuses(make, target, pack(small, tmp_path / "bomb.zip"), "too large")


def test_a_file_twice_is_refused(
    make: Make, target: Config, good: dict[str, bytes], tmp_path: Path
) -> None:
    path = pack(good, tmp_path / "twice.zip")
    with (
        pytest.warns(UserWarning, match="Duplicate name"),
        zipfile.ZipFile(path, "a") as archive,
    ):
        archive.writestr("certs/apple-root.pem", b"evil")
    refuses(make, target, path, "twice")


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x05\x06" + bytes(18)])
def test_a_file_that_is_no_backup_is_refused(
    make: Make, target: Config, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    refuses(make, target, path, "no backup|not a backup")
    with pytest.raises(Unavailable, match="No such file"):
        restore(tmp_path / "absent", make("sqlite"), target)


@pytest.fixture(scope="module")
def small_backup(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Path:
    folder = tmp_path_factory.mktemp("small")
    database = Database(f"sqlite:///{sqlite_template}")
    config = config_in(folder / "data")
    KeyRing.open(config).current(Purpose.FIELD)
    backup(database, config, folder / "backup.zip", now=NOW)
    database.dispose()
    return folder


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_a_damaged_archive_is_refused_or_harmless(small_backup: Path, data: st.DataObject) -> None:
    content = bytearray((small_backup / "backup.zip").read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    content = content[: data.draw(st.integers(len(content) // 2, len(content)))]
    path = small_backup / "damaged.zip"
    path.write_bytes(content)
    place = small_backup / uuid.uuid4().hex
    place.mkdir()
    database = Database(f"sqlite:///{place / 'counterfoil.sqlite'}")
    try:
        restore(path, database, config_in(place))
    except CounterfoilError:
        assert is_empty(database)
        assert not (place / "keys").exists()
    finally:
        database.dispose()
