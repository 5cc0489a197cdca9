"""Undoing one entry exactly: what it took goes back, what it gave is taken back.

A redemption may be given back piece by piece, through returns of its receipt; so what is left to
give back is counted over everything that ever reversed it (`Outstanding`).
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.languages import _
from app.ledger import _expiries, _moved, rules
from app.ledger._book import Book, Row
from app.ledger._operation import Context
from app.ledger._store import load_lots
from app.ledger.errors import AlreadyReversed
from app.ledger.explain import Reason, because
from app.ledger.models import Draw, Entry, EntryKind, Lot
from app.ledger.postings import Reverse
from app.ledger.rules import LotState, Own, ReturnPolicy


class Target(NamedTuple):
    """An entry that is to be reversed."""

    sequence: int
    id: str
    account_id: str
    posting_id: str | None
    kind: str
    points: int
    receipt_id: str | None
    amount_minor: int | None
    currency: str | None
    reverses_id: str | None
    day: date
    counted_points: int
    counted_minor: int
    carried_micro: int | None
    weighted_micro: int | None
    at_least_minor: int | None
    once_key: str | None
    reason: str | None
    grounds: dict[str, Any] | None


TARGET = tuple(getattr(Entry, name) for name in Target._fields)


@dataclass(frozen=True, slots=True)
class Effects:
    """What entries did: points taken from lots, given to lots, put into new lots, and debt made.

    All may be below zero. Repayments of debt are left out: they belong to a lot, not to an entry.
    """

    taken: dict[str, int]
    made: dict[str, int]
    debt: int


def effects(session: Session, entry_ids: Collection[str]) -> Effects:
    """What the entries did, together."""
    lots = session.execute(select(Lot.id, Lot.points).where(Lot.entry_id.in_(entry_ids)))
    made = {lot_id: points for lot_id, points in lots}
    taken: dict[str, int] = defaultdict(int)
    debt = 0
    for lot_id, maker, entry_id, points in session.execute(
        select(Draw.lot_id, Lot.entry_id, Draw.entry_id, Draw.points)
        .outerjoin(Lot, Lot.id == Draw.lot_id)
        .where(Draw.entry_id.in_(entry_ids))
    ):
        if lot_id is None:
            debt += points
        elif maker == entry_id:
            debt += points  # Its other half, the draw without a lot, is counted above.
        else:
            taken[lot_id] += points
    return Effects(dict(taken), made, debt)


def descendants(session: Session, entry_id: str) -> list[Target]:
    """Everything that reverses the entry, or reverses what reverses it, and so on."""
    found: list[Target] = []
    level = [entry_id]
    while level:
        rows = session.execute(select(*TARGET).where(Entry.reverses_id.in_(level)))
        targets = [Target(*row) for row in rows]
        found += targets
        level = [target.id for target in targets]
    return found


def outstanding(session: Session, target: Target) -> dict[str, int]:
    """What a redemption took and has not given back, by lot.

    Never more in all than the member still lacks, whatever was given and taken in between.
    """
    left = defaultdict(int, effects(session, [target.id]).taken)
    later = descendants(session, target.id)
    if later:
        since = effects(session, [entry.id for entry in later])
        lots = session.execute(
            select(Lot.id, Lot.origin_lot_id).where(
                Lot.id.in_({*since.made, *since.taken}), Lot.origin_lot_id.is_not(None)
            )
        )
        origin = {lot_id: origin_id for lot_id, origin_id in lots}
        for lot_id, points in since.made.items():
            left[origin.get(lot_id) or lot_id] -= points
        for lot_id, points in since.taken.items():
            left[origin.get(lot_id) or lot_id] += points
    lacking = -target.points - sum(entry.points for entry in later)
    result: dict[str, int] = {}
    for lot_id, points in left.items():
        part = min(points, lacking)
        if part > 0:
            result[lot_id] = part
            lacking -= part
    return result


def chain(session: Session, target: Target) -> list[Target]:
    """The entry, what it reverses, what that reverses, and so on to where it began."""
    links = [target]
    while target.reverses_id is not None:
        row = session.execute(select(*TARGET).where(Entry.id == target.reverses_id)).one()
        target = Target(*row)
        links.append(target)
    return links


# --- giving back ------------------------------------------------------------------------------


def give_back(
    context: Context,
    entry: Row,
    parts: dict[str, int],
    points: int,
    grace_until: datetime | None,
    explain: list[Reason],
) -> None:
    """Give *points* back to the lots of *parts*, what was drawn last first.

    A lot that has expired gets a grace lot in its place; without *grace_until* its points go back
    and expire at once.
    """
    book = context.book
    load_lots(context.session, book, ids=parts)
    for lot in reversed(rules.draw_order(book.lots[lot_id] for lot_id in parts)):
        part = min(points, parts[lot.id])
        if part <= 0:
            continue
        points -= part
        if grace_until is not None and lot.is_expired(context.now):
            lot = book.credit(
                entry,
                part,
                available_from=context.now,
                expires_at=grace_until,
                origin_lot_id=lot.id,
                issuing_partner_id=lot.issuing_partner_id,
            )
        elif lot.id in book.elsewhere:
            lot = _another_of(book, entry, lot, part)
        else:
            book.draw(entry, lot, -part)
        explain.append(because("back_to", points=part, expires_at=lot.expires_at))


def _another_of(book: Book, entry: Row, lot: LotState, points: int) -> LotState:
    """A lot like one whose account was merged into this one."""
    return book.credit(
        entry,
        points,
        available_from=book.now,
        expires_at=lot.expires_at,
        rolling=lot.rolling,
        origin_lot_id=lot.id,
        issuing_partner_id=lot.issuing_partner_id,
    )


def lift_debt(context: Context, entry: Row, points: int) -> None:
    """Take *points* of debt back that should never have been made.

    Where it was repaid meanwhile, lots that repaid get their points back first.
    """
    book = context.book
    missing = points - book.account.debt
    if missing > 0:
        repaid = repayments(context.session, book)
        load_lots(context.session, book, ids=repaid)
        for lot in reversed(rules.draw_order(book.lots[lot_id] for lot_id in repaid)):
            part = min(missing, repaid[lot.id])
            if part > 0:
                book.repay(lot, -part)
                missing -= part
    if missing > 0:
        points -= missing
        _pay_back_elsewhere(context, entry, missing)
    book.owe(entry, -points)


def _pay_back_elsewhere(context: Context, entry: Row, points: int) -> None:
    """Give *points* that repaid a debt before their account was merged, or was one again.

    They come back with the dates that they had there. What no lot is known for came with a debt
    that was lifted while two accounts were one: it lasts for ever.
    """
    session, book = context.session, context.book
    others = _moved.merged_accounts(session, book.account.id)
    repaid = written_repayments(session, others) if others else {}
    load_lots(session, book, ids=repaid)
    for lot in reversed(rules.draw_order(book.lots[lot_id] for lot_id in repaid)):
        part = min(points, repaid[lot.id])
        if part > 0:
            _another_of(book, entry, lot, part)
            points -= part
    if points > 0:
        book.credit(entry, points, available_from=book.now, expires_at=None)


def repayments(session: Session, book: Book, entry_ids: Iterable[str] = ()) -> dict[str, int]:
    """How much debt each lot of the account (or of these entries) has repaid, on balance."""
    wanted = list(entry_ids)
    written = written_repayments(session, [book.account.id], wanted)
    # What this very posting has repaid so far is not in the database yet.
    for draw in book.draws:
        lot = book.lots[draw["lot_id"]] if draw["lot_id"] else None
        if lot and lot.entry_id == draw["entry_id"] and (not wanted or lot.entry_id in wanted):
            written[lot.id] = written.get(lot.id, 0) + draw["points"]
    return {lot_id: points for lot_id, points in written.items() if points > 0}


def written_repayments(
    session: Session, account_ids: Collection[str], entry_ids: Collection[str] = ()
) -> dict[str, int]:
    """The same of any accounts, as far as it is written."""
    found = (
        select(Lot.id, func.sum(Draw.points))
        .join(Draw, (Draw.lot_id == Lot.id) & (Draw.entry_id == Lot.entry_id))
        .where(Lot.account_id.in_(account_ids))
        .group_by(Lot.id)
        .having(func.sum(Draw.points) > 0)
    )
    if entry_ids:
        found = found.where(Lot.entry_id.in_(entry_ids))
    return {lot_id: int(points) for lot_id, points in session.execute(found)}


# --- taking back ------------------------------------------------------------------------------


def take_back(
    context: Context,
    entry: Row,
    points: int,
    lots: dict[str, int],
    operation: Reverse,
    explain: list[Reason],
    *,
    is_return: bool,
) -> None:
    """Take *points* back from *lots* (at most so many of each), then as the policy allows."""
    book = context.book
    policy = ReturnPolicy(operation.return_policy)
    load_lots(context.session, book, ids=lots)
    repaid = repayments(context.session, book, {book.lots[lot_id].entry_id for lot_id in lots})
    own = [Own(book.lots[id_], limit, repaid.get(id_, 0)) for id_, limit in lots.items()]
    plan = rules.plan_clawback(
        points,
        # Whatever the policy for returns: a reversal undoes exactly what it names.
        rules.returnable(own, policy if is_return else ReturnPolicy.WITHIN_BALANCE, context.now),
        book.spendable(),
        policy,
        debt=book.account.debt,
        debt_floor=operation.debt_floor,
    )
    for undone in plan.undone:
        book.repay(book.lots[undone.lot_id], -undone.points)
        explain.append(because("owed_again", points=undone.points))
    for take in plan.takes:
        lot: LotState = book.lots[take.lot_id]
        book.draw(entry, lot, take.points)
        explain.append(because("taken_from", points=take.points, expires_at=lot.expires_at))
    book.owe(entry, plan.debt)
    if plan.debt:
        explain.append(because("owed", points=plan.debt))
    if plan.forgiven:
        explain.append(because("forgiven", points=plan.forgiven))


# --- one entry --------------------------------------------------------------------------------


def undo(
    context: Context,
    target: Target,
    operation: Reverse,
    grace_until: datetime,
    explain: list[Reason],
) -> Row:
    """Reverse all of one entry that is not an accrual. Raises `AlreadyReversed`."""
    book = context.book
    is_reversal = target.kind == EntryKind.REVERSAL
    entry = book.enter(
        EntryKind.REVERSAL,
        context.circumstances,
        posting_id=context.request.id,
        reverses_id=target.id,
        whole_reversal=True,
        receipt_id=target.receipt_id,
        amount_minor=None if target.amount_minor is None else -target.amount_minor,
        currency=target.currency,
        at_least_minor=target.at_least_minor,
        once_key=target.once_key,
        reason=operation.reason,
    )
    entry["day"] = target.day
    book.count(entry, -target.counted_points, -target.counted_minor)
    if target.carried_micro is not None:
        book.carry(entry, -target.carried_micro)
    did = effects(context.session, [target.id])
    back = {lot_id: points for lot_id, points in did.taken.items() if points > 0}
    if is_reversal:
        _check_redemption(context.session, target, sum(back.values()))
    else:
        back = outstanding(context.session, target) if target.points < 0 else {}
        if target.points < 0 and not back:
            raise AlreadyReversed(_("That redemption was given back already."))
    give_back(
        context, entry, back, sum(back.values()), None if is_reversal else grace_until, explain
    )
    if did.debt > 0:
        lift_debt(context, entry, did.debt)
        explain.append(because("no_longer_owed", points=did.debt))
    given = {id_: -points for id_, points in did.taken.items() if points < 0} | did.made
    if given:
        families = _moved.families(context.session, book, given)
        lots = {lot_id: given[first] for first, lots in families.items() for lot_id in lots}
        expired = _expiries.expired_since(context.session, book, lots, target.sequence)
        due = sum(
            points - min(points, sum(expired.get(lot_id, 0) for lot_id in families[first]))
            for first, points in given.items()
        )
        if expired and target.counted_points > 0:
            never = _expiries.never_counted(context.session, book, lots, target.sequence)
            book.count(entry, min(never, target.counted_points), 0)
        take_back(context, entry, due, lots, operation, explain, is_return=False)
    if did.debt < 0:
        book.owe(entry, -did.debt)
        explain.append(because("owed_again", points=-did.debt))
    return entry


def _check_redemption(session: Session, target: Target, giving: int) -> None:
    """A redemption never gives back more than it took, whatever is reversed in which order."""
    if giving == 0:
        return
    first = chain(session, target)[-1]
    if first.points < 0 and giving > sum(outstanding(session, first).values()):
        raise AlreadyReversed(_("That redemption was given back already, by another reversal."))
