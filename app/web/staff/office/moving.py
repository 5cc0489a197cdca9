"""Customers that come in from elsewhere, and everything that may be taken away."""

from typing import Any

from flask import Response, request
from werkzeug.exceptions import RequestEntityTooLarge

from app.errors import Conflict, Invalid
from app.languages import LANGUAGES, _, lazy
from app.members.reads import Reader
from app.staff.permissions import Permission
from app.transfer import exporting, uploads
from app.transfer.models import UploadState
from app.web.staff.account.own import LANGUAGE_NAMES
from app.web.staff.door import StaffPages, Visit
from app.web.staff.navigation import NavItem
from app.web.staff.office.file_words import for_the_page
from app.web.staff.office.headings import INSTALLATION

pages = StaffPages("transfer", __name__)
NAV = (
    NavItem(840, lazy("Import and export"), "transfer.index", Permission.TRANSFER, INSTALLATION),
)
#: The file, and the form around it.
_LARGEST_BODY = uploads.LARGEST_BYTES + 64 * 1024
MOST_SHOWN = 100

STATES = {
    UploadState.LOOKING: (lazy("Being looked through"), "quiet"),
    UploadState.LOOKED: (lazy("Looked through: nothing is written yet"), "warn"),
    UploadState.IMPORTING: (lazy("Being imported"), "quiet"),
    UploadState.DONE: (lazy("Imported"), "good"),
    UploadState.FAILED: (lazy("Cannot be read"), "bad"),
    UploadState.STOPPED: (lazy("Stopped"), "bad"),
}


@pages.get("/", Permission.TRANSFER)
def index(visit: Visit) -> Any:
    """What came in, and what can be taken away."""
    return _page(visit)


@pages.post("/import", Permission.TRANSFER, largest=_LARGEST_BODY)
def upload(visit: Visit) -> Any:
    """Take a file and have it looked through; nothing is written before somebody says so."""
    form = visit.form
    given = request.files.get("file")
    try:
        if given is None or not given.filename:
            raise Invalid(_("Choose a file."), {"file": [_("choose one")]})
        data = given.stream.read(uploads.LARGEST_BYTES + 1)
        with visit.write() as session:
            made = uploads.add(
                session,
                visit.context.keys,
                data=data,
                file_name=given.filename,
                name=form.get("name", ""),
                dates=form.get("dates", ""),
                language=form.get("language", LANGUAGES[0]),
                by_id=visit.person.id,
                now=visit.now,
            )
            visit.note(session, "import.upload", made.id, {"bytes": len(data)})
    except (Invalid, Conflict, RequestEntityTooLarge) as error:
        wrong = error.message if isinstance(error, Invalid | Conflict) else _("Too large.")
        return _page(visit, wrong=wrong)
    return visit.go("transfer.show", upload_id=made.id)


@pages.get("/import/<upload_id>", Permission.TRANSFER)
def show(visit: Visit, upload_id: str) -> Any:
    """How far a file is, what would come in, and what is wrong by line."""
    with visit.read() as session:
        found = uploads.upload_by_id(session, upload_id)
    problems = [
        {**each, "what": for_the_page(each["what"]), "cure": for_the_page(each["cure"])}
        for each in uploads.problems_of(visit.context.keys, found)
    ]
    if request.args.get("as") == "csv":
        head = [_("Line"), _("Column"), _("What is wrong"), _("What to do")]
        rows = [(each["line"], each["column"], each["what"], each["cure"]) for each in problems]
        return visit.csv("import", head, rows)
    return visit.show(
        "staff/office/upload.html",
        upload=found,
        state=STATES[UploadState(found.state)],
        failure=for_the_page(found.failure),
        is_at_work=found.state in uploads.AT_WORK,
        problems=problems[:MOST_SHOWN],
        more=max(0, len(problems) - MOST_SHOWN),
    )


@pages.post("/import/<upload_id>/run", Permission.TRANSFER)
def run(visit: Visit, upload_id: str) -> Any:
    """Import it, leaving out the lines that are wrong where that is ticked."""
    with visit.write() as session:
        found = uploads.upload_by_id(session, upload_id, locked=True)
        skip = visit.form.get("skip_wrong") == "yes"
        uploads.approve(session, found, skip_wrong=skip, now=visit.now)
        visit.note(session, "import.run", found.id, {"skip_wrong": skip})
    return visit.go("transfer.show", upload_id=upload_id)


@pages.post("/import/<upload_id>/stop", Permission.TRANSFER)
def stop(visit: Visit, upload_id: str) -> Any:
    """Go no further; whoever came in already stays."""
    with visit.write() as session:
        found = uploads.upload_by_id(session, upload_id, locked=True)
        uploads.stop(session, found, now=visit.now)
        visit.note(session, "import.stop", found.id)
    return visit.go("transfer.show", upload_id=upload_id, said=_("Stopped; the file is gone."))


@pages.post("/export", Permission.TRANSFER)
def export(visit: Visit) -> Any:
    """One file of what the programme holds. Whoever takes members' data along is on record."""
    what, form = visit.form.get("what", ""), visit.form.get("form", "csv")
    pieces = exporting.stream(
        visit.context.database,
        visit.context.keys,
        visit.programme,
        what,
        form,
        reader=Reader("staff", visit.person.name),
        now=visit.now,
    )
    with visit.write() as session:
        visit.note(session, "export", what, {"form": form})
    kind = "text/csv" if form == "csv" else "application/x-ndjson"
    response = Response(pieces, mimetype=kind)
    response.headers["Content-Disposition"] = f'attachment; filename="{what}.{form}"'
    return response


def _page(visit: Visit, *, wrong: str = "") -> tuple[str, int]:
    with visit.read() as session:
        found = uploads.uploads(session)
    return visit.show(
        "staff/office/moving.html",
        422 if wrong else 200,
        uploads=found,
        states=STATES,
        wrong=wrong,
        names=exporting.names(),
        customers=exporting.CUSTOMERS,
        languages=LANGUAGE_NAMES,
        most=uploads.LARGEST_BYTES >> 20,
    )
