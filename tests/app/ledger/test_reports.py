"""Statement, settlement and liability say of any past moment what they said then."""

from collections import Counter
from dataclasses import astuple
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from app.db import Database
from app.ledger.errors import UnknownAccount
from app.ledger.postings import Capture, Merge, Terms, Unmerge
from app.ledger.reports import liability as liabilities
from app.ledger.reports import rules, settlement, statement
from app.programmes.partners import add_partner

START = datetime(2026, 6, 1, 9, tzinfo=UTC)
DAY = timedelta(days=1)
CENT = liabilities.Valuation(point_value=Decimal("0.01"))


class Coalition:
    """A programme with three partners beside itself, and reports of it."""

    def __init__(self, ledger: Any) -> None:
        self.ledger = ledger
        self.clock = ledger.clock
        with ledger.database.write(ledger.programme_id) as session:
            self.partners = {
                name: add_partner(session, ledger.programme_id, name=name, now=START).id
                for name in ("A", "B", "C")
            }
        self.names = {id_: name for name, id_ in self.partners.items()} | {None: "own"}
        self.account = ledger.account()

    def earn(self, points: int, at: str, **facts: Any) -> str:
        id_: str = self.ledger.earn(
            self.account, points, issuing_partner_id=self.partners.get(at), **facts
        )
        return id_

    def spend(self, points: int, at: str, **facts: Any) -> str:
        hold = self.ledger.hold(self.account, points, **facts)
        posted = self.ledger.post(Capture(hold, self.partners.get(at)))
        id_: str = posted.answer["posting_id"]
        return id_

    def reverse(self, posting: str, **facts: Any) -> str:
        id_: str = self.ledger.reverse(posting, **facts)
        return id_

    @property
    def bound(self) -> datetime:
        return rules.after(self.clock.now)

    def read(self) -> Any:
        return self.ledger.database.read(self.ledger.programme_id)

    def settle(self, since: datetime | None = None, before: datetime | None = None) -> Any:
        with self.read() as session:
            return settlement.settlement(
                session, since, before or self.bound, point_value=Decimal("0.01")
            )

    def owed(self, **when: Any) -> list[str]:
        """ "A pays B 60": every pair that owes something."""
        told = []
        for pair in self.settle(**when).pairs:
            one, other = self.names[pair.one], self.names[pair.other]
            if pair.points < 0:
                one, other = other, one
            if pair.points:
                told.append(f"{one} pays {other} {abs(pair.points)}")
        return sorted(told)

    def liability(self, before: datetime | None = None, *valuations: Any, **options: Any) -> Any:
        terms = liabilities.Terms(options.pop("exponent", 2), "Europe/Riga", valuations or (CENT,))
        with self.read() as session:
            return liabilities.liability(session, terms, before or self.bound, **options)

    def statement(self, **when: Any) -> tuple[Any, list[Any], list[Any], list[Any]]:
        times = {"since": None, "before": self.bound} | when
        with self.read() as session:
            found = statement.statement(session, self.account, **times)
            return found, list(found.entries()), list(found.lots()), list(found.holds())


@pytest.fixture
def coalition(ledger: Any) -> Coalition:
    ledger.clock.now = START
    return Coalition(ledger)


