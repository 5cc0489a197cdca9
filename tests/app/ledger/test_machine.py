"""Any postings in any order: the ledger agrees with the naive one, and its books are right."""

from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from app.db import Database
from app.errors import Conflict, Invalid
from app.ledger.postings import (
    Accrue,
    Adjust,
    Capture,
    HoldPoints,
    Operation,
    Posted,
    Release,
    Reverse,
    Value,
)

HOUR = timedelta(hours=1)
START = datetime(2026, 6, 1, 9, tzinfo=UTC)


class Postings(RuleBasedStateMachine):
    """An account of *bench* beside a naive ledger, of the module *naives*.

    A posting is known by (its id in the ledger, its name in the naive one).
    """

    bench: Any
    naives: Any

    accruals = Bundle("accruals")
    others = Bundle("others")
    holds = Bundle("holds")

    def __init__(self) -> None:
        super().__init__()
        self.bench.clock.now = START
        self.account_id = self.bench.account()
        self.naive = self.naives.NaiveLedger()
        self.done: list[tuple[Operation, Posted]] = []

    def both(self, operation: Operation, name: Any) -> Any:
        """Post, after the naive ledger did; both agree on whether it can be done."""
        if not name:
            with pytest.raises((Conflict, Invalid)):
                self.bench.post(operation)
            return multiple()
        posted = self.bench.post(operation)
        self.done.append((operation, posted))
        return (posted.answer["posting_id"], name)

    @rule(hours=st.integers(1, 40) | st.integers(200, 400))
    def wait(self, hours: int) -> None:
        self.bench.clock.advance(hours * HOUR)
        self.naive.wait(hours)

    @rule()
    def sweep(self) -> None:
        self.bench.sweep()

    @rule(
        target=accruals,
        points=st.integers(0, 20),
        value=st.integers(1, 30),
        delay=st.sampled_from([0, 0, 0, 5, 30]),
        life=st.sampled_from([None, 3, 20, 60]),
    )
    def earn(self, points: int, value: int, delay: int, life: int | None) -> Any:
        now = self.bench.clock.now
        expires = self.naives.NEVER if life is None else self.naive.now + life
        return self.both(
            Accrue(
                self.account_id,
                value,
                "EUR",
                Value(
                    points,
                    available_from=now + delay * HOUR,
                    expires_at=None if life is None else now + life * HOUR,
                ),
            ),
            self.naive.earn(points, value, self.naive.now + delay, expires),
        )

    @rule(target=holds, points=st.integers(1, 25), hours=st.integers(1, 30))
    def hold(self, points: int, hours: int) -> Any:
        until = self.bench.clock.now + hours * HOUR
        return self.both(HoldPoints(self.account_id, points, until), self.naive.hold(points, hours))

    @rule(target=others, points=st.integers(1, 25))
    def spend(self, points: int) -> Any:
        until = self.bench.clock.now + HOUR
        held = self.both(HoldPoints(self.account_id, points, until), self.naive.hold(points, 1))
        if not isinstance(held, tuple):
            return multiple()
        return self.both(Capture(held[0]), self.naive.capture(held[1]))

    @rule(target=others, held=holds)
    def capture(self, held: tuple[str, int]) -> Any:
        return self.both(Capture(held[0]), self.naive.capture(held[1]))

    @rule(held=holds)
    def release(self, held: tuple[str, int]) -> None:
        self.both(Release(held[0]), self.naive.release(held[1]))

    @rule(target=others, points=st.integers(-10, 10).filter(bool))
    def adjust(self, points: int) -> Any:
        return self.both(Adjust(self.account_id, points, "by hand"), self.naive.adjust(points))

    @rule(target=others, sale=accruals, value=st.none() | st.integers(1, 30))
    def give_back(self, sale: tuple[str, int], value: int | None) -> Any:
        operation = Reverse(sale[0], amount_minor=value)
        return self.both(operation, self.naive.give_in_part(sale[1], value))

    @rule(target=others, other=others)
    def undo(self, other: tuple[str, int]) -> Any:
        return self.both(Reverse(other[0], grace_days=30), self.naive.undo(other[1]))

    @rule(data=st.data())
    def repeat(self, data: st.DataObject) -> None:
        if self.done:
            operation, first = data.draw(st.sampled_from(self.done))
            again = self.bench.post(operation, first.answer["posting_id"])
            assert again.repeated
            assert again.answer == first.answer

    @invariant()
    def the_ledgers_agree(self) -> None:
        shown = self.bench.standing(self.account_id)
        found = (shown.balance, shown.pending, shown.held, shown.available, shown.debt)
        assert found == self.naive.standing()
        self.bench.rule_six(self.account_id)

    def teardown(self) -> None:
        """Once everything due is swept, the very lots agree."""
        self.bench.sweep()
        found = [remaining for remaining, _ in self.bench.lots(self.account_id)]
        assert found == self.naive.remainders()
        self.bench.prove(self.account_id)


def machine(on: Any, naive: Any) -> type[RuleBasedStateMachine]:
    """A machine on accounts of *on*, each beside a naive ledger."""

    class Here(Postings):
        bench, naives = on, naive

    return Here


def test_any_postings_in_any_order_keep_the_books_right(
    database: Database, ledger: Any, naive: ModuleType
) -> None:
    run_state_machine_as_test(
        machine(ledger, naive),
        settings=settings(
            max_examples=40 if database.is_sqlite else 10,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
