"""Segments as conditions of the database, the same on both: counts, pages of accounts, samples.

A segment's accounts are those that hold a card which works, are merged into no other, and meet what
it says. One statement for a count, whatever is combined.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Double,
    Select,
    and_,
    case,
    cast,
    exists,
    false,
    func,
    literal,
    not_,
    or_,
    select,
    text,
    true,
)
from sqlalchemy.orm import Session

from app.campaigns import habits, rfm
from app.campaigns.models import Habit, Listed
from app.campaigns.segments import NO_TIER, Condition, Group, Node, conditions
from app.cards.models import Card
from app.keys import KeyRing
from app.ledger.models import Account, Lot
from app.ledger.rules import local_day, start_of_day
from app.members import service as members
from app.members.models import Member
from app.programmes.mechanics.occasions import days_of
from app.programmes.models import Location, Programme
from passes.card import CardStatus
from passes.code import Kind

#: What needs to know an account's visits.
_OF_HABITS = {"rfm", "last_visit", "visits", "spend", "location"}
_DAY = timedelta(days=1)
#: Before every account.
FIRST = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True, slots=True)
class Ground:
    """What the conditions of a segment are read against: one programme at one moment.

    *span*: only accounts after the first id and up to the second. Every part of a statement is
    narrowed to it, so that a page costs as much as it holds, however many accounts there are.
    """

    session: Session
    keys: KeyRing
    programme_id: str
    now: datetime
    time_zone: str
    span: tuple[str, str] | None = None

    @classmethod
    def of(cls, session: Session, keys: KeyRing, programme_id: str, now: datetime) -> "Ground":
        """The ground of a programme; the session is open for it."""
        zone = session.scalar(select(Programme.time_zone).where(Programme.id == programme_id))
        return cls(session, keys, programme_id, now, str(zone))

    @property
    def today(self) -> date:
        """The local day."""
        return local_day(self.now, self.time_zone)

    def within(self, column: Any) -> ColumnElement[bool]:
        """Whether an account's id is in the span."""
        if self.span is None:
            return true()
        return and_(column > self.span[0], column <= self.span[1])


def count(ground: Ground, node: Node) -> int:
    """How many accounts are in a segment now."""
    _make_room(ground.session)
    return ground.session.scalar(_chosen(ground, node, func.count())) or 0


