"""Writing a campaign: a draft is made, its form kept, its segment counted while it is built."""

from typing import Any

from flask import request
from sqlalchemy.orm import Session

from app.campaigns import habits, lists, plans, selecting, service
from app.campaigns.models import CampaignState
from app.campaigns.segments import read_segment
from app.campaigns.selecting import Ground
from app.errors import Invalid
from app.languages import _
from app.programmes.fields import Wrong
from app.programmes.service import version_at
from app.staff.permissions import Permission
from app.web.staff.campaigns import form as forms
from app.web.staff.campaigns import looking, saying, words
from app.web.staff.campaigns.area import pages
from app.web.staff.door import Visit

_SAMPLE, _ADD, _DROP = "sample", "add", "drop"


@pages.post("/new", Permission.CHANGE_CAMPAIGNS)
def new(visit: Visit) -> Any:
    """A draft to begin with: everybody, a greeting, the programme's limits."""
    with visit.write() as session:
        limits = service.rules_of(session, visit.programme.id).limits
        plan = {
            "content": {"message": {visit.language: _("{name}, there is something new for you.")}},
            "limits": limits,
        }
        made = service.create(
            session,
            visit.programme.id,
            _("Campaign of %(day)s", day=f"{visit.now:%Y-%m-%d}"),
            plan,
            by=visit.person.id,
            now=visit.now,
        )
        visit.note(session, "campaign.create", made.id)
    return visit.go("campaigns.edit", campaign_id=made.id)


@pages.get("/<uuid:campaign_id>/edit", Permission.CHANGE_CAMPAIGNS)
def edit(visit: Visit, campaign_id: Any) -> Any:
    """The form of a draft."""
    with visit.read() as session:
        campaign = service.campaign_by_id(session, str(campaign_id))
        if campaign.state != CampaignState.DRAFT:
            return visit.go("campaigns.show", campaign_id=campaign.id)
        plan = service.plan_of(campaign)
    currency, zone = visit.programme.currency, visit.programme.time_zone
    values = forms.values_of(plan, currency=currency, time_zone=zone)
    groups = forms.rows_of(plan.segment, currency)
    return _page(visit, str(campaign_id), campaign.name, values, groups)


@pages.post("/<uuid:campaign_id>/edit", Permission.CHANGE_CAMPAIGNS)
def save(visit: Visit, campaign_id: Any) -> Any:
    """Keep the form; then on to wherever its button leads."""
    form, wanted = visit.form, visit.form.get("do", "save")
    several = {name: request.form.getlist(name) for name in request.form}
    currency, zone = visit.programme.currency, visit.programme.time_zone
    groups = forms.read_rows(form, several)
    if wanted.startswith((_ADD, _DROP, _SAMPLE, "count")):
        return _page(visit, str(campaign_id), form.get("name", ""), dict(form), groups)
    try:
        plan = forms.plan_from(form, several, currency=currency, time_zone=zone)
        with visit.write() as session:
            service.change(
                session, str(campaign_id), name=form.get("name", ""), plan=plan, now=visit.now
            )
            visit.note(session, "campaign.change", str(campaign_id))
    except Invalid as wrong:
        values = dict(form) | {"email": "email" in form}
        said = saying.by_field(wrong, visit.language)
        return _page(visit, str(campaign_id), form.get("name", ""), values, groups, said)
    page = "campaigns.try_out" if wanted == "try" else "campaigns.edit"
    return visit.go(page, said=_("Kept."), campaign_id=campaign_id)


@pages.post("/<uuid:campaign_id>/segment", Permission.CHANGE_CAMPAIGNS)
def segment(visit: Visit, campaign_id: Any) -> Any:
    """The conditions as they are typed, with whom they find: the part of the form alone."""
    with visit.read() as session:
        service.campaign_by_id(session, str(campaign_id))
    several = {name: request.form.getlist(name) for name in request.form}
    groups = forms.read_rows(visit.form, several)
    return visit.show(
        "staff/campaigns/_segment.html", campaign_id=str(campaign_id), **_segment(visit, groups)
    )


