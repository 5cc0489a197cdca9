"""Keeps what is known of each account's visits: when lately, how often, for how much, where, at
what hour.

Asking ten million entries for each count in the editor would take half a minute. So it is counted
in the background, a page of accounts at a time: all of them once a day (windows move on), and those
with new entries every half minute. A programme that never had a campaign costs nothing.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Integer, bindparam, delete, func, insert, or_, select
from sqlalchemy.orm import Session

from app.campaigns.models import Habit, HabitProgress
from app.campaigns.rfm import Bounds
from app.db import Prepared, within
from app.ledger.models import Account, Entry, EntryKind, Receipt, ReceiptReturn
from app.ledger.rules import local_day
from app.programmes.models import Programme

YEAR_DAYS = 365
#: How often new entries are looked for.
LOOK_SECONDS = 30.0
#: With fewer visits nobody has an hour of their own.
_FEWEST_VISITS = 3
_FIFTHS = 5

_accounts: Any = Account.__table__
_entries: Any = Entry.__table__
_receipts: Any = Receipt.__table__
_returns: Any = ReceiptReturn.__table__
_habits: Any = Habit.__table__
_ids: Any = bindparam("ids", expanding=True)
_owner = func.coalesce(_accounts.c.merged_into_id, _accounts.c.id)
_back = (
    select(func.sum(_returns.c.amount_minor))
    .where(_returns.c.receipt_id == _receipts.c.id, _returns.c.reversed_at.is_(None))
    .scalar_subquery()
)
_moves = Prepared(
    select(
        _owner.label("owner"),
        _entries.c.kind,
        _entries.c.day,
        _entries.c.occurred_at,
        _entries.c.location_id,
        _entries.c.counted_minor,
        _receipts.c.amount_minor,
        _back.label("back"),
    )
    .select_from(
        _accounts.join(_entries, _entries.c.account_id == _accounts.c.id).outerjoin(
            _receipts, _receipts.c.id == _entries.c.receipt_id
        )
    )
    .where(
        or_(_accounts.c.id.in_(_ids), _accounts.c.merged_into_id.in_(_ids)),
        or_(_entries.c.kind == EntryKind.ACCRUAL, _entries.c.counted_minor != 0),
    )
)
_page = Prepared(
    select(_accounts.c.id)
    .where(_accounts.c.id > bindparam("after"), _accounts.c.merged_into_id.is_(None))
    .order_by(_accounts.c.id)
    .limit(bindparam("limit"))
)
_newest = Prepared(select(func.coalesce(func.max(_entries.c.sequence), 0).label("newest")))
_since = Prepared(
    select(_entries.c.sequence, _entries.c.account_id)
    .where(_entries.c.sequence > bindparam("after"))
    .order_by(_entries.c.sequence)
    .limit(bindparam("limit"))
)
_forget = Prepared(delete(_habits).where(_habits.c.account_id.in_(_ids)))
_write = Prepared(insert(_habits))
_FIRST = "00000000-0000-0000-0000-000000000000"


def begin(session: Session, programme_id: str, *, now: datetime) -> HabitProgress:
    """Let a programme's habits be kept from now on."""
    found = session.get(HabitProgress, programme_id)
    if found is None:
        zone = _zone(session, programme_id)
        found = HabitProgress(
            programme_id=programme_id,
            day=local_day(now, zone),
            after=_FIRST,
            sequence=_newest(session, programme_id=programme_id).scalar_one(),
            looked_at=now,
        )
        session.add(found)
        session.flush()
    return found


def progress_of(session: Session, programme_id: str) -> HabitProgress | None:
    """How far a programme's habits are; None where they are not kept."""
    return session.scalar(select(HabitProgress).where(HabitProgress.programme_id == programme_id))


def step(session: Session, now: datetime, limit: int) -> int:
    """Bring up to *limit* accounts up to date; how many were looked at.

    The session is open for all programmes, and writes. Each programme has its own row, which is
    locked while its page is counted; a page that another process has is passed over.
    """
    rows = session.scalars(
        select(HabitProgress).order_by(HabitProgress.programme_id).with_for_update(skip_locked=True)
    ).all()
    done = 0
    for row in rows:
        with within(session, row.programme_id):
            done += _step(session, row, now, limit)
        if done >= limit:
            break
    return done


def is_anything_due(session: Session, now: datetime) -> bool:
    """Whether some programme's habits are to be looked at; the session is open for all of them."""
    rows = session.execute(
        select(
            HabitProgress.looked_at, HabitProgress.after, HabitProgress.day, Programme.time_zone
        ).join(Programme, Programme.id == HabitProgress.programme_id)
    )
    return any(
        row.after is not None
        or row.day < local_day(now, row.time_zone)
        or (now - row.looked_at).total_seconds() >= LOOK_SECONDS
        for row in rows
    )


def catch_up(session: Session, programme_id: str, now: datetime, limit: int) -> HabitProgress:
    """Bring one programme up to date, by up to *limit* accounts; for whoever is about to count."""
    row = begin(session, programme_id, now=now)
    session.refresh(row, with_for_update=True)
    left = limit
    while left > 0 and (done := _step(session, row, now, left, at_once=True)):
        left -= done
    return row


