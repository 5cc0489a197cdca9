"""One account's page of the ledger, in memory. Pure: what it collects, `_store` writes.

A page is loaded under the account's lock, brought up to the present by `settle`, changed by one
operation and written in a few statements. Every movement of points goes through `draw`, `owe`,
`credit` or `repay`, which keep the caches in step with the rows.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from app.clock import whole_second
from app.db import new_id
from app.ledger import rules
from app.ledger.models import EntryKind, HoldStatus
from app.ledger.postings import Circumstances
from app.ledger.rules import LotState

Row = dict[str, Any]

#: New lots come after every lot that has a number already.
_NEW_LOTS_FROM = 1 << 62


@dataclass(slots=True)
class AccountState:
    """The account's row."""

    id: str
    programme_id: str
    balance: int
    held: int
    debt: int
    version: int
    changed_at: datetime

    def raise_version(self, now: datetime) -> None:
        """Say that a pass shows something new. No two versions share a second."""
        self.version += 1
        self.mark_changed(now)

    def mark_changed(self, now: datetime) -> None:
        """Move `changed_at` on, to *now* or by a second."""
        self.changed_at = max(whole_second(now), self.changed_at + timedelta(seconds=1))


@dataclass(slots=True)
class HoldState:
    """An open hold and the points it reserves by lot."""

    id: str
    points: int
    expires_at: datetime
    lots: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Book:
    """An account with those of its lots that matter, its open holds, and what is new."""

    account: AccountState
    lots: dict[str, LotState]
    holds: dict[str, HoldState]
    now: datetime

    entries: list[Row] = field(default_factory=list)
    draws: list[Row] = field(default_factory=list)
    new_lots: list[Row] = field(default_factory=list)
    changed_lots: set[str] = field(default_factory=set)
    receipts: list[Row] = field(default_factory=list)
    receipt_lines: list[Row] = field(default_factory=list)
    returns: list[Row] = field(default_factory=list)
    changed_returns: dict[str, datetime | None] = field(default_factory=dict)
    new_holds: list[Row] = field(default_factory=list)
    hold_lots: list[Row] = field(default_factory=list)
    changed_holds: dict[str, Row] = field(default_factory=dict)
    #: Lots that became available since somebody last looked.
    noticed: int = 0

    # --- rows ---------------------------------------------------------------------------------

    def enter(
        self,
        kind: EntryKind,
        circumstances: Circumstances,
        *,
        posting_id: str | None = None,
        **facts: Any,
    ) -> Row:
        """Begin an entry of no points yet."""
        row: Row = {
            "programme_id": self.account.programme_id,
            "id": new_id(),
            "account_id": self.account.id,
            "posting_id": posting_id,
            "kind": str(kind),
            "points": 0,
            "occurred_at": circumstances.occurred_at,
            "recorded_at": self.now,
            "late": circumstances.late,
            "actor_kind": circumstances.actor_kind,
            "actor_id": circumstances.actor_id,
            "till_id": circumstances.till_id,
            "location_id": circumstances.location_id,
            "card_id": circumstances.card_id,
            "receipt_id": None,
            "amount_minor": None,
            "currency": None,
            "rule_version": None,
            "reverses_id": None,
            "whole_reversal": False,
            "issuing_partner_id": None,
            "redeeming_partner_id": None,
            "reason": None,
        }
        unknown = facts.keys() - row.keys()
        if unknown:
            raise TypeError(f"an entry has no {', '.join(sorted(unknown))}")
        row.update(facts)
        self.entries.append(row)
        return row

    def credit(
        self,
        entry: Row,
        points: int,
        *,
        available_from: datetime | None,
        expires_at: datetime | None,
        origin_lot_id: str | None = None,
        issuing_partner_id: str | None = None,
    ) -> LotState:
        """Make a lot of *points* under *entry*."""
        lot = LotState(
            id=new_id(),
            entry_id=entry["id"],
            sequence=_NEW_LOTS_FROM + len(self.new_lots),
            points=points,
            remaining=points,
            held=0,
            pending=available_from is None or available_from > self.now,
            available_from=available_from,
            expires_at=expires_at,
            issuing_partner_id=issuing_partner_id,
        )
        self.lots[lot.id] = lot
        self.new_lots.append({"lot": lot, "origin_lot_id": origin_lot_id})
        self._move(entry, points)
        return lot

    def draw(self, entry: Row, lot: LotState, points: int) -> None:
        """Take *points* from *lot* under *entry*; below zero gives them back."""
        self._draw(entry["id"], lot, points)
        self._move(entry, -points)

    def owe(self, entry: Row, points: int) -> None:
        """Add *points* to the debt under *entry*; below zero takes them off it."""
        self._owe(entry["id"], points)
        self._move(entry, -points)

    def repay(self, lot: LotState, points: int) -> None:
        """Pay *points* of debt from *lot*; below zero undoes that. The balance stays."""
        self._draw(lot.entry_id, lot, points)
        self._owe(lot.entry_id, -points)

    def reserve(self, lot: LotState, points: int) -> None:
        """Put *points* of *lot* under a hold; below zero frees them."""
        lot.held += points
        self.account.held += points
        self.changed_lots.add(lot.id)
        _must(0 <= lot.held <= lot.remaining and self.account.held >= 0)

    def close(self, hold: HoldState, status: HoldStatus, entry: Row | None = None) -> None:
        """End a hold: what it reserved is free again."""
        for lot_id, points in hold.lots.items():
            self.reserve(self.lots[lot_id], -points)
        del self.holds[hold.id]
        self.changed_holds[hold.id] = {
            "status": str(status),
            "entry_id": entry["id"] if entry else None,
            "closed_at": self.now,
        }

    def _move(self, entry: Row, points: int) -> None:
        entry["points"] += points
        self.account.balance += points

    def _draw(self, entry_id: str, lot: LotState, points: int) -> None:
        if points == 0:
            return
        lot.remaining -= points
        _must(lot.held <= lot.remaining <= lot.points)
        self.changed_lots.add(lot.id)
        self._add_draw(entry_id, lot.id, points)

    def _owe(self, entry_id: str, points: int) -> None:
        if points == 0:
            return
        self.account.debt += points
        _must(self.account.debt >= 0)
        self._add_draw(entry_id, None, points)

    def _add_draw(self, entry_id: str, lot_id: str | None, points: int) -> None:
        self.draws.append(
            {
                "programme_id": self.account.programme_id,
                "entry_id": entry_id,
                "account_id": self.account.id,
                "lot_id": lot_id,
                "points": points,
                "recorded_at": self.now,
            }
        )

    # --- time ---------------------------------------------------------------------------------

    def settle(self) -> None:
        """Let everything happen that fell due since somebody last looked, in its order.

        Looking late gives what looking in time would have given: a lot that became available,
        repaid a debt and then expired did all three.
        """
        moments: set[datetime] = {hold.expires_at for hold in self.holds.values()}
        for lot in self.lots.values():
            if lot.expires_at is not None and lot.remaining > 0:
                moments.add(lot.expires_at)
            if lot.pending and lot.available_from is not None:
                moments.add(lot.available_from)
        for moment in sorted(moment for moment in moments if moment <= self.now):
            self._settle_at(moment)
        self.tidy()

    def tidy(self) -> None:
        """The same for this moment alone: after an operation has changed lots or debt."""
        self._settle_at(self.now)

    def _settle_at(self, moment: datetime) -> None:
        for hold in [hold for hold in self.holds.values() if hold.expires_at <= moment]:
            self.close(hold, HoldStatus.EXPIRED)
        self._expire(moment)
        for lot in self.lots.values():
            if lot.pending and lot.is_available(moment):
                lot.pending = False
                self.changed_lots.add(lot.id)
                self.noticed += 1
        if self.account.debt:
            takes, _ = rules.plan_debit(
                rules.spendable(self.lots.values(), moment), self.account.debt
            )
            for take in takes:
                self.repay(self.lots[take.lot_id], take.points)

    def _expire(self, moment: datetime) -> None:
        due = [lot for lot in self.lots.values() if lot.free > 0 and lot.is_expired(moment)]
        if due:
            entry = self.enter(EntryKind.EXPIRY, Circumstances(occurred_at=moment))
            for lot in rules.draw_order(due):
                self.draw(entry, lot, lot.free)

    # --- answers ------------------------------------------------------------------------------

    def standing(self) -> rules.Standing:
        """What the account shows."""
        account = self.account
        return rules.standing(
            account.balance, account.held, account.debt, self.lots.values(), self.now
        )

    def spendable(self) -> list[LotState]:
        """The lots that can be spent now, in draw order."""
        return rules.spendable(self.lots.values(), self.now)

    @property
    def is_changed(self) -> bool:
        """Whether there is anything to write."""
        return bool(
            self.entries
            or self.draws
            or self.changed_lots
            or self.changed_holds
            or self.new_holds
            or self.changed_returns
        )


def posted_points(entries: Iterable[Row], posting_id: str) -> int:
    """How many points a posting moved the balance by."""
    return sum(entry["points"] for entry in entries if entry["posting_id"] == posting_id)


def _must(holds: bool) -> None:
    if not holds:
        raise AssertionError("a lot, a hold or a debt would have gone out of its bounds")
