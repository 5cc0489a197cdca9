"""A newer program takes an older one's queue over, with everything that waits in it."""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from scanner.errors import QueueError
from scanner.queue_versions import VERSIONS
from scanner.unsent import FILE, Posting, Queue, State

AT = "2026-06-01T09:00:00.000000+00:00"
MOMENT = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)


def of_version(folder: Path, version: int) -> sqlite3.Connection:
    """A queue as the program of that version left it."""
    database = sqlite3.connect(folder / FILE, isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    for script in VERSIONS[:version]:
        database.executescript(script)
    database.execute(f"PRAGMA user_version = {version}")
    return database


@pytest.fixture
def first(tmp_path: Path) -> Path:
    """What the first release kept: each state, the text as it wrote it."""
    database = of_version(tmp_path, 1)
    insert = (
        "INSERT INTO posting (id, programme_id, kind, path, body, needs_cashier, after_id,"
        " kept_at, state, attempts, settled_at, answer, reason) VALUES"
        " (?, 'p', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    )
    for row in (
        ("a", "accrual", "/accruals", b'{"a": 1}', 0, None, AT, "sent", 1, AT, '{"x": 1}', None),
        ("b", "accrual", "/accruals", b'{"b": 1}', 1, None, AT, "waiting", 2, None, None, None),
        ("c", "reversal", "/reversals", b"{}", 0, "b", AT, "waiting", 0, None, None, None),
        ("d", "accrual", "/accruals", b"{}", 0, None, AT, "set_aside", 1, AT, None, "Blocked."),
    ):
        database.execute(insert, row)
    database.execute("DELETE FROM posting WHERE id = 'a'")
    database.close()
    return tmp_path


def test_every_posting_is_taken_over_as_it_stands(first: Path) -> None:
    with Queue(first) as queue:
        assert queue.all() == [
            Posting("b", "p", "accrual", "/accruals", b'{"b": 1}', True, MOMENT, attempts=2),
            Posting("c", "p", "reversal", "/reversals", b"{}", False, MOMENT, after_id="b"),
            Posting(
                "d", "p", "accrual", "/accruals", b"{}", False, MOMENT, state=State.SET_ASIDE,
                attempts=1, settled_at=MOMENT, reason="Blocked.",
            ),
        ]  # fmt: skip
        queue.keep(Posting("e", "p", "accrual", "/accruals", b"{}", False, MOMENT))
        numbers = [posting.number for posting in queue.all()]
        assert numbers == sorted(set(numbers)) and numbers[0] > 1  # none is used again
        queue.give_up("e", "Done with.", MOMENT)  # a state that the first version did not know
    with Queue(first) as queue:
        assert queue.count(State.DROPPED) == 1 and queue.count(State.WAITING) == 2


def test_an_upgrade_that_fails_changes_nothing(
    first: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = (VERSIONS[0], VERSIONS[1] + "CREATE TABLE clock (again);")
    monkeypatch.setattr("scanner.queue_versions.VERSIONS", broken)
    with pytest.raises(QueueError):
        Queue(first)
    monkeypatch.undo()
    with Queue(first) as queue:
        assert [posting.id for posting in queue.all()] == ["b", "c", "d"]


def test_the_tables_are_the_same_by_either_way(first: Path, tmp_path: Path) -> None:
    new = tmp_path / "new"
    shapes = []
    for folder in (first, new):
        Queue(folder).__exit__(None, None, None)
        database = sqlite3.connect(folder / FILE)
        shapes.append(database.execute("SELECT name, sql FROM sqlite_master").fetchall())
        assert database.execute("PRAGMA user_version").fetchone() == (len(VERSIONS),)
        database.close()
    assert sorted(shapes[0]) == sorted(shapes[1])
