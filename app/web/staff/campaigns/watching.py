"""The list of campaigns; of each one its progress while it runs, and what it did afterwards."""

from datetime import timedelta
from typing import Any

from app.campaigns import results, service
from app.campaigns.models import Campaign, CampaignState
from app.errors import Invalid
from app.insight import lift_words
from app.languages import _
from app.staff.permissions import Permission
from app.web.staff.campaigns import looking, saying, words
from app.web.staff.campaigns.area import pages
from app.web.staff.campaigns.conditions import in_words
from app.web.staff.door import Visit

#: For so long after the end phones fetch what they were told of.
_PHONES_FETCH = timedelta(hours=1)
_LIVE = (CampaignState.SCHEDULED, CampaignState.RUNNING)
#: Half the width of the drawing of an interval.
_HALF = 100.0


@pages.get("/", Permission.SEE_CAMPAIGNS)
def index(visit: Visit) -> Any:
    """All campaigns, the newest first, and what holds for all of them."""
    with visit.read() as session:
        found = service.campaigns_of(session)
        rules = service.rules_of(session, visit.programme.id)
    return visit.show("staff/campaigns/index.html", found=found, rules=rules, words=words)


@pages.post("/rules", Permission.APPROVE_CAMPAIGNS)
def rules(visit: Visit) -> Any:
    """Say what holds for all campaigns, and what a new one begins with."""
    form = visit.form
    limits: dict[str, Any] = {}
    for name in ("quiet_from", "quiet_to"):
        if form.get(name, "").strip():
            limits[name] = form[name].strip()
    for name in ("hold_out_percent", "per_week"):
        text = form.get(name, "").strip()
        limits[name] = int(text) if text.isascii() and text.isdigit() and len(text) < 4 else text
    limits = {name: value for name, value in limits.items() if value != ""}
    try:
        with visit.write() as session:
            service.set_rules(
                session,
                visit.programme.id,
                needs_another="needs_another" in form,
                limits=limits,
            )
            visit.note(session, "campaign.rules", detail={"needs_another": "needs_another" in form})
    except Invalid as wrong:
        return visit.go("campaigns.index", said=saying.by_field(wrong, visit.language).message)
    return visit.go("campaigns.index", said=_("Kept."))


@pages.get("/<uuid:campaign_id>", Permission.SEE_CAMPAIGNS)
def show(visit: Visit, campaign_id: Any) -> Any:
    """A campaign that was sent: its progress, its sentence, its result."""
    return _show(visit, str(campaign_id), "staff/campaigns/show.html")


@pages.get("/<uuid:campaign_id>/live", Permission.SEE_CAMPAIGNS)
def live(visit: Visit, campaign_id: Any) -> Any:
    """The part of the page that moves."""
    return _show(visit, str(campaign_id), "staff/campaigns/_live.html")


@pages.get("/<uuid:campaign_id>/result.csv", Permission.SEE_CAMPAIGNS)
def result_csv(visit: Visit, campaign_id: Any) -> Any:
    """The result as a table to take away."""
    with visit.read() as session:
        campaign = service.campaign_by_id(session, str(campaign_id))
    rows = [
        [row["name"], row["reached"], row["held_out"], row["difference"], row["low"], row["high"]]
        for row in _measures(visit, results.Result(campaign))
    ]
    header = [_("what"), _("reached"), _("held out"), _("difference"), _("from"), _("to")]
    return visit.csv("campaign", header, rows)


def _show(visit: Visit, campaign_id: str, template: str) -> Any:
    with visit.read() as session:
        campaign = service.campaign_by_id(session, campaign_id)
        if campaign.state in (CampaignState.DRAFT, CampaignState.PROPOSED):
            return visit.go("campaigns.try_out", campaign_id=campaign_id)
        plan = service.plan_of(campaign)
        progress = looking.progress(session, visit, campaign, plan)
        choices = looking.choices(session, visit)
    result = results.Result(campaign)
    return visit.show(
        template,
        campaign=campaign,
        plan=plan,
        progress=progress,
        segment=in_words(plan.segment, visit.programme.currency, choices),
        result=result,
        measures=_measures(visit, result),
        words=words,
        seconds=_again_in(visit, campaign, progress),
    )


def _again_in(visit: Visit, campaign: Campaign, progress: looking.Progress) -> int:
    """In how many seconds the page looks again; 0: nothing moves any more."""
    if campaign.state in _LIVE or progress.counts.get("sent"):
        return 1
    ended = campaign.ended_at
    return 3 if ended is None or visit.now - ended < _PHONES_FETCH else 0


def _measures(visit: Visit, result: results.Result) -> list[dict[str, Any]]:
    """The rows of the result, each with its interval and its sentence."""
    if not result.reached.people or not result.held_out.people:
        return []
    currency, language = visit.programme.currency, visit.language
    came = result.came
    rows = [
        {
            "name": _("came at all"),
            "form": "percent",
            "lift": came,
            "said": lift_words.say_rates(came, language),
        }
    ]
    for name, called, form in (
        ("visits", _("visits each"), "number"),
        ("spend", _("spent each"), "money"),
        ("points", _("points each"), "number"),
    ):
        each = result.lift(name)
        said = (
            lift_words.say_money(each, currency, language)
            if form == "money"
            else lift_words.say_points(each, language)
            if name == "points"
            else ""
        )
        rows.append({"name": called, "form": form, "lift": each, "said": said})
    for row in rows:
        lift: Any = row["lift"]
        row |= {part: getattr(lift, part) for part in ("reached", "held_out", "difference")}
        row |= {"low": lift.low, "high": lift.high, "drawn": _drawn(lift.low, lift.high, lift)}
    return rows


def _drawn(low: float, high: float, lift: Any) -> dict[str, float]:
    """Where an interval stands in a drawing that is 200 wide with zero in its middle."""
    most = max(abs(low), abs(high)) or 1.0
    return {
        "low": round(_HALF + _HALF * 0.9 * low / most, 2),
        "high": round(_HALF + _HALF * 0.9 * high / most, 2),
        "at": round(_HALF + _HALF * 0.9 * lift.difference / most, 2),
    }
