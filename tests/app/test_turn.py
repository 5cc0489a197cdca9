"""The turn to write to a SQLite file, between processes."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.db.turn import Turn

pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


@contextmanager
def held_elsewhere(turn: Turn) -> Iterator[int]:
    """A process that has the turn, and keeps it until it is killed."""
    told, tell = os.pipe()
    child = os.fork()
    if not child:
        with turn:
            os.write(tell, b"!")
            signal.pause()
        os._exit(0)
    os.read(told, 1)
    try:
        yield child
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(told)
        os.close(tell)


def seconds_to_get(turn: Turn) -> float:
    begun = time.monotonic()
    with turn:
        return time.monotonic() - begun


def test_a_turn_that_another_process_has_is_waited_for_but_not_for_ever(tmp_path: Path) -> None:
    turn = Turn(tmp_path / "shop.sqlite", longest_ms=300)
    assert seconds_to_get(turn) < 0.2  # opened here, before the fork: the child opens its own
    with held_elsewhere(turn):
        assert seconds_to_get(turn) >= 0.3
        assert seconds_to_get(turn) >= 0.3  # going on without it gave it to nobody
    turn.close()


def test_the_turn_of_a_process_that_was_killed_is_free(tmp_path: Path) -> None:
    turn = Turn(tmp_path / "shop.sqlite", longest_ms=20_000)
    with held_elsewhere(turn) as child:
        os.kill(child, signal.SIGKILL)
        assert seconds_to_get(turn) < 10
    turn.close()


def test_a_thread_that_has_the_turn_may_take_it_again(tmp_path: Path) -> None:
    turn = Turn(tmp_path / "shop.sqlite", longest_ms=300)
    other = Turn(tmp_path / "shop.sqlite", longest_ms=300)
    with turn:
        with turn:
            pass
        assert seconds_to_get(other) >= 0.3  # it has it still
    assert seconds_to_get(other) < 0.2
    turn.close()
    other.close()


def test_where_no_file_can_be_made_nobody_is_kept_from_writing(tmp_path: Path) -> None:
    assert seconds_to_get(Turn(tmp_path / "nowhere" / "shop.sqlite", longest_ms=300)) < 0.2
    assert seconds_to_get(Turn(None, longest_ms=300)) < 0.2
