"""From a draft to a campaign that runs: tried without sending, proposed, approved, stopped."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol

from flask import request
from sqlalchemy.orm import Session

from app.campaigns import service
from app.campaigns.models import Campaign, CampaignState
from app.errors import Conflict, Forbidden, Invalid
from app.languages import Lazy, _, lazy
from app.programmes.service import version_at
from app.staff.permissions import Permission
from app.web.staff.campaigns import looking, words
from app.web.staff.campaigns.area import pages
from app.web.staff.campaigns.conditions import in_words
from app.web.staff.door import Visit


@pages.get("/<uuid:campaign_id>/try", Permission.SEE_CAMPAIGNS)
def try_out(visit: Visit, campaign_id: Any) -> Any:
    """What would happen now, and what three real members would see. Nothing is sent.

    The page asks for the numbers once it is there: counting a million takes seconds.
    """
    counted = "counted" in request.args
    run = None
    if counted:
        looking.catch_up(visit)
    with visit.write() as session:
        campaign = service.campaign_by_id(session, str(campaign_id))
        if campaign.state not in (CampaignState.DRAFT, CampaignState.PROPOSED):
            return visit.go("campaigns.show", campaign_id=campaign.id)
        plan = service.plan_of(campaign)
        if counted:
            run = looking.dry_run(session, visit, plan)
        needs_another = service.rules_of(session, visit.programme.id).needs_another
        choices = looking.choices(session, visit)
    return visit.show(
        "staff/campaigns/_numbers.html"
        if request.headers.get("HX-Request")
        else "staff/campaigns/try.html",
        campaign=campaign,
        plan=plan,
        run=run,
        segment=in_words(plan.segment, visit.programme.currency, choices),
        words=words,
        is_own=needs_another and campaign.proposed_by == visit.person.id,
        needs_another=needs_another,
    )


@pages.post("/<uuid:campaign_id>/propose", Permission.CHANGE_CAMPAIGNS)
def propose(visit: Visit, campaign_id: Any) -> Any:
    """Say that a draft is ready to be approved."""
    try:
        with visit.write() as session:
            settings = version_at(session, visit.programme.id, visit.now).settings
            service.propose(session, str(campaign_id), settings, by=visit.person.id, now=visit.now)
            visit.note(session, "campaign.propose", str(campaign_id))
    except (Invalid, Conflict) as wrong:
        return visit.go("campaigns.edit", said=wrong.message, campaign_id=campaign_id)
    return visit.go("campaigns.try_out", said=_("Ready to be approved."), campaign_id=campaign_id)


@pages.post("/<uuid:campaign_id>/approve", Permission.APPROVE_CAMPAIGNS)
def approve(visit: Visit, campaign_id: Any) -> Any:
    """Let it go out."""
    try:
        with visit.write() as session:
            service.approve(session, str(campaign_id), by=visit.person.id, now=visit.now)
            visit.note(session, "campaign.approve", str(campaign_id))
    except (Invalid, Conflict, Forbidden) as wrong:
        return visit.go("campaigns.try_out", said=wrong.message, campaign_id=campaign_id)
    return visit.go("campaigns.show", said=_("Approved."), campaign_id=campaign_id)


class _Move(Protocol):
    def __call__(self, session: Session, campaign_id: str, *, now: datetime) -> Campaign: ...


def _moving(move: _Move, action: str, said: Lazy, page: str) -> Callable[[Visit, Any], Any]:
    def view(visit: Visit, campaign_id: Any) -> Any:
        try:
            with visit.write() as session:
                move(session, str(campaign_id), now=visit.now)
                visit.note(session, f"campaign.{action}", str(campaign_id))
        except Conflict as wrong:
            return visit.go("campaigns.show", said=wrong.message, campaign_id=campaign_id)
        return visit.go(page, said=str(said), campaign_id=campaign_id)

    view.__name__ = action
    return view


for _move, _action, _said, _to in (
    (service.take_back, "take_back", lazy("It is a draft again."), "campaigns.edit"),
    (service.pause, "pause", lazy("Paused: nothing is sent until you resume."), "campaigns.show"),
    (service.resume, "resume", lazy("It goes on where it was."), "campaigns.show"),
    (service.stop, "stop", lazy("Stopped: nothing further is sent."), "campaigns.show"),
):
    pages.post(f"/<uuid:campaign_id>/{_action}", Permission.CHANGE_CAMPAIGNS)(
        _moving(_move, _action, _said, _to)
    )


@pages.post("/<uuid:campaign_id>/copy", Permission.CHANGE_CAMPAIGNS)
def copy(visit: Visit, campaign_id: Any) -> Any:
    """A draft that says the same."""
    with visit.write() as session:
        made = service.copy(session, str(campaign_id), by=visit.person.id, now=visit.now)
        visit.note(session, "campaign.copy", made.id, {"of": str(campaign_id)})
    return visit.go("campaigns.edit", said=_("Copied."), campaign_id=made.id)


@pages.post("/<uuid:campaign_id>/delete", Permission.CHANGE_CAMPAIGNS)
def delete(visit: Visit, campaign_id: Any) -> Any:
    """Throw a draft away."""
    with visit.write() as session:
        service.delete(session, str(campaign_id))
        visit.note(session, "campaign.delete", str(campaign_id))
    return visit.go("campaigns.index", said=_("The draft is gone."))
