"""One account's page of the ledger, in memory. Pure: what it collects, `_store` writes.

A page is loaded under the account's lock, brought up to the present by `settle`, changed by one
operation and written in a few statements. Every movement of points goes through `draw`, `owe`,
`credit` or `repay`, which keep the caches in step with the rows.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from app.clock import whole_second
from app.db import new_id
from app.ledger import rules, tiers
from app.ledger.explain import Reason, because
from app.ledger.models import EntryKind, HoldStatus
from app.ledger.postings import Activity, Circumstances, Terms
from app.ledger.rules import LotState
from app.ledger.tiers import Count, TierReason, TierState

Row = dict[str, Any]

#: New lots come after every lot that has a number already.
_NEW_LOTS_FROM = 1 << 62
_NOTHING = Count(0, 0)


@dataclass(frozen=True, slots=True)
class OtherReceipts:
    """What an account's other receipts come to: see `postings.Asked`."""

    visits_today: int = 0
    is_first: bool = False
    windows: Mapping[int, Activity] = field(default_factory=dict)


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
    created_at: datetime
    carried_micro: int
    rolling_expires_at: datetime | None
    kind: str
    merged_into_id: str | None
    tier: TierState

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
    #: Lots that became available since somebody last looked.
    noticed: int = 0
    #: The page of an account that is being merged into this one, or taken out of it again.
    beside: "Book | None" = None
    merges: list[Row] = field(default_factory=list)
    changed_merges: dict[str, Row] = field(default_factory=dict)
    #: Where accounts have their points now: what each was merged into.
    merged_into: dict[str, str | None] = field(default_factory=dict)
    #: Lots of accounts that were merged into this one: to be looked at, never drawn on.
    elsewhere: set[str] = field(default_factory=set)

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

    def move_days(self, days: Mapping[date, Count], to: "Book") -> None:
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

    # --- time ---------------------------------------------------------------------------------

    def settle(self) -> None:
        """Let everything happen that fell due since somebody last looked, in its order.

        Looking late gives what looking in time would have given: a lot that became available,
        repaid a debt and then expired did all three. Tiers are reviewed before points expire.
        """
        moments: set[datetime] = {hold.expires_at for hold in self.holds.values()}
        for lot in self.lots.values():
            if lot.expires_at is not None and lot.remaining > 0:
                moments.add(lot.expires_at)
            if lot.pending and lot.available_from is not None:
                moments.add(lot.available_from)
        for moment in sorted(moment for moment in moments if moment <= self.now):
            self.assess(moment)
            noticed = self.noticed
            self._settle_at(moment)
            if self.noticed > noticed:
                self.assess(moment, happened_at=moment)
        self.tidy()
        self.assess(self.now)

    def tidy(self) -> None:
        """The same for this moment alone: after an operation has changed lots or debt."""
        self._settle_at(self.now)

    def assess(
        self,
        moment: datetime,
        why: TierReason = TierReason.EARNED,
        circumstances: Circumstances | None = None,
        posting_id: str | None = None,
        happened_at: datetime | None = None,
    ) -> list[Reason]:
        """Bring the tier up to *moment*; the changes, as reasons.

        What made them, where there was something, is of *happened_at*.
        """
        scheme = self.terms.tiers
        if scheme is None:
            self._forget_review(moment)
            return []
        if circumstances is not None:
            happened_at = circumstances.occurred_at
        state = self.account.tier
        before = replace(state)
        changes = tiers.assess(
            scheme,
            state,
            self.days,
            moment,
            self.terms.time_zone,
            because=why,
            happened_at=happened_at,
        )
        self.is_tier_moved |= state != before
        return self.note_tiers(changes, circumstances, posting_id)

    def _forget_review(self, moment: datetime) -> None:
        """A programme that gave its tiers up has none to review: nobody looks here again."""
        due = self.account.tier.review_at
        if due is not None and due <= moment:
            self.account.tier.review_at = None
            self.is_tier_moved = True

    def note_tiers(
        self,
        changes: Iterable[tiers.Change],
        circumstances: Circumstances | None = None,
        posting_id: str | None = None,
        note: str | None = None,
    ) -> list[Reason]:
        """Write changes of the tier down; the same as reasons."""
        told = []
        for change in changes:
            self.tier_changes.append(
                {
                    "programme_id": self.account.programme_id,
                    "id": new_id(),
                    "account_id": self.account.id,
                    "from_tier": change.from_tier,
                    "to_tier": change.to_tier,
                    "reason": str(change.reason),
                    "counted": change.counted,
                    "effective_from": change.effective_from,
                    "recorded_at": self.now,
                    "posting_id": posting_id,
                    "actor_kind": circumstances.actor_kind if circumstances else "system",
                    "actor_id": circumstances.actor_id if circumstances else None,
                    "note": note,
                }
            )
            scheme = self.terms.tiers
            up = scheme is None or tiers.rank(scheme, change.to_tier) > tiers.rank(
                scheme, change.from_tier
            )
            told.append(
                because(
                    "tier_up" if up else "tier_down",
                    from_tier=change.from_tier,
                    to_tier=change.to_tier,
                    reason=str(change.reason),
                )
            )
        return told

    def _settle_at(self, moment: datetime) -> None:
        if not self.lots:
            return  # What is held is held of lots, and debt is repaid from them.
        for hold in [hold for hold in self.holds.values() if hold.expires_at <= moment]:
            self.close(hold, HoldStatus.EXPIRED)
        self._expire(moment)
        for lot in self.lots.values():
            if lot.pending and lot.is_available(moment):
                self._leave_out(lot, -lot.remaining)
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
        if not due:
            return
        entry = None
        for lot in rules.draw_order(due):
            if lot.pending and lot.counts_on is not None:
                self._expire_uncounted(lot, moment)
                continue
            entry = entry or self.enter(EntryKind.EXPIRY, Circumstances(occurred_at=moment))
            self.draw(entry, lot, lot.free)

    def _expire_uncounted(self, lot: LotState, moment: datetime) -> None:
        """Points that expire before they were available never count: their day gives them back."""
        entry = self.enter(EntryKind.EXPIRY, Circumstances(occurred_at=moment))
        entry["day"] = lot.counts_on
        points = lot.free
        self.draw(entry, lot, points)
        self.count(entry, -points, 0)

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
    def pages(self) -> "list[Book]":
        """This page, and the one that lies beside it."""
        return [self] if self.beside is None else [self, self.beside]

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
            or self.changed_days
            or self.tier_changes
            or self.is_tier_moved
        )


def posted_points(entries: Iterable[Row], posting_id: str) -> int:
    """How many points a posting moved the balance by."""
    return sum(entry["points"] for entry in entries if entry["posting_id"] == posting_id)


def _must(holds: bool) -> None:
    if not holds:
        raise AssertionError("a lot, a hold or a debt would have gone out of its bounds")
