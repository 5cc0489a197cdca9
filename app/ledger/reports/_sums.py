"""The sums behind the liability report, added up by the database and streamed in groups.

There are as many groups as there are partners, days on which something expires, and periods; no
list of accounts, lots or entries is ever held.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple

from sqlalchemy import and_, case, func, select
from sqlalchemy.orm import Session

from app.ledger.models import Draw, Entry, EntryKind, Hold, HoldLot, Lot
from app.ledger.reports import moments
from app.ledger.reports.moments import Statement
from app.ledger.reports.rules import OpenLot, repay

__all__ = ["Amounts", "Flows", "Key", "Session", "add_up"]

_CREDITS = (EntryKind.ACCRUAL, EntryKind.BONUS, EntryKind.ADJUSTMENT, EntryKind.OPENING)


class Key(NamedTuple):
    """What lots are told apart by."""

    partner_id: str | None
    expires_at: datetime | None
    pending: bool


@dataclass(slots=True)
class Amounts:
    """Points of open lots; *pending* and *held* are parts of *outstanding*."""

    outstanding: int = 0
    pending: int = 0
    held: int = 0

    def add(self, other: "Amounts") -> None:
        """Add another one's points to these."""
        self.outstanding += other.outstanding
        self.pending += other.pending
        self.held += other.held


@dataclass(slots=True)
class Flows:
    """Points that moved in a period.

    *over_redeemed* and *over_lapsed* are of lots whose time was over by its end.
    """

    issued: int = 0
    redeemed: int = 0
    lapsed: int = 0
    over_redeemed: int = 0
    over_lapsed: int = 0


def add_up(
    session: Session, before: datetime, bounds: Sequence[datetime]
) -> tuple[dict[Key, Amounts], list[Flows], int]:
    """The points of open lots by key, what moved up to each bound and since the last, the debt."""
    left: dict[Key, int] = defaultdict(int)
    flows = [Flows() for _ in range(len(bounds) + 1)]
    for key, points in _given(session, before):
        left[key] += points
    for key, kind, number, points in _taken(session, before, bounds):
        left[key] -= points
        _note_over(flows, key, kind, max(number, _place(key.expires_at, bounds)), points, before)
    for kind, number, points in _moved(session, before, bounds):
        flow = flows[number]
        if kind in _CREDITS:
            flow.issued += points
        elif kind == EntryKind.REDEMPTION:
            flow.redeemed -= points
        elif kind == EntryKind.EXPIRY:
            flow.lapsed -= points
    debt = session.scalar(_debt(before)) or 0
    for key, points in _unwritten_repayments(session, before):
        left[key] -= points
        debt -= points
    held = dict(_held(session, before))
    return _settle(left, held, flows, bounds, before), flows, int(debt)


def _settle(
    left: dict[Key, int],
    held: dict[Key, int],
    flows: list[Flows],
    bounds: Sequence[datetime],
    before: datetime,
) -> dict[Key, Amounts]:
    """Let lapse what is due and no hold keeps, whether or not the sweep has been there."""
    result: dict[Key, Amounts] = {}
    for key, points in left.items():
        kept = held.get(key, 0)
        if key.expires_at is not None and key.expires_at < before:
            place = _place(key.expires_at, bounds)
            flows[place].lapsed += points - kept
            flows[place].over_lapsed += points - kept
            points = kept
        if points or kept:
            result[key] = Amounts(points, points if key.pending else 0, kept)
    return result


def _place(moment: datetime | None, bounds: Sequence[datetime]) -> int:
    return 0 if moment is None else sum(bound <= moment for bound in bounds)


def _note_over(
    flows: list[Flows], key: Key, kind: str, number: int, points: int, before: datetime
) -> None:
    if key.expires_at is None or key.expires_at >= before:
        return
    if kind == EntryKind.REDEMPTION:
        flows[number].over_redeemed += points
    elif kind == EntryKind.EXPIRY:
        flows[number].over_lapsed += points


# --- statements -------------------------------------------------------------------------------


def _key(before: datetime) -> tuple[Any, Any, Any]:
    return (Lot.issuing_partner_id, moments.lapses_at(), moments.is_pending(before))


def _stream(session: Session, statement: Statement) -> Iterator[Any]:
    yield from session.execute(statement, execution_options={"yield_per": 1000})


def _given(session: Session, before: datetime) -> Iterator[tuple[Key, int]]:
    key = _key(before)
    statement = (
        select(*key, func.sum(Lot.points))
        .join(Entry, Entry.id == Lot.entry_id)
        .where(Entry.recorded_at < before)
        .group_by(*key)
    )
    for partner_id, expires_at, pending, points in _stream(session, statement):
        yield Key(partner_id, expires_at, bool(pending)), int(points)


