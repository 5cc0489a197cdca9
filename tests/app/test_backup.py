"""A backup brings everything back, on either kind of database, and is believed nothing."""

import gc
import hashlib
import json
import os
import random
import shutil
import tracemalloc
import uuid
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import (
    JSON,
    Boolean,
    Date,
    Integer,
    LargeBinary,
    Numeric,
    Table,
    Uuid,
    insert,
    null,
    select,
    text,
)
from sqlalchemy.exc import DBAPIError, IntegrityError

from app.attempts import Attempt
from app.backup import backup, restore
from app.backup.columns import Kind, decode, encode, tables
from app.certs import PASS, ROOT
from app.config import Config
from app.db import Database, Moment
from app.errors import Conflict, CounterfoilError, Invalid, Misconfigured, Unavailable
from app.keys import KeyRing, Purpose
from app.migrations import at_head, is_empty
from app.schema import metadata

NOW = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)
KINDS = ["sqlite", "postgresql"]
ROWS = 4

#: What the models' own conditions ask for beyond types and references.
SPECIAL: dict[str, dict[str, Callable[[int], Any]]] = {
    "lots": {"points": lambda _: 10, "remaining": lambda _: 7, "held": lambda _: 3},
}


def value_for(
    column: Any, number: int, chance: random.Random, parents: dict[str, list[Any]]
) -> Any:
    """A value of the column's type, at the edges of what it can hold."""
    if column.table.name in SPECIAL and column.name in SPECIAL[column.table.name]:
        return SPECIAL[column.table.name][column.name](number)
    if column.nullable and number % 2:
        return null()
    if column.foreign_keys:
        [key] = column.foreign_keys
        return parents[str(key.column)][number] if str(key.column) in parents else null()
    of = column.type
    if isinstance(of, Moment):
        return NOW + timedelta(days=number, microseconds=chance.randrange(10**6))
    if isinstance(of, Uuid):
        return str(uuid.UUID(int=chance.getrandbits(128)))
    if isinstance(of, JSON):
        return [{"ä": [1, 2.5, None], "z": 1, "a": '\u2028"'}, [], "text", None][number]
    if isinstance(of, LargeBinary):
        return chance.randbytes(of.length or 40)
    if isinstance(of, Boolean):
        return number % 3 == 0
    if isinstance(of, Date):
        return date(2026, 1, 1 + number)
    if isinstance(of, Numeric):
        return chance.randrange(10**6)
    if isinstance(of, Integer):
        largest = 2**63 - 1 if "BIGINT" in str(of) else 2**31 - 1
        return number + 1 if column.primary_key else largest - number
    return (str(number) + 'žš漢\n\t"' * 60)[: of.length or 500]


def fill(database: Database, seed: int = 1) -> None:
    """Rows in every table there is, so that a table added later is covered too."""
    chance = random.Random(seed)
    parents: dict[str, list[Any]] = {}
    with database.engine.begin() as connection:
        for table in metadata.sorted_tables:
            rows = [
                {c.name: value_for(c, number, chance, parents) for c in table.columns}
                for number in range(ROWS)
            ]
            for row in rows:
                connection.execute(insert(table).values(row))
            for column in table.columns:
                parents[f"{table.name}.{column.name}"] = [row[column.name] for row in rows]


