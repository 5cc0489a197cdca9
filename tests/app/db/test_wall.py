"""The wall between programmes: nothing of another one is read or written."""

from collections.abc import Callable

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
from sqlalchemy.orm import Session, aliased

from app.db import Id, Moment, WallBreached, enter, new_id, programme_of
from app.programmes.models import Location, Programme
from tests.app.db.conftest import NOW, Two, Writes, row_of

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