@pages.post("/<uuid:campaign_id>/list", Permission.CHANGE_CAMPAIGNS)
def upload(visit: Visit, campaign_id: Any) -> Any:
    """Keep a list of customers; only who was found is kept."""
    sent = request.files.get("file")
    content = sent.read(lists.MOST_BYTES + 1) if sent else b""
    try:
        with visit.write() as session:
            service.campaign_by_id(session, str(campaign_id))
            made = lists.upload(
                session, visit.context.keys, visit.form.get("list_name", ""), content, now=visit.now
            )
            visit.note(session, "campaign.list", made.id, {"found": made.found})
    except Invalid as wrong:
        return visit.go("campaigns.edit", said=wrong.message, campaign_id=campaign_id)
    said = _(
        "%(found)s customers were found, %(unknown)s lines name nobody.",
        found=made.found,
        unknown=made.unknown,
    )
    return visit.go("campaigns.edit", said=said, campaign_id=campaign_id)


def _page(
    visit: Visit,
    campaign_id: str,
    name: str,
    values: dict[str, Any],
    groups: list[list[forms.Row]],
    wrong: Invalid | None = None,
) -> Any:
    with visit.read() as session:
        settings = version_at(session, visit.programme.id, visit.now).settings
        things = looking.things(settings, visit.language)
        tiers = looking.tiers(settings, visit.language)
    fields = wrong.fields if wrong else {}
    return visit.show(
        "staff/campaigns/edit.html",
        campaign_id=campaign_id,
        name=name,
        values=values,
        wrong=fields,
        message=wrong.message if wrong else "",
        things=things,
        event_tiers=tiers,
        languages=plans.LANGUAGES,
        **_segment(visit, groups),
    )


def _segment(visit: Visit, groups: list[list[forms.Row]]) -> dict[str, Any]:
    """What the part of the form with the conditions shows."""
    asked = visit.form.get("do", "") if request.method == "POST" else ""
    groups = _changed(groups, asked)
    if request.method == "GET":
        # Counting a million takes a second: the page comes first, and asks for the number then.
        with visit.read() as session:
            return {
                "groups": groups, "parameters": forms.parameters, "words": words,
                "choices": looking.choices(session, visit), "is_asked": False,
                "segment_wrong": "", "sample": [], "count": None, "is_counted": True,
            }  # fmt: skip
    is_whole = looking.catch_up(visit)
    facts: dict[str, Any] = {
        "groups": groups,
        "parameters": forms.parameters,
        "words": words,
        "is_asked": True,
    }
    with visit.write() if asked == _SAMPLE else visit.read() as session:
        facts["choices"] = looking.choices(session, visit)
        try:
            said = forms.segment_of(groups, visit.programme.currency)
            facts |= _found(visit, session, said, with_names=asked == _SAMPLE)
        except Wrong as wrong:
            facts |= {
                "count": None,
                "sample": [],
                "segment_wrong": saying.segment_words(str(wrong)),
            }
    return facts | {"is_counted": is_whole}


def _changed(groups: list[list[forms.Row]], asked: str) -> list[list[forms.Row]]:
    """The groups after a button: ``add:last_visit`` a group, ``add:1`` a row, ``drop:1:0``."""
    what, _colon, where = asked.partition(":")
    if what == _ADD and len(groups) < forms.MOST_GROUPS:
        fresh: forms.Row = {"kind": "last_visit", "not": False, "values": {}}
        if where == "group":
            return [*groups, [fresh]]
        if where.isdigit() and int(where) < len(groups):
            rows = groups[int(where)]
            groups[int(where)] = [*rows, fresh][: forms.MOST_IN_GROUP]
    if what == _DROP:
        group, _colon, row = where.partition(":")
        if group.isdigit() and row.isdigit() and int(group) < len(groups):
            rows = groups[int(group)]
            groups[int(group)] = [each for place, each in enumerate(rows) if place != int(row)]
    return [rows for rows in groups if rows]


def _found(
    visit: Visit, session: Session, said: dict[str, Any], *, with_names: bool
) -> dict[str, Any]:
    node = read_segment(said)
    ground = Ground.of(session, visit.context.keys, visit.programme.id, visit.now)
    count = selecting.count(ground, node)
    sample: list[Any] = []
    if with_names:
        ids = selecting.sample(ground, node, looking.SAMPLE)
        sample = looking.sampled(session, visit, ids, "segment")
    progress = habits.progress_of(session, visit.programme.id)
    return {"count": count, "sample": sample, "segment_wrong": "", "counted_on": progress}
