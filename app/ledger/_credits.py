"""Accrual, adjustment and confirmation: how points come in, and go by hand."""

from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlalchemy import select

from app.db import new_id
from app.errors import Invalid
from app.ledger import rules
from app.ledger._book import Row
from app.ledger._operation import (
    MOST_MINOR,
    MOST_POINTS,
    Context,
    Outcome,
    canonical_id,
    count,
    named,
    whole_number,
)
from app.ledger._store import load_lots
from app.ledger.errors import InsufficientPoints, NotReversible, UnknownPosting
from app.ledger.models import Entry, EntryKind
from app.ledger.postings import Accrue, Adjust, Confirm, Line

MOST_LINES = 1000


def accrue(context: Context, operation: Accrue) -> Outcome:
    """Write a receipt and give its points. No points make an entry without a lot."""
    points = whole_number(operation.points, "points", 0, MOST_POINTS)
    whole_number(operation.amount_minor, "amount_minor", 0, MOST_MINOR)
    book = context.book
    receipt = _receipt(context, operation)
    entry = book.enter(
        EntryKind.ACCRUAL,
        context.circumstances,
        posting_id=context.request.id,
        receipt_id=receipt["id"],
        amount_minor=operation.amount_minor,
        currency=operation.currency,
        rule_version=operation.rule_version,
        issuing_partner_id=operation.issuing_partner_id,
    )
    explain = list(operation.explain)
    _give(
        context,
        entry,
        points,
        operation.available_from,
        operation.expires_at,
        explain,
        partner_id=operation.issuing_partner_id,
    )
    return Outcome("accrual", points=points, explain=explain, entry_id=entry["id"])


def _give(
    context: Context,
    entry: Row,
    points: int,
    available_from: datetime | None,
    expires_at: datetime | None,
    explain: list[str],
    *,
    partner_id: str | None = None,
) -> None:
    if points == 0:
        return
    book = context.book
    lot = book.credit(
        entry,
        points,
        available_from=available_from,
        expires_at=expires_at,
        issuing_partner_id=partner_id,
    )
    if lot.pending:
        until = f"until {available_from:%Y-%m-%dT%H:%MZ}" if available_from else "until confirmed"
        explain.append(f"They are pending {until}.")
        return
    owed = book.account.debt
    book.tidy()
    if owed > book.account.debt:
        explain.append(f"{count(owed - book.account.debt)} of them repaid debt.")


def _receipt(context: Context, operation: Accrue) -> Row:
    circumstances = context.circumstances
    if operation.receipt_number is not None and len(operation.receipt_number) > 64:
        raise Invalid("The receipt's number is too long.", {"receipt": ["At most 64 characters."]})
    rate = operation.exchange_rate
    receipt: Row = {
        "programme_id": context.book.account.programme_id,
        "id": new_id(),
        "account_id": context.book.account.id,
        "location_id": circumstances.location_id,
        "till_id": circumstances.till_id,
        "number": operation.receipt_number,
        "amount_minor": operation.amount_minor,
        "currency": operation.currency,
        "exchange_rate": None if rate is None else f"{rate:f}",
        "exchange_source": operation.exchange_source,
        "occurred_at": circumstances.occurred_at,
    }
    context.book.receipts.append(receipt)
    if operation.lines:
        context.book.receipt_lines.extend(_lines(receipt, operation.lines))
    return receipt


def _lines(receipt: Row, lines: tuple[Line, ...]) -> list[Row]:
    total = sum(whole_number(line.amount_minor, "lines", 0, MOST_MINOR) for line in lines)
    wrong = None
    if len(lines) > MOST_LINES:
        wrong = f"At most {MOST_LINES} lines."
    elif total != receipt["amount_minor"]:
        wrong = f"They add up to {total}, not to the receipt's {receipt['amount_minor']}."
    if wrong:
        raise Invalid(f"The receipt's lines do not make sense. {wrong}", {"lines": [wrong]})
    return [
        {
            "programme_id": receipt["programme_id"],
            "id": new_id(),
            "receipt_id": receipt["id"],
            "position": position,
            "item": line.item[:120],
            "category": line.category[:64] if line.category else None,
            "quantity_thousandths": thousandths(line.quantity),
            "amount_minor": line.amount_minor,
        }
        for position, line in enumerate(lines, start=1)
    ]


def thousandths(quantity: Any) -> int:
    """A quantity above zero in thousandths. Raises `Invalid` for anything finer or larger."""
    try:
        exact = Decimal(str(quantity)) * 1000
        if exact == exact.to_integral_value() and 0 < exact < 10**12:
            return int(exact)
    except InvalidOperation:
        pass
    text = "A quantity is above zero and has at most three decimals."
    raise Invalid(text, {"lines": [text]})


def adjust(context: Context, operation: Adjust) -> Outcome:
    """Give or take points by hand. Raises `InsufficientPoints` where there are not so many."""
    points = whole_number(operation.points, "points", -MOST_POINTS, MOST_POINTS)
    if points == 0 or not operation.reason.strip() or len(operation.reason) > 200:
        text = "An adjustment moves points and says why, in at most 200 characters."
        raise Invalid(text, {"reason" if points else "points": [text]})
    book = context.book
    explain: list[str] = []
    entry = book.enter(
        EntryKind.ADJUSTMENT,
        context.circumstances,
        posting_id=context.request.id,
        reason=operation.reason,
    )
    if points > 0:
        available_from = operation.available_from or context.now
        _give(context, entry, points, available_from, operation.expires_at, explain)
    else:
        takes, missing = rules.plan_debit(book.spendable(), -points)
        if missing:
            raise InsufficientPoints(-points, book.standing().available)
        for take in takes:
            lot = book.lots[take.lot_id]
            book.draw(entry, lot, take.points)
            explain.append(f"{count(take.points)} of {named(lot)}.")
    return Outcome("adjustment", points=points, explain=explain, entry_id=entry["id"])


def confirm(context: Context, operation: Confirm) -> Outcome:
    """Make a posting's pending points available now; they repay debt if there is any."""
    book = context.book
    entry_ids = context.session.scalars(
        select(Entry.id).where(
            Entry.posting_id == canonical_id(operation.posting_id),
            Entry.account_id == book.account.id,
        )
    ).all()
    if not entry_ids:
        raise UnknownPosting("There is no such posting.")
    load_lots(context.session, book, entry_ids=entry_ids)
    pending = [lot for lot in book.lots.values() if lot.entry_id in entry_ids and lot.pending]
    if not pending:
        raise NotReversible("None of that posting's points are pending.")
    for lot in pending:
        lot.available_from = context.now
        book.changed_lots.add(lot.id)
    points = sum(lot.remaining for lot in pending)
    book.tidy()
    return Outcome("confirmation", explain=[f"{count(points)} became available."])
