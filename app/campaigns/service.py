"""The life of a campaign: draft, proposed, approved, paused, resumed, stopped; and copies of it.

A campaign that was proposed is never changed again: it is taken back to a draft, or copied.
"""

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.campaigns import habits
from app.campaigns.errors import NeedsAnother, NotADraft, NotNow
from app.campaigns.models import (
    Campaign,
    CampaignRules,
    CampaignState,
    UploadedList,
)
from app.campaigns.plans import (
    AT,
    BEST_HOUR,
    EVENT,
    REPEATING,
    USUAL_LIMITS,
    Plan,
    plan_as_json,
    read_limits,
    read_plan,
)
from app.campaigns.segments import conditions
from app.cards import news
from app.db import new_id
from app.errors import Invalid, NotFound
from app.languages import _
from app.programmes.fields import Wrong
from app.programmes.models import Programme
from app.programmes.settings import Settings

LONGEST_NAME = 120
_FIRST = "00000000-0000-0000-0000-000000000000"
_AT_WORK = (CampaignState.SCHEDULED, CampaignState.RUNNING)


def rules_of(session: Session, programme_id: str) -> CampaignRules:
    """What holds for all campaigns of the programme; the usual where nobody said."""
    found = session.scalar(select(CampaignRules).where(CampaignRules.programme_id == programme_id))
    return found or CampaignRules(
        programme_id=programme_id, needs_another=False, limits=dict(USUAL_LIMITS)
    )


def set_rules(
    session: Session, programme_id: str, *, needs_another: bool, limits: Mapping[str, Any]
) -> CampaignRules:
    """Say what holds from now on; campaigns that there are keep their limits. Raises `Invalid`."""
    try:
        read_limits(limits)
    except Wrong as wrong:
        raise Invalid(str(wrong), {"limits": [str(wrong)]}) from wrong
    found = rules_of(session, programme_id)
    found.needs_another, found.limits = needs_another, dict(limits)
    session.add(found)
    session.flush()
    return found


def create(
    session: Session,
    programme_id: str,
    name: str,
    plan: Mapping[str, Any],
    *,
    by: str | None,
    now: datetime,
    seed: str | None = None,
) -> Campaign:
    """A draft. *seed* (32 hexadecimal digits) of its draw; a fresh one, if not given.

    Raises `Invalid`.
    """
    campaign = Campaign(
        id=new_id(),
        programme_id=programme_id,
        name=_name(name),
        state=CampaignState.DRAFT,
        plan=plan_as_json(_read(plan)),
        seed=seed or secrets.token_hex(16),
        created_by=by,
        created_at=now,
        changed_at=now,
        counts={},
        cursor={},
        result={},
    )
    session.add(campaign)
    session.flush()
    habits.begin(session, programme_id, now=now)
    return campaign


def campaign_by_id(session: Session, campaign_id: str, *, locked: bool = False) -> Campaign:
    """The campaign of that id in the session's programme. Raises `NotFound`."""
    asked = select(Campaign).where(Campaign.id == campaign_id)
    if locked:
        asked = asked.with_for_update().execution_options(populate_existing=True)
    found = session.scalar(asked)
    if found is None:
        raise NotFound(_("There is no such campaign."))
    return found


def campaigns_of(session: Session, limit: int = 200) -> list[Campaign]:
    """The programme's campaigns, the newest first."""
    return list(
        session.scalars(
            select(Campaign).order_by(Campaign.created_at.desc(), Campaign.id).limit(limit)
        )
    )


def plan_of(campaign: Campaign) -> Plan:
    """What it says, to whom, when."""
    return read_plan(campaign.plan)


def change(
    session: Session,
    campaign_id: str,
    *,
    now: datetime,
    name: str | None = None,
    plan: Mapping[str, Any] | None = None,
) -> Campaign:
    """Change a draft. Raises `NotADraft`, `Invalid`."""
    campaign = campaign_by_id(session, campaign_id, locked=True)
    if campaign.state != CampaignState.DRAFT:
        raise NotADraft(_("This campaign was sent or proposed: copy it to change it."))
    if name is not None:
        campaign.name = _name(name)
    if plan is not None:
        campaign.plan = plan_as_json(_read(plan))
    campaign.changed_at = now
    session.flush()
    return campaign


def delete(session: Session, campaign_id: str) -> None:
    """Throw a draft away. Raises `NotADraft`."""
    campaign = campaign_by_id(session, campaign_id, locked=True)
    if campaign.state != CampaignState.DRAFT:
        raise NotADraft(_("Only a draft can be thrown away; what was sent stays in the books."))
    session.delete(campaign)
    session.flush()


def copy(session: Session, campaign_id: str, *, by: str | None, now: datetime) -> Campaign:
    """A draft that says the same, with a draw of its own."""
    old = campaign_by_id(session, campaign_id)
    plan = dict(old.plan)
    if plan.get("when", {}).get("kind") == AT:
        plan["when"] = {"kind": "now"}
    made = create(session, old.programme_id, old.name, plan, by=by, now=now)
    made.copied_from_id = old.id
    session.flush()
    return made


def propose(
    session: Session, campaign_id: str, settings: Settings, *, by: str | None, now: datetime
) -> Campaign:
    """Say that a draft is ready. Raises `Invalid` where something that it gives is not there."""
    campaign = campaign_by_id(session, campaign_id, locked=True)
    if campaign.state != CampaignState.DRAFT:
        raise NotADraft(_("This campaign was sent or proposed already."))
    _check(session, plan_of(campaign), settings, now)
    campaign.state = CampaignState.PROPOSED
    campaign.proposed_by, campaign.changed_at = by, now
    session.flush()
    return campaign


