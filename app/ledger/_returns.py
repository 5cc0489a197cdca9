"""Reversal: of a receipt, whole or in part; of anything else, whole; of a reversal.

A return of a receipt takes back what is due of the points it earned, and gives back what is due
of the points that were redeemed on it. Both are counted from the start each time, so that partial
returns in any sizes end exactly.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from app.db import new_id
from app.errors import Invalid
from app.languages import _
from app.ledger import _undo, rules
from app.ledger._bonuses import bonus_due, examine_bonuses, kept_for, say_next
from app.ledger._book import Row, posted_points
from app.ledger._operation import MOST_MINOR, Context, Outcome, canonical_id, whole_number
from app.ledger._receipts import (
    Came,
    Part,
    Sold,
    back_of,
    carried_back,
    check_still_fits,
    counting,
    earning_back,
    part_of,
    parts_of,
    returns_of,
    sold_on,
    take_due,
)
from app.ledger._undo import TARGET, Target
from app.ledger.errors import AlreadyReversed, NotReversible, UnknownPosting
from app.ledger.explain import Reason, because
from app.ledger.models import (
    Account,
    AccountMerge,
    Entry,
    EntryKind,
    Hold,
    HoldStatus,
    Posting,
)
from app.ledger.postings import Reverse
from app.ledger.rules import ReturnPolicy, due_so_far

#: A redemption belongs to a receipt of its number no further apart than this: numbers come again.
SAME_SALE = timedelta(days=1)


def account_of(session: Session, posting_id: str) -> str:
    """The account that has the points now that a posting moved.

    Raises `UnknownPosting`, `NotReversible`.
    """
    wanted = canonical_id(posting_id)
    merged = or_(AccountMerge.posting_id == wanted, AccountMerge.undone_posting_id == wanted)
    if session.scalar(select(AccountMerge.id).where(merged)) is not None:
        raise NotReversible(
            _(
                "That posting made one account of two, or two of one. Say so: counterfoil "
                "account unmerge, or counterfoil account merge."
            )
        )
    account_id = session.scalar(
        select(func.coalesce(Account.merged_into_id, Account.id))
        .join(Entry, Entry.account_id == Account.id)
        .where(Entry.posting_id == wanted)
        .limit(1)
    )
    if account_id is not None:
        return account_id
    if session.scalar(select(Posting.id).where(Posting.id == wanted)) is not None:
        raise NotReversible(_("That posting moved no points: there is nothing to reverse."))
    raise UnknownPosting(_("There is no such posting."))


def reverse(context: Context, operation: Reverse) -> Outcome:
    """Undo a posting. Raises `UnknownPosting`, `AlreadyReversed`, `ReturnTooLarge`."""
    _check(operation)
    if operation.account_id not in (None, context.book.account.id):
        raise UnknownPosting(_("There is no such posting."))
    targets = _targets(context, operation)
    explain: list[Reason] = []
    grace_until = rules.expiry(
        context.now, time_zone=operation.time_zone, days=operation.grace_days
    )
    accrual = next((target for target in targets if target.kind == EntryKind.ACCRUAL), None)
    if accrual is not None:
        bonuses = [target for target in targets if target.kind == EntryKind.BONUS]
        entry_id = _Return(context, operation, accrual, bonuses, grace_until, explain).make()
    elif operation.amount_minor is not None or operation.lines is not None:
        text = _("Only an accrual can be returned in part. Leave the amount out.")
        raise Invalid(text, {"amount_minor": [text]})
    else:
        _check_not_undone(context.session, targets)
        accruals = [_count_again(context, target) for target in targets]
        # What gives points goes first: what takes can then take them.
        entries = [
            _undo.undo(context, target, operation, grace_until, explain)
            for target in sorted(targets, key=lambda target: target.points)
        ]
        entry_id = entries[0]["id"]
        about = next((each for each in accruals if each is not None), None)
        if about is not None:
            examine_bonuses(context, about, operation, explain)
    points = posted_points(context.book.entries, context.request.id)
    return Outcome("reversal", points=points, explain=explain, entry_id=entry_id)


def _check(operation: Reverse) -> None:
    if operation.amount_minor is not None:
        whole_number(operation.amount_minor, "amount_minor", 1, MOST_MINOR)
        if operation.lines is not None:
            text = _("Give an amount or lines, not both.")
            raise Invalid(text, {"lines": [text]})
    if operation.debt_floor is not None and operation.debt_floor < 0:
        raise ValueError("a debt floor is the number of points that may be owed")
    ReturnPolicy(operation.return_policy)


def _targets(context: Context, operation: Reverse) -> list[Target]:
    rows = context.session.execute(
        select(*TARGET)
        .where(Entry.posting_id == canonical_id(operation.posting_id))
        .order_by(Entry.sequence)
    )
    return [Target(*row) for row in rows]


def _check_not_undone(session: Session, targets: list[Target]) -> None:
    undone = session.execute(
        select(Entry.posting_id).where(
            Entry.reverses_id.in_([target.id for target in targets]), Entry.whole_reversal
        )
    ).first()
    if undone is not None:
        raise AlreadyReversed(
            _("That posting was reversed already. To undo the reversal, reverse the reversal."),
            reversed_by=undone.posting_id,
        )


# --- receipts ---------------------------------------------------------------------------------


@dataclass(slots=True)
class _Return:
    """One return of one receipt."""

    context: Context
    operation: Reverse
    accrual: Target
    bonuses: list[Target]
    grace_until: datetime
    explain: list[Reason]

    def make(self) -> str:
        """Write the return; the id of the entry that takes the points back."""
        session = self.context.session
        operation = self.operation
        is_whole = operation.amount_minor is None and operation.lines is None
        if is_whole:
            _check_not_undone(session, [self.accrual])
        receipt = sold_on(session, self.accrual.receipt_id)
        came = [part for part in returns_of(session, receipt.id) if part.reversed_at is None]
        part = part_of(
            session,
            receipt,
            came,
            amount_minor=operation.amount_minor,
            lines=operation.lines,
        )
        redeemed_due = self._give_back_redeemed(receipt, came, back_of(came) + part.value)
        row: Row = {
            "programme_id": self.context.book.account.programme_id,
            "id": new_id(),
            "receipt_id": receipt.id,
            "posting_id": self.context.request.id,
            "amount_minor": part.value,
            "earning_minor": part.earning,
            "redeemed_points_due": redeemed_due,
            "bonus_points_due": {},
            "lines": part.lines,
            "recorded_at": self.context.now,
            "reversed_at": None,
        }
        entry_id = self._take_back_earned(receipt, came, part, is_whole, row)
        self._take_back_bonuses(receipt, came, part, is_whole, row)
        self.context.book.returns.append(row)
        return entry_id

    def _take_back_earned(
        self, receipt: Sold, came: list[Came], part: Part, is_whole: bool, row: Row
    ) -> str:
        context, accrual = self.context, self.accrual
        entry = self._reversal_of(accrual, whole=is_whole)
        entry["amount_minor"] = -part.value
        entry["currency"] = accrual.currency
        before = sum(each.earned_points_due for each in came)
        all_back = back_of(came) + part.value >= receipt.amount_minor
        earning = earning_back(came) + part.earning
        after = (
            accrual.points
            if all_back
            else due_so_far(accrual.points, earning, receipt.earning_minor)
            if earning
            else 0
        )
        due = max(0, after - before)
        if not is_whole:
            self.explain.append(
                because("due_so_far", due=after, earned=accrual.points, before=before)
            )
        row["earned_points_due"] = due
        money = due_so_far(accrual.counted_minor, earning, receipt.earning_minor)
        money = accrual.counted_minor if all_back else money if earning else 0
        row["counted_minor_due"] = money - sum(each.counted_minor_due for each in came)
        context.book.count(entry, -due, -row["counted_minor_due"])
        row["carried_micro_due"] = 0
        if accrual.carried_micro is not None:
            carried = accrual.carried_micro if all_back else carried_back(accrual, money, after)
            row["carried_micro_due"] = carried - sum(each.carried_micro_due for each in came)
            context.book.carry(entry, -row["carried_micro_due"])
        self._take(entry, accrual, due, before)
        return str(entry["id"])

    def _take_back_bonuses(
        self, receipt: Sold, came: list[Came], part: Part, is_whole: bool, row: Row
    ) -> None:
        back, earning = back_of(came) + part.value, earning_back(came) + part.earning
        kept = kept_for(self.context.session, receipt, self.bonuses, [*parts_of(came), part])
        for bonus in self.bonuses:
            before = sum(each.bonus_points_due.get(bonus.id, 0) for each in came)
            due = max(0, bonus_due(bonus, receipt, back, earning, kept) - before)
            if due == 0:
                continue
            row["bonus_points_due"][bonus.id] = due
            entry = self._reversal_of(bonus, whole=is_whole)
            self.context.book.count(entry, -due, 0)
            self.explain.append(because("bonus_gone", name=bonus.reason or "", points=due))
            say_next(bonus, kept, self.explain)
            self._take(entry, bonus, due, before)

    def _reversal_of(self, target: Target, *, whole: bool) -> Row:
        entry = self.context.book.enter(
            EntryKind.REVERSAL,
            self.context.circumstances,
            posting_id=self.context.request.id,
            reverses_id=target.id,
            whole_reversal=whole,
            receipt_id=target.receipt_id,
            once_key=target.once_key,
            reason=self.operation.reason,
        )
        entry["day"] = target.day
        return entry

    def _take(self, entry: Row, target: Target, due: int, before: int) -> None:
        take_due(self.context, entry, target, due, before, self.operation, self.explain)

    def _give_back_redeemed(self, receipt: Sold, came: list[Came], after: int) -> int:
        redeemed = self._redeemed_on(receipt)
        if not redeemed:
            return 0
        context = self.context
        total = sum(-target.points for target in redeemed)
        due = due_so_far(total, after, receipt.amount_minor)
        due = max(0, due - sum(part.redeemed_points_due for part in came))
        rest = due
        for target in redeemed:
            parts = _undo.outstanding(context.session, target)
            points = min(rest, sum(parts.values()))
            if points == 0:
                continue
            rest -= points
            entry = context.book.enter(
                EntryKind.REVERSAL,
                context.circumstances,
                posting_id=context.request.id,
                reverses_id=target.id,
                receipt_id=receipt.id,
                reason=self.operation.reason,
            )
            _undo.give_back(context, entry, parts, points, self.grace_until, self.explain)
        return due

    def _redeemed_on(self, receipt: Sold) -> list[Target]:
        """The redemptions on this receipt, the last one first."""
        if receipt.number is None:
            return []
        found = (
            select(*TARGET)
            .join(Hold, Hold.entry_id == Entry.id)
            .where(
                Hold.account_id.in_({self.accrual.account_id, self.context.book.account.id}),
                Hold.status == HoldStatus.CAPTURED,
                Hold.receipt_number == receipt.number,
                Hold.created_at >= receipt.occurred_at - SAME_SALE,
                Hold.created_at <= receipt.occurred_at + SAME_SALE,
            )
            .order_by(Entry.sequence.desc())
        )
        if receipt.till_id is not None:
            found = found.where(or_(Hold.till_id.is_(None), Hold.till_id == receipt.till_id))
        return [Target(*row) for row in self.context.session.execute(found)]


# --- returns of returns -----------------------------------------------------------------------


def _count_again(context: Context, target: Target) -> Target | None:
    """A return that is undone no longer counts; undoing that makes it count again.

    The accrual whose receipt it is about, or None where it is about something else. Raises
    `ReturnTooLarge` where by now too much of the receipt has come back otherwise.
    """
    session = context.session
    if target.kind != EntryKind.REVERSAL or target.receipt_id is None:
        return None
    *links, origin = _undo.chain(session, target)
    if origin.kind != EntryKind.ACCRUAL:
        return None
    came = returns_of(session, target.receipt_id)
    for distance, link in enumerate(links):
        for part in came:
            if part.posting_id == link.posting_id:
                # What this undoes counts no longer, what that had undone counts again, and so on.
                undone = distance % 2 == 0
                context.book.changed_returns[part.id] = context.now if undone else None
    if len(links) % 2 == 0:
        check_still_fits(session, target.receipt_id, counting(context, came))
    return origin
