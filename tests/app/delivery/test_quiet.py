"""Sums wait for a quiet moment, but not for ever."""

from app.delivery.quiet import BUSY, LONGEST_SECONDS, Quiet


class Day:
    """A counter's day: seconds pass, each with as many commits."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.quiet = Quiet(lambda: self.now)

    def pass_by(self, seconds: float, commits_a_second: int) -> None:
        self.now += seconds
        for _ in range(int(seconds * commits_a_second)):
            self.quiet.note()


def test_a_few_commits_hold_nothing_up() -> None:
    day = Day()
    day.pass_by(10, BUSY - 1)
    assert day.quiet.is_now()


def test_a_busy_counter_comes_first_until_it_is_quiet() -> None:
    day = Day()
    for _ in range(5):
        day.pass_by(10, BUSY)
        assert not day.quiet.is_now()
    day.pass_by(10, 1)
    assert day.quiet.is_now()
    day.pass_by(10, BUSY)
    assert not day.quiet.is_now()


def test_a_counter_that_is_always_busy_does_not_hold_sums_up_for_ever() -> None:
    day = Day()
    waited = 0.0
    while waited < LONGEST_SECONDS:
        assert waited == 0 or not day.quiet.is_now()
        day.pass_by(10, 4 * BUSY)
        waited += 10
    assert day.quiet.is_now()
    day.pass_by(0.2, 4 * BUSY)  # a step follows at once: what was begun is ended
    assert day.quiet.is_now()
