"""All operations at once, in any order, over any time: the books stay right after every step.

What an account shows adds up (rule 6), every cache is what history says (`check`), the tier is what
a replay of the history gives, partners net to zero; and when everything that was ever sold has
come back, nothing counts and nothing is carried any more.
"""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    precondition,
    rule,
    run_state_machine_as_test,
)

from app.clock import FixedClock
from app.db import Database
from app.ledger import tiers
from app.ledger.postings import (
    Accrue,
    Adjust,
    Bonus,
    Capture,
    Confirm,
    HoldPoints,
    Line,
    Merge,
    Release,
    ReturnedLine,
    Reverse,
    Terms,
    Unmerge,
    Value,
)
from app.ledger.tiers import Downgrade, Level, TierScheme, Window
from tests.app.ledger.books import Books
from tests.app.ledger.shadow import Shadow, counted_of, lots_of

HOUR = timedelta(hours=1)
ZONE = "Europe/Riga"
#: Shortly before both clocks and the year change.
STARTS = [
    datetime(2026, 3, 27, 9, tzinfo=UTC),
    datetime(2026, 10, 23, 9, tzinfo=UTC),
    datetime(2026, 12, 29, 9, tzinfo=UTC),
]
MICRO = 1_000_000
#: A point for each so many minor units; the rest is carried on.
PER_POINT = 30

policies = st.sampled_from(["allow_debt", "allow_debt", "within_balance", "only_pending"])
who = st.integers(0, 2)


def scheme(window: Window, downgrade: Downgrade, grace: int) -> TierScheme:
    levels = (Level("silver", 15), Level("gold", 40))
    return TierScheme(levels, window=window, downgrade=downgrade, grace_days=grace)