def _taken(
    session: Session, before: datetime, bounds: Sequence[datetime]
) -> Iterator[tuple[Key, str, int, int]]:
    """Draws by lot, kind (a reversal: of what it goes back to) and period."""
    root = moments.roots()
    columns = (
        *_key(before),
        case((Entry.kind == EntryKind.REVERSAL, root.c.kind), else_=Entry.kind),
        moments.bucket(moments.of_draw(), bounds),
    )
    inner = (
        select(
            *(column.label(f"c{place}") for place, column in enumerate(columns)),
            Draw.points.label("points"),
        )
        .join(Lot, Lot.id == Draw.lot_id)
        .join(Entry, Entry.id == Draw.entry_id)
        .outerjoin(root, root.c.id == Entry.id)
        .where(moments.of_draw() < before)
        .subquery()
    )
    groups = [inner.c[f"c{place}"] for place in range(len(columns))]
    statement = select(*groups, func.sum(inner.c.points)).group_by(*groups)
    for partner_id, expires_at, pending, kind, number, points in _stream(session, statement):
        yield Key(partner_id, expires_at, bool(pending)), kind, number, int(points)


def _moved(
    session: Session, before: datetime, bounds: Sequence[datetime]
) -> Iterator[tuple[str, int, int]]:
    """Points by kind (a reversal: of what it goes back to) and period."""
    root = moments.roots()
    inner = (
        select(
            case((Entry.kind == EntryKind.REVERSAL, root.c.kind), else_=Entry.kind).label("kind"),
            moments.bucket(moments.of_entry(), bounds).label("number"),
            Entry.points.label("points"),
        )
        .outerjoin(root, root.c.id == Entry.id)
        .where(moments.of_entry() < before)
        .subquery()
    )
    statement = select(inner.c.kind, inner.c.number, func.sum(inner.c.points)).group_by(
        inner.c.kind, inner.c.number
    )
    for kind, number, points in _stream(session, statement):
        yield kind, number, int(points)


def _debt(before: datetime) -> Statement:
    return select(func.sum(Draw.points)).where(Draw.lot_id.is_(None), Draw.recorded_at < before)


def _held(session: Session, before: datetime) -> Iterator[tuple[Key, int]]:
    key = _key(before)
    statement = (
        select(*key, func.sum(HoldLot.points))
        .join(HoldLot, HoldLot.lot_id == Lot.id)
        .join(Hold, Hold.id == HoldLot.hold_id)
        .outerjoin(Entry, Entry.id == Hold.entry_id)
        .where(moments.is_open(before))
        .group_by(*key)
    )
    for partner_id, expires_at, pending, points in _stream(session, statement):
        yield Key(partner_id, expires_at, bool(pending)), int(points)


def _unwritten_repayments(session: Session, before: datetime) -> Iterator[tuple[Key, int]]:
    """What became available beside a debt and has not repaid it yet, because nobody looked."""
    debtors = (
        select(Draw.account_id.label("account_id"), func.sum(Draw.points).label("debt"))
        .where(Draw.lot_id.is_(None), Draw.recorded_at < before)
        .group_by(Draw.account_id)
        .having(func.sum(Draw.points) > 0)
        .subquery("debtors")
    )
    owing = select(debtors.c.account_id)
    drawn = moments.drawn(before, Draw.account_id.in_(owing))
    reserved = moments.reserved(before, Hold.account_id.in_(owing))
    remaining = Lot.points - func.coalesce(drawn.c.points, 0)
    statement = (
        select(
            Lot.account_id,
            debtors.c.debt,
            *_key(before),
            Lot.sequence,
            remaining,
            remaining - func.coalesce(reserved.c.points, 0),
            Lot.available_from,
        )
        .join(debtors, debtors.c.account_id == Lot.account_id)
        .join(Entry, Entry.id == Lot.entry_id)
        .outerjoin(drawn, drawn.c.lot_id == Lot.id)
        .outerjoin(reserved, reserved.c.lot_id == Lot.id)
        .where(
            Entry.recorded_at < before,
            and_(Lot.available_from.is_not(None), Lot.available_from < before),
            remaining > 0,
        )
        .order_by(Lot.account_id)
    )
    rows = _stream(session, statement)
    for _, group in groupby(rows, key=lambda row: row[0]):
        lots = []
        debt = 0
        for _, owed, partner_id, expires_at, pending, sequence, left, free, ready in group:
            key = Key(partner_id, expires_at, bool(pending))
            lots.append(OpenLot(key, sequence, int(left), int(free), ready, expires_at))
            debt = int(owed)
        for lot, points in repay(lots, debt, before):
            yield Key(*lot.key), points  # type: ignore[arg-type]