def _make_room(session: Session) -> None:
    """Let PostgreSQL join a million rows in memory, without compiling the statement first, for
    this transaction: by default it writes the tables of a join to disk in pieces. Each process
    that helps adds a condition's own sums up anew: more than one costs more than it brings."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SET LOCAL work_mem = '192MB'"))
        session.execute(text("SET LOCAL jit = off"))
        session.execute(text("SET LOCAL max_parallel_workers_per_gather = 1"))


def count_of(ground: Ground, node: Node, account_ids: Select[Any]) -> int:
    """How many accounts of a segment are among others."""
    _make_room(ground.session)
    chosen = _chosen(ground, node, func.count()).where(Account.id.in_(account_ids))
    return ground.session.scalar(chosen) or 0


def page(ground: Ground, node: Node, *, after: str, limit: int) -> list[str]:
    """The next accounts of a segment, in the order of their ids."""
    found = ground.session.scalars(
        _chosen(ground, node, Account.id)
        .where(Account.id > after)
        .order_by(Account.id)
        .limit(limit)
    )
    return list(found)


class Page(NamedTuple):
    """Accounts of a segment among the next ones, and the last that was looked at (None: there are
    no more)."""

    ids: list[str]
    looked_at: int
    upto: str | None


def next_page(ground: Ground, node: Node, *, after: str, limit: int) -> Page:
    """Look through the *limit* accounts after one, whether they are in the segment or not."""
    found = ground.session.scalars(
        select(Account.id)
        .where(Account.programme_id == ground.programme_id, Account.id > after)
        .order_by(Account.id)
        .limit(limit)
    ).all()
    if not found:
        return Page([], 0, None)
    near = replace(ground, span=(after, found[-1]))
    with _joined_as_many(ground.session):
        ids = ground.session.scalars(_chosen(near, node, Account.id).order_by(Account.id)).all()
    return Page(list(ids), len(found), found[-1] if len(found) == limit else None)


@contextmanager
def _joined_as_many(session: Session) -> Iterator[None]:
    """Keep PostgreSQL from taking a span of ids for a single row, which it does where new ids stand
    close together: it would then compare each of thousands of accounts with each card."""
    if session.get_bind().dialect.name != "postgresql":
        yield
        return
    session.execute(text("SET LOCAL enable_nestloop = off"))
    yield
    session.execute(text("SET LOCAL enable_nestloop = on"))


def those_of(ground: Ground, node: Node, account_ids: Sequence[str]) -> list[str]:
    """Those of the accounts that are in a segment, in the order of their ids."""
    if not account_ids:
        return []
    found = ground.session.scalars(
        _chosen(ground, node, Account.id)
        .where(Account.id.in_(list(account_ids)))
        .order_by(Account.id)
    )
    return list(found)


def sample(ground: Ground, node: Node, limit: int = 10) -> list[str]:
    """Some accounts of a segment: of everywhere in it, and the same ones while nothing changes."""
    found: list[str] = []
    for start in ("0", "8", "4", "c", "2", "a", "6", "e"):
        if len(found) >= limit:
            break
        after = start + "0000000-0000-0000-0000-000000000000"
        rows = page(ground, node, after=after, limit=limit)
        found += [each for each in rows if each not in found]
    return found[:limit]


def statement(ground: Ground, node: Node) -> Select[Any]:
    """What counts a segment; to look at its plan."""
    return _chosen(ground, node, func.count())


def _chosen(ground: Ground, node: Node, column: Any) -> Select[Any]:
    chosen = select(column).select_from(Account)
    if any(each.kind in _OF_HABITS for each in conditions(node)):
        theirs = and_(Habit.account_id == Account.id, ground.within(Habit.account_id))
        chosen = chosen.outerjoin(Habit, theirs)
    return chosen.where(
        Account.programme_id == ground.programme_id,
        Account.merged_into_id.is_(None),
        ground.within(Account.id),
        Account.id.in_(_holders(ground)),
        _condition(ground, node),
    )


def _holders(ground: Ground) -> Any:
    """Accounts with a card that works."""
    return select(Card.account_id).where(
        Card.status == CardStatus.ACTIVE,
        Card.kind == int(Kind.MEMBER),
        ground.within(Card.account_id),
    )


def _condition(ground: Ground, node: Node) -> ColumnElement[bool]:
    if isinstance(node, Condition):
        found: ColumnElement[bool] = _KINDS[node.kind](ground, node)
        return found
    parts = [_condition(ground, each) for each in node.of]
    if node.how == "not":
        # Nobody knows nothing: what is unknown of somebody does not hold.
        return not_(func.coalesce(parts[0], false()))
    if isinstance(node, Group) and node.how == "any":
        return or_(false(), *parts)
    return and_(true(), *parts)


def _within(column: Any, condition: Condition) -> ColumnElement[bool]:
    low, high = condition.get("at_least"), condition.get("at_most")
    parts = [] if low is None else [column >= low]
    parts += [] if high is None else [column <= high]
    return and_(true(), *parts)


def _rfm(ground: Ground, condition: Condition) -> ColumnElement[bool]:
    progress = habits.progress_of(ground.session, ground.programme_id)
    bounds = rfm.Bounds.read(progress.bounds if progress else None)
    worth = _score(Habit.visits, bounds.visits) + _score(Habit.spend_minor, bounds.spend_minor)
    came = and_(Habit.last_visit_on.is_not(None), Habit.visits > 0)
    # Written as bands, each looked at once: a million rows ask for few comparisons each.
    fresh, stale = (ground.today - timedelta(days=each) for each in bounds.days[1:3])
    bands = (
        (Habit.last_visit_on >= fresh, 5),
        (and_(Habit.last_visit_on < fresh, Habit.last_visit_on >= stale), 3),
        (Habit.last_visit_on < stale, 1),
    )
    wanted = set(condition.values["classes"])
    parts: list[ColumnElement[bool]] = []
    if "lost" in wanted:
        parts.append(not_(func.coalesce(came, false())))
    for lately, score in bands:
        sums = [each for each in range(2, 11) if rfm.class_by_scores(score, each) in wanted]
        for low, high in _runs(sums):
            parts.append(and_(came, lately, worth.between(low, high)))
    return or_(false(), *parts)


def _runs(numbers: Sequence[int]) -> list[tuple[int, int]]:
    """Rising whole numbers as runs without gaps: 2 3 6 7 8 are (2, 3) and (6, 8)."""
    runs: list[tuple[int, int]] = []
    for each in numbers:
        if runs and runs[-1][1] == each - 1:
            runs[-1] = (runs[-1][0], each)
        else:
            runs.append((each, each))
    return runs


def _score(column: Any, bounds: Sequence[int]) -> Any:
    found: Any = literal(1)
    for each in bounds:
        found = found + case((column > each, 1), else_=0)
    return found


def _tier(ground: Ground, condition: Condition) -> ColumnElement[bool]:
    tiers = [each for each in condition.values["tiers"] if each != NO_TIER]
    without = Account.tier.is_(None)
    with_one = func.coalesce(Account.tier.in_(tiers), false())
    return or_(with_one, without) if NO_TIER in condition.values["tiers"] else with_one


def _last_visit(ground: Ground, condition: Condition) -> ColumnElement[bool]:
    # Who never came has been away since joining.
    most, least = condition.get("days_at_most"), condition.get("days_at_least")
    parts: list[ColumnElement[bool]] = [true()]
    if least is not None:
        day = ground.today - timedelta(days=least)
        joined = Account.created_at < start_of_day(day + _DAY, ground.time_zone)
        never = and_(Habit.last_visit_on.is_(None), joined)
        parts.append(or_(func.coalesce(Habit.last_visit_on <= day, false()), never))
    if most is not None:
        day = ground.today - timedelta(days=most)
        parts.append(func.coalesce(Habit.last_visit_on >= day, false()))
    return and_(*parts)


def _birthday(ground: Ground, condition: Condition) -> ColumnElement[bool]:
    ahead = range(condition.values["within_days"] + 1)
    days = sorted({text for each in ahead for text in days_of(ground.today + timedelta(days=each))})
    indexes = members.birthday_indexes(ground.keys, ground.programme_id, days)
    return Account.id.in_(
        select(Card.account_id)
        .join(Member, Member.id == Card.member_id)
        .where(
            Member.birthday_index.in_(indexes),
            Card.status == CardStatus.ACTIVE,
            ground.within(Card.account_id),
        )
    )


def _location(ground: Ground, condition: Condition) -> ColumnElement[bool]:
    slugs = condition.values["locations"]
    places = ground.session.scalars(select(Location.id).where(Location.slug.in_(slugs))).all()
    return func.coalesce(Habit.location_id.in_(list(places)), false())


def _source(ground: Ground, condition: Condition) -> ColumnElement[bool]:
    return Account.id.in_(
        select(Card.account_id).where(
            Card.source.in_(condition.values["sources"]), ground.within(Card.account_id)
        )
    )


def _joined(ground: Ground, condition: Condition) -> ColumnElement[bool]:
    first, last = condition.get("from"), condition.get("to")
    parts: list[ColumnElement[bool]] = [true()]
    if first is not None:
        parts.append(Account.created_at >= start_of_day(first, ground.time_zone))
    if last is not None:
        parts.append(Account.created_at < start_of_day(last + _DAY, ground.time_zone))
    return and_(*parts)


def _expiring(ground: Ground, condition: Condition) -> ColumnElement[bool]:
    until = start_of_day(
        ground.today + timedelta(days=condition.values["within_days"] + 1), ground.time_zone
    )
    least = condition.get("at_least") or 1
    lots = (
        select(Lot.account_id)
        .where(
            Lot.expires_at > ground.now,
            Lot.expires_at <= until,
            Lot.remaining > Lot.held,
            Lot.remaining > 0,
            ground.within(Lot.account_id),
        )
        .group_by(Lot.account_id)
        # As a number of the machine: a sum of exact decimals takes several times as long.
        .having(func.sum(cast(Lot.remaining - Lot.held, Double)) >= least)
    )
    rolling = and_(
        Account.rolling_expires_at.is_not(None),
        Account.rolling_expires_at > ground.now,
        Account.rolling_expires_at <= until,
        Account.balance >= least,
    )
    return or_(Account.id.in_(lots), func.coalesce(rolling, false()))


def _language(ground: Ground, condition: Condition) -> ColumnElement[bool]:
    return exists(
        select(Card.id).where(
            Card.account_id == Account.id,
            ground.within(Card.account_id),
            Card.status == CardStatus.ACTIVE,
            Card.language.in_(condition.values["languages"]),
        )
    )


def _list(ground: Ground, condition: Condition) -> ColumnElement[bool]:
    return Account.id.in_(
        select(Listed.account_id).where(
            Listed.list_id == condition.values["list"], ground.within(Listed.account_id)
        )
    )


_KINDS: Any = {
    "rfm": _rfm,
    "tier": _tier,
    "last_visit": _last_visit,
    "visits": lambda ground, each: _within(func.coalesce(Habit.visits, 0), each),
    "spend": lambda ground, each: _within(func.coalesce(Habit.spend_minor, 0), each),
    "birthday": _birthday,
    "location": _location,
    "source": _source,
    "joined": _joined,
    "balance": lambda ground, each: _within(Account.balance, each),
    "expiring": _expiring,
    "language": _language,
    "list": _list,
}