def _step(
    session: Session, row: HabitProgress, now: datetime, limit: int, *, at_once: bool = False
) -> int:
    zone = _zone(session, row.programme_id)
    today = local_day(now, zone)
    if row.after is None and row.day < today:
        row.day, row.after = today, _FIRST
    if row.after is not None:
        values = {"after": row.after, "limit": limit}
        ids = [each.id for each in _page(session, values, programme_id=row.programme_id)]
        count(session, row.programme_id, ids, today=row.day, time_zone=zone)
        if len(ids) < limit:
            row.after, row.is_whole = None, True
            row.bounds, row.hour = _bounds(session, row), _usual_hour(session)
        else:
            row.after = ids[-1]
        session.flush()
        return len(ids) or 1
    if not at_once and (now - row.looked_at).total_seconds() < LOOK_SECONDS:
        return 0
    row.looked_at = now
    values = {"after": row.sequence, "limit": limit}
    found = _since(session, values, programme_id=row.programme_id).all()
    if not found:
        session.flush()
        return 0
    touched = sorted({each.account_id for each in found})
    count(session, row.programme_id, _owners(session, touched), today=row.day, time_zone=zone)
    row.sequence = found[-1].sequence
    session.flush()
    return len(touched)


def count(
    session: Session, programme_id: str, account_ids: Sequence[str], *, today: date, time_zone: str
) -> None:
    """Count these accounts' habits anew."""
    if not account_ids:
        return
    ids = list(account_ids)
    moves: dict[str, list[Any]] = {}
    for move in _moves(session, {"ids": ids}, programme_id=programme_id):
        moves.setdefault(move.owner, []).append(move)
    since, zone = today - timedelta(days=YEAR_DAYS - 1), ZoneInfo(time_zone)
    _forget(session, {"ids": ids}, programme_id=programme_id)
    rows = [
        {"account_id": each, "programme_id": programme_id, **_habit(moves[each], since, zone)}
        for each in ids
        if each in moves
    ]
    if rows:
        _write(session, rows)


def _habit(moves: Sequence[Any], since: date, zone: ZoneInfo) -> dict[str, Any]:
    last: date | None = None
    visits = spend = 0
    hours: Counter[int] = Counter()
    places: Counter[str] = Counter()
    for move in moves:
        if move.day >= since:
            spend += int(move.counted_minor)
        if move.kind != EntryKind.ACCRUAL or move.amount_minor is None:
            continue
        if move.back is not None and move.back >= move.amount_minor:
            continue
        last = move.day if last is None or move.day > last else last
        if move.day >= since:
            visits += 1
            hours[move.occurred_at.astimezone(zone).hour] += 1
            if move.location_id is not None:
                places[move.location_id] += 1
    return {
        "last_visit_on": last,
        "visits": visits,
        "spend_minor": max(spend, 0),
        "location_id": _most(places),
        "hour": _most(hours) if visits >= _FEWEST_VISITS else None,
    }


def _most(counted: Counter[Any]) -> Any:
    """What was counted most often; of several the smallest, so that it does not flicker."""
    return min(counted, key=lambda each: (-counted[each], each), default=None)


def _owners(session: Session, account_ids: Sequence[str]) -> list[str]:
    rows = session.execute(
        select(func.coalesce(Account.merged_into_id, Account.id)).where(Account.id.in_(account_ids))
    )
    return sorted({str(owner) for (owner,) in rows})


def _bounds(session: Session, row: HabitProgress) -> dict[str, Any]:
    """The quintiles of those who came in the last year."""
    found: dict[str, tuple[int, ...]] = {}
    for name, column in (
        ("days", Habit.last_visit_on),
        ("visits", Habit.visits),
        ("spend_minor", Habit.spend_minor),
    ):
        values: Any = column
        # By day: the latest comes first.
        order = values.desc() if name == "days" else values
        fifth = func.ntile(_FIFTHS, type_=Integer).over(order_by=order).label("fifth")
        fifths = select(values.label("value"), fifth).where(Habit.visits > 0).subquery()
        ends = func.min(fifths.c.value) if name == "days" else func.max(fifths.c.value)
        rows = session.execute(select(ends).group_by(fifths.c.fifth).order_by(fifths.c.fifth)).all()
        if len(rows) < _FIFTHS:
            return {}
        ended = [each for (each,) in rows[:-1]]
        found[name] = tuple((row.day - each).days if name == "days" else each for each in ended)
    return Bounds(**found).as_json()


def _usual_hour(session: Session) -> int | None:
    """The hour at which most members usually come."""
    row = session.execute(
        select(Habit.hour)
        .where(Habit.hour.is_not(None))
        .group_by(Habit.hour)
        .order_by(func.count().desc(), Habit.hour)
        .limit(1)
    ).first()
    return None if row is None else row.hour


def _zone(session: Session, programme_id: str) -> str:
    zone = session.scalar(select(Programme.time_zone).where(Programme.id == programme_id))
    return str(zone or "UTC")
