"""The till API on a disk that is full and on a database that is locked."""

import sqlite3
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import event, func, select

from app.context import Context
from app.db import Database
from app.ledger.models import Entry, Posting


@pytest.fixture
def database(database_urls: Callable[[str], str]) -> Iterator[Database]:
    """SQLite that soon gives up waiting: what is tried here is trouble of one file."""
    database = Database(database_urls("sqlite"), busy_ms=50)
    yield database
    database.dispose()


def counts(context: Context) -> tuple[int, int]:
    with context.database.read_all() as session:
        return (
            session.scalar(select(func.count()).select_from(Entry)) or 0,
            session.scalar(select(func.count()).select_from(Posting)) or 0,
        )


def test_a_full_disk_is_said_and_leaves_nothing_half_written(shop: Any) -> None:
    card = shop.issue()
    engine = shop.context.database.engine
    engine.dispose()

    def limit(connection: sqlite3.Connection, _record: object) -> None:
        [pages] = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")

    event.listen(engine, "connect", limit)
    lines = [{"item": "x" * 120, "quantity": 1, "amount_minor": 1}] * 400
    body = shop.accrual(card, 400, lines=lines)
    answer = shop.ask("POST", "/accruals", body)
    assert (answer.status_code, answer.json["code"]) == (503, "storage_full")
    assert "nothing was saved" in answer.json["detail"]
    assert counts(shop.context) == (0, 0)

    event.remove(engine, "connect", limit)
    engine.dispose()
    assert shop.ask("POST", "/accruals", body).status_code == 201
    assert counts(shop.context) == (1, 1)


def test_a_locked_database_is_said_and_the_same_posting_succeeds_later(shop: Any) -> None:
    card = shop.issue()
    body = shop.accrual(card)
    path = shop.context.database.path
    assert path is not None
    other = sqlite3.connect(path, isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        answer = shop.ask("POST", "/accruals", body)
        assert (answer.status_code, answer.json["code"]) == (503, "unavailable")
        assert answer.headers["Retry-After"]
        other.execute("ROLLBACK")
    finally:
        other.close()
    assert counts(shop.context) == (0, 0)
    assert shop.ask("POST", "/accruals", body).status_code == 201
