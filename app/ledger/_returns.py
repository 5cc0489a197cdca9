"""Reversal: of a receipt, whole or in part; of anything else, whole; of a reversal.

A return of a receipt takes back what is due of the points it earned, and gives back what is due
of the points that were redeemed on it. Both are counted from the start each time, so that partial
returns in any sizes end exactly.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.db import new_id
from app.errors import Invalid
from app.ledger import _undo, rules
from app.ledger._book import Row, posted_points
from app.ledger._credits import thousandths
from app.ledger._operation import MOST_MINOR, Context, Outcome, canonical_id, count, whole_number
from app.ledger._store import load_lots
from app.ledger._undo import TARGET, Target
from app.ledger.errors import AlreadyReversed, NotReversible, ReturnTooLarge, UnknownPosting
from app.ledger.models import (
    Entry,
    EntryKind,
    Hold,
    HoldStatus,
    Posting,
    Receipt,
    ReceiptLine,
    ReceiptReturn,
)
from app.ledger.postings import Reverse
from app.ledger.rules import ReturnPolicy, due_so_far

#: A redemption belongs to a receipt of its number no further apart than this: numbers come again.
SAME_SALE = timedelta(days=1)


def account_of(session: Session, posting_id: str) -> str:
    """The account that a posting moved points of. Raises `UnknownPosting`, `NotReversible`."""
    wanted = canonical_id(posting_id)
    account_id = session.scalar(select(Entry.account_id).where(Entry.posting_id == wanted).limit(1))
    if account_id is not None:
        return account_id
    if session.scalar(select(Posting.id).where(Posting.id == wanted)) is not None:
        raise NotReversible("That posting moved no points: there is nothing to reverse.")
    raise UnknownPosting("There is no such posting.")


def reverse(context: Context, operation: Reverse) -> Outcome:
    """Undo a posting. Raises `UnknownPosting`, `AlreadyReversed`, `ReturnTooLarge`."""
    _check(operation)
    if operation.account_id not in (None, context.book.account.id):
        raise UnknownPosting("There is no such posting.")
    targets = _targets(context, operation)
    explain: list[str] = []
    grace_until = rules.expiry(
        context.now, time_zone=operation.time_zone, days=operation.grace_days
    )
    accrual = next((target for target in targets if target.kind == EntryKind.ACCRUAL), None)
    if accrual is not None:
        entry_id = _Return(context, operation, accrual, targets, grace_until, explain).make()
    elif operation.amount_minor is not None or operation.lines is not None:
        text = "Only an accrual can be returned in part. Leave the amount out."
        raise Invalid(text, {"amount_minor": [text]})
    else:
        _check_not_undone(context.session, targets)
        _count_again(context, targets)
        # What gives points goes first: what takes can then take them.
        entries = [
            _undo.undo(context, target, operation, grace_until, explain)
            for target in sorted(targets, key=lambda target: target.points)
        ]
        entry_id = entries[0]["id"]
    points = posted_points(context.book.entries, context.request.id)
    return Outcome("reversal", points=points, explain=explain, entry_id=entry_id)


def _check(operation: Reverse) -> None:
    if operation.amount_minor is not None:
        whole_number(operation.amount_minor, "amount_minor", 1, MOST_MINOR)
        if operation.lines is not None:
            text = "Give an amount or lines, not both."
            raise Invalid(text, {"lines": [text]})
    if operation.debt_floor is not None and operation.debt_floor < 0:
        raise ValueError("a debt floor is the number of points that may be owed")
    ReturnPolicy(operation.return_policy)


def _targets(context: Context, operation: Reverse) -> list[Target]:
    rows = context.session.execute(
        select(*TARGET)
        .where(
            Entry.posting_id == canonical_id(operation.posting_id),
            Entry.account_id == context.book.account.id,
        )
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
            "That posting was reversed already. To undo the reversal, reverse the reversal.",
            reversed_by=undone.posting_id,
        )


# --- receipts ---------------------------------------------------------------------------------


class _Came(NamedTuple):
    """What came back of a receipt by one posting, and still counts."""

    id: str
    posting_id: str
    amount_minor: int
    earned_points_due: int
    redeemed_points_due: int
    lines: list[dict[str, Any]] | None
    reversed_at: datetime | None


def _returns_of(session: Session, receipt_id: str) -> list[_Came]:
    columns = tuple(getattr(ReceiptReturn, name) for name in _Came._fields)
    rows = session.execute(select(*columns).where(ReceiptReturn.receipt_id == receipt_id))
    return [_Came(*row) for row in rows]


@dataclass(slots=True)
class _Return:
    """One return of one receipt."""

    context: Context
    operation: Reverse
    accrual: Target
    targets: list[Target]
    grace_until: datetime
    explain: list[str]

    def make(self) -> str:
        """Write the return; the id of the entry that takes the points back."""
        session = self.context.session
        operation = self.operation
        is_whole = operation.amount_minor is None and operation.lines is None
        if is_whole:
            _check_not_undone(session, [self.accrual])
        receipt = session.execute(
            select(
                Receipt.id,
                Receipt.number,
                Receipt.till_id,
                Receipt.amount_minor,
                Receipt.occurred_at,
            ).where(Receipt.id == self.accrual.receipt_id)
        ).one()
        sold: int = receipt.amount_minor
        came = [part for part in _returns_of(session, receipt.id) if part.reversed_at is None]
        before = sum(part.amount_minor for part in came)
        if came and before >= sold:
            raise AlreadyReversed("All of that receipt has come back already.")
        lines = None
        value = sold - before
        if operation.lines is not None:
            value, lines = self._value_of_lines(receipt.id, came)
        elif operation.amount_minor is not None:
            value = operation.amount_minor
        if value > sold - before:
            text = f"Only {sold - before} of {sold} minor units are left to return."
            raise ReturnTooLarge(text, {"amount_minor": [text]}, left_minor=sold - before)
        redeemed_due = self._give_back_redeemed(receipt, came, before + value)
        entry, earned_due = self._take_back_earned(sold, came, before + value, value, is_whole)
        self.context.book.returns.append(
            {
                "programme_id": self.context.book.account.programme_id,
                "id": new_id(),
                "receipt_id": receipt.id,
                "posting_id": self.context.request.id,
                "amount_minor": value,
                "earned_points_due": earned_due,
                "redeemed_points_due": redeemed_due,
                "lines": lines,
                "recorded_at": self.context.now,
                "reversed_at": None,
            }
        )
        return str(entry["id"])

    def _value_of_lines(
        self, receipt_id: str, came: list[_Came]
    ) -> tuple[int, list[dict[str, Any]]]:
        sold = _lines_of(self.context.session, receipt_id)
        back = _lines_back(came)
        value = 0
        lines = []
        for line in self.operation.lines or ():
            if line.position not in sold:
                text = f"The receipt has no line {line.position}."
                raise Invalid(text, {"lines": [text]})
            quantity, amount_minor = sold[line.position]
            left = quantity - back[line.position]
            part = left if line.quantity is None else thousandths(line.quantity)
            if part > left or left == 0:
                text = f"Of line {line.position} there is not so much left to return."
                raise ReturnTooLarge(text, {"lines": [text]})
            # From the start each time, as with the points: parts of a line add up to the line.
            worth = due_so_far(amount_minor, back[line.position] + part, quantity)
            worth -= due_so_far(amount_minor, back[line.position], quantity)
            back[line.position] += part
            value += worth
            lines.append(
                {
                    "position": line.position,
                    "quantity_thousandths": part,
                    "amount_minor": worth,
                }
            )
        if not lines:
            raise Invalid("Name what comes back.", {"lines": ["Name at least one line."]})
        return value, lines

    def _take_back_earned(
        self, sold: int, came: list[_Came], after: int, value: int, is_whole: bool
    ) -> tuple[Row, int]:
        context = self.context
        book = context.book
        entry = book.enter(
            EntryKind.REVERSAL,
            context.circumstances,
            posting_id=context.request.id,
            reverses_id=self.accrual.id,
            whole_reversal=is_whole,
            receipt_id=self.accrual.receipt_id,
            amount_minor=-value,
            currency=self.accrual.currency,
            reason=self.operation.reason,
        )
        earned = sum(target.points for target in self.targets)
        due_before = sum(part.earned_points_due for part in came)
        due_after = due_so_far(earned, after, sold)
        due = max(0, due_after - due_before)
        entry_ids = [target.id for target in self.targets]
        load_lots(context.session, book, entry_ids=entry_ids)
        lots = {lot.id: lot.points for lot in book.lots.values() if lot.entry_id in entry_ids}
        if lots:
            expired = sum(
                _undo.expired_since(context.session, book, lots, self.accrual.sequence).values()
            )
            # What expired unspent did nobody any good: it counts as taken back.
            points = max(0, min(due, earned - expired - due_before))
            if not is_whole:
                self.explain.append(
                    f"{due_after} of {count(earned)} due for all that has come back of the "
                    f"receipt, rounded down once; {due_before} were due before."
                )
            if points < due:
                self.explain.append(f"{count(due - points)} had expired.")
            _undo.take_back(
                context, entry, points, lots, self.operation, self.explain, is_return=True
            )
        return entry, due

    def _give_back_redeemed(self, receipt: Any, came: list[_Came], after: int) -> int:
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

    def _redeemed_on(self, receipt: Any) -> list[Target]:
        """The redemptions on this receipt, the last one first."""
        if receipt.number is None:
            return []
        found = (
            select(*TARGET)
            .join(Hold, Hold.entry_id == Entry.id)
            .where(
                Hold.account_id == self.context.book.account.id,
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


def _lines_of(session: Session, receipt_id: str) -> dict[int, tuple[int, int]]:
    rows = session.execute(
        select(
            ReceiptLine.position, ReceiptLine.quantity_thousandths, ReceiptLine.amount_minor
        ).where(ReceiptLine.receipt_id == receipt_id)
    )
    return {position: (quantity, amount_minor) for position, quantity, amount_minor in rows}


def _lines_back(came: list[_Came]) -> Counter[int]:
    back: Counter[int] = Counter()
    for part in came:
        for line in part.lines or ():
            back[line["position"]] += line["quantity_thousandths"]
    return back


def _count_again(context: Context, targets: list[Target]) -> None:
    """A return that is undone no longer counts; undoing that makes it count again.

    Raises `ReturnTooLarge` where by now too much of the receipt has come back otherwise.
    """
    session = context.session
    for target in targets:
        if target.kind != EntryKind.REVERSAL or target.receipt_id is None:
            continue
        *_, first, origin = links = _undo.chain(session, target)
        if origin.kind != EntryKind.ACCRUAL:
            continue
        came = _returns_of(session, target.receipt_id)
        this = next(part for part in came if part.posting_id == first.posting_id)
        if len(links) % 2 == 0:
            context.book.changed_returns[this.id] = context.now
            continue
        now_back = [part for part in came if part.reversed_at is None] + [this]
        sold = session.scalar(select(Receipt.amount_minor).where(Receipt.id == target.receipt_id))
        lines = _lines_of(session, target.receipt_id)
        too_much = any(
            quantity > lines[position][0] for position, quantity in _lines_back(now_back).items()
        )
        if too_much or sum(part.amount_minor for part in now_back) > (sold or 0):
            text = "Other parts of that receipt have come back meanwhile."
            raise ReturnTooLarge(text, {"posting_id": [text]})
        context.book.changed_returns[this.id] = None
