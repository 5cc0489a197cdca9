"""A lane leaves room for those at the counter, however much it has to do."""

import threading
import time
from typing import Any

import pytest

from app.delivery.lanes import Lane, Progress, run_lane

TOOK = 0.02


class Stop(threading.Event):
    """Is set after three rests, and notes how long they were to be."""

    def __init__(self) -> None:
        super().__init__()
        self.rests: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.rests.append(timeout or 0.0)
        if len(self.rests) == 3:
            self.set()
        return self.is_set()


def rests_of(**facts: Any) -> list[float]:
    def step() -> Progress:
        time.sleep(TOOK)
        return Progress(settled=1)

    stop = Stop()
    run_lane(Lane("anything", step, 5.0, **facts), stop)
    return stop.rests


@pytest.mark.parametrize("rest", [0.5, 2.0])
def test_it_rests_for_as_long_as_its_share_of_what_a_step_took(rest: float) -> None:
    assert all(rest * TOOK <= each <= 2.0 for each in rests_of(rest=rest))


def test_it_goes_on_at_once_where_it_is_not_told_to_rest() -> None:
    assert rests_of() == [0.0] * 3


def test_it_gathers_for_no_less_than_it_is_told() -> None:
    assert all(each >= 0.5 for each in rests_of(rest=0.1, gather_seconds=0.5))