class TestSettlement:
    def test_who_issued_the_points_pays_who_redeemed_them(self, coalition: Coalition) -> None:
        coalition.earn(100, "A", expires_at=START + DAY)
        coalition.earn(50, "B")
        coalition.spend(120, "B")  # 100 of A's, 20 of B's own
        assert coalition.owed() == ["A pays B 100"]
        [pair] = coalition.settle().pairs
        assert abs(pair.amount_minor) == 100

    def test_the_programme_itself_is_a_partner_too(self, coalition: Coalition) -> None:
        coalition.earn(30, "own")
        coalition.spend(10, "C")
        coalition.spend(20, "own")
        assert coalition.owed() == ["own pays C 10"]

    def test_undoing_a_redemption_undoes_the_debt_between_partners_and_back_again(
        self, coalition: Coalition
    ) -> None:
        coalition.earn(60, "A")
        posting = coalition.spend(60, "B")
        for owed in ([], ["A pays B 60"], []):
            posting = coalition.reverse(posting)
            assert coalition.owed() == owed

    def test_points_that_come_back_in_a_grace_lot_keep_their_issuer(
        self, coalition: Coalition
    ) -> None:
        coalition.earn(60, "A", expires_at=START + DAY)
        spent = coalition.spend(60, "B")
        coalition.clock.advance(3 * DAY)
        coalition.reverse(spent)
        assert coalition.owed() == []
        coalition.spend(60, "C")
        assert coalition.owed() == ["A pays C 60"]

    def test_a_return_takes_its_own_points_back_without_a_word(self, coalition: Coalition) -> None:
        sale = coalition.earn(60, "A")
        coalition.reverse(sale)
        assert coalition.owed() == []

    def test_a_return_that_takes_another_partner_s_points_owes_for_them(
        self, coalition: Coalition
    ) -> None:
        sale = coalition.earn(100, "A", expires_at=START + DAY)
        coalition.earn(30, "B")
        coalition.spend(100, "C")
        coalition.reverse(sale)  # 30 of B's, 70 on credit
        assert coalition.owed() == ["A pays C 100", "B pays A 30", "own pays A 70"]
        coalition.earn(80, "C")  # 70 of them repay
        assert coalition.owed() == [
            "A pays C 100",
            "B pays A 30",
            "C pays own 70",
            "own pays A 70",
        ]

    def test_a_repayment_that_is_undone_is_owed_by_the_programme_again(
        self, coalition: Coalition
    ) -> None:
        sale = coalition.earn(50, "A")
        coalition.spend(50, "A")
        coalition.reverse(sale)
        repaying = coalition.earn(50, "B")
        assert coalition.owed() == ["B pays own 50", "own pays A 50"]
        coalition.reverse(repaying)
        assert coalition.owed() == ["own pays A 50"]

    def test_points_keep_their_issuer_through_a_merge_and_back(self, coalition: Coalition) -> None:
        coalition.earn(60, "A")
        first, coalition.account = coalition.account, coalition.ledger.account()
        coalition.earn(40, "B")
        merge = coalition.ledger.post(Merge(first, coalition.account)).answer["posting_id"]
        assert coalition.owed() == []
        coalition.spend(60, "C")  # A's: they came later
        spent_of = coalition.owed()
        coalition.ledger.post(Unmerge(merge))
        assert spent_of in (["A pays C 60"], ["A pays C 20", "B pays C 40"])
        assert sum(net.points for net in coalition.settle().nets) == 0
        nets = {coalition.names[net.partner]: net.points for net in coalition.settle().nets}
        # C is paid for what it gave. All of A's came back, so it pays nothing yet; B's are gone.
        assert (nets["C"], nets.get("A", 0), nets["B"]) == (60, 0, -40)

    def test_a_period_that_is_over_stays_as_it_was(self, coalition: Coalition) -> None:
        coalition.earn(90, "A")
        spent = coalition.spend(40, "B")
        june = {"since": START, "before": START + DAY}
        first = coalition.settle(**june)
        coalition.clock.advance(2 * DAY)
        coalition.reverse(spent)
        coalition.spend(10, "C")
        assert coalition.settle(**june) == first
        assert coalition.owed(since=START + DAY) == ["A pays C 10", "B pays A 40"]

    def test_the_lines_add_up_to_the_pairs(self, coalition: Coalition) -> None:
        sale = coalition.earn(100, "A", expires_at=START + DAY)
        coalition.earn(30, "B")
        spent = coalition.spend(100, "C")
        coalition.reverse(sale)
        coalition.reverse(spent)
        with coalition.read() as session:
            lines = list(settlement.lines(session, None, coalition.bound))
        assert ("redemption", "redeemed", 100) in [(e.kind, e.cause, e.points) for e in lines]
        found: Counter[tuple[str | None, str | None]] = Counter()
        for each in lines:
            found[each.debtor, each.creditor] += each.points
        for pair in coalition.settle().pairs:
            assert found[pair.one, pair.other] == pair.one_owes.points
            assert found[pair.other, pair.one] == pair.other_owes.points

    def test_another_programme_s_points_are_not_in_it(
        self, coalition: Coalition, make_bench: Any
    ) -> None:
        other = Coalition(make_bench(coalition.ledger.database, coalition.clock))
        other.earn(60, "A")
        other.spend(60, "B")
        assert coalition.settle().pairs == []
        assert coalition.liability().total.outstanding == 0
        with coalition.read() as session, pytest.raises(UnknownAccount):
            statement.statement(session, other.account, since=None, before=other.bound)


