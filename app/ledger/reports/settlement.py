"""Who owes whom in a coalition: points issued by one partner and honoured by another.

The programme's own locations are a partner too, without an id: "the programme itself" (None).
Every flow says that one partner, the *debtor*, owes another, the *creditor*, so many points
(below zero: no longer). What an issuer owes itself is left out.

- A redemption draws lots: whoever issued a lot owes whoever redeemed it. Undoing a redemption
  takes that back, also where the points came back in a grace lot; undoing the undoing brings it
  again, from the lots that were then drawn.
- A return takes points back for whoever had issued them. From the lots that the receipt made that
  is a matter of its own; another partner's lots in their place are owed to it.
- Debt is carried by the programme itself: it owes what a return or a reversal could not take
  from any lot, and whoever's lot repays a debt owes that to the programme.

- A merge moves lots with their issuers, so it settles nothing. Undoing one brings back lots that
  may have been spent meanwhile: whoever's lots are taken in their place owes the programme, and
  the programme owes the issuer of those that came back.

Expiries and adjustments settle nothing. Flows count from when they were
recorded: a settlement that was sent to a partner never changes.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, and_, case, cast, func, literal, null, or_, select, union_all
from sqlalchemy.orm import Session, aliased

from app.db import Id
from app.ledger.models import Draw, Entry, EntryKind, Hold, Lot, Receipt
from app.ledger.reports import moments
from app.ledger.reports.moments import Statement
from app.ledger.reports.rules import worth_minor

_SALES = (EntryKind.ACCRUAL, EntryKind.BONUS)
_TRANSFERS = (EntryKind.TRANSFER_IN, EntryKind.TRANSFER_OUT)


@dataclass(frozen=True, slots=True)
class Owed:
    """What one partner owes another, in points, by its causes."""

    redeemed: int = 0
    given_back: int = 0
    returned: int = 0
    unmerged: int = 0
    debt: int = 0

    @property
    def points(self) -> int:
        """All of it."""
        return self.redeemed + self.given_back + self.returned + self.unmerged + self.debt


@dataclass(frozen=True, slots=True)
class Pair:
    """Two partners, in a fixed order. *points* and *amount_minor* are what *one* pays *other*.

    Below zero: what *other* pays *one*. The money is computed from the net points, once for both.
    """

    one: str | None
    other: str | None
    one_owes: Owed
    other_owes: Owed
    points: int
    amount_minor: int | None


@dataclass(frozen=True, slots=True)
class Net:
    """What a partner gets (below zero: pays) in all."""

    partner: str | None
    points: int
    amount_minor: int | None


@dataclass(frozen=True, slots=True)
class Settlement:
    """The report. The nets of all partners add up to zero, in points and in money."""

    since: datetime | None
    before: datetime
    pairs: list[Pair] = field(default_factory=list)
    nets: list[Net] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Line:
    """One entry's part in a settlement."""

    debtor: str | None
    creditor: str | None
    cause: str
    points: int
    entry_id: str
    kind: str
    recorded_at: datetime
    occurred_at: datetime
    location_id: str | None
    receipt_number: str | None


def settlement(
    session: Session,
    since: datetime | None,
    before: datetime,
    *,
    point_value: Decimal | None = None,
    currency_exponent: int = 2,
) -> Settlement:
    """What was recorded from *since* (empty: from the beginning) to before *before*, netted.

    *point_value* is what partners pay each other for a point, in major units.
    """
    flows = _flows(since, before).subquery("flows")
    grouped = select(
        flows.c.debtor, flows.c.creditor, flows.c.cause, func.sum(flows.c.points)
    ).group_by(flows.c.debtor, flows.c.creditor, flows.c.cause)
    owed: dict[tuple[str | None, str | None], dict[str, int]] = {}
    for debtor, creditor, cause, points in session.execute(grouped):
        owed.setdefault((debtor, creditor), {})[cause] = int(points)
    return net(
        since,
        before,
        {between: Owed(**causes) for between, causes in owed.items() if any(causes.values())},
        point_value=point_value,
        currency_exponent=currency_exponent,
    )


def net(
    since: datetime | None,
    before: datetime,
    owed: dict[tuple[str | None, str | None], Owed],
    *,
    point_value: Decimal | None,
    currency_exponent: int,
) -> Settlement:
    """Net what each owes each other. Pure."""
    report = Settlement(since, before)
    totals: dict[str | None, tuple[int, int]] = {}
    pairs = {tuple(sorted(between, key=_order)) for between in owed}
    for one, other in sorted(pairs, key=lambda pair: (_order(pair[0]), _order(pair[1]))):
        there, back = owed.get((one, other), Owed()), owed.get((other, one), Owed())
        points = there.points - back.points
        money = (
            worth_minor(points, point_value, currency_exponent) if point_value is not None else None
        )
        report.pairs.append(Pair(one, other, there, back, points, money))
        for partner, sign in ((one, -1), (other, 1)):
            had, had_money = totals.get(partner, (0, 0))
            totals[partner] = (had + sign * points, had_money + sign * (money or 0))
    for partner in sorted(totals, key=_order):
        points, in_money = totals[partner]
        report.nets.append(Net(partner, points, None if point_value is None else in_money))
    return report


def _order(partner: str | None) -> str:
    return partner or ""


