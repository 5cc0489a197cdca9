"""Quiet hours and local hours are what the clocks in Riga show, also in the two odd nights."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.campaigns.estimating import GOOGLE_PER_SECOND, Waiting, finishes_at, seconds
from app.campaigns.timing import Quiet, Repeat, at_local, is_quiet, next_allowed, next_hour

RIGA = "Europe/Riga"
NIGHT = Quiet(time(20), time(9))


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc, arg-type]


@pytest.mark.parametrize(
    ("moment", "allowed"),
    [
        # Summer (+3): 22:00 local, until 9:00 = 6:00 UTC.
        (utc(2026, 6, 1, 19), utc(2026, 6, 2, 6)),
        # Winter (+2): 9:00 local is 7:00 UTC.
        (utc(2026, 12, 1, 19), utc(2026, 12, 2, 7)),
        # The night of 28 to 29 March has 23 hours: it ends at 6:00 UTC already.
        (utc(2026, 3, 28, 20), utc(2026, 3, 29, 6)),
        # The night of 24 to 25 October has 25: it begins in summer time and ends in winter's.
        (utc(2026, 10, 24, 18), utc(2026, 10, 25, 7)),
        (utc(2026, 6, 1, 9, 30), utc(2026, 6, 1, 9, 30)),
    ],
)
def test_nothing_goes_at_night(moment: datetime, allowed: datetime) -> None:
    assert next_allowed(moment, NIGHT, RIGA) == allowed


@given(
    moment=st.integers(0, 365 * 24 * 60).map(
        lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes, seconds=7)
    ),
    begins=st.times(),
    ends=st.times(),
)
def test_what_is_allowed_is_not_quiet_and_nothing_earlier_was_allowed(
    moment: datetime, begins: time, ends: time
) -> None:
    begins, ends = begins.replace(second=0, microsecond=0), ends.replace(second=0, microsecond=0)
    quiet = Quiet(begins, ends)
    found = next_allowed(moment, quiet, RIGA)
    assert found >= moment
    if begins == ends:
        return
    local = found.astimezone(ZoneInfo(RIGA)).time()
    inside = begins <= local < ends if begins < ends else local >= begins or local < ends
    assert not inside
    before = moment
    while before < found - timedelta(minutes=1):
        assert is_quiet(before, quiet, RIGA)
        before += timedelta(minutes=7)


def test_an_hour_that_the_clocks_leave_out_is_when_they_are_put_on() -> None:
    assert at_local(date(2026, 3, 29), 3, 30, RIGA) == utc(2026, 3, 29, 1)
    assert at_local(date(2026, 10, 25), 3, 30, RIGA) == utc(2026, 10, 25, 0, 30)
    assert next_hour(utc(2026, 3, 29, 0, 30), 3, RIGA) == utc(2026, 3, 29, 1)
    assert next_hour(utc(2026, 6, 1, 7), 10, RIGA) == utc(2026, 6, 1, 7)
    assert next_hour(utc(2026, 6, 1, 7, 1), 10, RIGA) == utc(2026, 6, 2, 7)


def test_a_turn_comes_at_the_same_time_on_the_wall() -> None:
    weekly = Repeat(7, time(10), date(2026, 3, 23), date(2026, 4, 6))
    turns, at = [], utc(2026, 3, 1)
    while (turn := weekly.next_after(at, RIGA)) is not None:
        turns.append(turn)
        at = turn
    assert turns == [utc(2026, 3, 23, 8), utc(2026, 3, 30, 7), utc(2026, 4, 6, 7)]


def test_an_estimate_knows_googles_pace_and_the_night() -> None:
    waiting = Waiting(apple=1000, google=72_000)
    assert seconds(waiting) == 72_000 / GOOGLE_PER_SECOND == 3600
    assert seconds(waiting, per_minute=600) == 73_000 / 10
    # An hour of work at 19:30 local: half of it today, the rest after nine.
    end = finishes_at(utc(2026, 6, 1, 16, 30), 3600, quiet=NIGHT, time_zone=RIGA)
    assert abs(end - utc(2026, 6, 2, 6, 30)) <= timedelta(minutes=2)
    late = utc(2026, 6, 5, 6)
    assert finishes_at(utc(2026, 6, 1, 9), 0, quiet=None, time_zone=RIGA, last_due_at=late) == late
