"""Bonuses of a receipt, examined again whenever more or less of it is kept."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db import new_id
from app.ledger import _undo
from app.ledger._book import Row
from app.ledger._operation import Context
from app.ledger._receipts import (
    Part,
    Sold,
    back_of,
    counting,
    earning_back,
    kept_after,
    parts_of,
    returns_of,
    sold_on,
    take_due,
)
from app.ledger._undo import TARGET, Target
from app.ledger.explain import Reason, because
from app.ledger.grounds import Kept, grounds_from_json, points_due, stepped_in
from app.ledger.models import Entry, EntryKind
from app.ledger.postings import Reverse
from app.ledger.rules import due_so_far


def bonus_due(bonus: Target, receipt: Sold, back: int, earning: int, kept: Kept | None) -> int:
    """How much of a bonus is due once *back* minor units have come back, *earning* that earned.

    One that hangs on a part of the receipt goes with it, by what is *kept*. One for a receipt of
    at least so much goes when less is kept that earns; any other goes in proportion.
    """
    if back >= receipt.amount_minor:
        return bonus.points
    if bonus.grounds is not None and kept is not None:
        return points_due(bonus.points, grounds_from_json(bonus.grounds), kept)
    sold = receipt.earning_minor
    if sold == 0:  # Given for a receipt that earned nothing else.
        sold, earning = receipt.amount_minor, back
    if bonus.at_least_minor is None:
        return due_so_far(bonus.points, earning, sold)
    return bonus.points if sold - earning < bonus.at_least_minor else 0


def examine_bonuses(
    context: Context, accrual: Target, operation: Reverse, explain: list[Reason]
) -> None:
    """A receipt of which less (or more) is kept than before: bonuses come back or go."""
    session, book = context.session, context.book
    receipt = sold_on(session, accrual.receipt_id)
    came = counting(context, returns_of(session, receipt.id))
    changes: dict[str, int] = {}
    bonuses = bonuses_of(session, receipt.id)
    kept = kept_for(session, receipt, bonuses, parts_of(came))
    for bonus in bonuses:
        now_due = sum(part.bonus_points_due.get(bonus.id, 0) for part in came)
        # A visit without money is kept whole although it is worth nothing: nothing came back.
        due = 0
        if came:
            due = bonus_due(bonus, receipt, back_of(came), earning_back(came), kept)
        change = due - now_due
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
        if change > 0:
            book.count(entry, -change, 0)
            explain.append(because("bonus_gone", name=bonus.reason or "", points=change))
            say_next(bonus, kept, explain)
            take_due(context, entry, bonus, change, now_due, operation, explain)
        else:
            _give_again(context, entry, bonus, -change, explain)
    if changes:
        note_bonuses(context, receipt.id, changes)


def say_next(bonus: Target, kept: Kept | None, explain: list[Reason]) -> None:
    """Say which promotion counts now instead of a bonus, where one does."""
    if bonus.grounds is None or kept is None:
        return
    other = stepped_in(bonus.points, grounds_from_json(bonus.grounds), kept)
    if other is not None:
        explain.append(because("next_best", name=other.name, better=bonus.reason or ""))


def kept_for(
    session: Session, receipt: Sold, bonuses: Sequence[Target], parts: Sequence[Part]
) -> Kept | None:
    """What is kept of a receipt, where a bonus of it hangs on a part of it."""
    if all(bonus.grounds is None for bonus in bonuses):
        return None
    return kept_after(session, receipt, parts)


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


def bonuses_of(session: Session, receipt_id: str) -> list[Target]:
    rows = session.execute(
        select(*TARGET)
        .where(Entry.receipt_id == receipt_id, Entry.kind == EntryKind.BONUS)
        .order_by(Entry.sequence)
    )
    return [Target(*row) for row in rows]


def _give_again(
    context: Context, entry: Row, bonus: Target, points: int, explain: list[Reason]
) -> None:
    """Give *points* of a bonus back that returns had taken: what was taken last first.

    Never more than was taken: what they forgave, or what had expired, the member never lost.
    """
    took = _taken_for(context, bonus, besides=entry)
    context.book.count(entry, min(points, took.counted), 0)
    points = min(points, took.points)
    if points <= 0:
        return
    explain.append(because("bonus_back", name=bonus.reason or "", points=points))
    owed = min(points, max(0, took.debt))
    if owed > 0:
        _undo.lift_debt(context, entry, owed)
        explain.append(because("no_longer_owed", points=owed))
    _undo.give_back(context, entry, took.lots, points - owed, None, explain)


@dataclass(slots=True)
class _Taken:
    """What is taken for a bonus by all that ever reversed it: in all, by lot, and as debt.

    *counted*: how much of it no longer counts towards a tier.
    """

    points: int
    counted: int
    lots: dict[str, int]
    debt: int


def _taken_for(context: Context, bonus: Target, *, besides: Row) -> _Taken:
    session, book = context.session, context.book
    written = _undo.descendants(session, bonus.id)
    ids = {bonus.id, *(each.id for each in written)}
    # What this very posting has undone is not in the database yet.
    unwritten = [row for row in book.entries if row["reverses_id"] in ids and row is not besides]
    did = _undo.effects(session, [each.id for each in written])
    lots = defaultdict(int, did.taken)
    debt = did.debt
    new = {row["id"] for row in unwritten}
    for draw in book.draws:
        if draw["entry_id"] not in new:
            continue
        if draw["lot_id"] is None:
            debt += draw["points"]
        else:
            lots[draw["lot_id"]] += draw["points"]
    return _Taken(
        points=-sum(each.points for each in written) - sum(row["points"] for row in unwritten),
        counted=-sum(each.counted_points for each in written)
        - sum(row["counted_points"] for row in unwritten),
        lots={lot_id: points for lot_id, points in lots.items() if points > 0},
        debt=debt,
    )
