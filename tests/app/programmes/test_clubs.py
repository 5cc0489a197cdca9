"""Memberships add up, and give way exactly when what bought them comes back."""

from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.ledger.postings import Line
from app.programmes.fields import Wrong
from app.programmes.mechanics import clubs
from app.programmes.mechanics.clubs import Club, membership

YEAR = Club("friends", {"en": "Friends"}, 12, ("MEMBER-12",))
D = date


@pytest.mark.parametrize(
    ("moves", "since", "until"),
    [
        ([(D(2026, 3, 10), 1)], D(2026, 3, 10), D(2027, 3, 9)),
        # Renewed before the end: nothing of the first year is lost.
        ([(D(2026, 3, 10), 1), (D(2027, 2, 1), 1)], D(2026, 3, 10), D(2028, 3, 9)),
        # On the day after the last one it goes on without a break; a day later it begins anew.
        ([(D(2026, 3, 10), 1), (D(2027, 3, 10), 1)], D(2026, 3, 10), D(2028, 3, 9)),
        ([(D(2026, 3, 10), 1), (D(2027, 3, 11), 1)], D(2027, 3, 11), D(2028, 3, 10)),
        ([(D(2026, 3, 10), 2)], D(2026, 3, 10), D(2028, 3, 9)),
        ([(D(2026, 3, 10), 2), (D(2026, 4, 1), -1)], D(2026, 3, 10), D(2027, 3, 9)),
        ([(D(2024, 2, 29), 1)], D(2024, 2, 29), D(2025, 2, 27)),
    ],
)
def test_from_when_to_when(moves: list[tuple[date, int]], since: date, until: date) -> None:
    found = membership(YEAR, moves)
    assert found is not None
    assert (found.since, found.until) == (since, until)
    assert found.holds(since) and found.holds(until)
    assert not found.holds(date.fromordinal(until.toordinal() + 1))


@pytest.mark.parametrize("moves", [[], [(D(2026, 3, 10), 1), (D(2026, 3, 20), -1)]])
def test_what_came_back_is_no_membership(moves: list[tuple[date, int]]) -> None:
    assert membership(YEAR, moves) is None


def test_the_last_days_are_the_time_to_renew() -> None:
    found = membership(YEAR, [(D(2026, 3, 10), 1)])
    assert found is not None
    assert found.renew_from == D(2027, 2, 8)


@given(st.lists(st.dates(D(2020, 1, 1), D(2030, 1, 1)), min_size=1, max_size=8))
def test_another_membership_never_makes_it_shorter(days: list[date]) -> None:
    days = sorted(days)
    ends = []
    for count in range(1, len(days) + 1):
        found = membership(YEAR, [(day, 1) for day in days[:count]])
        assert found is not None and found.holds(days[count - 1])
        ends.append(found.until)
    assert all(earlier < later for earlier, later in pairwise(ends))


def test_goods_that_buy_it_are_named() -> None:
    [one] = clubs.given([YEAR], [Line("member-12 ", 50_00, 2), Line("mug", 10_00)])
    assert (one.kind, one.what, one.count) == ("club", "friends", 2)
    assert clubs.given([YEAR], [Line("MEMBER-12", 0)]) == (), "what cost nothing buys nothing"


@pytest.mark.parametrize(
    "wrong",
    [
        [{"code": "a", "names": {"en": "A"}}],
        [{"code": "a", "names": {"en": "A"}, "months": 0}],
        [{"code": "a", "names": {"en": "A"}, "months": 1, "fee": 5}],
        [{"code": "a", "names": {"en": "A"}, "months": 1}] * 2,
    ],
)
def test_a_club_that_makes_no_sense_is_refused(wrong: list[object]) -> None:
    with pytest.raises(Wrong):
        clubs.read(wrong)
