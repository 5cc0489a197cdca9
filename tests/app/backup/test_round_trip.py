"""A backup brings everything back, on either kind of database."""

import gc
import tracemalloc
import uuid
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import (
    insert,
    select,
    text,
)
from sqlalchemy.exc import DBAPIError, IntegrityError

from app.attempts import Attempt
from app.backup import backup, restore
from app.backup.columns import tables
from app.config import Config
from app.db import Database
from app.migrations import at_head
from app.schema import metadata
from tests.app.backup.conftest import (
    KINDS,
    NOW,
    ROWS,
    Make,
    attempt,
    contents,
    everything,
    fill,
)


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
