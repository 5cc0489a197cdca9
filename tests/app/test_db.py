"""The wall between programmes, and what each kind of session promises."""

import sqlite3
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import (
    delete,
    exists,
    false,
    func,
    insert,
    literal,
    select,
    text,
    union_all,
    update,
)
from sqlalchemy.exc import OperationalError, StatementError
from sqlalchemy.orm import Session, aliased

from app.db import Database, Id, Moment, WallBreached, enter, new_id, programme_of
from app.errors import CounterfoilError
from app.programmes.models import Location, Programme

NOW = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)


@dataclass
class Two:
    """Two programmes with a location each, of the name of its programme."""

    database: Database
    mine: str
    my_location: str
    theirs: str
    their_location: str

    def locations(self) -> list[tuple[str, str]]:
        """Every location's programme and name, whoever it belongs to."""
        with self.database.read_all() as session:
            rows = session.execute(select(Location.programme_id, Location.name)).all()
        return sorted((programme, name) for programme, name in rows)


@pytest.fixture
def two(database: Database) -> Two:
    ids = []
    with database.write_all() as session:
        for name in ("mine", "theirs"):
            programme = Programme(
                slug=name,
                name=name,
                benefit="",
                points_names={},
                colours={},
                time_zone="UTC",
                currency="EUR",
                created_at=NOW,
            )
            session.add(programme)
            session.flush()
            location = Location(programme_id=programme.id, slug="x", name=name, created_at=NOW)
            session.add(location)
            session.flush()
            ids += [programme.id, location.id]
    return Two(database, *ids)


def row_of(programme_id: str) -> dict[str, Any]:
    return {
        "id": new_id(),
        "programme_id": programme_id,
        "slug": "new",
        "name": "new",
        "created_at": NOW,
    }


Reads = Callable[[Session], list[str]]

READS: dict[str, Reads] = {
    "the class": lambda s: [each.name for each in s.scalars(select(Location))],
    "a column": lambda s: list(s.scalars(select(Location.name))),
    "an alias": lambda s: [each.name for each in s.scalars(select(aliased(Location)))],
    "a column of an alias": lambda s: list(s.scalars(select(aliased(Location).name))),
    "a query": lambda s: [each.name for each in s.query(Location)],
    "a subquery": lambda s: list(s.scalars(select(select(Location.name).subquery().c.name))),
    "a common table expression": lambda s: list(s.scalars(select(select(Location.name).cte()))),
    "a union": lambda s: list(
        s.scalars(union_all(select(Location.name), select(Location.name).where(false())))
    ),
    "a join from a table of all": lambda s: list(
        s.scalars(select(Location.name).join(Programme, Programme.id == Location.programme_id))
    ),
    "a join to it": lambda s: list(
        s.scalars(
            select(Location.name)
            .select_from(Programme)
            .join(Location, Programme.id == Location.programme_id)
        )
    ),
    "an outer join": lambda s: [
        name
        for name in s.scalars(
            select(Location.name)
            .select_from(Programme)
            .outerjoin(Location, Programme.id == Location.programme_id)
        )
        if name
    ],
    "a condition": lambda s: list(
        s.scalars(select(Programme.slug).where(Programme.id.in_(select(Location.programme_id))))
    ),
}


@pytest.mark.parametrize("read", READS.values(), ids=READS.keys())
def test_a_session_of_one_programme_reads_no_row_of_another(two: Two, read: Reads) -> None:
    # To and fro: what the first reading prepared must not serve the second one's programme.
    for programme, name in ((two.mine, "mine"), (two.theirs, "theirs"), (two.mine, "mine")):
        with two.database.read(programme) as session:
            assert read(session) == [name]
        with two.database.write(programme) as session:
            assert read(session) == [name]


def test_a_row_of_another_programme_is_not_there_by_its_id(two: Two) -> None:
    with two.database.read(two.mine) as session:
        assert session.get(Location, two.their_location) is None
        assert session.get(Location, two.my_location) is not None
        assert session.scalar(select(func.count()).select_from(Location)) == 1
        assert session.scalar(select(func.count(Location.id))) == 1
        there = exists().where(Location.id == two.their_location)
        assert session.scalar(select(there)) is False


def test_a_session_of_all_programmes_reads_all(two: Two) -> None:
    with two.database.read_all() as session:
        assert sorted(session.scalars(select(Location.name))) == ["mine", "theirs"]


def test_a_session_that_was_opened_for_all_can_be_narrowed(two: Two) -> None:
    with two.database.write_all() as session:
        enter(session, two.mine)
        assert programme_of(session) == two.mine
        assert list(session.scalars(select(Location.name))) == ["mine"]


def test_a_session_opened_past_the_wall_is_refused(two: Two) -> None:
    with Session(two.database.engine) as session, pytest.raises(WallBreached):
        session.scalars(select(Location))


Writes = Callable[[Session, Two], object]


def move(session: Session, two: Two) -> None:
    session.scalars(select(Location)).one().programme_id = two.theirs
    session.flush()


def add(session: Session, two: Two) -> None:
    session.add(Location(**row_of(two.theirs)))
    session.flush()


def merge(session: Session, two: Two) -> None:
    session.merge(Location(**row_of(two.theirs) | {"id": two.their_location}))
    session.flush()


