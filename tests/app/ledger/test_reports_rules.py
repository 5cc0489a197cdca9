"""The arithmetic of the reports: revenue, expectation, money, periods, debt."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import Invalid
from app.ledger.reports import rules
from app.ledger.reports.rules import Every, OpenLot
from app.ledger.reports.settlement import Owed, net

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


class TestRevenue:
    """KPMG, Revenue for customer loyalty programmes, 2019, examples 10A and 10B."""

    def test_revenue_follows_what_is_redeemed_of_what_is_expected(self) -> None:
        assert rules.expected_redeemed(10_000, 4_500, 0, Decimal("0.97")) == 9_700
        assert rules.recognised(9_000, 4_500, 9_700, 0) == 4_175

    @pytest.mark.parametrize(
        ("share", "expected", "revenue"), [("0.99", 9_900, 3_552), ("0.92", 9_200, 4_140)]
    )
    def test_a_changed_expectation_is_caught_up_with_when_it_changes(
        self, share: str, expected: int, revenue: int
    ) -> None:
        assert rules.expected_redeemed(10_000, 8_500, 0, Decimal(share)) == expected
        assert rules.recognised(9_000, 8_500, expected, 4_175) == revenue

    @given(
        st.integers(0, 10**15),
        st.lists(st.integers(0, 10**9), min_size=1, max_size=8),
        st.integers(1, 10**10),
    )
    def test_periods_add_up_to_all_that_was_allocated_and_no_more(
        self, allocated: int, steps: list[int], expected: int
    ) -> None:
        redeemed = before = 0
        for step in steps:
            redeemed += step
            part = rules.recognised(allocated, redeemed, expected, before)
            assert part >= 0
            before += part
        assert before <= allocated
        assert before == allocated or redeemed < expected

    def test_nothing_is_recognised_where_nothing_is_expected(self) -> None:
        assert rules.recognised_to_date(9_000, 0, 0) == 0


class TestExpectation:
    def test_the_share_is_what_became_of_points_whose_time_is_over(self) -> None:
        assert rules.share_of(970, 30) == Decimal("0.97")
        assert rules.share_of(1, 2) == Decimal("0.333333")
        assert rules.share_of(0, 0) is None

    def test_what_was_redeemed_is_expected_and_what_lapsed_is_not(self) -> None:
        assert rules.expected_redeemed(100, 80, 0, Decimal("0.5")) == 80
        assert rules.expected_redeemed(100, 10, 60, Decimal("0.9")) == 40


class TestMoney:
    @pytest.mark.parametrize(
        ("points", "value", "exponent", "minor"),
        [
            (100, "0.01", 2, 100),
            (1, "0.005", 2, 1),
            (-1, "0.005", 2, -1),
            (3, "0.001", 2, 0),
            (7, "1.5", 0, 11),
            (7, "0.0005", 3, 4),
            (10**15, "0.123456", 2, 12345600000000000),
        ],
    )
    def test_points_are_worth_their_value_rounded_half_up_once(
        self, points: int, value: str, exponent: int, minor: int
    ) -> None:
        assert rules.worth_minor(points, Decimal(value), exponent) == minor


class TestPeriods:
    def test_periods_are_local_and_the_last_is_cut_off(self) -> None:
        found = rules.periods(date(2026, 2, 14), NOON, every=Every.QUARTER, time_zone="Europe/Riga")
        assert [(period.first, period.whole) for period in found] == [
            (date(2026, 1, 1), True),
            (date(2026, 4, 1), False),
        ]
        # Winter time in January, summer time in April.
        assert found[0].start == datetime(2025, 12, 31, 22, tzinfo=UTC)
        assert found[0].end == found[1].start == datetime(2026, 3, 31, 21, tzinfo=UTC)
        assert found[1].end == NOON

    def test_too_many_periods_are_refused(self) -> None:
        with pytest.raises(Invalid, match="begin later"):
            rules.periods(date(2000, 1, 1), NOON, every=Every.MONTH, time_zone="UTC")

    def test_points_lapse_with_their_last_local_day(self) -> None:
        new_year = datetime(2025, 12, 31, 22, tzinfo=UTC)
        assert rules.last_day(new_year, "Europe/Riga") == date(2025, 12, 31)
        assert rules.last_day(new_year + DAY, "Europe/Riga") == date(2026, 1, 1)


def lot(sequence: int, points: int, ready: datetime | None, until: datetime | None) -> OpenLot:
    return OpenLot((), sequence, points, points, ready, until)


class TestDebt:
    def test_a_lot_repays_when_it_becomes_available_even_if_it_expires_before_anybody_looks(
        self,
    ) -> None:
        early = lot(1, 5, NOON, NOON + DAY)
        late = lot(2, 9, NOON + 2 * DAY, None)
        never = lot(3, 9, None, None)
        paid = rules.repay([never, late, early], 8, NOON + 3 * DAY)
        assert [(each.sequence, points) for each, points in paid] == [(1, 5), (2, 3)]

    def test_what_is_not_available_yet_repays_nothing(self) -> None:
        assert rules.repay([lot(1, 5, NOON, None)], 5, NOON) == []


partners = st.sampled_from([None, "a", "b", "c"])


class TestNetting:
    def test_a_pair_is_netted_before_it_is_money(self) -> None:
        owed = {("a", "b"): Owed(redeemed=100, given_back=-40), ("b", "a"): Owed(redeemed=11)}
        report = net(None, NOON, owed, point_value=Decimal("0.005"), currency_exponent=2)
        [pair] = report.pairs
        assert (pair.one, pair.other, pair.points, pair.amount_minor) == ("a", "b", 49, 25)
        assert [(each.partner, each.points, each.amount_minor) for each in report.nets] == [
            ("a", -49, -25),
            ("b", 49, 25),
        ]

    @given(
        st.dictionaries(
            st.tuples(partners, partners).filter(lambda pair: pair[0] != pair[1]),
            st.builds(Owed, st.integers(0, 10**6), st.integers(-(10**6), 0), st.integers()),
        ),
        st.decimals(0, 100, places=4),
    )
    def test_it_nets_to_zero_whatever_is_owed(
        self, owed: dict[tuple[str | None, str | None], Owed], value: Decimal
    ) -> None:
        report = net(None, NOON, owed, point_value=value, currency_exponent=2)
        assert sum(each.points for each in report.nets) == 0
        assert sum(each.amount_minor or 0 for each in report.nets) == 0
