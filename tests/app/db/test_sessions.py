"""What each kind of session promises."""

import sqlite3
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import (
    delete,
    func,
    select,
    text,
    update,
)
from sqlalchemy.exc import OperationalError, StatementError

from app.db import Database, WallBreached, new_id
from app.errors import CounterfoilError
from app.programmes.models import Location
from tests.app.db.conftest import NOW, Two, row_of


def test_a_write_that_fails_leaves_nothing(two: Two) -> None:
    before = two.locations()
    with pytest.raises(ZeroDivisionError), two.database.write(two.mine) as session:
        session.add(Location(**row_of(two.mine)))
        session.flush()
        raise ZeroDivisionError
    assert two.locations() == before


class Counted(CounterfoilError):
    """An error whose changes are kept."""

    keeps_changes = True


@pytest.mark.parametrize(("error", "kept"), [(Counted, True), (CounterfoilError, False)])
def test_an_error_decides_whether_what_came_before_it_is_kept(
    two: Two, error: type[CounterfoilError], kept: bool
) -> None:
    with pytest.raises(error), two.database.write(two.mine) as session:
        session.add(Location(**row_of(two.mine)))
        raise error("a try that counts, or not")
    assert ((two.mine, "new") in two.locations()) is kept


def test_what_was_only_read_is_not_written(two: Two) -> None:
    before = two.locations()
    with two.database.read(two.mine) as session:
        session.scalars(select(Location)).one().name = "changed"
    assert two.locations() == before


def test_a_reader_keeps_no_writer_waiting(two: Two) -> None:
    with two.database.read(two.mine) as reader:
        assert reader.scalar(select(func.count(Location.id))) == 1
        with two.database.write(two.mine) as writer:
            writer.add(Location(**row_of(two.mine)))
    assert len(two.locations()) == 3


def test_sqlite_is_durable_and_checks_references(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'new.sqlite'}")
    with database.engine.connect() as connection:
        found = {
            name: connection.scalar(text(f"PRAGMA {name}"))
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert found == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": 5000,
    }
    assert database.path == tmp_path / "new.sqlite"
    database.dispose()


def test_a_second_writer_on_sqlite_waits_and_then_gives_up(
    database_urls: Callable[[str], str],
) -> None:
    database = Database(database_urls("sqlite"))
    with database.write_all() as first:
        first.execute(text("SELECT 1"))
        with database.engine.connect().execution_options(counterfoil_read=True) as quick:
            quick.exec_driver_sql("PRAGMA busy_timeout = 50")
            with pytest.raises(OperationalError, match="locked"):
                quick.exec_driver_sql("UPDATE programmes SET name = 'x'")
            quick.rollback()
            quick.exec_driver_sql("PRAGMA busy_timeout = 5000")
    database.dispose()


def test_moments_are_kept_to_the_microsecond_in_any_zone(two: Two) -> None:
    moment = datetime(2026, 3, 29, 3, 30, 0, 123456, tzinfo=timezone(timedelta(hours=3)))
    with two.database.write(two.mine) as session:
        session.execute(update(Location).values(created_at=moment))
    with two.database.read(two.mine) as session:
        read = session.scalar(select(Location.created_at))
        assert read == moment
        assert read is not None
        assert read.utcoffset() == timedelta(0)
        assert session.scalar(select(Location.id).where(Location.created_at == moment))


def test_a_moment_without_a_zone_is_refused(two: Two) -> None:
    with (
        pytest.raises((StatementError, ValueError), match="without a zone"),
        two.database.write(two.mine) as session,
    ):
        session.execute(update(Location).values(created_at=NOW.replace(tzinfo=None)))


def test_ids_are_fresh_uuids() -> None:
    assert new_id() != new_id()
    assert str(uuid.UUID(new_id()))


def test_a_reader_sees_one_state_throughout(two: Two) -> None:
    with two.database.read(two.mine) as reader:
        assert reader.scalar(select(func.count(Location.id))) == 1
        with two.database.write(two.mine) as writer:
            writer.add(Location(**row_of(two.mine)))
        assert reader.scalar(select(func.count(Location.id))) == 1


def test_a_session_for_reading_refuses_to_write(two: Two) -> None:
    before = two.locations()
    for open_one in (lambda: two.database.read(two.mine), two.database.read_all):
        with pytest.raises(WallBreached, match="opened for reading"), open_one() as session:
            session.add(Location(**row_of(two.mine)))
            session.commit()
        with pytest.raises(WallBreached, match="opened for reading"), open_one() as session:
            session.execute(delete(Location))
    assert two.locations() == before


def test_replacing_a_row_of_the_ledger_is_refused_too(
    database_urls: Callable[[str], str],
) -> None:
    database = Database(database_urls("sqlite"))
    with database.engine.connect() as connection:
        # Without it INSERT OR REPLACE deletes past the triggers.
        assert connection.scalar(text("PRAGMA recursive_triggers")) == 1
    database.dispose()


def test_on_sqlite_no_connection_replaces_a_row_of_the_ledger(
    database_urls: Callable[[str], str],
) -> None:
    database = Database(database_urls("sqlite"))
    assert database.path is not None
    foreign = sqlite3.connect(database.path)  # with none of our settings
    try:
        columns = "(sequence, programme_id, entry_id, account_id, points, recorded_at)"
        row = " INTO draws " + columns + " VALUES (1, 'p', 'e', 'a', ?, '2026-06-01')"
        foreign.execute("INSERT" + row, (10,))
        with pytest.raises(sqlite3.IntegrityError, match="never changed"):
            foreign.execute("INSERT OR REPLACE" + row, (777,))
    finally:
        foreign.close()
        database.dispose()