def insert_from_select(session: Session, two: Two) -> None:
    chosen = select(
        literal(new_id(), Id),
        literal(two.theirs, Id),
        literal("new"),
        literal("new"),
        literal(NOW, Moment),
    )
    names = ["id", "programme_id", "slug", "name", "created_at"]
    session.execute(insert(Location).from_select(names, chosen))


#: Each of these raises.
REFUSED: dict[str, Writes] = {
    "add": add,
    "merge": merge,
    "move": move,
    "insert a row": lambda s, two: s.execute(insert(Location), row_of(two.theirs)),
    "insert rows": lambda s, two: s.execute(
        insert(Location), [row_of(two.mine), row_of(two.theirs)]
    ),
    "insert values": lambda s, two: s.execute(insert(Location).values(**row_of(two.theirs))),
    "insert from select": insert_from_select,
}

#: Each of these finds no row to change.
UNSEEN: dict[str, Writes] = {
    "update": lambda s, two: s.execute(
        update(Location).where(Location.id == two.their_location).values(name="new")
    ),
    "update everything else": lambda s, two: s.execute(
        update(Location).where(Location.id != two.my_location).values(name="new")
    ),
    "delete": lambda s, two: s.execute(delete(Location).where(Location.id == two.their_location)),
    "delete everything else": lambda s, two: s.execute(
        delete(Location).where(Location.id != two.my_location)
    ),
    "query and update": lambda s, two: (
        s.query(Location).filter(Location.id == two.their_location).update({"name": "new"})
    ),
    "query and delete": lambda s, two: (
        s.query(Location).filter(Location.id == two.their_location).delete()
    ),
}


@pytest.mark.parametrize("write", REFUSED.values(), ids=REFUSED.keys())
def test_a_session_of_one_programme_adds_no_row_to_another(two: Two, write: Writes) -> None:
    before = two.locations()
    with pytest.raises(WallBreached), two.database.write(two.mine) as session:
        write(session, two)
    assert two.locations() == before


@pytest.mark.parametrize("write", UNSEEN.values(), ids=UNSEEN.keys())
def test_a_session_of_one_programme_changes_no_row_of_another(two: Two, write: Writes) -> None:
    before = two.locations()
    with two.database.write(two.mine) as session:
        write(session, two)
    assert two.locations() == before


def test_a_new_row_without_a_programme_gets_the_session_s(two: Two) -> None:
    with two.database.write(two.mine) as session:
        session.add(Location(slug="new", name="new", created_at=NOW))
    assert (two.mine, "new") in two.locations()


def test_a_session_writes_rows_of_its_own_programme(two: Two) -> None:
    with two.database.write(two.mine) as session:
        session.execute(insert(Location), row_of(two.mine))
        session.execute(update(Location).values(name="renamed"))
        session.execute(delete(Location).where(Location.slug == "new"))
    assert two.locations() == sorted([(two.mine, "renamed"), (two.theirs, "theirs")])


# -- what sessions promise -------------------------------------------------------------------


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


# -- past the ordinary statement -------------------------------------------------------------

BARE: dict[str, Writes] = {
    "read a table": lambda s, two: s.execute(select(Location.__table__)).all(),
    "read a column": lambda s, two: s.execute(select(Location.__table__.c.name)).all(),
    "read by text": lambda s, two: s.execute(text("SELECT name FROM locations")).all(),
    "read a class by text": lambda s, two: s.scalars(
        select(Location).from_statement(text("SELECT * FROM locations"))
    ).all(),
    "insert into a table": lambda s, two: s.execute(
        insert(Location.__table__).values(**row_of(two.theirs))
    ),
    "update a table": lambda s, two: s.execute(update(Location.__table__).values(name="new")),
    "delete from a table": lambda s, two: s.execute(delete(Location.__table__)),
    "update by text": lambda s, two: s.execute(text("UPDATE locations SET name = 'new'")),
    "give away": lambda s, two: s.execute(
        update(Location).values(programme_id=two.theirs, slug="y")
    ),
    "update by id": lambda s, two: s.execute(
        update(Location), [{"id": two.their_location, "name": "new"}]
    ),
    "insert mine as theirs": lambda s, two: s.execute(
        insert(Location).values(programme_id=two.theirs), [row_of(two.mine)]
    ),
    "save in bulk": lambda s, two: s.bulk_save_objects([Location(**row_of(two.theirs))]),
    "insert in bulk": lambda s, two: s.bulk_insert_mappings(Location, [row_of(two.theirs)]),
    "update in bulk": lambda s, two: s.bulk_update_mappings(
        Location, [{"id": two.their_location, "name": "new"}]
    ),
}


@pytest.mark.parametrize("touch", BARE.values(), ids=BARE.keys())
def test_what_the_wall_cannot_look_into_is_refused(two: Two, touch: Writes) -> None:
    before = two.locations()
    with pytest.raises(WallBreached), two.database.write(two.mine) as session:
        touch(session, two)
    assert two.locations() == before


def test_values_of_the_own_programme_may_stand_in_the_statement(two: Two) -> None:
    with two.database.write(two.mine) as session:
        session.execute(insert(Location).values(**row_of(two.mine)))
    assert (two.mine, "new") in two.locations()


def test_narrowing_a_session_forgets_the_rows_of_others(two: Two) -> None:
    with two.database.write_all() as session:
        theirs = session.get(Location, two.their_location)
        mine = session.get(Location, two.my_location)
        enter(session, two.mine)
        assert session.get(Location, two.their_location) is None
        assert theirs is not None
        assert theirs not in session
        assert mine in session


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
