"""Redemption in one phase, for what is no money; and giving what is no points."""

from app.db import new_id
from app.errors import Invalid
from app.ledger import rules
from app.ledger._book import Row
from app.ledger._operation import MOST_POINTS, Context, Outcome, whole_number
from app.ledger.errors import InsufficientPoints
from app.ledger.explain import Reason, because
from app.ledger.models import EntryKind, HoldStatus
from app.ledger.postings import Present, Redeem

_MOST_REASON = 200


def redeem(context: Context, operation: Redeem) -> Outcome:
    """Spend points at once. Raises `InsufficientPoints`. No points make an entry without a draw.

    It is written as a hold that was captured at once: so a limit of what a card may redeem, and a
    return of the receipt, find it like any other redemption.
    """
    points = whole_number(operation.points, "points", 0, MOST_POINTS)
    if operation.receipt_number is not None and len(operation.receipt_number) > 64:
        raise Invalid("The receipt's number is too long.", {"receipt": ["At most 64 characters."]})
    book = context.book
    takes, missing = rules.plan_debit(book.spendable(), points)
    if missing:
        raise InsufficientPoints(points, book.standing().available)
    entry = book.enter(
        EntryKind.REDEMPTION,
        context.circumstances,
        posting_id=context.request.id,
        redeeming_partner_id=operation.redeeming_partner_id,
        reason=(operation.reason or "")[:_MOST_REASON] or None,
    )
    if book.account.rolling_expires_at is not None:
        book.roll(context.circumstances.occurred_at)
    explain: list[Reason] = list(operation.because_of)
    hold = _captured(context, operation, entry) if points else None
    for take in takes:
        lot = book.lots[take.lot_id]
        book.draw(entry, lot, take.points)
        explain.append(because("spent_from", points=take.points, expires_at=lot.expires_at))
        if hold is not None:
            book.hold_lots.append(
                {
                    "programme_id": hold["programme_id"],
                    "hold_id": hold["id"],
                    "lot_id": lot.id,
                    "points": take.points,
                }
            )
    return Outcome(
        "redemption",
        points=entry["points"],
        explain=explain,
        entry_id=entry["id"],
        benefit=operation.benefit,
    )


def _captured(context: Context, operation: Redeem, entry: Row) -> Row:
    hold: Row = {
        "programme_id": context.book.account.programme_id,
        "id": new_id(),
        "posting_id": context.request.id,
        "account_id": context.book.account.id,
        "card_id": context.circumstances.card_id,
        "till_id": context.circumstances.till_id,
        "receipt_number": operation.receipt_number,
        "points": operation.points,
        "status": str(HoldStatus.CAPTURED),
        "entry_id": entry["id"],
        "expires_at": context.now,
        "created_at": context.now,
        "closed_at": context.now,
    }
    context.book.new_holds.append(hold)
    return hold


def present(context: Context, operation: Present) -> Outcome:
    """Write that things were given: an entry of no points, which can be reversed like any."""
    if not operation.given or not operation.reason.strip():
        text = "Say what is given, and why."
        raise Invalid(text, {"given" if operation.reason.strip() else "reason": [text]})
    entry = context.book.enter(
        EntryKind.ADJUSTMENT,
        context.circumstances,
        posting_id=context.request.id,
        reason=operation.reason[:_MOST_REASON],
    )
    return Outcome(
        "present",
        explain=list(operation.because_of),
        entry_id=entry["id"],
        given=operation.given,
    )
