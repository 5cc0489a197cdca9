"""A draft is published to every pass, its progress is watched, and an earlier one comes back."""

from __future__ import annotations

from datetime import timedelta

from babel.dates import format_timedelta

from app.delivery.google.estimate import estimate
from app.delivery.wallets import current_wallets
from app.designer import checking, drafts, publishing
from app.designer.publishing import Progress
from app.errors import Conflict, Invalid
from app.languages import _, current_language
from app.programmes import design_releases
from app.staff.permissions import Permission
from app.web.staff.designer.area import pages
from app.web.staff.designer.easel import KIND_WORDS, easel
from app.web.staff.designer.editing import found_by_preflight
from app.web.staff.door import Answer, Visit

#: How often the page asks how far it is, by how many passes there are to count.
_OFTEN, _SELDOM, _MANY = 2, 10, 50_000


@pages.get("/publish", Permission.CHANGE_DESIGN)
def review(visit: Visit) -> Answer:
    """What publishing will do, and what keeps the draft from it."""
    return _review(visit)


@pages.post("/publish", Permission.CHANGE_DESIGN)
def publish(visit: Visit) -> Answer:
    """Publish the draft."""
    with visit.read() as session:
        seen = drafts.current(session, visit.programme)
        # Built outside of the transaction that publishes: pictures take a moment.
        blocking = [each for each in found_by_preflight(visit, session, seen) if each.blocks]
    if blocking:
        return _review(visit, status=422)
    try:
        with visit.write() as session:
            draft = drafts.current(session, visit.programme)
            if (draft.typed, draft.pictures) != (seen.typed, seen.pictures):
                raise Conflict(_("The draft was changed this very moment: look at it again."))
            drafted = drafts.read(session, visit.programme, draft)
            number = publishing.publish(
                session,
                visit.programme,
                draft,
                drafted,
                by=visit.person.name,
                now=visit.now,
                over=visit.form.get("over") == "yes",
            )
            visit.note(session, "design.publish", str(number))
    except (Invalid, Conflict) as error:
        return _review(visit, problem=error.message, status=422)
    return visit.go("designer.progress", said=_("Published. Delivery brings it to every pass."))


@pages.get("/progress", Permission.SEE_DESIGN)
def progress(visit: Visit) -> Answer:
    """How far the published design is."""
    with visit.read() as session:
        found = publishing.progress(session, visit.programme, now=visit.now)
        kept = design_releases.releases(session, visit.programme.id)
    earlier = kept[1].number if len(kept) > 1 else None
    return visit.show(
        "staff/designer/progress.html",
        found=found,
        earlier=earlier,
        may_change=visit.may(Permission.CHANGE_DESIGN),
        **_facts(found),
    )


@pages.get("/progress/now", Permission.SEE_DESIGN)
def progress_now(visit: Visit) -> Answer:
    """The part of that page that moves."""
    with visit.read() as session:
        found = publishing.progress(session, visit.programme, now=visit.now)
    return visit.show("staff/designer/_progress.html", found=found, **_facts(found))


@pages.get("/releases", Permission.SEE_DESIGN)
def releases(visit: Visit) -> Answer:
    """Every design that was published."""
    with visit.read() as session:
        kept = design_releases.releases(session, visit.programme.id)
        audience = publishing.audience(session)
    return visit.show(
        "staff/designer/releases.html",
        releases=kept,
        kinds=KIND_WORDS,
        audience=audience,
        may_change=visit.may(Permission.CHANGE_DESIGN),
    )


@pages.post("/releases/<int:number>/publish", Permission.CHANGE_DESIGN)
def publish_again(visit: Visit, number: int) -> Answer:
    """Undo: publish an earlier design once more."""
    with visit.write() as session:
        made = publishing.publish_again(
            session, visit.programme, number, by=visit.person.name, now=visit.now
        )
        visit.note(session, "design.publish", str(made), {"again": number})
    said = _("Design %(number)s is published again.", number=number)
    return visit.go("designer.progress", said=said)


@pages.post("/releases/<int:number>/draft", Permission.CHANGE_DESIGN)
def take_up(visit: Visit, number: int) -> Answer:
    """Make an earlier design the draft."""
    with visit.write() as session:
        drafts.take_up(session, visit.programme, number, by=visit.person.name, now=visit.now)
        visit.note(session, "design.take_up", str(number))
    said = _("Design %(number)s is the draft now. Nothing is published yet.", number=number)
    return visit.go("designer.index", said=said)


def spoken(seconds: float | None) -> str:
    """How long something takes, in words of the page's language."""
    if seconds is None:
        return ""
    lasts = timedelta(seconds=max(seconds, 1))
    return str(format_timedelta(lasts, threshold=1.5, locale=current_language()))


def _facts(found: Progress | None) -> dict[str, object]:
    if found is None:
        return {"every": _OFTEN, "spoken": spoken, "has_apple": True, "google_obstacle": None}
    wallets = current_wallets()
    return {
        "every": _SELDOM if found.passes > _MANY else _OFTEN,
        "spoken": spoken,
        "has_apple": wallets.apple.available,
        "google_obstacle": wallets.google.obstacle() if found.google.passes else None,
    }


def _review(visit: Visit, *, problem: str = "", status: int = 200) -> Answer:
    with visit.read() as session:
        shown = easel(visit, session, {})
        problems: list[checking.Problem] = [
            *shown.problems,
            *found_by_preflight(visit, session, shown.draft),
        ]
        audience = publishing.audience(session)
        is_behind = publishing.newest(session, visit.programme) != shown.draft.base
    return visit.show(
        "staff/designer/publish.html",
        status,
        shown=shown,
        problems=problems,
        blocked=bool(shown.drafted.problems) or any(each.blocks for each in problems),
        audience=audience,
        google_time=spoken(estimate(audience.google).at_most_seconds),
        is_behind=is_behind,
        problem=problem,
    )
