"""The queue: what is kept is on the disk, and leaves in order."""

import sqlite3
import stat
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from scanner.errors import QueueError
from scanner.unsent import FILE, Posting, Queue, State

NOW = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)


def posting(minutes: int = 0) -> Posting:
    return Posting(
        str(uuid.uuid4()), "p", "accrual", "/accruals", b'{"a":1}', False,
        NOW + timedelta(minutes=minutes),
    )  # fmt: skip


def test_what_is_kept_comes_back_to_the_byte_after_a_restart(tmp_path: Path) -> None:
    kept = posting()
    with Queue(tmp_path) as queue:
        queue.keep(kept)
    with Queue(tmp_path) as queue:
        assert queue.all(State.WAITING) == [kept]
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600


def test_a_kept_posting_survives_the_loss_of_power(tmp_path: Path) -> None:
    with Queue(tmp_path) as queue:
        assert queue._db.execute("PRAGMA synchronous").fetchone()[0] == 2  # FULL


def test_an_id_is_kept_once(tmp_path: Path) -> None:
    kept = posting()
    with Queue(tmp_path) as queue:
        queue.keep(kept)
        with pytest.raises(QueueError):
            queue.keep(kept)
        assert queue.count(State.WAITING) == 1


def test_the_oldest_comes_first(tmp_path: Path) -> None:
    kept = [posting(minutes) for minutes in (0, 5, 3)]
    with Queue(tmp_path) as queue:
        for each in kept:
            queue.keep(each)
        # In the order in which they were made, whatever the clock did between.
        assert [each.id for each in queue.all()] == [each.id for each in kept]


def test_the_first_answer_stays(tmp_path: Path) -> None:
    kept = posting()
    with Queue(tmp_path) as queue:
        queue.keep(kept)
        queue.sent(kept.id, {"points": 12}, NOW)
        queue.sent(kept.id, {"points": 13}, NOW)
        queue.set_aside(kept.id, "no", NOW)
        found = queue.get(kept.id)
    assert found is not None and (found.state, found.answer) == (State.SENT, {"points": 12})


def test_a_body_that_was_answered_never_changes(tmp_path: Path) -> None:
    kept = posting()
    with Queue(tmp_path) as queue:
        queue.keep(kept)
        queue.sent(kept.id, {}, NOW)
        queue.replace_body(kept.id, b"other")
        found = queue.get(kept.id)
    assert found is not None and found.body == kept.body


def test_sent_postings_are_kept_30_days_and_waiting_ones_for_ever(tmp_path: Path) -> None:
    sent, waiting = posting(), posting()
    with Queue(tmp_path) as queue:
        queue.keep(sent)
        queue.keep(waiting)
        queue.sent(sent.id, {}, NOW)
        assert queue.forget_old(NOW + timedelta(days=30)) == 0
        assert queue.forget_old(NOW + timedelta(days=31)) == 1
        assert [each.id for each in queue.all()] == [waiting.id]


def test_what_was_kept_since_is_found(tmp_path: Path) -> None:
    early, late = posting(), posting(10)
    with Queue(tmp_path) as queue:
        for each in (early, late):
            queue.keep(each)
            queue.sent(each.id, {}, NOW)
        found = queue.sent_since(NOW + timedelta(minutes=5))
    assert [each.id for each in found] == [late.id]


def test_a_full_disk_is_said_before_anything_is_promised(tmp_path: Path) -> None:
    with Queue(tmp_path) as queue:
        queue.keep(posting())
        pages = queue._db.execute("PRAGMA page_count").fetchone()[0]
        queue._db.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(QueueError, match="do not promise"):
            for _ in range(1000):
                queue.keep(posting())
        count = queue.count(State.WAITING)
        assert count == len(queue.all())
        queue._db.execute("PRAGMA max_page_count = 100000")
        queue.keep(posting())
        assert queue.count(State.WAITING) == count + 1


def test_a_file_that_is_not_a_queue_is_named(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"not a database, by a long way" * 100)
    with pytest.raises(QueueError, match=r"queue\.sqlite"):
        Queue(tmp_path)


def test_a_queue_of_a_later_program_is_left_alone(tmp_path: Path) -> None:
    Queue(tmp_path).__exit__(None, None, None)
    database = sqlite3.connect(tmp_path / FILE)
    database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(QueueError, match="update counterfoil-scan"):
        Queue(tmp_path)