def everything(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Every row as the models read it."""
    with database.engine.connect() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(in_order(table))]
            for table in metadata.sorted_tables
        }


def in_order(table: Table) -> Any:
    return select(table).order_by(*table.primary_key.columns)


Make = Callable[[str], Database]


@pytest.fixture
def make(database_urls: Callable[[str], str]) -> Iterator[Make]:
    made: list[Database] = []

    def one(kind: str) -> Database:
        made.append(Database(database_urls(kind)))
        return made[-1]

    yield one
    for database in made:
        database.dispose()


def config_in(folder: Path) -> Config:
    return Config(data=folder, database_url="", url="http://127.0.0.1:8000")


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return data_folder(tmp_path / "data")


def data_folder(folder: Path) -> Config:
    """A data folder with keys and certificates."""
    config = config_in(folder)
    ring = KeyRing.open(config)
    ring.current(Purpose.FIELD)
    ring.rotate(Purpose.FIELD)
    ring.create(Purpose.CARD_SIGNING, programme_id=str(uuid.uuid4()), version=9, material=b"s" * 32)
    config.certs_dir.mkdir()
    (config.certs_dir / ROOT).write_text("a certificate")
    (config.certs_dir / PASS).write_text("another")
    return config


@pytest.fixture
def target(tmp_path: Path) -> Config:
    return config_in(tmp_path / "restored")


@pytest.mark.parametrize("source", KINDS)
@pytest.mark.parametrize("destination", KINDS)
def test_everything_comes_back_on_either_kind_of_database(
    make: Make, config: Config, target: Config, tmp_path: Path, source: str, destination: str
) -> None:
    before, after = make(source), make(destination)
    fill(before)
    first = backup(before, config, tmp_path / "backup.zip", now=NOW)
    target.data.mkdir()
    (target.data / "master.key").write_bytes((config.data / "master.key").read_bytes())
    (target.data / "master.key").chmod(0o600)
    second = restore(tmp_path / "backup.zip", after, target)
    assert everything(after) == everything(before)
    assert first.rows == second.rows == {name: ROWS for name in metadata.tables}
    assert first.keys == second.keys == 3
    assert "can be started" in str(second)
    # Byte for byte: a JSON null is not an empty field, and the order of keys stays.
    backup(after, target, tmp_path / "again.zip", now=NOW)
    assert contents(tmp_path / "again.zip") == contents(tmp_path / "backup.zip")


def contents(file: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(file) as archive:
        names = set(archive.namelist()) - {"manifest.json"}
        return {name: archive.read(name) for name in names}


def test_both_kinds_of_database_hold_the_same_kinds_of_columns(make: Make) -> None:
    found = []
    for kind in KINDS:
        with make(kind).engine.connect() as connection:
            found.append(tables(connection))
    assert found[0] == found[1]
    assert found[0].keys() == metadata.tables.keys()


@pytest.fixture(params=KINDS)
def restored(
    request: pytest.FixtureRequest, make: Make, config: Config, target: Config, tmp_path: Path
) -> Database:
    """A database that came out of a backup."""
    before, after = make("sqlite"), make(request.param)
    fill(before)
    backup(before, config, tmp_path / "backup.zip", now=NOW)
    restore(tmp_path / "backup.zip", after, target)
    return after


def test_a_restored_database_counts_on_where_it_stopped(restored: Database) -> None:
    entries = metadata.tables["entries"]
    with restored.engine.begin() as connection:
        row = dict(connection.execute(select(entries).limit(1)).mappings().one())
        del row["sequence"]
        connection.execute(insert(entries).values(row | {"id": str(uuid.uuid4())}))
        newest = connection.scalars(select(entries.c.sequence).order_by(entries.c.sequence.desc()))
        assert newest.first() == ROWS + 1


def test_a_restored_database_guards_its_ledger_and_its_references(restored: Database) -> None:
    assert at_head(restored)
    with (
        pytest.raises(DBAPIError, match="never changed or deleted"),
        restored.engine.begin() as connection,
    ):
        connection.execute(text("DELETE FROM draws"))
    with restored.engine.connect() as connection, pytest.raises(IntegrityError):
        # At once, not only at the end: the references are not left deferred.
        connection.execute(text("DELETE FROM programmes"))


def test_rows_that_name_later_rows_come_back(
    make: Make, config: Config, target: Config, tmp_path: Path
) -> None:
    for source, destination in zip(KINDS, reversed(KINDS), strict=True):
        before, after = make(source), make(destination)
        fill(before)
        with before.engine.begin() as connection:
            cards = metadata.tables["cards"]
            first, *_, last = connection.scalars(select(cards.c.id).order_by(cards.c.id)).all()
            statement = cards.update().where(cards.c.id == first).values(replaced_by_id=last)
            connection.execute(statement)
        backup(before, config, tmp_path / "backup.zip", now=NOW)
        restore(tmp_path / "backup.zip", after, replace(target, data=target.data / source))
        assert everything(after) == everything(before)


@pytest.mark.parametrize("kind", KINDS)
def test_a_backup_shows_one_moment_while_the_service_writes(
    make: Make, config: Config, target: Config, tmp_path: Path, kind: str
) -> None:
    database = make(kind)
    fill(database)
    before = everything(database)
    written = 0

    def write_meanwhile(_table: str, _rows: int) -> None:
        nonlocal written
        with database.engine.begin() as connection:
            connection.execute(insert(Attempt).values(attempt(written)))
            connection.execute(text("DELETE FROM seen_nonces"))
        written += 1

    backup(database, config, tmp_path / "backup.zip", now=NOW, progress=write_meanwhile)
    assert written == len(metadata.tables)
    after = make("sqlite")
    restore(tmp_path / "backup.zip", after, target)
    assert everything(after) == before


def attempt(number: int) -> dict[str, Any]:
    subject = f"{number:08d}" * 12
    return {"id": str(uuid.uuid4()), "scope": "enrolment", "subject": subject, "tried_at": NOW}


@pytest.mark.parametrize("kind", KINDS)
def test_memory_stays_flat_however_many_rows_there_are(
    make: Make, config: Config, target: Config, tmp_path: Path, kind: str
) -> None:
    database = make(kind)
    peaks = []
    for rows in (1_000, 8_000):
        with database.engine.begin() as connection:
            connection.execute(text("DELETE FROM attempts"))
            connection.execute(insert(Attempt.__table__), [attempt(n) for n in range(rows)])
        place = replace(target, data=target.data / str(rows))
        gc.collect()  # what earlier tests left behind is not ours
        tracemalloc.start()
        try:
            backup(database, config, tmp_path / "backup.zip", now=NOW)
            _, writing = tracemalloc.get_traced_memory()
            tracemalloc.reset_peak()
            restore(tmp_path / "backup.zip", make(kind), place)
            peaks.append((writing, tracemalloc.get_traced_memory()[1]))
        finally:
            tracemalloc.stop()
    (writing, reading), (writing_more, reading_more) = peaks
    # The further rows, held at once, would take some four and a half megabytes more.
    assert writing_more - writing < 2_250_000
    assert reading_more - reading < 2_250_000


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


def test_a_backup_restores_into_a_database_without_tables(
    make: Make, config: Config, target: Config, tmp_path: Path, postgres: str
) -> None:
    before = make("sqlite")
    fill(before)
    backup(before, config, tmp_path / "backup.zip", now=NOW)
    with psycopg.connect(postgres % "postgres", autocommit=True) as connection:
        connection.execute("CREATE DATABASE unmade")
    address = (postgres % "unmade").replace("postgresql://", "postgresql+psycopg://", 1)
    for number, url in enumerate([f"sqlite:///{tmp_path / 'unmade.sqlite'}", address]):
        after = Database(url)
        restore(tmp_path / "backup.zip", after, replace(target, data=target.data / str(number)))
        assert everything(after) == everything(before)
        after.dispose()


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


# -- hostile archives ------------------------------------------------------------------------


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


VALUES: dict[Kind, st.SearchStrategy[Any]] = {
    Kind.INTEGER: st.integers(-(2**63), 2**63 - 1),
    Kind.BOOLEAN: st.booleans(),
    Kind.TEXT: st.text(),
    Kind.BYTES: st.binary(),
    Kind.UUID: st.uuids().map(str),
    Kind.MOMENT: st.datetimes(timezones=st.just(UTC)),
    Kind.DATE: st.dates(),
    Kind.JSON: st.text().map(json.dumps),
    Kind.DECIMAL: st.decimals(allow_nan=False, allow_infinity=False).map(str),
}


@pytest.mark.parametrize("kind", list(Kind))
def test_a_value_of_any_kind_comes_back_the_same(kind: Kind) -> None:
    @given(VALUES[kind] | st.none())
    def holds(value: Any) -> None:
        line = json.dumps(encode(kind, value), ensure_ascii=False)
        assert decode(kind, json.loads(line)) == value

    holds()


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("value", [[], {}, 1.5, float("nan"), 2**63, "\u0000\u0001", "NaN"])
def test_a_value_of_another_kind_is_refused(kind: Kind, value: object) -> None:
    if kind in {Kind.TEXT, Kind.JSON} and isinstance(value, str):
        return
    with pytest.raises(ValueError):
        decode(kind, value)