class TestLiability:
    def test_it_says_what_is_out_and_what_of_it_waits_or_is_held(
        self, coalition: Coalition
    ) -> None:
        coalition.earn(100, "A")
        coalition.earn(40, "B", available_from=START + DAY)
        coalition.ledger.hold(coalition.account, 30)
        report = coalition.liability()
        assert report.total == liabilities.Amounts(outstanding=140, pending=40, held=30)
        assert report.by_partner[coalition.partners["B"]].outstanding == 40
        assert report.by_month == [liabilities.Month(None, False, 140, 140)]

    def test_months_say_when_points_can_be_used_last(self, coalition: Coalition) -> None:
        riga_midnight = datetime(2026, 6, 30, 21, tzinfo=UTC)
        coalition.earn(10, "A", expires_at=riga_midnight)
        coalition.earn(20, "A", expires_at=riga_midnight + DAY)
        assert [(each.first, each.points) for each in coalition.liability().by_month] == [
            (date(2026, 6, 1), 10),
            (date(2026, 7, 1), 20),
        ]

    def test_what_is_due_has_lapsed_whether_or_not_the_sweep_was_there(
        self, coalition: Coalition
    ) -> None:
        coalition.earn(10, "A", expires_at=START + DAY)
        coalition.clock.advance(2 * DAY)
        unswept = coalition.liability()
        assert (unswept.total.outstanding, unswept.latest.lapsed) == (0, 10)
        coalition.clock.advance(DAY)
        before = coalition.bound - DAY
        coalition.ledger.sweep()
        assert coalition.liability(before) == unswept

    def test_points_under_a_hold_are_out_until_it_ends(self, coalition: Coalition) -> None:
        coalition.earn(10, "A", expires_at=START + DAY)
        coalition.ledger.hold(coalition.account, 4, expires_at=START + 3 * DAY)
        coalition.clock.advance(2 * DAY)
        assert coalition.liability().total == liabilities.Amounts(4, 0, 4)
        coalition.clock.advance(2 * DAY)
        assert coalition.liability().total == liabilities.Amounts()

    def test_rolling_points_lapse_when_their_member_stays_away(self, coalition: Coalition) -> None:
        coalition.ledger.terms = Terms(time_zone="Europe/Riga", inactivity_months=1)
        coalition.earn(10, "A", rolling=True)
        coalition.clock.advance(20 * DAY)
        coalition.earn(5, "B", rolling=True)
        bound = coalition.bound
        report = coalition.liability()
        assert report.by_month == [liabilities.Month(None, True, 15, 15)]
        _, _, lots, _ = coalition.statement()
        assert [(lot.left, lot.rolling) for lot in lots] == [(10, True), (5, True)]
        coalition.clock.advance(40 * DAY)
        unswept = coalition.liability()
        assert (unswept.total.outstanding, unswept.latest.lapsed) == (0, 15)
        coalition.ledger.sweep()
        assert coalition.liability() == unswept
        coalition.earn(5, "B", rolling=True)
        assert coalition.liability(bound) == report

    def test_without_experience_no_point_is_expected_to_lapse(self, coalition: Coalition) -> None:
        coalition.earn(100, "A")
        coalition.spend(40, "A")
        report = coalition.liability()
        assert (report.latest.expected_share, report.expected_breakage) == (1, 0)
        assert (report.latest.to_date_minor, report.deferred_minor) == (40, 60)

    def test_experience_is_what_became_of_points_whose_time_is_over(
        self, coalition: Coalition
    ) -> None:
        coalition.earn(100, "A", expires_at=START + DAY)
        coalition.spend(60, "B")
        coalition.clock.advance(2 * DAY)
        coalition.earn(50, "A")
        report = coalition.liability()
        assert report.latest.expected_share == Decimal("0.6")
        # 60 % of 150 issued; 60 are redeemed, 50 are out.
        assert (report.latest.expected_redeemed, report.expected_breakage) == (90, 20)
        assert (report.latest.allocated_minor, report.latest.to_date_minor) == (150, 100)

    @pytest.mark.parametrize(("share", "revenue"), [("0.99", 3_552), ("0.92", 4_140)])
    def test_the_witness_of_the_handbook_comes_out_of_the_ledger(
        self, coalition: Coalition, share: str, revenue: int
    ) -> None:
        coalition.clock.now = datetime(2026, 1, 5, tzinfo=UTC)
        coalition.earn(10_000, "own")
        coalition.spend(4_500, "own")
        coalition.clock.now = datetime(2027, 1, 5, tzinfo=UTC)
        coalition.spend(4_000, "own")
        first = liabilities.Valuation(None, Decimal("0.9"), Decimal("0.97"))
        second = liabilities.Valuation(coalition.clock.now, Decimal("0.9"), Decimal(share))
        years = rules.periods(
            date(2026, 1, 1), coalition.bound, every=rules.Every.YEAR, time_zone="Europe/Riga"
        )
        report = coalition.liability(None, first, second, periods=years, exponent=0)
        assert [each.allocated_minor for each in report.periods] == [9_000, 9_000]
        assert [each.redeemed for each in report.periods] == [4_500, 8_500]
        assert [each.recognised_minor for each in report.periods] == [4_175, revenue]
        assert report.deferred_minor == 9_000 - 4_175 - revenue

    def test_a_point_keeps_the_value_that_it_was_issued_with(self, coalition: Coalition) -> None:
        coalition.earn(100, "A")
        coalition.clock.advance(DAY)
        coalition.earn(100, "A")
        double = liabilities.Valuation(START + DAY, Decimal("0.02"))
        report = coalition.liability(None, CENT, double)
        assert (report.latest.allocated_minor, report.value_minor) == (300, 400)

    def test_all_is_recognised_when_nothing_is_left(self, coalition: Coalition) -> None:
        coalition.earn(100, "A", expires_at=START + DAY)
        coalition.clock.advance(2 * DAY)
        assert coalition.liability().deferred_minor == 0

    def test_a_point_without_a_value_makes_no_money(self, coalition: Coalition) -> None:
        coalition.earn(10, "A")
        report = coalition.liability(None, liabilities.Valuation())
        assert (report.deferred_minor, report.by_month[0].value_minor) == (None, None)


