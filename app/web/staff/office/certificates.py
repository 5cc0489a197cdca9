"""Certificates and accounts of Apple and Google: what there is, what is wrong, and renewing."""

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Response, request
from werkzeug.datastructures import FileStorage

from app import certs
from app.errors import CounterfoilError, Invalid, Misconfigured, NotFound
from app.languages import _, lazy
from app.staff.permissions import Permission
from app.web.staff.door import StaffPages, Visit
from app.web.staff.navigation import NavItem
from app.web.staff.office.headings import INSTALLATION
from app.web.staff.office.operator import check_theirs, is_theirs

pages = StaffPages("certificates", __name__)
NAV = (
    NavItem(
        810,
        lazy("Certificates"),
        "certificates.index",
        Permission.SEE_INSTALLATION,
        INSTALLATION,
    ),
)
MOST_FILES, LARGEST_FILE = 6, 64 * 1024
#: Days left from which a certificate is shown as one to see to.
SOON = 30


@dataclass(frozen=True, slots=True)
class Shown:
    """An installed certificate: its file's name, whose it is, and for how many days."""

    file: str
    name: str
    not_after: Any
    days_left: int
    is_development: bool


@pages.get("/", Permission.SEE_INSTALLATION)
def index(visit: Visit) -> Any:
    """What is installed, with the days left, what the check finds, and requests that wait."""
    return _page(visit)


@pages.post("/request", Permission.CHANGE_INSTALLATION)
def make_request(visit: Visit) -> Any:
    """Make the key and the signing request that Apple wants."""
    check_theirs(visit)
    config, keys = visit.context.config, visit.context.keys
    another = visit.form.get("another") == "yes"
    made = certs.request(config, keys, name=visit.programme.name[:64], another=another)
    with visit.write() as session:
        visit.note(session, "certificate.request", made.path.name)
    said = _("The request is there: download it and upload it at Apple.")
    return visit.go("certificates.index", said=said)


@pages.get("/request/<name>", Permission.CHANGE_INSTALLATION)
def download(visit: Visit, name: str) -> Any:
    """A request that waits for Apple's answer; there is no secret in it."""
    config, keys = visit.context.config, visit.context.keys
    for each in certs.pending(config, keys):
        if each.path.name == name:
            check_theirs(visit)
            response = Response(each.path.read_bytes(), mimetype="application/pkcs10")
            response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
            return response
    raise NotFound(_("This request waits no more."))


@pages.post("/install", Permission.CHANGE_INSTALLATION)
def install(visit: Visit) -> Any:
    """Install what Apple or Google gave: certificates, keys, .p12, the account's .json."""
    check_theirs(visit)
    given = [each for each in request.files.getlist("files") if each.filename]
    if not given or len(given) > MOST_FILES:
        return _page(visit, wrong=_("Choose one to six files."))
    password = visit.form.get("password", "")[:1000].encode() or None
    with tempfile.TemporaryDirectory(prefix="counterfoil-upload-") as folder:
        try:
            files = [_kept(each, Path(folder), number) for number, each in enumerate(given)]
            lines = certs.install(
                visit.context.config, visit.context.keys, files, password=password, now=visit.now
            )
        except (Invalid, Misconfigured) as error:
            return _page(visit, wrong=_without(error, folder))
    with visit.write() as session:
        visit.note(
            session, "certificate.install", "", {"installed": [each[:200] for each in lines]}
        )
    return visit.go("certificates.index", said=" ".join(lines))


def _kept(upload: FileStorage, folder: Path, number: int) -> Path:
    """The uploaded file in a folder of its own, under a name that harms nobody."""
    name = re.sub(r"[^A-Za-z0-9._-]", "_", Path(upload.filename or "").name)[-60:].lstrip(".")
    data = upload.stream.read(LARGEST_FILE + 1)
    if len(data) > LARGEST_FILE:
        raise Invalid(_("%(name)s is too large to be a certificate.", name=name))
    place = folder / str(number)
    place.mkdir(mode=0o700)
    path = place / (name or "file")
    path.write_bytes(data)
    path.chmod(0o600)
    return path


def _without(error: CounterfoilError, folder: str) -> str:
    """What is wrong, without the place where the file lay for a moment."""
    return re.sub(rf"{re.escape(folder)}/\d+/", "", error.message)


def _page(visit: Visit, *, wrong: str = "") -> tuple[str, int]:
    config, keys = visit.context.config, visit.context.keys
    findings = certs.check(config, keys, now=visit.now)
    try:
        made_here = certs.development_files(config)
        installed = [
            Shown(
                path.name,
                status.name,
                status.not_after,
                certs.whole_days_left(status, visit.now),
                path in made_here,
            )
            for path, status in certs.inventory(config)
        ]
    except Misconfigured:
        installed = []  # A broken file is among the findings, with its cure.
    return visit.show(
        "staff/office/certificates.html",
        422 if wrong else 200,
        installed=installed,
        findings=findings,
        waiting=[each.path.name for each in certs.pending(config, keys)],
        theirs=is_theirs(visit),
        soon=SOON,
        wrong=wrong,
        may_change=visit.may(Permission.CHANGE_INSTALLATION),
    )
