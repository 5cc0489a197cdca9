"""Any period, the one before it, and its pieces."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.insight.periods import Grain, Named, Period, asked_for, month_after, named

TODAY = date(2026, 3, 31)
_days = st.dates(date(1990, 1, 1), date(2060, 1, 1))
_periods = st.builds(lambda first, days: Period(first, first + timedelta(days=days)), _days,
                     st.integers(1, 7000))  # fmt: skip


@given(_periods)
def test_pieces_follow_each_other_without_a_gap_and_are_few(period: Period) -> None:
    pieces = period.pieces()
    assert (pieces[0].first, pieces[-1].until) == (period.first, period.until)
    assert all(one.until == other.first for one, other in pairwise(pieces))
    assert len(pieces) <= 46
    for piece in pieces[1:]:
        if period.grain is Grain.WEEK:
            assert piece.first.weekday() == 0
        elif period.grain is not Grain.DAY:
            assert piece.first.day == 1


@given(_periods)
def test_the_one_before_ends_where_it_begins_and_is_as_long(period: Period) -> None:
    before = period.before
    assert before.until == period.first
    if period.first.day == 1 and period.until.day == 1:
        months = (
            (period.until.year - period.first.year) * 12 + period.until.month - period.first.month
        )
        assert month_after(before.first, months) == period.first
    else:
        assert before.days == period.days


@pytest.mark.parametrize(
    ("name", "first", "last", "before"),
    [
        (Named.DAYS_7, date(2026, 3, 25), TODAY, date(2026, 3, 18)),
        (Named.THIS_MONTH, date(2026, 3, 1), TODAY, date(2026, 2, 1)),
        (Named.LAST_MONTH, date(2026, 2, 1), date(2026, 2, 28), date(2026, 1, 1)),
        (Named.THIS_YEAR, date(2026, 1, 1), TODAY, date(2025, 10, 1)),
        (Named.MONTHS_12, date(2025, 4, 1), TODAY, date(2024, 4, 1)),
    ],
)
def test_a_period_has_a_name(name: Named, first: date, last: date, before: date) -> None:
    found = named(name, TODAY)
    assert (found.first, found.last) == (first, last)
    assert found.before.first == before


@given(st.dictionaries(st.sampled_from(["period", "from", "to"]), st.text(max_size=12)))
def test_nonsense_is_thirty_days_and_says_what_was_wrong(words: dict[str, str]) -> None:
    period, name, wrong = asked_for(words, TODAY)
    assert period.days >= 1
    if wrong:
        assert wrong in {"period", "from", "to"}
        assert name is not None
