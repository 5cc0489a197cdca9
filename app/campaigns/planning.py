"""Recipients of a campaign: found in its segment a page at a time, each with its draw and its turn.

A page is one transaction: whoever is interrupted begins after the last page. Who is muted, or had
as many messages this week as anybody may have, is kept as skipped, with the reason. Hold-outs are
drawn among the others, and stand in the same queue as they: so both groups differ by the message
alone, also where a campaign is stopped half-way.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import bindparam, func, insert, select
from sqlalchemy.orm import Session

from app.campaigns import habits, selecting
from app.campaigns.choosing import draw, is_held_out
from app.campaigns.models import (
    Campaign,
    CampaignState,
    Habit,
    Mute,
    Recipient,
    State,
)
from app.campaigns.plans import BEST_HOUR, EVENT, REPEATING, Plan, read_plan
from app.campaigns.selecting import Ground
from app.campaigns.timing import next_allowed, next_hour
from app.db import Prepared
from app.keys import KeyRing

WEEK = timedelta(days=7)
#: Accounts of a page.
PAGE = 4000
APPLE, GOOGLE, ON_PAGE = "apple", "google", "page"
LANES = (APPLE, GOOGLE, ON_PAGE)
MUTED, CAPPED = "muted", "capped"
#: Whoever has no hour of their own is told at this one, where the programme has none either.
_USUAL_HOUR = 10

_recipients: Any = Recipient.__table__
_mutes: Any = Mute.__table__
_habits: Any = Habit.__table__
_ids: Any = bindparam("ids", expanding=True)
_write = Prepared(insert(_recipients))
_known = Prepared(
    select(_recipients.c.account_id).where(
        _recipients.c.campaign_id == bindparam("campaign"),
        _recipients.c.occasion == bindparam("occasion"),
        _recipients.c.account_id.in_(_ids),
    )
)
_muted = Prepared(select(_mutes.c.account_id).where(_mutes.c.account_id.in_(_ids)))
_lately = Prepared(
    select(_recipients.c.account_id, func.count().label("messages"))
    .where(
        _recipients.c.account_id.in_(_ids),
        _recipients.c.sent_at > bindparam("since"),
        _recipients.c.state != State.HELD_OUT,
        _recipients.c.state != State.SKIPPED,
    )
    .group_by(_recipients.c.account_id)
)
_hours = Prepared(
    select(_habits.c.account_id, _habits.c.hour).where(
        _habits.c.account_id.in_(_ids), _habits.c.hour.is_not(None)
    )
)


class Reach(Protocol):
    """Knows which wallets hold an account's card: `app.delivery.reaching`."""

    def lanes(self, session: Session, account_ids: Sequence[str]) -> Mapping[str, str]:
        """The lane of each account; those without a wallet are left out."""


@dataclass(frozen=True, slots=True)
class Turns:
    """When recipients' turns come: of all together, or by the hour in which each usually comes."""

    at: datetime
    by_hour: Mapping[int, datetime]
    usual: int

    @classmethod
    def of(cls, plan: Plan, at: datetime, time_zone: str, usual: int | None) -> "Turns":
        """The turns of a plan that begins at a moment."""
        quiet = plan.limits.quiet
        by_hour = {}
        if plan.when.kind == BEST_HOUR:
            by_hour = {
                hour: next_allowed(next_hour(at, hour, time_zone), quiet, time_zone)
                for hour in range(24)
            }
        usual = _USUAL_HOUR if usual is None else usual
        return cls(next_allowed(at, quiet, time_zone), by_hour, usual)

    def due_at(self, hour: int | None) -> datetime:
        """The turn of somebody who usually comes at that local hour."""
        if not self.by_hour:
            return self.at
        return self.by_hour[self.usual if hour is None else hour]


def capped(session: Session, account_ids: Sequence[str], per_week: int, now: datetime) -> set[str]:
    """Those of the accounts that had *per_week* messages or more in the last seven days."""
    if not per_week or not account_ids:
        return set()
    rows = _lately(session, {"ids": list(account_ids), "since": now - WEEK})
    return {row.account_id for row in rows if row.messages >= per_week}


def muted(session: Session, account_ids: Sequence[str]) -> set[str]:
    """Those of the accounts that want no messages."""
    return {row.account_id for row in _muted(session, {"ids": list(account_ids)})}


