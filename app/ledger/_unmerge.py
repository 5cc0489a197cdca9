"""Undoing a merge: one account is two again (see `_merge`)."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.languages import _
from app.ledger import _bonuses, _expiries, _moved, _store, _undo, tiers
from app.ledger._book import Book, Row, posted_points
from app.ledger._merge import (
    KEPT_OF_TIER,
    beside,
    change_together,
    checked_reason,
    counted_by,
    find,
    roll_to_later,
)
from app.ledger._operation import Context, Outcome
from app.ledger.errors import AlreadyReversed, NotMergeable
from app.ledger.explain import Reason, because
from app.ledger.models import AccountMerge, EarningDay, Entry, EntryKind, Lot, ReceiptReturn
from app.ledger.postings import Reverse, Unmerge
from app.ledger.tiers import Count, TierReason, TierState


def unmerge(context: Context, operation: Unmerge) -> Outcome:
    """Give the merged account back what it gave. Raises `AlreadyReversed`, `NotMergeable`."""
    session, book, other = context.session, context.book, beside(context)
    found = find(session, operation.posting_id)
    _check_may_undo(session, book, found)
    back = Reverse(found.posting_id, reason=checked_reason(operation.reason))
    explain: list[Reason] = []
    targets = [
        _undo.Target(*row)
        for row in session.execute(
            select(*_undo.TARGET)
            .where(Entry.posting_id == found.posting_id)
            .order_by(Entry.sequence)
        )
    ]
    leaving = next(each for each in targets if each.kind == EntryKind.TRANSFER_OUT)
    coming = next(each for each in targets if each.kind == EntryKind.TRANSFER_IN)
    bonuses = [each for each in targets if each.kind == EntryKind.REVERSAL]
    _give_bonuses_back(context, found, bonuses, back, explain)
    entry = _undoing(context, book, coming, back)
    did = _undo.effects(session, [coming.id])
    if did.debt > 0:
        _undo.lift_debt(context, entry, did.debt)
        explain.append(because("no_longer_owed", points=did.debt))
    owed = _still_owed(context, coming, did.made)
    _undo.take_back(context, entry, sum(owed.values()), owed, back, explain, is_return=False)
    revived = _revive(context, entry, coming, did.made, back)
    _restore(context, _undoing(context, other, leaving, back), owed | revived, did.debt)
    gone = [other.account.id, *_moved.merged_at_first(session, other.account.id)]
    book.move_days(counted_by(session, gone), to=other)
    other.tidy()
    _restore_tiers(context, found, explain)
    change_together(context)
    book.merged_into |= dict.fromkeys(gone, other.account.id) | {other.account.id: None}
    book.changed_merges[found.id] = {
        "undone_at": context.now,
        "undone_posting_id": context.request.id,
    }
    points = posted_points(book.entries, context.request.id)
    return Outcome("unmerge", points=points, explain=explain, entry_id=entry["id"])


def _check_may_undo(session: Session, book: Book, found: AccountMerge) -> None:
    if found.undone_at is not None:
        raise AlreadyReversed(
            _("That merge was undone already. To merge the accounts again, merge them again."),
            reversed_by=found.undone_posting_id,
        )
    if book.account.merged_into_id is not None:
        later = session.scalar(
            select(AccountMerge.posting_id).where(
                AccountMerge.from_account_id == book.account.id, AccountMerge.undone_at.is_(None)
            )
        )
        raise NotMergeable(
            _(
                "The account that stayed was itself merged since. Undo that first: "
                "counterfoil account unmerge %(later)s",
                later=later,
            ),
            posting_id=later,
        )


def _undoing(context: Context, page: Book, target: _undo.Target, back: Reverse) -> Row:
    entry = page.enter(
        EntryKind.REVERSAL,
        context.circumstances,
        posting_id=context.request.id,
        reverses_id=target.id,
        whole_reversal=True,
        reason=back.reason,
    )
    entry["day"] = target.day
    if target.carried_micro is not None:
        page.carry(entry, -target.carried_micro)
    return entry


def _give_bonuses_back(
    context: Context,
    found: AccountMerge,
    bonuses: Iterable[_undo.Target],
    back: Reverse,
    explain: list[Reason],
) -> None:
    """Each account has its own bonus again, unless its receipt has come back meanwhile."""
    session, book = context.session, context.book
    for return_id in session.scalars(
        select(ReceiptReturn.id).where(ReceiptReturn.posting_id == found.posting_id)
    ):
        book.changed_returns[return_id] = context.now
    for target in bonuses:
        _undo.undo(context, target, back, context.now, explain)
        accrual = session.execute(
            select(*_undo.TARGET).where(
                Entry.receipt_id == target.receipt_id, Entry.kind == EntryKind.ACCRUAL
            )
        ).first()
        if accrual is not None:
            _bonuses.examine_bonuses(context, _undo.Target(*accrual), back, explain)


def _still_owed(context: Context, coming: _undo.Target, made: dict[str, int]) -> dict[str, int]:
    """What of the lots that came has to go back: what has expired of them is over anyway."""
    session, book = context.session, context.book
    _store.load_lots(session, book, ids=made)
    expired = _expiries.expired_since(session, book, made, coming.sequence)
    return {
        lot_id: 0 if book.lots[lot_id].is_expired(context.now) else points - expired.get(lot_id, 0)
        for lot_id, points in made.items()
    }


def _revive(
    context: Context, entry: Row, coming: _undo.Target, made: dict[str, int], back: Reverse
) -> dict[str, int]:
    """What expired before it had counted goes back too, by lot, and expires where it came from.

    Else that account would count what never did, and the one that stayed would be short of it.
    """
    book, revived = context.book, defaultdict[str, int](int)
    for found in _expiries.uncounted(context.session, book, made, coming.sequence):
        undone = book.enter(
            EntryKind.REVERSAL,
            context.circumstances,
            posting_id=context.request.id,
            reverses_id=found.id,
            whole_reversal=True,
            reason=back.reason,
        )
        undone["day"] = found.day
        book.count(undone, -found.counted_points, 0)
        lot = book.lots[found.lot_id]
        book.draw(undone, lot, -found.points)
        book.draw(entry, lot, found.points)
        revived[found.lot_id] += found.points
    return dict(revived)


def _restore(context: Context, entry: Row, owed: dict[str, int], debt: int) -> None:
    """Put *owed* points of the lots that came back into the lots that they came from."""
    book, other = context.book, beside(context)
    rows = context.session.execute(
        select(Lot.id, Lot.origin_lot_id).where(Lot.id.in_(owed)).order_by(Lot.sequence)
    )
    origin = {row.id: row.origin_lot_id for row in rows}
    roll_to_later(other, book, any(book.lots[lot_id].rolling for lot_id in owed))
    _store.load_lots(context.session, other, ids=origin.values())
    for lot_id, origin_id in origin.items():
        lot = other.lots[origin_id]
        # It may have been confirmed meanwhile.
        lot.available_from = book.lots[lot_id].available_from
        other.draw(entry, lot, -owed[lot_id])
    if debt > 0:
        other.owe(entry, debt)


# --- tiers ------------------------------------------------------------------------------------

_MOMENTS = ("reviewed_at", "grace_until", "override_until", "review_at")


def _tier_from_json(data: dict[str, Any], now: TierState) -> TierState:
    """The state as it was stored; when it last changed is a matter of the account, not of it."""
    values = {name: data[name] for name in KEPT_OF_TIER}
    for name in _MOMENTS:
        if values[name] is not None:
            values[name] = datetime.fromisoformat(values[name])
    return replace(now, **values)


def _restore_tiers(context: Context, found: AccountMerge, explain: list[Reason]) -> None:
    """Both accounts have the tiers that they would have had without each other."""
    book, other = context.book, beside(context)
    scheme = book.terms.tiers
    if scheme is None:
        return
    goes = replace(other.account.tier)
    other.assess(context.now, TierReason.MERGED, context.circumstances, context.request.id)
    book.days = _days(context.session, book)
    state = book.account.tier
    was = _tier_from_json(found.tier_before, state)
    joined = replace(was)
    tiers.absorb(scheme, joined, goes)
    if (state.override, state.override_until) != (joined.override, joined.override_until):
        # Somebody lifted it, or ended that, since: that holds on.
        was.override, was.override_until = state.override, state.override_until
    zone = book.terms.time_zone
    tiers.assess(scheme, was, book.days, context.now, zone, because=TierReason.MERGED)
    counted = tiers.progress(scheme, was, book.days, context.now, zone).counted
    book.account.tier, book.is_tier_moved = was, True
    if was.tier != state.tier:
        change = tiers.Change(state.tier, was.tier, TierReason.MERGED, counted, context.now)
        was.changed_at = context.now
        explain += book.note_tiers([change], context.circumstances, context.request.id)


def _days(session: Session, book: Book) -> dict[date, Count]:
    """What every day counts, with what this posting changes."""
    days = {
        row.day: Count(row.points, row.spend_minor)
        for row in session.execute(
            select(EarningDay.day, EarningDay.points, EarningDay.spend_minor).where(
                EarningDay.account_id == book.account.id
            )
        )
    }
    for day, count in book.changed_days.items():
        had = days.get(day, Count(0, 0))
        days[day] = Count(had.points + count.points, had.spend_minor + count.spend_minor)
    return days