def take_back(session: Session, campaign_id: str, *, now: datetime) -> Campaign:
    """Make a proposed campaign a draft again."""
    campaign = campaign_by_id(session, campaign_id, locked=True)
    _must_be(campaign, CampaignState.PROPOSED)
    campaign.state, campaign.proposed_by = CampaignState.DRAFT, None
    campaign.changed_at = now
    session.flush()
    return campaign


def approve(
    session: Session,
    campaign_id: str,
    *,
    by: str | None,
    now: datetime,
) -> Campaign:
    """Let a proposed campaign go out; from here on it is never changed.

    Where the programme asks for two people: `NeedsAnother` for who proposed it.
    """
    campaign = campaign_by_id(session, campaign_id, locked=True)
    _must_be(campaign, CampaignState.PROPOSED)
    if rules_of(session, campaign.programme_id).needs_another and by == campaign.proposed_by:
        raise NeedsAnother(_("Somebody else has to approve what you proposed."))
    plan = plan_of(campaign)
    campaign.approved_by, campaign.approved_at = by, now
    campaign.changed_at = now
    campaign.news_id = news.publish(session, plan.content.news(), now=now)
    zone = _zone(session, campaign.programme_id)
    when = plan.when
    starts_at: datetime | None = now
    if when.kind == AT or (when.kind == BEST_HOUR and when.at is not None):
        starts_at = max(when.at or now, now)
    elif when.kind == REPEATING and when.repeat is not None:
        starts_at = when.repeat.next_after(now, zone)
        if starts_at is None:
            raise Invalid(_("Its last day is over: give it a later one."))
    campaign.starts_at = campaign.turn_at = starts_at
    campaign.state = CampaignState.SCHEDULED
    if when.kind == EVENT:
        campaign.cursor = {"since": now.isoformat()}
    else:
        campaign.occasion = turn_name(when.kind, starts_at)
        campaign.planned_after = _FIRST
    campaign.next_step_at = campaign.starts_at
    session.flush()
    return campaign


def turn_name(kind: str, at: datetime | None) -> str:
    """What tells one turn of a repeating campaign from another; nothing for one that goes once."""
    return f"turn:{at:%Y-%m-%dT%H:%MZ}" if kind == REPEATING and at is not None else ""


def pause(session: Session, campaign_id: str, *, now: datetime) -> Campaign:
    """Send nothing further until it is resumed."""
    campaign = campaign_by_id(session, campaign_id, locked=True)
    _must_be(campaign, *_AT_WORK)
    campaign.state, campaign.changed_at = CampaignState.PAUSED, now
    campaign.next_step_at = now
    session.flush()
    return campaign


def resume(session: Session, campaign_id: str, *, now: datetime) -> Campaign:
    """Go on where it was paused."""
    campaign = campaign_by_id(session, campaign_id, locked=True)
    _must_be(campaign, CampaignState.PAUSED)
    campaign.state, campaign.changed_at = CampaignState.RUNNING, now
    campaign.next_step_at = now
    session.flush()
    return campaign


def stop(session: Session, campaign_id: str, *, now: datetime) -> Campaign:
    """Send nothing further, for good. Who was told stays told, and is still measured."""
    campaign = campaign_by_id(session, campaign_id, locked=True)
    _must_be(campaign, *_AT_WORK, CampaignState.PAUSED)
    end(campaign, CampaignState.STOPPED, now=now, reason="stopped")
    session.flush()
    return campaign


def end(campaign: Campaign, state: CampaignState, *, now: datetime, reason: str | None) -> None:
    """Note that nothing further is sent, and why; the campaign is locked."""
    campaign.state, campaign.ended_at = state, now
    campaign.changed_at, campaign.end_reason = now, reason
    campaign.planned_after, campaign.next_step_at = None, now


def _must_be(campaign: Campaign, *states: CampaignState) -> None:
    if campaign.state not in states:
        raise NotNow(
            _("The campaign is %(state)s by now: look at the page again.", state=campaign.state)
        )


def _read(plan: Mapping[str, Any]) -> Plan:
    try:
        return read_plan(plan)
    except Wrong as wrong:
        part = str(wrong).partition(":")[0]
        raise Invalid(str(wrong), {part: [str(wrong)]}) from wrong


def _name(name: str) -> str:
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        said = _("A campaign's name has 1 to %(most)s characters.", most=LONGEST_NAME)
        raise Invalid(said, {"name": [said]})
    return name


def _check(session: Session, plan: Plan, settings: Settings, now: datetime) -> None:
    """Refuse what cannot come true: things and lists that are not there, a moment that is over."""
    wrong: dict[str, list[str]] = {}
    known: dict[str, set[str]] = {
        "coupon": {each.code for each in settings.coupons},
        "gift": {each.code for each in settings.rewards},
        "stamps": {each.code for each in settings.stamps},
    }
    for kind, what, _count in plan.content.gives:
        if kind in known and what not in known[kind]:
            wrong["content"] = [
                _(
                    "The programme has no %(kind)s %(what)s: choose another one.",
                    kind=kind,
                    what=repr(what),
                )
            ]
    if plan.when.kind == AT and plan.when.at is not None and plan.when.at <= now:
        wrong["when"] = [_("This moment is over: choose a later one.")]
    for each in conditions(plan.segment):
        if (
            each.kind == "list"
            and session.scalar(
                select(UploadedList.id).where(UploadedList.id == each.values["list"])
            )
            is None
        ):
            wrong["segment"] = [_("The list is not there any more: upload it again.")]
    if wrong:
        raise Invalid(" ".join(text for texts in wrong.values() for text in texts), wrong)


def _zone(session: Session, programme_id: str) -> str:
    zone = session.scalar(select(Programme.time_zone).where(Programme.id == programme_id))
    return str(zone)