class TestStatement:
    def test_it_reads_as_it_happened(self, coalition: Coalition) -> None:
        coalition.earn(100, "A", receipt_number="R-1")
        coalition.clock.advance(DAY)
        spent = coalition.spend(30, "B")
        coalition.reverse(spent, reason="wrong button")
        found, entries, lots, holds = coalition.statement()
        assert [(each.kind, each.points, each.balance) for each in entries] == [
            ("accrual", 100, 100),
            ("redemption", -30, 70),
            ("reversal", 30, 100),
        ]
        assert (entries[0].receipt_number, entries[2].reason) == ("R-1", "wrong button")
        assert entries[1].explain
        assert [(lot.left, lot.expires_at) for lot in lots] == [(100, None)]
        assert (holds, found.opening, found.closing.balance) == ([], 0, 100)
        # Whole numbers on either database, also in JSON.
        assert {type(each) for each in astuple(found.closing)} == {int}
        assert {type(each) for each in (lots[0].left, lots[0].held, found.lapsed)} == {int}

    def test_a_period_begins_with_what_there_was(self, coalition: Coalition) -> None:
        coalition.earn(100, "A")
        coalition.clock.advance(DAY)
        coalition.spend(30, "B")
        coalition.clock.advance(DAY)
        coalition.earn(5, "A")
        found, entries, lots, _ = coalition.statement(since=START + DAY, before=START + 2 * DAY)
        assert (found.opening, found.closing.balance) == (100, 70)
        assert [each.points for each in entries] == [-30]
        assert [lot.left for lot in lots] == [70]

    def test_what_lapsed_and_is_not_written_yet_is_said(self, coalition: Coalition) -> None:
        coalition.earn(10, "A", expires_at=START + DAY)
        coalition.ledger.hold(coalition.account, 4, expires_at=START + 3 * DAY)
        coalition.clock.advance(2 * DAY)
        found, entries, lots, holds = coalition.statement()
        assert (entries[-1].balance, found.lapsed, found.closing.balance) == (10, 6, 4)
        assert ([lot.left for lot in lots], [hold.points for hold in holds]) == ([4], [4])

    def test_an_unknown_account_is_refused(self, coalition: Coalition) -> None:
        with coalition.read() as session, pytest.raises(UnknownAccount):
            statement.statement(
                session, coalition.partners["A"], since=None, before=coalition.bound
            )


def test_reports_read_and_write_nothing(coalition: Coalition, database: Database) -> None:
    coalition.earn(10, "A", expires_at=START + DAY)
    coalition.clock.advance(2 * DAY)
    coalition.liability()
    coalition.statement()
    coalition.settle()
    with database.read(coalition.ledger.programme_id) as session:
        assert statement.statement(
            session, coalition.account, since=None, before=coalition.bound
        ).lapsed
