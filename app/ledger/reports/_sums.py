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
    """What lots are told apart by.

    A rolling lot has a date once that is over: until then the date moves with what its member does.
    """

    partner_id: str | None
    expires_at: datetime | None
    pending: bool
    rolling: bool


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

    def plus(self, other: "Flows") -> "Flows":
        """Both together."""
        return Flows(
            *(getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__)
        )


def add_up(
    session: Session, before: datetime, bounds: Sequence[datetime]
) -> tuple[dict[Key, Amounts], list[Flows], int]:
    """The points of open lots by key, what moved up to each bound and since the last, the debt."""
    lots = _Lots(session, before, moments.rolls(session))
    left: dict[Key, int] = defaultdict(int)
    flows = [Flows() for _ in range(len(bounds) + 1)]
    for key, points in lots.given():
        left[key] += points
    for key, kind, number, points in lots.taken(bounds):
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
    for key, points in lots.unwritten_repayments():
        left[key] -= points
        debt -= points
    return _settle(left, dict(lots.held()), flows, bounds, before), flows, int(debt)


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
    # Of what rolls, only what was redeemed or has lapsed is over.
    if not key.rolling and (key.expires_at is None or key.expires_at >= before):
        return
    if kind == EntryKind.REDEMPTION:
        flows[number].over_redeemed += points
    elif kind == EntryKind.EXPIRY:
        flows[number].over_lapsed += points


# --- statements -------------------------------------------------------------------------------


def _stream(session: Session, statement: Any) -> Iterator[Any]:
    yield from session.execute(statement, execution_options={"yield_per": 1000})


@dataclass(frozen=True, slots=True)
class _Lots:
    """Sums over lots by key."""

    session: Session
    before: datetime
    rolling: bool

    def _key(self) -> tuple[Any, ...]:
        lapses = moments.lapses_at(self.rolling)
        if self.rolling:
            lapses = case((and_(Lot.rolling, lapses >= self.before), None), else_=lapses)
        pending = moments.is_pending(self.before)
        return (Lot.issuing_partner_id, lapses, pending, Lot.rolling)

    def _grouped(self, columns: tuple[Any, ...], points: Any, joined: Any) -> Iterator[Any]:
        """The sums of *points* by key and further *columns*."""
        named = [each.label(f"c{place}") for place, each in enumerate((*self._key(), *columns))]
        statement = joined(select(*named, points.label("points")).select_from(Lot))
        inner = moments.beside_account(statement, self.rolling).subquery()
        groups = [inner.c[each.name] for each in named]
        found = select(*groups, func.sum(inner.c.points)).group_by(*groups)
        for partner_id, expires_at, pending, rolling, *rest, total in _stream(self.session, found):
            key = Key(partner_id, expires_at, bool(pending), bool(rolling))
            yield key, *rest, int(total)

    def given(self) -> Iterator[tuple[Key, int]]:
        """What lots were made of."""
        return self._grouped(
            (),
            Lot.points,
            lambda statement: statement.join(Entry, Entry.id == Lot.entry_id).where(
                Entry.recorded_at < self.before
            ),
        )

    def taken(self, bounds: Sequence[datetime]) -> Iterator[tuple[Key, str, int, int]]:
        """Draws by kind (a reversal: of what it goes back to) and period."""
        root = moments.roots()
        moment = moments.of_draw()
        kind = case((Entry.kind == EntryKind.REVERSAL, root.c.kind), else_=Entry.kind)
        return self._grouped(
            (kind, moments.bucket(moment, bounds)),
            Draw.points,
            lambda statement: (
                statement.join(Draw, Draw.lot_id == Lot.id)
                .join(Entry, Entry.id == Draw.entry_id)
                .outerjoin(root, root.c.id == Entry.id)
                .where(moment < self.before)
            ),
        )

    def held(self) -> Iterator[tuple[Key, int]]:
        """What open holds reserve."""
        return self._grouped(
            (),
            HoldLot.points,
            lambda statement: (
                statement.join(HoldLot, HoldLot.lot_id == Lot.id)
                .join(Hold, Hold.id == HoldLot.hold_id)
                .where(moments.is_open(self.before))
            ),
        )

    def unwritten_repayments(self) -> Iterator[tuple[Key, int]]:
        """What became available beside a debt and has not repaid it yet: nobody has looked."""
        rows = _stream(self.session, self._beside_debt())
        for _, group in groupby(rows, key=lambda row: row.account_id):
            lots = []
            debt = 0
            for row in group:
                key = Key(row.c0, row.c1, bool(row.c2), bool(row.c3))
                free = int(row.left) - int(row.held)
                lots.append(
                    OpenLot(
                        key, row.sequence, int(row.left), free, row.available_from, row.lapses_at
                    )
                )
                debt = int(row.debt)
            for lot, points in repay(lots, debt, self.before):
                yield Key(*lot.key), points  # type: ignore[arg-type]

    def _beside_debt(self) -> Statement:
        debtors = (
            select(Draw.account_id.label("account_id"), func.sum(Draw.points).label("debt"))
            .where(Draw.lot_id.is_(None), Draw.recorded_at < self.before)
            .group_by(Draw.account_id)
            .having(func.sum(Draw.points) > 0)
            .subquery("debtors")
        )
        owing = select(debtors.c.account_id)
        drawn = moments.drawn(self.before, Draw.account_id.in_(owing))
        reserved = moments.reserved(self.before, Hold.account_id.in_(owing))
        left = Lot.points - func.coalesce(drawn.c.points, 0)
        statement: Statement = moments.beside_account(
            select(
                Lot.account_id,
                debtors.c.debt,
                *(each.label(f"c{place}") for place, each in enumerate(self._key())),
                moments.lapses_at(self.rolling).label("lapses_at"),
                Lot.sequence,
                left.label("left"),
                func.coalesce(reserved.c.points, 0).label("held"),
                Lot.available_from,
            )
            .join(debtors, debtors.c.account_id == Lot.account_id)
            .join(Entry, Entry.id == Lot.entry_id)
            .outerjoin(drawn, drawn.c.lot_id == Lot.id)
            .outerjoin(reserved, reserved.c.lot_id == Lot.id)
            .where(Entry.recorded_at < self.before, Lot.available_from < self.before, left > 0)
            .order_by(Lot.account_id),
            self.rolling,
        )
        return statement


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
