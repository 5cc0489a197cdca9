"""The programme as one file: to take away, and to bring back into the draft."""

from flask import Response, request
from sqlalchemy.orm import Session

from app.errors import CounterfoilError, Invalid
from app.languages import _
from app.programmes.drafts import service as drafts
from app.programmes.file import applying, writing
from app.programmes.file.applying import Plan
from app.programmes.file.reading import LONGEST_FILE, BrokenFile, Described, read
from app.programmes.service import programme_by_id
from app.staff.permissions import Permission
from app.web.staff.door import Answer, Visit
from app.web.staff.programme.pages import pages

#: Problems that are told at once.
_MOST_TOLD = 30


@pages.get("/file", Permission.SEE_PROGRAMME)
def file(visit: Visit) -> Answer:
    """Download and upload."""
    return visit.show("staff/programme/file.html", problems=[], text="")


@pages.get("/file/programme.toml", Permission.SEE_PROGRAMME)
def download(visit: Visit) -> Answer:
    """The programme as a file: as it is in force, or as the draft would make it."""
    with visit.read() as session:
        programme = programme_by_id(session, visit.programme.id)
        there = applying.describe(session, programme, visit.now)
        if request.args.get("of") == "draft":
            settings = drafts.look(session, visit.now).settings
            there = Described(there.about, settings, there.locations)
        text = writing.write(there)
    response = Response(text, mimetype="application/toml")
    name = f"{visit.programme.slug}.toml"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@pages.post("/file", Permission.CHANGE_PROGRAMME)
def upload(visit: Visit) -> Answer:
    """Read a file: its rules go into the draft; names and places change only where asked for."""
    form = visit.form
    text = form.get("text", "")
    sent = request.files.get("file")
    if sent is not None and sent.filename:
        try:
            text = sent.read(4 * LONGEST_FILE).decode("utf-8-sig")
        except UnicodeDecodeError:
            problems = [(1, 1, _("The file is not UTF-8: save it as UTF-8."))]
            return visit.show("staff/programme/file.html", 422, problems=problems, text="")
    if not text.strip():
        problems = [(1, 1, _("Choose a file, or paste its text."))]
        return visit.show("staff/programme/file.html", 422, problems=problems, text="")
    try:
        wanted = read(text, _("The file"))
        with visit.write() as session:
            plan = _take_in(visit, session, wanted, names_too=form.get("names") == "yes")
    except BrokenFile as broken:
        told = broken.problems[:_MOST_TOLD]
        return visit.show("staff/programme/file.html", 422, problems=told, text=text[:20_000])
    except CounterfoilError as error:
        told = [(1, 1, error.message)]
        return visit.show("staff/programme/file.html", 422, problems=told, text=text[:20_000])
    if not plan.changes:
        return visit.go("programme.file", said=_("The programme is what the file says."))
    if not plan.settings:
        return visit.go("programme.names", said=_("The names and places of the file are taken."))
    said = _("The rules of the file are in the draft. Compare them, then publish.")
    return visit.go("programme.compare", said=said)


def _take_in(visit: Visit, session: Session, wanted: Described, *, names_too: bool) -> Plan:
    programme = programme_by_id(session, visit.programme.id)
    there = applying.describe(session, programme, visit.now)
    if wanted.about.get("slug", programme.slug) != programme.slug:
        raise Invalid(
            _(
                "This is the file of “%(other)s”, and here is “%(mine)s”: change the slug in it.",
                other=wanted.about["slug"],
                mine=programme.slug,
            )
        )
    kept = there.settings.as_json()
    new = wanted.settings.as_json()
    drafts.discard(session, now=visit.now)
    changes = {name: value for name, value in new.items() if value != kept[name]}
    if changes:
        drafts.change(session, changes, by=visit.person.id, now=visit.now)
    plan = applying.plan(there, wanted)
    if names_too:
        only = Described(wanted.about, there.settings, wanted.locations)
        applying.apply(session, programme, only, valid_from=visit.now, now=visit.now)
    else:
        plan = Plan((), plan.settings, ())
    visit.note(session, "programme.file", programme.slug, {"changes": sorted(changes)})
    return plan
