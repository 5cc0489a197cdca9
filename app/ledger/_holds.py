"""Redemption in two phases: hold, then capture or release."""

from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db import new_id
from app.errors import Invalid
from app.ledger import rules
from app.ledger._book import HoldState
from app.ledger._operation import (
    MOST_POINTS,
    Context,
    Outcome,
    canonical_id,
    whole_number,
)
from app.ledger.errors import HoldNotOpen, InsufficientPoints, UnknownHold
from app.ledger.explain import because
from app.ledger.models import EntryKind, Hold, HoldStatus
from app.ledger.postings import Capture, HoldPoints, Release


class FoundHold(NamedTuple):
    """Where a hold is to be found; its state is read again under the account's lock."""

    id: str
    account_id: str


def find(session: Session, posting_id: str) -> FoundHold:
    """The hold that a posting made. Raises `UnknownHold`."""
    row = session.execute(
        select(Hold.id, Hold.account_id).where(Hold.posting_id == canonical_id(posting_id))
    ).first()
    if row is None:
        raise UnknownHold("There is no such hold.")
    return FoundHold(*row)


def hold(context: Context, operation: HoldPoints) -> Outcome:
    """Reserve points in draw order. Raises `InsufficientPoints`."""
    points = whole_number(operation.points, "points", 1, MOST_POINTS)
    book = context.book
    if operation.expires_at <= context.now:
        raise Invalid("The hold would be over already.", {"expires_at": ["Give a later moment."]})
    takes, missing = rules.plan_debit(book.spendable(), points)
    if missing:
        raise InsufficientPoints(points, book.standing().available)
    hold_id = new_id()
    programme_id = book.account.programme_id
    book.new_holds.append(
        {
            "programme_id": programme_id,
            "id": hold_id,
            "posting_id": context.request.id,
            "account_id": book.account.id,
            "card_id": context.circumstances.card_id,
            "till_id": context.circumstances.till_id,
            "receipt_number": operation.receipt_number,
            "points": points,
            "status": str(HoldStatus.OPEN),
            "entry_id": None,
            "expires_at": operation.expires_at,
            "created_at": context.now,
        }
    )
    explain = []
    for take in takes:
        lot = book.lots[take.lot_id]
        book.reserve(lot, take.points)
        book.hold_lots.append(
            {
                "programme_id": programme_id,
                "hold_id": hold_id,
                "lot_id": lot.id,
                "points": take.points,
            }
        )
        explain.append(because("reserved_from", points=take.points, expires_at=lot.expires_at))
    return Outcome("hold", "held", points, explain, expires_at=operation.expires_at)


def capture(context: Context, operation: Capture) -> Outcome:
    """Spend what a hold reserves, even what has expired since. Raises `HoldNotOpen`."""
    book = context.book
    held = _open(context, operation.hold_posting_id)
    entry = book.enter(
        EntryKind.REDEMPTION,
        context.circumstances,
        posting_id=context.request.id,
        redeeming_partner_id=operation.redeeming_partner_id,
    )
    book.close(held, HoldStatus.CAPTURED, entry)
    if book.account.rolling_expires_at is not None:
        book.roll(context.circumstances.occurred_at)
    explain = []
    for lot in rules.draw_order(book.lots[lot_id] for lot_id in held.lots):
        book.draw(entry, lot, held.lots[lot.id])
        points = held.lots[lot.id]
        explain.append(because("spent_from", points=points, expires_at=lot.expires_at))
    return Outcome("redemption", points=entry["points"], explain=explain, entry_id=entry["id"])


def release(context: Context, operation: Release) -> Outcome:
    """Give back what a hold reserves; what has expired since expires at once."""
    held = _open(context, operation.hold_posting_id)
    context.book.close(held, HoldStatus.RELEASED)
    return Outcome("release", "released", explain=[because("released", points=held.points)])


def _open(context: Context, posting_id: str) -> HoldState:
    hold_id = find(context.session, posting_id).id
    held = context.book.holds.get(hold_id)
    if held is None:
        raise HoldNotOpen("That redemption is over: it was completed, cancelled or took too long.")
    return held
