"""Movements of points on a page: each keeps the caches in step with the rows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from app.db import new_id
from app.ledger import rules
from app.ledger._book.states import AccountState, HoldState, OtherReceipts, Row
from app.ledger.models import EntryKind, HoldStatus
from app.ledger.postings import Circumstances, Terms
from app.ledger.rules import LotState
from app.ledger.tiers import Count

#: New lots come after every lot that has a number already.
_NEW_LOTS_FROM = 1 << 62
_NOTHING = Count(0, 0)


@dataclass(slots=True)
class Movements:
    """An account with those of its lots that matter, its open holds, and what is new."""

    account: AccountState
    lots: dict[str, LotState]
    holds: dict[str, HoldState]
    now: datetime
    terms: Terms = field(default_factory=Terms)
    #: What each local day counts towards a tier; loaded where the programme has tiers.
    days: dict[date, Count] = field(default_factory=dict)
    #: The bonuses that the account had and may have once, as far as they were asked for.
    once_keys: frozenset[str] = frozenset()
    #: What is known of its other receipts, as far as it was asked for.
    other_receipts: OtherReceipts = field(default_factory=OtherReceipts)

    entries: list[Row] = field(default_factory=list)
    draws: list[Row] = field(default_factory=list)
    new_lots: list[Row] = field(default_factory=list)
    changed_lots: set[str] = field(default_factory=set)
    receipts: list[Row] = field(default_factory=list)
    receipt_lines: list[Row] = field(default_factory=list)
    returns: list[Row] = field(default_factory=list)
    changed_returns: dict[str, datetime | None] = field(default_factory=dict)
    changed_days: dict[date, Count] = field(default_factory=dict)
    tier_changes: list[Row] = field(default_factory=list)
    new_holds: list[Row] = field(default_factory=list)
    hold_lots: list[Row] = field(default_factory=list)
    changed_holds: dict[str, Row] = field(default_factory=dict)
    #: Something about the tier moved, though it may be the same.
    is_tier_moved: bool = False
    #: Lots of accounts that were merged into this one: to be looked at, never drawn on.
    elsewhere: set[str] = field(default_factory=set)

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
            "day": rules.local_day(circumstances.occurred_at, self.terms.time_zone),
            "counted_points": 0,
            "counted_minor": 0,
            "carried_micro": None,
            "weighted_micro": None,
            "at_least_minor": None,
            "grounds": None,
            "once_key": None,
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
        known = len(row)
        row.update(facts)
        if len(row) > known:
            raise TypeError(f"an entry has no {', '.join(list(row)[known:])}")
        self.entries.append(row)
        return row

    def credit(
        self,
        entry: Row,
        points: int,
        *,
        available_from: datetime | None,
        expires_at: datetime | None,
        rolling: bool = False,
        counts_on: date | None = None,
        origin_lot_id: str | None = None,
        issuing_partner_id: str | None = None,
    ) -> LotState:
        """Make a lot of *points* under *entry*. A *rolling* one expires with the account."""
        lot = LotState(
            id=new_id(),
            entry_id=entry["id"],
            sequence=_NEW_LOTS_FROM + len(self.new_lots),
            points=points,
            remaining=points,
            held=0,
            pending=available_from is None or available_from > self.now,
            available_from=available_from,
            expires_at=self.account.rolling_expires_at if rolling else expires_at,
            issuing_partner_id=issuing_partner_id,
            rolling=rolling,
            counts_on=counts_on,
        )
        self.lots[lot.id] = lot
        self.new_lots.append({"lot": lot, "origin_lot_id": origin_lot_id})
        self._leave_out(lot, points)
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

    def count(self, entry: Row, points: int, spend_minor: int) -> None:
        """Let *entry* count for its day: points earned and money spent."""
        entry["counted_points"] += points
        entry["counted_minor"] += spend_minor
        self._add_to_day(entry["day"], points, spend_minor)

    def move_days(self, days: Mapping[date, Count], to: "Movements") -> None:
        """Let what *days* count towards a tier count for another account."""
        for day, count in days.items():
            self._add_to_day(day, -count.points, -count.spend_minor)
            to._add_to_day(day, count.points, count.spend_minor)

    def carry(self, entry: Row, micro: int) -> None:
        """Add to the money that is carried to the next receipt, under *entry*."""
        entry["carried_micro"] = (entry["carried_micro"] or 0) + micro
        self.account.carried_micro += micro

    def roll(self, occurred_at: datetime) -> None:
        """Move the date at which all rolling lots expire: something happened at *occurred_at*."""
        if not self.terms.inactivity_months:
            return
        until = rules.expiry(
            occurred_at, months=self.terms.inactivity_months, time_zone=self.terms.time_zone
        )
        before = self.account.rolling_expires_at
        if before is None or before < until:
            self.account.rolling_expires_at = until
            for lot in self.lots.values():
                if lot.rolling:
                    lot.expires_at = until

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
        _must(lot.id not in self.elsewhere)
        lot.remaining -= points
        _must(lot.held <= lot.remaining <= lot.points)
        self._leave_out(lot, -points)
        self.changed_lots.add(lot.id)
        self._add_draw(entry_id, lot.id, points)

    def _owe(self, entry_id: str, points: int) -> None:
        if points == 0:
            return
        self.account.debt += points
        _must(self.account.debt >= 0)
        self._add_draw(entry_id, None, points)

    def _leave_out(self, lot: LotState, points: int) -> None:
        """Points that are pending are not counted yet; below zero they are again."""
        if lot.pending and lot.counts_on is not None:
            self._add_to_day(lot.counts_on, -points, 0)

    def _add_to_day(self, day: date, points: int, spend_minor: int) -> None:
        if points == 0 and spend_minor == 0:
            return
        for days in (self.days, self.changed_days):
            before = days.get(day, _NOTHING)
            days[day] = Count(before.points + points, before.spend_minor + spend_minor)

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


def _must(holds: bool) -> None:
    if not holds:
        raise AssertionError("a lot, a hold or a debt would have gone out of its bounds")
