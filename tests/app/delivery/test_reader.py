"""Reads for many who ask at once: one statement for all, and to each what is his."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from app.db import Database
from app.delivery.reader import Reader


class Slow:
    """Doubles numbers by asking the database; the first statement waits until it may go on."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []
        self.begun, self.may_go_on = threading.Event(), threading.Event()

    def __call__(self, connection: Connection, numbers: Sequence[int]) -> Mapping[int, int]:
        self.asked.append(list(numbers))
        self.begun.set()
        assert self.may_go_on.wait(10)
        if -1 in numbers:
            connection.execute(text("SELECT nonsense"))
        return {
            number: connection.scalar(text("SELECT 2 * :number"), {"number": number})
            for number in numbers
            if number != 404
        }


@pytest.fixture
def slow() -> Slow:
    return Slow()


@pytest.fixture
def reader(database: Database, slow: Slow) -> Iterator[Reader[int, int]]:
    yield Reader(database, slow)


def test_each_gets_what_is_his(reader: Reader[int, int], slow: Slow) -> None:
    slow.may_go_on.set()
    assert [reader.get(number) for number in (1, 404, 21)] == [2, None, 42]


def test_whoever_comes_while_a_statement_runs_shares_the_next_one(
    reader: Reader[int, int], slow: Slow
) -> None:
    with ThreadPoolExecutor(9) as threads:
        first = threads.submit(reader.get, 0)
        assert slow.begun.wait(10)
        others = [threads.submit(reader.get, number) for number in range(1, 9)]
        while len(reader._waiting) < 8:
            pass
        slow.may_go_on.set()
        assert [each.result(10) for each in (first, *others)] == [2 * n for n in range(9)]
    assert [len(numbers) for numbers in slow.asked] == [1, 8]


def test_an_error_is_told_to_all_who_asked_and_the_next_ones_are_answered(
    reader: Reader[int, int], slow: Slow
) -> None:
    with ThreadPoolExecutor(3) as threads:
        first = threads.submit(reader.get, 0)
        assert slow.begun.wait(10)
        others = [threads.submit(reader.get, number) for number in (-1, 5)]
        while len(reader._waiting) < 2:
            pass
        slow.may_go_on.set()
        assert first.result(10) == 0
        for each in others:
            with pytest.raises(DBAPIError):
                each.result(10)
    assert reader.get(5) == 10


def test_what_was_committed_before_somebody_asks_is_seen(database: Database) -> None:
    with database.engine.begin() as connection:
        connection.execute(text("CREATE TABLE counted (n INTEGER)"))

    def count(connection: Connection, keys: Sequence[str]) -> Mapping[str, int]:
        found = connection.scalar(text("SELECT count(*) FROM counted"))
        return dict.fromkeys(keys, found or 0)

    reader = Reader(database, count)
    for number in range(3):
        assert reader.get("rows") == number
        with database.engine.begin() as connection:
            connection.execute(text("INSERT INTO counted VALUES (1)"))


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_connection_that_the_server_has_closed_is_made_anew(
    database: Database, slow: Slow, reader: Reader[int, int]
) -> None:
    slow.may_go_on.set()
    assert reader.get(1) == 2
    with database.engine.connect() as other:
        other.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
        other.commit()
    assert reader.get(3) == 6