def lines(session: Session, since: datetime | None, before: datetime) -> Iterator[Line]:
    """The entries behind a settlement, in the order in which they were recorded; streamed."""
    flows = _flows(since, before).subquery("flows")
    entry_columns = (
        Entry.id,
        Entry.kind,
        flows.c.recorded_at,
        Entry.occurred_at,
        Entry.location_id,
        func.coalesce(Receipt.number, Hold.receipt_number),
    )
    statement = (
        select(
            flows.c.debtor,
            flows.c.creditor,
            flows.c.cause,
            func.sum(flows.c.points),
            *entry_columns,
        )
        .join(Entry, Entry.id == flows.c.entry_id)
        .outerjoin(Receipt, Receipt.id == Entry.receipt_id)
        .outerjoin(Hold, Hold.entry_id == Entry.id)
        .group_by(flows.c.debtor, flows.c.creditor, flows.c.cause, Entry.sequence, *entry_columns)
        .having(func.sum(flows.c.points) != 0)
        .order_by(flows.c.recorded_at, Entry.sequence)
    )
    for debtor, creditor, cause, points, *rest in session.execute(
        statement, execution_options={"yield_per": 1000}
    ):
        yield Line(debtor, creditor, cause, int(points), *rest)


# --- flows ------------------------------------------------------------------------------------


def _flows(since: datetime | None, before: datetime) -> Any:
    """Every flow between two different partners."""

    def within(moment: Any) -> ColumnElement[bool]:
        if since is None:
            return and_(moment < before)
        return and_(moment >= since, moment < before)

    root = moments.roots()
    return union_all(
        _redemptions(within(Draw.recorded_at)),
        *_reversals(root, within(Draw.recorded_at)),
        _grace_lots(root, within(Entry.recorded_at)),
        *_repayments(root, within(Draw.recorded_at)),
    )


def _flow(
    debtor: Any, creditor: Any, points: Any, cause: Any, recorded_at: Any, entry_id: Any
) -> Statement:
    return select(
        debtor.label("debtor"),
        creditor.label("creditor"),
        points.label("points"),
        cause.label("cause"),
        recorded_at.label("recorded_at"),
        entry_id.label("entry_id"),
    ).where(debtor.is_distinct_from(creditor))


def _of_draw(debtor: Any, creditor: Any, points: Any, cause: Any) -> Statement:
    return _flow(debtor, creditor, points, cause, Draw.recorded_at, Draw.entry_id)


def _redemptions(within: ColumnElement[bool]) -> Statement:
    return (
        _of_draw(
            Lot.issuing_partner_id, Entry.redeeming_partner_id, Draw.points, literal("redeemed")
        )
        .join_from(Draw, Entry, Entry.id == Draw.entry_id)
        .join(Lot, Lot.id == Draw.lot_id)
        .where(Entry.kind == EntryKind.REDEMPTION, within)
    )


def _side(root: Any) -> tuple[Any, Any]:
    """For whom a reversal takes or gives, and why, by the entry that it goes back to."""
    is_redemption = root.c.kind == EntryKind.REDEMPTION
    is_sale = root.c.kind.in_(_SALES)
    return (
        case((is_redemption, root.c.redeeming), (is_sale, root.c.issuing), else_=_nobody()),
        case(
            (is_redemption, literal("given_back")),
            (is_sale, literal("returned")),
            else_=literal("unmerged"),
        ),
    )


def _settles(root: Any) -> ColumnElement[bool]:
    return and_(root.c.kind.in_((EntryKind.REDEMPTION, *_SALES, *_TRANSFERS)))


def _reversals(root: Any, within: ColumnElement[bool]) -> tuple[Statement, Statement]:
    side, cause = _side(root)
    maker = aliased(Entry)
    from_lots = (
        _of_draw(Lot.issuing_partner_id, side, Draw.points, cause)
        .join_from(Draw, root, root.c.id == Draw.entry_id)
        .join(Lot, Lot.id == Draw.lot_id)
        .join(maker, maker.id == Lot.entry_id)
        .where(
            _settles(root),
            # A repayment of debt: it is among the repayments.
            Lot.entry_id != Draw.entry_id,
            # The receipt's own points: taken back by whoever gave them.
            or_(
                root.c.kind.not_in(_SALES),
                maker.posting_id.is_distinct_from(root.c.posting_id),
            ),
            within,
        )
    )
    owed = (
        _of_draw(_nobody(), side, Draw.points, literal("debt"))
        .join_from(Draw, root, root.c.id == Draw.entry_id)
        .where(_settles(root), Draw.lot_id.is_(None), within)
    )
    return from_lots, owed


def _grace_lots(root: Any, within: ColumnElement[bool]) -> Statement:
    side, cause = _side(root)
    return (
        _flow(Lot.issuing_partner_id, side, -Lot.points, cause, Entry.recorded_at, Entry.id)
        .join_from(Lot, Entry, Entry.id == Lot.entry_id)
        .join(root, root.c.id == Entry.id)
        .where(_settles(root), within)
    )


def _repayments(root: Any, within: ColumnElement[bool]) -> tuple[Statement, Statement]:
    """A lot that repays debt draws itself under its own entry, and the debt the same number less.

    Under a reversal that other half is among its debts, and is evened out here.
    """
    side, _ = _side(root)
    own = and_(Lot.id == Draw.lot_id, Lot.entry_id == Draw.entry_id)
    repaid = (
        _of_draw(Lot.issuing_partner_id, _nobody(), Draw.points, literal("debt"))
        .join_from(Draw, Lot, own)
        .where(within)
    )
    evened = (
        _of_draw(_nobody(), side, Draw.points, literal("debt"))
        .join_from(Draw, Lot, own)
        .join(root, root.c.id == Draw.entry_id)
        .where(_settles(root), within)
    )
    return repaid, evened


def _nobody() -> Any:
    """The programme itself, typed as what partners are."""
    return cast(null(), Id)
