"""The measures of a period, read from the sums in a few milliseconds. `docs/insight.md` defines
them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Date, case, func, literal, select
from sqlalchemy.orm import Session

from app.insight import folding
from app.insight.models import (
    InsightDay,
    InsightMark,
    InsightMembers,
    InsightReturn,
)
from app.insight.periods import Grain, Period
from app.insight.rules import ALL_LOCATIONS


@dataclass(frozen=True, slots=True)
class Figures:
    """What a period brought. *members* and *outstanding* are as at its end.

    *came* is how many members came, *came_again* how many of them on two days or more,
    *came_unasked* how many on two days or more on which nobody had asked them to (None for one
    location: nobody asks for one). Money in minor units.
    """

    members: int
    joined: int
    departed: int
    came: int
    came_again: int
    came_unasked: int | None
    visits: int
    receipts: int
    spend_minor: int
    issued: int
    spent: int
    expired: int
    outstanding: int

    @property
    def repeat_rate(self) -> float | None:
        """The part of those who came that came on two days or more; None of nobody."""
        return self.came_again / self.came if self.came else None

    @property
    def unasked_rate(self) -> float | None:
        """The part of those who came that did so on two days or more of their own accord."""
        if self.came_unasked is None or not self.came:
            return None
        return self.came_unasked / self.came

    @property
    def active_rate(self) -> float | None:
        """The part of the members that came."""
        return self.came / self.members if self.members else None

    @property
    def average_minor(self) -> int | None:
        """Money of a receipt on average, to the nearest minor unit; None without any."""
        if not self.receipts:
            return None
        return (2 * self.spend_minor + self.receipts) // (2 * self.receipts)


@dataclass(frozen=True, slots=True)
class Standing:
    """Up to when all sums are complete; None while a history is folded in for the first time."""

    complete_until: datetime | None


def standing(session: Session) -> Standing:
    """How far the sums have got."""
    rows = session.execute(
        select(InsightMark.source, InsightMark.current_at, InsightMark.after)
    ).all()
    followed = [row for row in rows if row.source != folding.MEMBERS]
    moments = [row.current_at for row in followed if row.after is None]
    if len(followed) < 3 or len(moments) < 3 or None in moments:
        return Standing(None)
    return Standing(min(moments))


def figures(
    session: Session, programme_id: str, period: Period, location_id: str | None = None
) -> Figures:
    """All of them, of all locations or of one."""
    came, again, unasked = _came(session, programme_id, period, location_id)
    [sums] = brought_on(session, programme_id, location_id, within(InsightDay, period))
    joined, departed = _joined(session, programme_id, location_id, within(InsightMembers, period))
    joined_ever, departed_ever = _joined(
        session, programme_id, location_id, InsightMembers.day < period.until
    )
    [ever] = brought_on(session, programme_id, location_id, InsightDay.day < period.until)
    return Figures(
        members=joined_ever - departed_ever,
        joined=joined,
        departed=departed,
        came=came,
        came_again=again,
        came_unasked=unasked,
        visits=sums.visits,
        receipts=sums.receipts,
        spend_minor=sums.spend_minor,
        issued=sums.issued,
        spent=sums.spent,
        expired=sums.expired,
        outstanding=ever.issued - ever.spent - ever.expired + ever.moved,
    )


@dataclass(frozen=True, slots=True)
class Brought:
    """The sums of `models.InsightDay` over some days."""

    visits: int = 0
    receipts: int = 0
    spend_minor: int = 0
    issued: int = 0
    spent: int = 0
    expired: int = 0
    moved: int = 0


_SUMS = tuple(Brought.__dataclass_fields__)


def within(model: type[InsightDay | InsightMembers | InsightReturn], period: Period) -> Any:
    """Whether a row is of one of the days of a period."""
    return (model.day >= period.first) & (model.day < period.until)


def brought_on(
    session: Session,
    programme_id: str,
    location_id: str | None,
    where: ColumnElement[bool],
    *by: Any,
) -> list[Any]:
    """What days brought, together: one `Brought`, or one for each value of *by*, behind it."""
    sums = [func.coalesce(func.sum(getattr(InsightDay, name)), 0).label(name) for name in _SUMS]
    found = select(*by, *sums).where(InsightDay.programme_id == programme_id, where).group_by(*by)
    if location_id is not None:
        found = found.where(InsightDay.location_id == location_id)
    rows = session.execute(found).all()
    if by:
        return [(*row[: len(by)], Brought(*(int(each) for each in row[len(by) :]))) for row in rows]
    return [Brought(*(int(each) for each in row)) for row in rows]


def _joined(
    session: Session, programme_id: str, location_id: str | None, where: ColumnElement[bool]
) -> tuple[int, int]:
    found = select(
        func.coalesce(func.sum(InsightMembers.joined), 0),
        func.coalesce(func.sum(InsightMembers.departed), 0),
    ).where(InsightMembers.programme_id == programme_id, where)
    if location_id is not None:
        found = found.where(InsightMembers.location_id == location_id)
    joined, departed = session.execute(found).one()
    return int(joined), int(departed)


def members(session: Session, programme_id: str, until: date) -> int:
    """How many members there were before that day."""
    joined, departed = _joined(session, programme_id, None, InsightMembers.day < until)
    return joined - departed


def _came(
    session: Session, programme_id: str, period: Period, location_id: str | None
) -> tuple[int, int, int | None]:
    """Who came, who came on two days or more, and who did so unasked: see `InsightReturn`."""
    columns = (
        InsightReturn.one,
        InsightReturn.two,
        InsightReturn.own_one,
        InsightReturn.own_two,
    )
    row = session.execute(
        select(*(func.sum(each) for each in columns)).where(
            InsightReturn.programme_id == programme_id,
            InsightReturn.location_id == (location_id or ALL_LOCATIONS),
            within(InsightReturn, period),
            InsightReturn.before < period.first,
        )
    ).one()
    one, two, own_one, own_two = (int(each or 0) for each in row)
    return one, two - one, own_two - own_one if location_id is None else None


# --- in pieces --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of a period: who came in it, what it brought, and how it ended."""

    period: Period
    came: int
    joined: int
    members: int
    outstanding: int
    brought: Brought