class Everything(Books):
    """Every operation that there is."""

    receipts = Bundle("receipts")
    others = Bundle("others")
    holds = Bundle("holds")
    merges = Bundle("merges")

    @precondition(lambda self: not self.accounts)
    @rule(
        start=st.sampled_from(STARTS),
        window=st.sampled_from(list(Window)),
        downgrade=st.sampled_from(list(Downgrade)),
        grace=st.sampled_from([0, 20]),
    )
    def open(self, start: datetime, window: Window, downgrade: Downgrade, grace: int) -> None:
        bench = self.bench
        bench.clock.now = start
        bench.terms = Terms(ZONE, scheme(window, downgrade, grace), inactivity_months=2)
        self.partners = [None, bench.partner("A"), bench.partner("B")]
        self.accounts = [bench.account() for _ in range(3)]
        self.shadows = {each: Shadow(bench.terms, start) for each in self.accounts}
        for of in range(3):
            self.bought(of, [300, 400], of == 1, 0, None, None, 0, 0, of)

    @precondition(lambda self: self.accounts)
    @rule(hours=st.integers(1, 30) | st.integers(1, 30) | st.integers(100, 900))
    def wait(self, hours: int) -> None:
        self.bench.clock.advance(hours * HOUR)

    @precondition(lambda self: self.accounts)
    @rule()
    def sweep(self) -> None:
        now = self.bench.clock.now
        lots = {account_id: lots_of(self.bench, account_id) for account_id in self.accounts}
        self.bench.sweep()
        for account_id, shadow in self.shadows.items():
            shadow.look(lots[account_id], now)
            shadow.days = counted_of(self.bench, account_id)

    @precondition(lambda self: self.accounts)
    @rule(
        target=receipts,
        of=who,
        amounts=st.lists(st.integers(100, 900), min_size=1, max_size=3),
        barren=st.booleans(),
        pending=st.sampled_from([0, 0, 0, 20, 200, None]),
        life=st.sampled_from([None, 0, 30, 300]),
        threshold=st.none() | st.integers(0, 900),
        bonus=st.sampled_from([0, 0, 7]),
        late=st.sampled_from([0, 0, 0, 30, 300]),
        by=st.integers(0, 2),
    )
    def buy(self, **facts: Any) -> Any:
        return self.bought(**facts)

    def bought(
        self,
        of: int,
        amounts: list[int],
        barren: bool,
        pending: int | None,
        life: int | None,
        threshold: int | None,
        bonus: int,
        late: int,
        by: int,
    ) -> Any:
        now = self.bench.clock.now
        occurred_at = now - late * HOUR
        lines = tuple(
            Line(f"item {number}", amount, number, earns=not (barren and number == 1))
            for number, amount in enumerate(amounts, 1)
        )
        earning = sum(line.amount_minor for line in lines if line.earns)
        given = () if not bonus else (Bonus(bonus, "more", threshold),)

        def value(facts: Any) -> Value:
            factor = {None: 1, "silver": 2, "gold": 3}[facts.tier]
            weighted = earning * factor * MICRO
            total = weighted + facts.carried_micro
            points = max(0, total // (PER_POINT * MICRO))
            return Value(
                points,
                None if pending is None else occurred_at + pending * HOUR,
                occurred_at + life * HOUR if life else None,
                rolling=life == 0,
                earning_minor=earning,
                carried_micro=total - points * PER_POINT * MICRO,
                weighted_micro=weighted,
                bonuses=given,
            )

        operation = Accrue(
            self.accounts[of],
            sum(amounts),
            "EUR",
            value,
            receipt_number="7" if late == 0 else None,
            lines=lines,
            issuing_partner_id=self.partners[by],
        )
        made = self.tried(operation, occurred_at=occurred_at, late=late > 0)
        if isinstance(made, str):
            self.sales[made] = of
        return made

    @precondition(lambda self: self.accounts)
    @rule(target=others, of=who, points=st.integers(-8, 12).filter(bool))
    def adjust(self, of: int, points: int) -> Any:
        return self.tried(Adjust(self.accounts[of], points, "by hand"))

    @precondition(lambda self: self.accounts)
    @rule(target=holds, of=who, points=st.integers(1, 20), hours=st.sampled_from([1, 40]))
    def hold(self, of: int, points: int, hours: int) -> Any:
        until = self.bench.clock.now + hours * HOUR
        return self.tried(HoldPoints(self.accounts[of], points, until, "7"))

    @precondition(lambda self: self.accounts)
    @rule(target=others, of=who, points=st.integers(1, 12), by=st.integers(0, 2))
    def spend(self, of: int, points: int, by: int) -> Any:
        until = self.bench.clock.now + HOUR
        held = self.tried(HoldPoints(self.accounts[of], points, until, "7"))
        return self.tried(Capture(held, self.partners[by])) if isinstance(held, str) else held

    @rule(target=others, held=holds, by=st.integers(0, 2))
    def capture(self, held: str, by: int) -> Any:
        return self.tried(Capture(held, self.partners[by]))

    @rule(held=holds)
    def release(self, held: str) -> None:
        self.tried(Release(held))

    @rule(posting=receipts)
    def confirm(self, posting: str) -> None:
        self.tried(Confirm(posting))

    @rule(
        target=others,
        posting=receipts | others | others,
        policy=policies,
        floor=st.none() | st.just(5),
    )
    def reverse(self, posting: str, policy: str, floor: int | None) -> Any:
        return self.tried(Reverse(posting, return_policy=policy, debt_floor=floor, time_zone=ZONE))

    @rule(target=others, posting=receipts, amount=st.integers(1, 700), policy=policies)
    def give_back(self, posting: str, amount: int, policy: str) -> Any:
        return self.tried(Reverse(posting, amount_minor=amount, return_policy=policy))

    @rule(
        target=others,
        posting=receipts,
        position=st.integers(1, 3),
        quantity=st.none() | st.sampled_from([1, Decimal("0.5")]),
        policy=policies,
    )
    def give_a_line_back(self, posting: str, position: int, quantity: Any, policy: str) -> Any:
        lines = (ReturnedLine(position, quantity),)
        return self.tried(Reverse(posting, lines=lines, return_policy=policy))

    @precondition(lambda self: self.accounts)
    @rule(of=who, tier=st.sampled_from(["silver", "gold"]), hours=st.integers(1, 900))
    def lift(self, of: int, tier: str, hours: int) -> None:
        account_id, now = self.accounts[of], self.bench.clock.now
        until = now + hours * HOUR
        shadow = self.shadows.get(account_id)
        lots = lots_of(self.bench, account_id)
        if shadow is None:
            return
        self.bench.lift(account_id, tier, until)
        shadow.look(lots, now)
        shadow.days = counted_of(self.bench, account_id)
        scheme = self.bench.terms.tiers
        tiers.override(scheme, shadow.state, tier, until, shadow.days, now, ZONE)

    @precondition(lambda self: self.accounts)
    @rule(target=merges, goes=who, stays=who)
    def merge(self, goes: int, stays: int) -> Any:
        made = self.tried(Merge(self.accounts[goes], self.accounts[stays], "one person"))
        if isinstance(made, str):
            # From here on there is no history of one account alone.
            for each in (goes, stays):
                self.shadows.pop(self.accounts[each], None)
        return made

    @rule(merged=merges)
    def unmerge(self, merged: str) -> None:
        self.tried(Unmerge(merged, "two after all"))

    @precondition(lambda self: self.done)
    @rule(data=st.data())
    def repeat(self, data: st.DataObject) -> None:
        operation, first, where = data.draw(st.sampled_from(self.done))
        again = self.bench.post(operation, first.answer["posting_id"], **where)
        assert again.repeated
        assert again.answer == first.answer


def machine(make: Callable[[], Any]) -> type[RuleBasedStateMachine]:
    """A machine that posts to a programme of its own each time."""

    class Here(Everything):
        pass

    Here.make = staticmethod(make)
    return Here


def test_whatever_is_posted_in_any_order_the_books_are_right(
    database: Database, clock: FixedClock, make_bench: Any
) -> None:
    run_state_machine_as_test(
        machine(lambda: make_bench(database, clock)),
        settings=settings(
            # A short run each time; LEDGER_EXAMPLES=500 is one for a night.
            max_examples=int(os.environ.get("LEDGER_EXAMPLES", 3 if database.is_sqlite else 1)),
            stateful_step_count=40,
            deadline=None,
            print_blob=True,
            # Shrinking takes minutes: the seed finds it again for whoever wants it smaller.
            phases=[Phase.explicit, Phase.reuse, Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_what_comes_back_between_merge_and_unmerge_of_pending_points_adds_up(
    database: Database, clock: FixedClock, make_bench: Any
) -> None:
    """Found by the machine: the account that stayed paid, the other one's points still count."""
    state: Any = machine(lambda: make_bench(database, clock))()
    state.open(start=STARTS[0], window=Window.ROLLING, downgrade=Downgrade.ONE_STEP, grace=0)
    bought = state.bought(1, [588, 336, 268], True, 200, None, None, 0, 0, 2)
    merged = state.merge(goes=1, stays=2)
    state.give_a_line_back(posting=bought, position=2, quantity=1, policy="allow_debt")
    state.unmerge(merged=merged)
    state.the_books_are_right()
    state.teardown()


def test_what_expired_unseen_between_merge_and_unmerge_counts_for_neither(
    database: Database, clock: FixedClock, make_bench: Any
) -> None:
    """Found by the machine: pending points that expire elsewhere take nothing from there."""
    state: Any = machine(lambda: make_bench(database, clock))()
    state.open(start=STARTS[0], window=Window.ROLLING, downgrade=Downgrade.RECOMPUTED, grace=0)
    before = counted_of(state.bench, state.accounts[0])
    state.bought(2, [565, 284, 451], False, None, 30, None, 0, 0, 1)
    merged = state.merge(goes=2, stays=0)
    state.wait(hours=748)
    state.unmerge(merged=merged)
    state.the_books_are_right()
    assert counted_of(state.bench, state.accounts[0]) == before
    assert sum(each.points for each in counted_of(state.bench, state.accounts[2]).values()) == 23
    state.teardown()


def test_what_expired_after_one_merge_is_not_owed_after_the_next(
    database: Database, clock: FixedClock, make_bench: Any
) -> None:
    """The receipt's points expired on the account between: its return takes no others for them."""
    state: Any = machine(lambda: make_bench(database, clock))()
    state.open(start=STARTS[0], window=Window.ROLLING, downgrade=Downgrade.RECOMPUTED, grace=0)
    bought = state.bought(2, [900], False, 0, 30, None, 0, 0, 1)
    state.merge(goes=2, stays=1)
    state.wait(hours=40)
    state.merge(goes=1, stays=0)
    before = state.bench.standing(state.accounts[0])
    state.reverse(posting=bought, policy="allow_debt", floor=None)
    after = state.bench.standing(state.accounts[0])
    assert (before.balance, after.balance, after.debt) == (59, 59, 0)
    state.teardown()
