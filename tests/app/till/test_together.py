"""Requests that share a commit: each gets its own answer, and nobody suffers from a neighbour."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.till.together import Together


class Work:
    """Doubles numbers, one batch at a time; waits at the first batch until it may go on."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.is_begun = threading.Event()
        self.may_go_on = threading.Event()

    def __call__(self, asked: Sequence[int]) -> list[int | Exception]:
        self.batches.append(list(asked))
        self.is_begun.set()
        assert self.may_go_on.wait(10)
        if 13 in asked:
            raise RuntimeError("the whole of it failed")
        return [ValueError(f"{each} is odd") if each % 2 else each * 2 for each in asked]


def together(numbers: Sequence[int]) -> tuple[Work, list[object]]:
    """Ask for the first number, then for the others while it is being worked on."""
    work = Work()
    desk: Together[int, int] = Together(work)

    def ask(number: int) -> object:
        try:
            return desk.do(number)
        except (ValueError, RuntimeError) as error:
            return error

    with ThreadPoolExecutor(len(numbers)) as threads:
        answers = [threads.submit(ask, numbers[0])]
        assert work.is_begun.wait(10)
        for place, number in enumerate(numbers[1:], start=1):
            answers.append(threads.submit(ask, number))
            while len(desk._queue) < place:
                pass
        work.may_go_on.set()
        return work, [answer.result(10) for answer in answers]


def test_what_comes_while_one_is_under_way_shares_the_next() -> None:
    work, answers = together([2, 4, 6, 8])
    assert work.batches == [[2], [4, 6, 8]]
    assert answers == [4, 8, 12, 16]


def test_what_is_refused_is_refused_alone() -> None:
    _, answers = together([2, 4, 5, 8])
    assert answers[:2] == [4, 8]
    assert str(answers[2]) == "5 is odd"
    assert answers[3] == 16


def test_a_batch_that_fails_is_tried_one_by_one() -> None:
    work, answers = together([2, 4, 13, 8])
    assert work.batches == [[2], [4, 13, 8], [4], [13], [8]]
    assert answers[:2] == [4, 8]
    assert isinstance(answers[2], RuntimeError)
    assert answers[3] == 16


def test_one_after_the_other_each_is_done_at_once() -> None:
    work = Work()
    work.may_go_on.set()
    desk: Together[int, int] = Together(work)
    assert [desk.do(number) for number in (2, 4)] == [4, 8]
    assert work.batches == [[2], [4]]
    with pytest.raises(ValueError, match="3 is odd"):
        desk.do(3)


def test_no_more_than_the_most_share_a_commit() -> None:
    work = Work()
    work.may_go_on.set()
    desk: Together[int, int] = Together(work, most=2)
    with ThreadPoolExecutor(9) as threads:
        assert sorted(threads.map(desk.do, range(0, 18, 2))) == list(range(0, 36, 4))
    assert max(map(len, work.batches)) <= 2
