"""Bonuses of a receipt, examined again whenever more or less of it is kept."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db import new_id
from app.ledger._book import Row
from app.ledger._operation import Context
from app.ledger._receipts import back_of, counting, returns_of, sold_on, take_due
from app.ledger._store import load_lots
from app.ledger._undo import TARGET, Target
from app.ledger.explain import Reason, because
from app.ledger.models import Entry, EntryKind
from app.ledger.postings import Reverse
from app.ledger.rules import due_so_far


def bonus_due(bonus: Target, back: int, sold: int) -> int:
    """How much of a bonus is due once *back* of *sold* minor units have come back.

    One for a receipt of at least so much goes when less is kept; any other goes in proportion.
    """
    if back >= sold:
        return bonus.points
    if bonus.at_least_minor is None:
        return due_so_far(bonus.points, back, sold)
    return bonus.points if sold - back < bonus.at_least_minor else 0


def examine_bonuses(
    context: Context, accrual: Target, operation: Reverse, explain: list[Reason]
) -> None:
    """A receipt of which less (or more) is kept than before: bonuses come back or go."""
    session, book = context.session, context.book
    receipt = sold_on(session, accrual.receipt_id)
    came = counting(context, returns_of(session, receipt.id))
    changes: dict[str, int] = {}
    for bonus in bonuses_of(session, receipt.id):
        now_due = sum(part.bonus_points_due.get(bonus.id, 0) for part in came)
        change = bonus_due(bonus, back_of(came), receipt.amount_minor) - now_due
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


def bonuses_of(session: Session, receipt_id: str) -> list[Target]:
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
