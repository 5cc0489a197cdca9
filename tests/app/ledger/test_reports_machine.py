"""Any postings of several partners: reports agree with the ledger, with a witness, and with
what they said before."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    multiple,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from app.clock import FixedClock
from app.db import Database
from app.errors import Conflict, Invalid
from app.ledger.models import Draw, Entry, Lot
from app.ledger.postings import Capture, Merge, Terms, Unmerge
from app.ledger.reports import rules, settlement
from app.ledger.reports.liability import Liability, Valuation, liability
from app.ledger.reports.liability import Terms as Valued
from app.ledger.reports.statement import statement
from app.programmes.partners import add_partner

HOUR = timedelta(hours=1)
START = datetime(2026, 6, 1, 9, tzinfo=UTC)
WORTH = Decimal("0.015")
TERMS = Valued(2, "Europe/Riga", (Valuation(point_value=WORTH),))


account = st.integers(0, 1)
partner = st.integers(0, 3)


def witness(rows: list[Any], lots: list[Any], draws: list[Any]) -> Counter[str | None]:
    """What each partner gets in all, counted entry by entry: no pairs, no SQL.

    Whoever redeemed gets what its entries took; whoever issued pays what was taken of its lots.
    """
    entries = {row.id: row for row in rows}
    gets: Counter[str | None] = Counter()

    def side(entry: Any) -> tuple[bool, Any]:
        while entry.kind == "reversal":
            entry = entries[entry.reverses_id]
        return entry.kind not in {"adjustment", "expiry", "opening"}, entry

    def for_whom(root: Any) -> str | None:
        # A merge has neither of the two: it is the programme's own affair.
        partner: str | None = root.issuing_partner_id
        return root.redeeming_partner_id if root.kind == "redemption" else partner

    by_id = {lot.id: lot for lot in lots}
    for draw in draws:
        entry = entries[draw.entry_id]
        settles, root = side(entry)
        lot = by_id.get(draw.lot_id)
        if lot is not None and lot.entry_id == entry.id:
            gets[lot.issuing_partner_id] -= draw.points
            gets[None] += draw.points
            if entry.kind != "reversal" or not settles:
                continue
            lot = None
        elif entry.kind not in {"redemption", "reversal"} or not settles:
            continue
        payer = lot.issuing_partner_id if lot else None
        gets[payer] -= draw.points
        gets[for_whom(root)] += draw.points
    for lot in lots:
        entry = entries[lot.entry_id]
        settles, root = side(entry)
        if entry.kind == "reversal" and settles:
            gets[lot.issuing_partner_id] += lot.points
            gets[for_whom(root)] -= lot.points
    return gets


class Reports(RuleBasedStateMachine):
    """Two accounts of a programme with partners; *make* gives the bench."""

    make: Callable[[], Any]

    postings = Bundle("postings")
    holds = Bundle("holds")

    def __init__(self) -> None:
        super().__init__()
        self.bench = bench = self.make()
        bench.clock.now = START
        bench.terms = Terms(time_zone="Europe/Riga", inactivity_months=1)
        with bench.database.write(bench.programme_id) as session:
            added = [
                add_partner(session, bench.programme_id, name=name, now=START).id for name in "ABC"
            ]
        self.partners: list[str | None] = [None, *added]
        self.accounts = [bench.account(), bench.account()]
        self.merged: str | None = None
        self.said: list[tuple[datetime, Liability, Any]] = []

    def tried(self, make: Any, *arguments: Any, **facts: Any) -> Any:
        try:
            return make(*arguments, **facts)
        except (Conflict, Invalid):
            return multiple()

    @rule(hours=st.integers(1, 40) | st.integers(200, 400))
    def wait(self, hours: int) -> None:
        self.bench.clock.advance(hours * HOUR)

    @rule()
    def sweep(self) -> None:
        self.bench.sweep()

    @rule(
        target=postings,
        points=st.integers(1, 20),
        delay=st.sampled_from([0, 0, 0, 5, 30]),
        life=st.sampled_from([None, 3, 20, 60, 0]),
        of=account,
        at=partner,
    )
    def earn(self, points: int, delay: int, life: int | None, of: int, at: int) -> Any:
        now = self.bench.clock.now
        return self.bench.earn(
            self.accounts[of],
            points,
            available_from=now + delay * HOUR,
            expires_at=now + life * HOUR if life else None,
            rolling=life == 0,
            issuing_partner_id=self.partners[at],
        )

    @rule(target=postings, points=st.integers(1, 25), of=account, at=partner)
    def spend(self, points: int, of: int, at: int) -> Any:
        hold = self.tried(self.bench.hold, self.accounts[of], points)
        if not isinstance(hold, str):
            return hold
        return self.bench.post(Capture(hold, self.partners[at])).answer["posting_id"]

    @rule(target=holds, points=st.integers(1, 25), hours=st.integers(1, 30), of=account)
    def hold(self, points: int, hours: int, of: int) -> Any:
        until = self.bench.clock.now + hours * HOUR
        return self.tried(self.bench.hold, self.accounts[of], points, expires_at=until)

    @rule(target=postings, held=holds, at=partner)
    def capture(self, held: str, at: int) -> Any:
        posted = self.tried(self.bench.post, Capture(held, self.partners[at]))
        return posted.answer["posting_id"] if hasattr(posted, "answer") else posted

    @rule(held=holds)
    def release(self, held: str) -> None:
        self.tried(self.bench.release, held)

    @rule(target=postings, points=st.integers(-10, 10).filter(bool), of=account)
    def adjust(self, points: int, of: int) -> Any:
        return self.tried(self.bench.adjust, self.accounts[of], points)

    @rule(target=postings, posting=postings, part=st.none() | st.integers(1, 900))
    def reverse(self, posting: str, part: int | None) -> Any:
        return self.tried(self.bench.reverse, posting, amount_minor=part)

    @rule()
    def merge_or_part(self) -> None:
        """One of two, and two again."""
        one, other = self.accounts
        if self.merged is None:
            posted = self.tried(self.bench.post, Merge(one, other))
            self.merged = posted.answer["posting_id"] if hasattr(posted, "answer") else None
        elif hasattr(self.tried(self.bench.post, Unmerge(self.merged)), "answer"):
            self.merged = None

    @property
    def showing(self) -> list[str]:
        return self.accounts if self.merged is None else self.accounts[1:]

    @rule()
    def remember(self) -> None:
        """What is said now has to be said of now for ever."""
        self.agree()
        before = rules.after(self.bench.clock.now)
        self.bench.clock.advance(HOUR / 60)
        with self.read() as session:
            self.said.append((before, *said(session, before)))

    def agree(self) -> None:
        """Each statement says what its account shows."""
        before = rules.after(self.bench.clock.now)
        for account_id in self.showing:
            shown = self.bench.standing(account_id)
            with self.read() as session:
                found = statement(session, account_id, since=None, before=before)
                assert found.closing == shown
                entries = list(found.entries())
                last = entries[-1].balance if entries else 0
                assert last - found.lapsed == shown.balance
                lots = list(found.lots())
                assert sum(lot.left for lot in lots) == shown.balance + shown.debt
                assert sum(lot.held for lot in lots) == shown.held
                assert sum(hold.points for hold in found.holds()) == shown.held

    def read(self) -> Any:
        return self.bench.database.read(self.bench.programme_id)

    def teardown(self) -> None:
        self.agree()
        before = rules.after(self.bench.clock.now)
        standings = [self.bench.standing(each) for each in self.showing]
        with self.read() as session:
            report, settled = said(session, before)
            rows, lots, draws = (session.scalars(select(each)).all() for each in (Entry, Lot, Draw))
            for moment, then, owed_then in self.said:
                assert said(session, moment) == (then, owed_then)
        assert report.total.outstanding == sum(one.balance + one.debt for one in standings)
        assert report.total.pending == sum(one.pending for one in standings)
        assert report.total.held == sum(one.held for one in standings)
        assert report.debt == sum(one.debt for one in standings)
        latest = report.latest
        assert (
            latest.issued - latest.redeemed - latest.lapsed
            == report.total.outstanding - report.debt
        )
        assert sum(each.points for each in settled.nets) == 0
        assert sum(each.amount_minor for each in settled.nets) == 0
        nets = {each.partner: each.points for each in settled.nets if each.points}
        gets = {each: points for each, points in witness(rows, lots, draws).items() if points}
        assert nets == gets


def machine(make: Callable[[], Any]) -> type[RuleBasedStateMachine]:
    """A machine that posts to a programme of its own each time."""

    class Here(Reports):
        pass

    Here.make = staticmethod(make)
    return Here


def said(session: Any, before: datetime) -> tuple[Liability, settlement.Settlement]:
    owed = settlement.settlement(session, None, before, point_value=WORTH)
    return liability(session, TERMS, before), owed


def test_reports_are_right_whatever_partners_post(
    database: Database, clock: FixedClock, make_bench: Any
) -> None:
    run_state_machine_as_test(
        machine(lambda: make_bench(database, clock)),
        settings=settings(
            max_examples=12 if database.is_sqlite else 5,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
