"""Lookups that are sent before somebody asks: they answer what they would have answered anyway."""

from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from sqlalchemy import Integer, bindparam, cast, literal, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.db import Database, Prepared, Question, WallBreached, asked_ahead, within
from app.programmes.models import Location
from tests.app.db.conftest import Two

NOW = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)
_locations: Any = Location.__table__
_by_slug = Prepared(
    select(_locations.c.name).where(_locations.c.slug.in_(bindparam("slugs", expanding=True)))
)
_all_names = Prepared(select(_locations.c.name).order_by(_locations.c.name))
_divided = Prepared(
    select(cast(literal(1) / cast(bindparam("by"), Integer), Integer)).select_from(_locations)
)
_renamed = Prepared(update(_locations).values(name=bindparam("new_name")))
X = {"slugs": ["x"]}


@pytest.fixture
def programmes(two: Two) -> tuple[Database, str, str]:
    """A database with two programmes, each with a location of its name."""
    return two.database, two.mine, two.theirs


def names(session: Session, prepared: Prepared, values: dict[str, Any]) -> list[str]:
    return [row.name for row in prepared(session, values)]


def test_each_programme_is_answered_with_its_own_rows(
    programmes: tuple[Database, str, str],
) -> None:
    database, mine, theirs = programmes
    with database.write_all() as session:
        questions = [Question(_by_slug, X, each) for each in (mine, theirs)]
        with asked_ahead(session, [*questions, Question(_all_names, {}, theirs)]):
            with within(session, theirs):
                assert names(session, _by_slug, X) == ["theirs"]
                assert names(session, _all_names, {}) == ["theirs"]
            with within(session, mine):
                assert names(session, _by_slug, X) == ["mine"]


def test_what_was_asked_ahead_is_told_once_and_then_looked_up_again(
    programmes: tuple[Database, str, str],
) -> None:
    database, mine, _ = programmes
    with database.write(mine) as session:
        with asked_ahead(session, [Question(_by_slug, X, mine)]):
            assert names(session, _by_slug, X) == ["mine"]
            _renamed(session, {"new_name": "new"})
            assert names(session, _by_slug, X) == ["new"]
        with asked_ahead(session, [Question(_by_slug, X, mine)]):
            pass
        _renamed(session, {"new_name": "newer"})
        assert names(session, _by_slug, X) == ["newer"]


def test_another_question_than_the_one_asked_ahead_has_its_own_answer(
    programmes: tuple[Database, str, str],
) -> None:
    database, mine, _ = programmes
    with database.write(mine) as session, asked_ahead(session, [Question(_by_slug, X, mine)]):
        assert names(session, _by_slug, {"slugs": ["y"]}) == []
        # Whatever was asked ahead may be old by now.
        _renamed(session, {"new_name": "new"})
        assert names(session, _by_slug, X) == ["new"]


def test_a_session_of_one_programme_asks_nothing_ahead_of_another(
    programmes: tuple[Database, str, str],
) -> None:
    database, mine, theirs = programmes
    with database.write(mine) as session:
        if session.get_bind().dialect.name == "sqlite":
            pytest.skip("there nothing is asked ahead")
        with pytest.raises(WallBreached), asked_ahead(session, [Question(_by_slug, X, theirs)]):
            pass


def test_one_that_fails_fails_all_and_leaves_the_database_usable(
    programmes: tuple[Database, str, str],
) -> None:
    database, mine, _ = programmes
    with pytest.raises(DBAPIError), database.write(mine) as session:
        questions = [Question(_by_slug, X, mine), Question(_divided, {"by": 0}, mine)]
        with asked_ahead(session, questions):
            if session.get_bind().dialect.name == "sqlite":
                pytest.skip("there nothing is asked ahead")
    with database.write(mine) as session:
        assert names(session, _by_slug, X) == ["mine"]


def test_a_connection_that_the_server_closed_is_given_to_nobody(
    programmes: tuple[Database, str, str],
) -> None:
    database, mine, _ = programmes
    if database.is_sqlite:
        pytest.skip("there is no server")
    with database.write(mine) as session:
        number = session.connection().exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
    ended = f"SELECT pg_terminate_backend({number}, 5000)"
    with psycopg.connect(database.url.replace("+psycopg", ""), autocommit=True) as other:
        other.execute(ended)  # type: ignore[arg-type]
    with database.write(mine) as session:
        assert names(session, _by_slug, X) == ["mine"]
