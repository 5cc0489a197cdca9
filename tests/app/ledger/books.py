"""The books of a programme to which anything is posted: what has to be right after every step."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

from hypothesis import note
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    multiple,
)
from sqlalchemy import select

from app.errors import Conflict, Invalid
from app.ledger import service
from app.ledger.check import check
from app.ledger.errors import AlreadyReversed
from app.ledger.models import Account, EarningDay, Entry, Lot, Receipt, ReceiptReturn
from app.ledger.postings import (
    Operation,
    Reverse,
)
from app.ledger.tiers import Count, TierReason
from tests.app.ledger.shadow import Shadow, counted_of, lots_of


class Books(RuleBasedStateMachine):
    """Three accounts of one programme; each has a shadow until it is merged.

    *make* gives a bench with a programme of its own.
    """

    make: Callable[[], Any]

    def __init__(self) -> None:
        super().__init__()
        self.bench = self.make()
        self.accounts: list[str] = []
        self.sales: dict[str, int] = {}
        self.done: list[tuple[Operation, Any, dict[str, Any]]] = []
        self.merged: set[str] = set()
        self.shadows: dict[str, Shadow] = {}
        self.before: dict[str, dict[date, Count]] = {}

    def tried(self, operation: Operation, **where: Any) -> Any:
        """The posting's id; nothing where it is refused, as some have to be."""
        now = self.bench.clock.now
        for account_id, shadow in self.shadows.items():
            self.before[account_id] = dict(shadow.days)
            shadow.look(lots_of(self.bench, account_id), now)
        try:
            posted = self.bench.post(operation, **where)
        except (Conflict, Invalid) as error:
            note(f"refused: {error}")
            return multiple()
        self.done.append((operation, posted, where))
        late, happened_at = where.get("late", False), where.get("occurred_at") or now
        why = TierReason.LATE_RECEIPT if late else TierReason.EARNED
        if isinstance(operation, Reverse):
            why = TierReason.RETURNED
        for account_id, shadow in self.shadows.items():
            shadow.days = counted_of(self.bench, account_id)
            if shadow.days != self.before[account_id]:
                shadow.assess(now, why, happened_at)
        return posted.answer["posting_id"]

    @invariant()
    def the_books_are_right(self) -> None:
        bench = self.bench
        with bench.database.read(bench.programme_id) as session:
            assert [str(difference) for difference in check(session)] == []
        for account_id in self.accounts:
            bench.rule_six(account_id)
        bench.settled()

    @invariant()
    def the_tier_is_what_history_gives(self) -> None:
        bench = self.bench
        now = bench.clock.now
        for account_id, shadow in self.shadows.items():
            with bench.database.read(bench.programme_id) as session:
                book = service.look(session, account_id, now=now, terms=bench.terms)
            state, days = replace(shadow.state), dict(shadow.days)
            copy = Shadow(bench.terms, now)
            copy.state, copy.days, copy.joined = state, days, set(shadow.joined)
            copy.look(lots_of(self.bench, account_id), now)
            shown = book.account.tier
            assert (shown.tier, shown.kept, shown.reviewed_at, shown.override) == (
                state.tier,
                state.kept,
                state.reviewed_at,
                state.override,
            )

    def teardown(self) -> None:
        """Everything comes back: then nothing is left that counted."""
        for sale in self.sales:
            self.return_all(sale)
        self.the_books_are_right()
        with self.bench.database.read(self.bench.programme_id) as session:
            # What came back while two accounts were one stays with the one that stayed: so
            # days are looked at over all accounts. The one that went has then more than it
            # would have, and where that is still pending, it is yet to count.
            counted: dict[date, Count] = defaultdict(lambda: Count(0, 0))
            for each in session.scalars(select(EarningDay)):
                had = counted[each.day]
                counted[each.day] = Count(
                    had.points + each.points, had.spend_minor + each.spend_minor
                )
            for lot in session.scalars(select(Lot).where(Lot.pending, Lot.remaining > 0)):
                if lot.counts_on is not None:
                    had = counted[lot.counts_on]
                    counted[lot.counts_on] = had._replace(points=had.points + lot.remaining)
            assert set(counted.values()) <= {Count(0, 0)}
            carried = session.scalars(select(Account.carried_micro)).all()
            assert sum(carried) == 0

    def return_all(self, sale: str) -> None:
        try:
            self.bench.post(Reverse(sale))
            return
        except AlreadyReversed:
            pass
        with self.bench.database.read(self.bench.programme_id) as session:
            receipt = session.scalars(
                select(Receipt)
                .join(Entry, Entry.receipt_id == Receipt.id)
                .where(Entry.posting_id == sale, Entry.kind == "accrual")
            ).one()
            came = session.scalars(
                select(ReceiptReturn.amount_minor).where(
                    ReceiptReturn.receipt_id == receipt.id,
                    ReceiptReturn.reversed_at.is_(None),
                )
            ).all()
            left = receipt.amount_minor - sum(came)
        if left:
            self.bench.post(Reverse(sale, amount_minor=left))