def pieces(
    session: Session,
    programme_id: str,
    period: Period,
    location_id: str | None = None,
    *,
    who_came: bool = True,
) -> list[Piece]:
    """The period in the pieces of a chart; 0 members came in each where that is not asked for."""
    of_days = dict(
        brought_on(
            session, programme_id, location_id, InsightDay.day < period.until, InsightDay.day
        )
    )
    by_day = _members_by_day(session, programme_id, location_id, period.until)
    came = _came_by_piece(session, programme_id, period, location_id) if who_came else {}
    out = sum(_outstanding(each) for day, each in of_days.items() if day < period.first)
    there = sum(each[0] - each[1] for day, each in by_day.items() if day < period.first)
    found = []
    for piece in period.pieces():
        days = [piece.first + timedelta(days=number) for number in range(piece.days)]
        brought = _sum(of_days[day] for day in days if day in of_days)
        out += _outstanding(brought)
        moves = [by_day[day] for day in days if day in by_day]
        joined = sum(each[0] for each in moves)
        there += joined - sum(each[1] for each in moves)
        who = came.get(piece.first, 0)
        found.append(Piece(piece, who, joined, there, out, brought))
    return found


def _came_by_piece(
    session: Session, programme_id: str, period: Period, location_id: str | None
) -> dict[date, int]:
    """How many members came in each piece, by its first day; all pieces in one look."""
    start: Any = InsightReturn.day
    if period.grain is not Grain.DAY:
        start = _start_of_piece([piece.first for piece in period.pieces()])
    rows = session.execute(
        select(start.label("start"), func.sum(InsightReturn.one))
        .where(
            InsightReturn.programme_id == programme_id,
            InsightReturn.location_id == (location_id or ALL_LOCATIONS),
            within(InsightReturn, period),
            InsightReturn.before < start,
        )
        .group_by("start")
    )
    return {first: int(members) for first, members in rows}


def _start_of_piece(starts: Sequence[date]) -> ColumnElement[date]:
    """The last of *starts* that is not after a row's day, found by halving."""
    if len(starts) == 1:
        return literal(starts[0], Date())
    middle = len(starts) // 2
    return case(
        (InsightReturn.day < starts[middle], _start_of_piece(starts[:middle])),
        else_=_start_of_piece(starts[middle:]),
    )


def outstanding(session: Session, programme_id: str, until: date) -> int:
    """How many points were out before that day."""
    [ever] = brought_on(session, programme_id, None, InsightDay.day < until)
    return _outstanding(ever)


def _outstanding(brought: Brought) -> int:
    return brought.issued - brought.spent - brought.expired + brought.moved


def _sum(some: Iterable[Brought]) -> Brought:
    each = list(some)
    return Brought(*(sum(getattr(one, name) for one in each) for name in _SUMS))


def _members_by_day(
    session: Session, programme_id: str, location_id: str | None, until: date
) -> dict[date, tuple[int, int]]:
    found = (
        select(
            InsightMembers.day,
            func.sum(InsightMembers.joined),
            func.sum(InsightMembers.departed),
        )
        .where(InsightMembers.programme_id == programme_id, InsightMembers.day < until)
        .group_by(InsightMembers.day)
    )
    if location_id is not None:
        found = found.where(InsightMembers.location_id == location_id)
    return {day: (int(joined), int(gone)) for day, joined, gone in session.execute(found)}
