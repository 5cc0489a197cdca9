"""The background step of campaigns: plan, watch for events, release, note what arrived, measure.

Bounded, safe to be killed anywhere and to run twice and side by side: each campaign's row is locked
by whoever is at it, and passed over by the others.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.campaigns import arriving, events, gifts, planning, releasing, results
from app.campaigns.arriving import FETCH_WITHIN, Wallets
from app.campaigns.models import Campaign, CampaignState, State
from app.campaigns.planning import Reach
from app.campaigns.plans import Plan, read_plan
from app.campaigns.releasing import WINDOW
from app.context import Context
from app.db import within
from app.programmes.models import Programme
from app.programmes.terms import rulebook_of

#: How often a campaign is looked at that does nothing at the moment.
_WHILE_IT_RUNS, _WHILE_IT_WAITS = timedelta(milliseconds=150), timedelta(seconds=1)
#: Phones fetch within minutes, most of them; some in the next days.
_FRESHLY_OVER = timedelta(hours=1)
_FRESH, _AFTERWARDS = timedelta(seconds=5), timedelta(minutes=10)


class Outside(Reach, Wallets, Protocol):
    """What campaigns have to know of the wallets."""

    def watch(self, session: Session, programme_id: str, until: datetime) -> None:
        """Have fetches of the programme's passes noted until then."""


def step(
    context: Context,
    outside: Outside,
    *,
    now: datetime,
    windows: Mapping[str, int] = WINDOW,
    page: int = planning.PAGE,
) -> int:
    """One bounded piece of work for every campaign that has some; how much was done."""
    with context.database.read_all() as session:
        found = at_work(session, now)
    done = 0
    for programme_id, campaign_id in found:
        with context.database.write_all() as session:
            campaign = session.scalar(
                select(Campaign).where(Campaign.id == campaign_id).with_for_update(skip_locked=True)
            )
            if campaign is None:
                continue
            with within(session, programme_id):
                done += work(
                    session, campaign, context, outside,
                    now=now, windows=windows, page=page,
                )  # fmt: skip
    return done


def at_work(session: Session, now: datetime) -> list[tuple[str, str]]:
    """Campaigns that have something to do: (programme, campaign)."""
    rows = session.execute(
        select(Campaign.programme_id, Campaign.id)
        .where(Campaign.next_step_at <= now)
        .order_by(Campaign.next_step_at)
    )
    return [(row.programme_id, row.id) for row in rows]


def work(
    session: Session,
    campaign: Campaign,
    context: Context,
    outside: Outside,
    *,
    now: datetime,
    windows: Mapping[str, int] = WINDOW,
    page: int = planning.PAGE,
) -> int:
    """One piece of work for a campaign that is locked; how much was done."""
    plan = read_plan(campaign.plan)
    done = 0
    if campaign.state in (CampaignState.SCHEDULED, CampaignState.RUNNING):
        if campaign.turn_at is not None and campaign.turn_at > now:
            return 0
        _begin(session, campaign, plan, outside, now)
        if planning.is_event(plan):
            done += _wait(session, campaign, context, outside, now, page)
        else:
            done += planning.plan_page(
                session, campaign, context.keys, outside, now=now, limit=page
            )
        # Nobody is told before everybody is found: the draw decides who is first.
        if campaign.planned_after is None:
            done += releasing.release(session, campaign, now=now, windows=windows)
    done += arriving.look(session, campaign, outside, now=now)
    if campaign.state == CampaignState.RUNNING:
        done += _finish(session, campaign, plan, now)
    done += results.measure(session, campaign, now=now)
    campaign.next_step_at = next_step(campaign, plan, done, now)
    session.flush()
    return done


def next_step(campaign: Campaign, plan: Plan, done: int, now: datetime) -> datetime | None:
    """When the campaign has something to do next; None: never again."""
    if done:
        return now
    if campaign.state == CampaignState.SCHEDULED:
        return campaign.turn_at
    if campaign.state == CampaignState.RUNNING:
        return now + (_WHILE_IT_RUNS if campaign.counts.get(State.WAITING) else _WHILE_IT_WAITS)
    on_the_way = any(campaign.counts.get(each) for each in (State.SENT, State.FAILED))
    if campaign.ended_at is None or now < campaign.ended_at + FETCH_WITHIN:
        recent = campaign.ended_at is None or now < campaign.ended_at + _FRESHLY_OVER
        return now + (_WHILE_IT_WAITS if on_the_way else _FRESH if recent else _AFTERWARDS)
    over_at = campaign.ended_at + timedelta(days=plan.measure_days)
    if campaign.result.get("is_whole") or not campaign.result_at:
        return None
    return max(campaign.result_at, min(now + _AFTERWARDS, over_at))


def _begin(
    session: Session, campaign: Campaign, plan: Plan, outside: Outside, now: datetime
) -> None:
    if campaign.state == CampaignState.RUNNING:
        return
    campaign.state = CampaignState.RUNNING
    book = rulebook_of(session, campaign.programme_id, now)
    cost = gifts.cost_each_minor(plan, book.at(now).settings, book.currency)
    campaign.cursor = {**campaign.cursor, "cost_each": cost}
    outside.watch(session, campaign.programme_id, now + FETCH_WITHIN)
    session.flush()


def _wait(
    session: Session,
    campaign: Campaign,
    context: Context,
    outside: Outside,
    now: datetime,
    page: int,
) -> int:
    look_at = campaign.cursor.get("look_at")
    if look_at is not None and datetime.fromisoformat(look_at) > now:
        return 0
    outside.watch(session, campaign.programme_id, now + FETCH_WITHIN)
    return events.look(session, campaign, context.keys, outside, now=now, limit=page)


def _finish(session: Session, campaign: Campaign, plan: Plan, now: datetime) -> int:
    """End a turn in which nobody is left to be told; the campaign with its last one."""
    if planning.is_event(plan) or campaign.planned_after is not None:
        return 0
    if campaign.counts.get(State.WAITING):
        return 0
    zone = session.scalar(select(Programme.time_zone).where(Programme.id == campaign.programme_id))
    if not planning.next_turn(campaign, plan, str(zone), now):
        campaign.state, campaign.ended_at = CampaignState.DONE, now
    session.flush()
    return 1