def plan_page(
    session: Session,
    campaign: Campaign,
    keys: KeyRing,
    reach: Reach,
    *,
    now: datetime,
    limit: int = PAGE,
) -> int:
    """Add the next recipients of a campaign that is locked; how many accounts were looked at."""
    if campaign.planned_after is None:
        return 0
    plan = read_plan(campaign.plan)
    ground = Ground.of(session, keys, campaign.programme_id, now)
    page = selecting.next_page(ground, plan.segment, after=campaign.planned_after, limit=limit)
    turns = _turns(ground, plan, campaign, now)
    add(session, campaign, plan, page.ids, reach, turns, occasion=campaign.occasion, now=now)
    campaign.planned_after = page.upto
    session.flush()
    return page.looked_at


def _turns(ground: Ground, plan: Plan, campaign: Campaign, now: datetime) -> Turns:
    progress = habits.progress_of(ground.session, ground.programme_id)
    at = campaign.turn_at or now
    return Turns.of(plan, at, ground.time_zone, progress.hour if progress else None)


def add(
    session: Session,
    campaign: Campaign,
    plan: Plan,
    account_ids: Sequence[str],
    reach: Reach,
    turns: Turns,
    *,
    occasion: str,
    now: datetime,
) -> int:
    """Add these accounts to a campaign's recipients for an occasion, those who are not there yet;
    how many they were."""
    if not account_ids:
        return 0
    ids = list(account_ids)
    asked = {"ids": ids, "campaign": campaign.id, "occasion": occasion}
    there = {row.account_id for row in _known(session, asked)}
    new = [each for each in ids if each not in there]
    if not new:
        return 0
    lanes = reach.lanes(session, new)
    silent, tired = muted(session, new), capped(session, new, plan.limits.per_week, now)
    hours = {}
    if turns.by_hour:
        hours = {row.account_id: row.hour for row in _hours(session, {"ids": new})}
    rows = []
    for account_id in new:
        number = draw(campaign.seed, account_id)
        reason = MUTED if account_id in silent else CAPPED if account_id in tired else None
        rows.append(
            {
                "campaign_id": campaign.id,
                "account_id": account_id,
                "occasion": occasion,
                "programme_id": campaign.programme_id,
                "state": str(State.WAITING if reason is None else State.SKIPPED),
                "lane": lanes.get(account_id, ON_PAGE),
                "held_out": is_held_out(number, plan.limits.hold_out_percent),
                "draw": number,
                "due_at": turns.due_at(hours.get(account_id)),
                "reason": reason,
                "cost_minor": 0,
            }
        )
    _write(session, rows)
    counts = Counter(str(row["state"]) for row in rows)
    counts.update(reason_of(str(row["reason"])) for row in rows if row["reason"])
    tally(campaign, counts, held=_held(rows))
    return len(rows)


def _held(rows: Iterable[Mapping[str, Any]]) -> int:
    return sum(bool(row["held_out"]) for row in rows if row["state"] == State.WAITING)


def reason_of(reason: str) -> str:
    """The name under which a campaign's counts have those who failed or were skipped for it."""
    return f"reason:{reason}"


def tally(campaign: Campaign, more: Mapping[str, int], *, held: int = 0) -> None:
    """Add to a locked campaign's counts of its recipients' states (below zero: fewer).

    ``to_hold_out`` counts those among the waiting whose turn will bring them nothing.
    """
    counts = Counter(campaign.counts)
    counts.update(more)
    counts["to_hold_out"] += held
    campaign.counts = {name: number for name, number in counts.items() if number}


def next_turn(campaign: Campaign, plan: Plan, time_zone: str, now: datetime) -> bool:
    """Begin the next turn of a repeating campaign whose last one is over; False: there is none."""
    repeat = plan.when.repeat
    if plan.when.kind != REPEATING or repeat is None:
        return False
    after = max(campaign.turn_at or now, now - timedelta(minutes=1))
    found = repeat.next_after(after, time_zone)
    if found is None:
        return False
    campaign.turn_at = found
    campaign.turn += 1
    campaign.occasion = f"turn:{found:%Y-%m-%dT%H:%MZ}"
    campaign.planned_after = "00000000-0000-0000-0000-000000000000"
    campaign.state = CampaignState.SCHEDULED
    return True


def is_event(plan: Plan) -> bool:
    """Whether it waits for something to happen."""
    return plan.when.kind == EVENT
