"""The page of an account: what time does to it, and what it shows."""

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from datetime import datetime
from operator import attrgetter

from app.db import new_id
from app.ledger import rules, tiers
from app.ledger._book.movements import Movements
from app.ledger._book.states import Row
from app.ledger.explain import Reason, because
from app.ledger.models import EntryKind, HoldStatus
from app.ledger.postings import Circumstances
from app.ledger.rules import LotState
from app.ledger.tiers import TierReason, TierState

#: All that a tier's state consists of; copying the state itself takes ten times as long.
_facts_of = attrgetter(*(each.name for each in fields(TierState)))


@dataclass(slots=True)
class Book(Movements):
    """One account's page: movements, the time that passes over it, and what it shows."""

    #: Lots that became available since somebody last looked.
    noticed: int = 0
    #: The page of an account that is being merged into this one, or taken out of it again.
    beside: "Book | None" = None
    merges: list[Row] = field(default_factory=list)
    changed_merges: dict[str, Row] = field(default_factory=dict)
    #: Where accounts have their points now: what each was merged into.
    merged_into: dict[str, str | None] = field(default_factory=dict)

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
        before = _facts_of(state)
        changes = tiers.assess(
            scheme,
            state,
            self.days,
            moment,
            self.terms.time_zone,
            because=why,
            happened_at=happened_at,
        )
        self.is_tier_moved |= _facts_of(state) != before
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
