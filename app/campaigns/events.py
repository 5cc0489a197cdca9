"""Campaigns that wait for something to happen: who joined, lapsed, has points that expire, reached
a tier, has a birthday. Each is told once for each occasion.

Looked for in the background, from when the campaign was approved. What happened is the occasion:
"lapsed:2026-05-17" is the visit after which somebody stayed away, so whoever comes back and stays
away again is told again. The segment has to hold too.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.campaigns import habits, planning, selecting
from app.campaigns.models import Campaign, Habit
from app.campaigns.planning import Reach, Turns
from app.campaigns.plans import BIRTHDAY, EXPIRING, JOINED, LAPSED, TIER, Plan, read_plan
from app.campaigns.selecting import Ground
from app.campaigns.timing import next_allowed
from app.cards.models import Card
from app.keys import KeyRing
from app.ledger.models import Account, Lot, TierChange
from app.ledger.rules import local_day, start_of_day
from app.members import service as members
from app.programmes.mechanics.occasions import days_of
from passes.card import CardStatus

#: How often is looked whether something happened.
LOOK_SECONDS = 20.0
#: So many days are made up for by a service that was away.
CATCH_UP_DAYS = 7
#: What commits late is found by looking again at what is this old.
_AGAIN = timedelta(minutes=2)
_FIRST = "00000000-0000-0000-0000-000000000000"

#: An account, what happened, and when it is to be told.
Happened = tuple[str, str, datetime]


def look(
    session: Session, campaign: Campaign, keys: KeyRing, reach: Reach, *, now: datetime, limit: int
) -> int:
    """Add whom something happened to since the last look; how many were looked at. The campaign is
    locked, and says itself when it is looked for again (``cursor["look_at"]``)."""
    plan = read_plan(campaign.plan)
    ground = Ground.of(session, keys, campaign.programme_id, now)
    cursor = dict(campaign.cursor)
    found = list(_FINDERS[str(plan.when.event)](ground, plan, cursor, limit))
    by_turn: dict[tuple[str, datetime], list[str]] = {}
    inside = set(selecting.those_of(ground, plan.segment, sorted({each[0] for each in found})))
    for account_id, occasion, at in found:
        if account_id in inside:
            by_turn.setdefault((occasion, at), []).append(account_id)
    for (occasion, at), ids in sorted(by_turn.items()):
        due = next_allowed(max(at, now), plan.limits.quiet, ground.time_zone)
        turns = Turns(due, {}, 0)
        planning.add(
            session, campaign, plan, sorted(set(ids)), reach, turns, occasion=occasion, now=now
        )
    again = timedelta(0) if len(found) >= limit else timedelta(seconds=LOOK_SECONDS)
    campaign.cursor = {**cursor, "look_at": (now + again).isoformat()}
    session.flush()
    return len(found)


def _joined(ground: Ground, plan: Plan, cursor: dict[str, Any], limit: int) -> Iterator[Happened]:
    """Who joined so many days ago; at once, where that is none."""
    wait = timedelta(days=plan.when.days)
    since, after = _place(cursor)
    rows = ground.session.execute(
        select(Account.id, Account.created_at)
        .where(
            Account.created_at >= since - (_AGAIN if after == _FIRST else timedelta(0)),
            Account.created_at <= ground.now - wait,
            Account.merged_into_id.is_(None),
        )
        .order_by(Account.created_at, Account.id)
        .limit(limit)
    ).all()
    approved = datetime.fromisoformat(cursor["since"])
    for row in rows:
        # Whoever had joined before the campaign was approved is nobody's news.
        if row.created_at >= approved:
            yield row.id, "joined", row.created_at + wait
    if len(rows) == limit:
        cursor["at"], cursor["after"] = rows[-1].created_at.isoformat(), rows[-1].id
    elif rows:
        cursor["at"], cursor["after"] = rows[-1].created_at.isoformat(), _FIRST


def _place(cursor: dict[str, Any]) -> tuple[datetime, str]:
    return datetime.fromisoformat(cursor.get("at", cursor["since"])), cursor.get("after", _FIRST)


def _days(ground: Ground, cursor: dict[str, Any]) -> Iterator[Any]:
    """The local days that are not done, today among them; the cursor moves on as they are asked."""
    today = ground.today
    began = local_day(datetime.fromisoformat(cursor["since"]), ground.time_zone)
    last = cursor.get("day")
    day = began if last is None else max(began, datetime.fromisoformat(last).date())
    day = max(day, today - timedelta(days=CATCH_UP_DAYS))
    while day <= today:
        yield day
        if day < today:
            day += timedelta(days=1)
            cursor["day"], cursor["after"] = day.isoformat(), _FIRST
        else:
            cursor["day"] = day.isoformat()
            return


def _paged(ids: Sequence[str], cursor: dict[str, Any], limit: int) -> bool:
    """Remember the place within a day; True where there may be more of it."""
    if len(ids) < limit:
        # Looked through; once more in a while, since more may come until midnight.
        cursor["after"] = _FIRST
        return False
    cursor["after"] = ids[-1]
    return True


def _lapsed(ground: Ground, plan: Plan, cursor: dict[str, Any], limit: int) -> Iterator[Happened]:
    """Whose last visit was so many days ago today."""
    habits.begin(ground.session, ground.programme_id, now=ground.now)
    for day in _days(ground, cursor):
        visited = day - timedelta(days=plan.when.days)
        ids = ground.session.scalars(
            select(Habit.account_id)
            .where(Habit.last_visit_on == visited, Habit.account_id > cursor.get("after", _FIRST))
            .order_by(Habit.account_id)
            .limit(limit)
        ).all()
        for each in ids:
            yield each, f"lapsed:{visited}", start_of_day(day, ground.time_zone)
        if _paged(ids, cursor, limit):
            return


def _expiring(ground: Ground, plan: Plan, cursor: dict[str, Any], limit: int) -> Iterator[Happened]:
    """Of whom points expire on the day that is so many days ahead."""
    for day in _days(ground, cursor):
        last_day = day + timedelta(days=plan.when.days)
        # They expire at the end of their last day: at the beginning of the next one.
        begins = start_of_day(last_day, ground.time_zone)
        ends = start_of_day(last_day + timedelta(days=1), ground.time_zone)
        ids = ground.session.scalars(
            select(Lot.account_id)
            .where(
                Lot.expires_at > begins,
                Lot.expires_at <= ends,
                Lot.remaining > Lot.held,
                Lot.account_id > cursor.get("after", _FIRST),
            )
            .group_by(Lot.account_id)
            .having(func.sum(Lot.remaining - Lot.held) >= plan.when.least_points)
            .order_by(Lot.account_id)
            .limit(limit)
        ).all()
        for each in ids:
            yield each, f"expiring:{last_day}", start_of_day(day, ground.time_zone)
        if _paged(ids, cursor, limit):
            return


def _tier(ground: Ground, plan: Plan, cursor: dict[str, Any], limit: int) -> Iterator[Happened]:
    """Who came into one of the tiers (any, where none is named)."""
    since, after = _place(cursor)
    again = _AGAIN if after == _FIRST else timedelta(0)
    rows = ground.session.execute(
        select(
            TierChange.account_id,
            TierChange.to_tier,
            TierChange.recorded_at,
            TierChange.sequence,
        )
        .where(
            TierChange.recorded_at >= since - again,
            TierChange.recorded_at >= datetime.fromisoformat(cursor["since"]),
            TierChange.to_tier.is_not(None),
        )
        .order_by(TierChange.recorded_at, TierChange.sequence)
        .limit(limit)
    ).all()
    for row in rows:
        if not plan.when.tiers or row.to_tier in plan.when.tiers:
            yield row.account_id, f"tier:{row.sequence}", row.recorded_at
    if rows:
        cursor["at"] = rows[-1].recorded_at.isoformat()
        cursor["after"] = str(rows[-1].sequence) if len(rows) == limit else _FIRST


def _birthday(ground: Ground, plan: Plan, cursor: dict[str, Any], limit: int) -> Iterator[Happened]:
    """Whose birthday is so many days ahead."""
    for day in _days(ground, cursor):
        celebrated = day + timedelta(days=plan.when.days)
        people = members.members_by_birthday(
            ground.session,
            ground.keys,
            ground.programme_id,
            days_of(celebrated),
            after=cursor.get("after", _FIRST),
            limit=limit,
        )
        rows = ground.session.execute(
            select(Card.account_id)
            .where(Card.member_id.in_(people), Card.status == CardStatus.ACTIVE)
            .order_by(Card.issued_at)
        )
        for row in rows:
            yield row.account_id, f"birthday:{celebrated.year}", start_of_day(day, ground.time_zone)
        if _paged(people, cursor, limit):
            return


_FINDERS: Any = {
    JOINED: _joined,
    LAPSED: _lapsed,
    EXPIRING: _expiring,
    TIER: _tier,
    BIRTHDAY: _birthday,
}
