"""Reversal: of a receipt, whole or in part; of anything else, whole; of a reversal.

A return of a receipt takes back what is due of the points it earned, and gives back what is due
of the points that were redeemed on it. Both are counted from the start each time, so that partial
returns in any sizes end exactly.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from app.db import new_id
from app.errors import Invalid
from app.ledger import _moved, _undo, rules
from app.ledger._book import Row, posted_points
from app.ledger._credits import thousandths
from app.ledger._operation import MOST_MINOR, Context, Outcome, canonical_id, whole_number
from app.ledger._store import load_lots
from app.ledger._undo import TARGET, Target
from app.ledger.errors import AlreadyReversed, NotReversible, ReturnTooLarge, UnknownPosting
from app.ledger.explain import Reason, because
from app.ledger.models import (
    Account,
    AccountMerge,
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
    """The account that has the points now that a posting moved.

    Raises `UnknownPosting`, `NotReversible`.
    """
    wanted = canonical_id(posting_id)
    merged = or_(AccountMerge.posting_id == wanted, AccountMerge.undone_posting_id == wanted)
    if session.scalar(select(AccountMerge.id).where(merged)) is not None:
        raise NotReversible(
            "That posting made one account of two, or two of one. Say so: "
            "counterfoil account unmerge, or counterfoil account merge."
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
        raise NotReversible("That posting moved no points: there is nothing to reverse.")
    raise UnknownPosting("There is no such posting.")


def reverse(context: Context, operation: Reverse) -> Outcome:
    """Undo a posting. Raises `UnknownPosting`, `AlreadyReversed`, `ReturnTooLarge`."""
    _check(operation)
    if operation.account_id not in (None, context.book.account.id):
        raise UnknownPosting("There is no such posting.")
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
        text = "Only an accrual can be returned in part. Leave the amount out."
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
            text = "Give an amount or lines, not both."
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
            "That posting was reversed already. To undo the reversal, reverse the reversal.",
            reversed_by=undone.posting_id,
        )


# --- receipts ---------------------------------------------------------------------------------


class _Sold(NamedTuple):
    """The receipt as it was sold."""

    id: str
    number: str | None
    till_id: str | None
    amount_minor: int
    earning_minor: int
    occurred_at: datetime


class _Line(NamedTuple):
    """A line as it was sold; *earns*: whether it is of a kind that earns."""

    quantity_thousandths: int
    amount_minor: int
    earns: bool


class _Came(NamedTuple):
    """What came back of a receipt by one posting, and still counts."""

    id: str
    posting_id: str
    amount_minor: int
    earning_minor: int
    earned_points_due: int
    redeemed_points_due: int
    bonus_points_due: dict[str, int]
    counted_minor_due: int
    carried_micro_due: int
    lines: list[dict[str, Any]] | None
    reversed_at: datetime | None


def _sold(session: Session, receipt_id: str | None) -> _Sold:
    columns = tuple(getattr(Receipt, name) for name in _Sold._fields)
    return _Sold(*session.execute(select(*columns).where(Receipt.id == receipt_id)).one())


def _returns_of(session: Session, receipt_id: str) -> list[_Came]:
    columns = tuple(getattr(ReceiptReturn, name) for name in _Came._fields)
    rows = session.execute(select(*columns).where(ReceiptReturn.receipt_id == receipt_id))
    return [_Came(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class _Part:
    """What comes back now: of the amount, and of the part of it that had earned."""

    value: int
    earning: int
    lines: list[dict[str, Any]] | None = None


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
        receipt = _sold(session, self.accrual.receipt_id)
        came = [part for part in _returns_of(session, receipt.id) if part.reversed_at is None]
        part = self._part(receipt, came)
        redeemed_due = self._give_back_redeemed(receipt, came, _back(came) + part.value)
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

    def _part(self, receipt: _Sold, came: list[_Came]) -> _Part:
        operation = self.operation
        sold, before = receipt.amount_minor, _back(came)
        if came and before >= sold:
            raise AlreadyReversed("All of that receipt has come back already.")
        lines = None
        if operation.lines is not None:
            value, earning, lines = self._value_of_lines(receipt, came)
        else:
            value = sold - before if operation.amount_minor is None else operation.amount_minor
            earning = due_so_far(receipt.earning_minor, before + value, sold)
            earning -= due_so_far(receipt.earning_minor, before, sold)
        if value > sold - before:
            text = f"Only {sold - before} of {sold} minor units are left to return."
            raise ReturnTooLarge(text, {"amount_minor": [text]}, left_minor=sold - before)
        left = receipt.earning_minor - sum(part.earning_minor for part in came)
        earning = left if value == sold - before else min(earning, left)
        return _Part(value, earning, lines)

    def _value_of_lines(
        self, receipt: _Sold, came: list[_Came]
    ) -> tuple[int, int, list[dict[str, Any]]]:
        sold = _lines_of(self.context.session, receipt.id)
        back = _lines_back(came)
        earned_of = sum(line.amount_minor for line in sold.values() if line.earns)
        value = earning = 0
        lines = []
        for line in self.operation.lines or ():
            if line.position not in sold:
                text = f"The receipt has no line {line.position}."
                raise Invalid(text, {"lines": [text]})
            quantity, amount_minor, earns = sold[line.position]
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
            earning += worth if earns else 0
            lines.append(
                {
                    "position": line.position,
                    "quantity_thousandths": part,
                    "amount_minor": worth,
                }
            )
        if not lines:
            raise Invalid("Name what comes back.", {"lines": ["Name at least one line."]})
        if earned_of != receipt.earning_minor:
            # Coupons and points paid for some of it: each line that earned bears its share.
            earning = due_so_far(receipt.earning_minor, earning, earned_of) if earning else 0
        return value, earning, lines

    def _take_back_earned(
        self, receipt: _Sold, came: list[_Came], part: _Part, is_whole: bool, row: Row
    ) -> str:
        context, accrual = self.context, self.accrual
        entry = self._reversal_of(accrual, whole=is_whole)
        entry["amount_minor"] = -part.value
        entry["currency"] = accrual.currency
        before = sum(each.earned_points_due for each in came)
        all_back = _back(came) + part.value >= receipt.amount_minor
        earning = sum(each.earning_minor for each in came) + part.earning
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
            carried = accrual.carried_micro if all_back else _carried_back(accrual, money, after)
            row["carried_micro_due"] = carried - sum(each.carried_micro_due for each in came)
            context.book.carry(entry, -row["carried_micro_due"])
        self._take(entry, accrual, due, before)
        return str(entry["id"])

    def _take_back_bonuses(
        self, receipt: _Sold, came: list[_Came], part: _Part, is_whole: bool, row: Row
    ) -> None:
        back = _back(came) + part.value
        for bonus in self.bonuses:
            before = sum(each.bonus_points_due.get(bonus.id, 0) for each in came)
            due = max(0, bonus_due(bonus, back, receipt.amount_minor) - before)
            if due == 0:
                continue
            row["bonus_points_due"][bonus.id] = due
            entry = self._reversal_of(bonus, whole=is_whole)
            self.context.book.count(entry, -due, 0)
            self.explain.append(because("bonus_gone", name=bonus.reason or "", points=due))
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

    def _give_back_redeemed(self, receipt: _Sold, came: list[_Came], after: int) -> int:
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

    def _redeemed_on(self, receipt: _Sold) -> list[Target]:
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


# --- bonuses ----------------------------------------------------------------------------------


def bonus_due(bonus: Target, back: int, sold: int) -> int:
    """How much of a bonus is due once *back* of *sold* minor units have come back.

    One for a receipt of at least so much goes when less is kept; any other goes in proportion.
    """
    if back >= sold:
        return bonus.points
    if bonus.at_least_minor is None:
        return due_so_far(bonus.points, back, sold)
    return bonus.points if sold - back < bonus.at_least_minor else 0


def take_due(
    context: Context,
    entry: Row,
    target: Target,
    due: int,
    before: int,
    operation: Reverse,
    explain: list[Reason],
) -> None:
    """Take *due* points of what *target* gave back, under *entry*; *before* were due already."""
    book = context.book
    if target.points <= 0:
        return
    load_lots(context.session, book, entry_ids=[target.id])
    made = {lot.id: lot.points for lot in book.lots.values() if lot.entry_id == target.id}
    families = _moved.families(context.session, book, made)
    lots = {lot_id: made[first] for first, lots in families.items() for lot_id in lots}
    expired = sum(_undo.expired_since(context.session, book, lots, target.sequence).values())
    # What expired unspent did nobody any good: it counts as taken back.
    points = max(0, min(due, target.points - expired - before))
    if points < due:
        explain.append(because("had_expired", points=due - points))
    _undo.take_back(context, entry, points, lots, operation, explain, is_return=True)


def _carried_back(accrual: Target, money: int, points: int) -> int:
    """How much of what a receipt left for the next one goes once so much has come back.

    *money* (minor units) came back and took *points* with it: what those had used up came back
    with them, and only the rest had been carried on.
    """
    weighed = accrual.weighted_micro or 0
    used = weighed - (accrual.carried_micro or 0)
    part = weighed * money // accrual.counted_minor if accrual.counted_minor else weighed
    return part - (used * points // accrual.points if accrual.points else 0)


def _lines_of(session: Session, receipt_id: str) -> dict[int, _Line]:
    rows = session.execute(
        select(
            ReceiptLine.position,
            ReceiptLine.quantity_thousandths,
            ReceiptLine.amount_minor,
            ReceiptLine.earns,
        ).where(ReceiptLine.receipt_id == receipt_id)
    )
    return {row.position: _Line(*row[1:]) for row in rows}


def _lines_back(came: list[_Came]) -> Counter[int]:
    back: Counter[int] = Counter()
    for part in came:
        for line in part.lines or ():
            back[line["position"]] += line["quantity_thousandths"]
    return back


def _back(came: list[_Came]) -> int:
    return sum(part.amount_minor for part in came)


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
    came = _returns_of(session, target.receipt_id)
    for distance, link in enumerate(links):
        for part in came:
            if part.posting_id == link.posting_id:
                # What this undoes counts no longer, what that had undone counts again, and so on.
                undone = distance % 2 == 0
                context.book.changed_returns[part.id] = context.now if undone else None
    if len(links) % 2 == 0:
        _check_still_fits(session, target.receipt_id, _counting(context, came))
    return origin


def _counting(context: Context, came: list[_Came]) -> list[_Came]:
    """Those of *came* that count, after what this posting has changed."""
    changed = context.book.changed_returns
    return [part for part in came if changed.get(part.id, part.reversed_at) is None]


def _check_still_fits(session: Session, receipt_id: str, came: list[_Came]) -> None:
    lines = _lines_of(session, receipt_id)
    too_much = any(
        quantity > lines[position].quantity_thousandths
        for position, quantity in _lines_back(came).items()
    )
    if too_much or _back(came) > _sold(session, receipt_id).amount_minor:
        text = "Other parts of that receipt have come back meanwhile."
        raise ReturnTooLarge(text, {"posting_id": [text]})


def examine_bonuses(
    context: Context, accrual: Target, operation: Reverse, explain: list[Reason]
) -> None:
    """A receipt of which less (or more) is kept than before: bonuses come back or go."""
    session, book = context.session, context.book
    receipt = _sold(session, accrual.receipt_id)
    came = _counting(context, _returns_of(session, receipt.id))
    changes: dict[str, int] = {}
    for bonus in _bonuses_of(session, receipt.id):
        now_due = sum(part.bonus_points_due.get(bonus.id, 0) for part in came)
        change = bonus_due(bonus, _back(came), receipt.amount_minor) - now_due
        if change == 0:
            continue
        changes[bonus.id] = change
        entry = book.enter(
            EntryKind.REVERSAL,
            context.circumstances,
            posting_id=context.request.id,
            reverses_id=bonus.id,
            receipt_id=receipt.id,
            once_key=bonus.once_key,
            reason=operation.reason,
        )
        entry["day"] = bonus.day
        book.count(entry, -change, 0)
        if change > 0:
            explain.append(because("bonus_gone", name=bonus.reason or "", points=change))
            take_due(context, entry, bonus, change, now_due, operation, explain)
        else:
            explain.append(because("bonus_back", name=bonus.reason or "", points=-change))
            _give_again(context, entry, bonus, -change)
    if changes:
        note_bonuses(context, receipt.id, changes)


def note_bonuses(context: Context, receipt_id: str, due: dict[str, int]) -> None:
    """Note what is due of a receipt's bonuses although nothing of it came back just now."""
    context.book.returns.append(
        {
            "programme_id": context.book.account.programme_id,
            "id": new_id(),
            "receipt_id": receipt_id,
            "posting_id": context.request.id,
            "amount_minor": 0,
            "earning_minor": 0,
            "earned_points_due": 0,
            "redeemed_points_due": 0,
            "bonus_points_due": due,
            "counted_minor_due": 0,
            "carried_micro_due": 0,
            "lines": None,
            "recorded_at": context.now,
            "reversed_at": None,
        }
    )


def _bonuses_of(session: Session, receipt_id: str) -> list[Target]:
    rows = session.execute(
        select(*TARGET)
        .where(Entry.receipt_id == receipt_id, Entry.kind == EntryKind.BONUS)
        .order_by(Entry.sequence)
    )
    return [Target(*row) for row in rows]


def _give_again(context: Context, entry: Row, bonus: Target, points: int) -> None:
    """A bonus that had gone with a return comes back: with the dates that it had."""
    book = context.book
    load_lots(context.session, book, entry_ids=[bonus.id])
    first = next(lot for lot in book.lots.values() if lot.entry_id == bonus.id)
    book.credit(
        entry,
        points,
        available_from=first.available_from,
        expires_at=first.expires_at,
        rolling=first.rolling,
        counts_on=bonus.day,
        origin_lot_id=first.id,
        issuing_partner_id=first.issuing_partner_id,
    )
    book.tidy()
