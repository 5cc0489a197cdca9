"""What a past moment means, in SQL: which rows had happened before it.

A bound is exclusive. Entries, lots and draws count from when they were recorded, so that a report
on a day that is over never changes. An expiry alone counts from when it fell due: the sweep comes
later, and how much later must not show.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import CTE, ColumnElement, Select, and_, case, func, literal, or_, select
from sqlalchemy.orm import Session, aliased

from app.ledger.models import Account, Draw, Entry, EntryKind, Hold, HoldLot, Lot

Statement: TypeAlias = Select[*tuple[Any, ...]]


def of_entry() -> ColumnElement[datetime]:
    """When an entry counts from."""
    return _counted_from(Entry.recorded_at)


def of_draw() -> ColumnElement[datetime]:
    """When a draw counts from; the statement has its entry beside it."""
    return _counted_from(Draw.recorded_at)


def _counted_from(recorded_at: Any) -> ColumnElement[datetime]:
    return case((Entry.kind == EntryKind.EXPIRY, Entry.occurred_at), else_=recorded_at)


def rolls(session: Session) -> bool:
    """Whether there are lots that expire by their account's rolling date."""
    found = select(Account.id).where(Account.rolling_expires_at.is_not(None)).limit(1)
    return session.scalar(found) is not None


def lapses_at(rolling: bool) -> ColumnElement[datetime | None]:
    """When a lot expires; the first moment without it. With *rolling* its account is beside it.

    A rolling date is the account's own, now: it moves, and only forward.
    """
    if not rolling:
        return Lot.expires_at  # type: ignore[return-value]
    return case((Lot.rolling, Account.rolling_expires_at), else_=Lot.expires_at)


def beside_account(statement: Any, rolling: bool) -> Any:
    """*statement* over lots, with their accounts where `lapses_at` asks for them."""
    return statement.join(Account, Account.id == Lot.account_id) if rolling else statement


def is_pending(before: datetime) -> ColumnElement[bool]:
    """Whether a lot's points had not become available."""
    return or_(Lot.available_from.is_(None), Lot.available_from >= before)


def bucket(moment: ColumnElement[datetime], bounds: Sequence[datetime]) -> ColumnElement[int]:
    """The number of *bounds* that are not after *moment*, found by halving."""

    def between(low: int, high: int) -> ColumnElement[int]:
        if low == high:
            return literal(low)
        middle = (low + high) // 2
        return case(
            (moment < bounds[middle], between(low, middle)), else_=between(middle + 1, high)
        )

    return between(0, len(bounds))


def roots() -> CTE:
    """Of every reversal, the entry that it goes back to through all that it reverses.

    Columns: `id` of the reversal; `kind`, `posting_id`, `issuing` and `redeeming` of the root.
    """
    root = aliased(Entry)
    first = (
        select(
            Entry.id.label("id"),
            root.kind.label("kind"),
            root.posting_id.label("posting_id"),
            root.issuing_partner_id.label("issuing"),
            root.redeeming_partner_id.label("redeeming"),
        )
        .join(root, root.id == Entry.reverses_id)
        .where(Entry.reverses_id.is_not(None), root.kind != EntryKind.REVERSAL)
        .cte("roots", recursive=True)
    )
    later = aliased(Entry)
    return first.union_all(
        select(later.id, first.c.kind, first.c.posting_id, first.c.issuing, first.c.redeeming).join(
            first, later.reverses_id == first.c.id
        )
    )


def drawn(before: datetime, *where: ColumnElement[bool]) -> Any:
    """What was drawn of each lot: a subquery of `lot_id` and `points`."""
    return (
        select(Draw.lot_id.label("lot_id"), func.sum(Draw.points).label("points"))
        .join(Entry, Entry.id == Draw.entry_id)
        .where(Draw.lot_id.is_not(None), of_draw() < before, *where)
        .group_by(Draw.lot_id)
        .subquery("drawn")
    )


def reserved(before: datetime, *where: ColumnElement[bool]) -> Any:
    """What open holds reserved of each lot: a subquery of `lot_id` and `points`."""
    return (
        select(HoldLot.lot_id.label("lot_id"), func.sum(HoldLot.points).label("points"))
        .join(Hold, Hold.id == HoldLot.hold_id)
        .where(is_open(before), *where)
        .group_by(HoldLot.lot_id)
        .subquery("reserved")
    )


def is_open(before: datetime) -> ColumnElement[bool]:
    """Whether a hold was open: it ends by its time, whether or not anybody has looked."""
    return and_(
        Hold.created_at < before,
        Hold.expires_at >= before,
        or_(Hold.closed_at.is_(None), Hold.closed_at >= before),
    )
