"""Tills and the places they stand in: enrolled, seen, refused."""

import shlex
from typing import Any

from flask import request
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import Conflict, Invalid
from app.languages import _, lazy
from app.programmes import service as programmes
from app.programmes.models import Location
from app.staff.permissions import Permission
from app.till import access, reporting
from app.till.reporting import Presence
from app.web.staff.account.sign_in import qr
from app.web.staff.door import StaffPages, Visit
from app.web.staff.navigation import NavItem
from app.web.staff.office.headings import SHOP

pages = StaffPages("tills", __name__)
NAV = (NavItem(700, lazy("Tills"), "tills.index", Permission.SEE_TILLS, SHOP),)

PRESENCES = {
    Presence.NEW: (lazy("Not enrolled yet"), "quiet"),
    Presence.ONLINE: (lazy("Online"), "good"),
    Presence.SILENT: (lazy("Silent"), "warn"),
    Presence.REVOKED: (lazy("Refused"), "bad"),
}


@pages.get("/", Permission.SEE_TILLS)
def index(visit: Visit) -> Any:
    """Every till with what it said of itself last."""
    with visit.read() as session:
        found = reporting.tills(session, now=visit.now)
    if request.args.get("as") == "csv":
        rows = [
            (
                each.name,
                each.location,
                str(PRESENCES[each.presence][0]),
                each.seen_at.isoformat() if each.seen_at else "",
                each.waiting,
                each.set_aside,
            )
            for each in found
        ]
        head = [_("Till"), _("Location"), _("State"), _("Last seen"), _("Waiting"), _("Set aside")]
        return visit.csv("tills", head, rows)
    return _page(visit)


@pages.post("/", Permission.CHANGE_TILLS)
def add(visit: Visit) -> Any:
    """Make a till, and show the code that enrols it."""
    form = visit.form
    try:
        with visit.write() as session:
            till, code = access.add_till(
                session,
                visit.programme.id,
                location=form.get("location", ""),
                name=form.get("name", "").strip(),
                now=visit.now,
            )
            visit.note(session, "till.add", till.id, {"name": till.name})
    except (Invalid, Conflict) as error:
        return _page(visit, wrong=error.message, name=form.get("name", ""))
    return _code(visit, till.name, code)


@pages.post("/locations", Permission.CHANGE_TILLS)
def add_location(visit: Visit) -> Any:
    """Make a location with a poster of its own."""
    form = visit.form
    try:
        with visit.write() as session:
            made = programmes.add_location(
                session,
                visit.programme.id,
                slug=form.get("slug", "").strip().lower(),
                name=form.get("place", "").strip(),
                now=visit.now,
            )
            visit.note(session, "location.add", made.id, {"slug": made.slug})
    except (Invalid, Conflict) as error:
        return _page(visit, wrong_place=error.message)
    return visit.go("tills.index", said=_("%(name)s is there.", name=made.name))


@pages.post("/<till_id>/code", Permission.CHANGE_TILLS)
def code(visit: Visit, till_id: str) -> Any:
    """A new code for another machine, or because the first one was too old."""
    with visit.write() as session:
        till = reporting.till_by_id(session, till_id)
        made = access.new_code(session, till, now=visit.now)
        visit.note(session, "till.code", till.id, {"name": till.name})
    return _code(visit, till.name, made)


@pages.post("/<till_id>/revoke", Permission.CHANGE_TILLS)
def revoke(visit: Visit, till_id: str) -> Any:
    """Refuse a till from now on; what waits in its queue is kept on it."""
    with visit.write() as session:
        till = reporting.till_by_id(session, till_id)
        access.revoke(session, till, now=visit.now)
        visit.note(session, "till.revoke", till.id, {"name": till.name})
    said = _("%(name)s is refused from now on. A new code lets it in again.", name=till.name)
    return visit.go("tills.index", said=said)


def _page(
    visit: Visit, *, wrong: str = "", wrong_place: str = "", name: str = ""
) -> tuple[str, int]:
    with visit.read() as session:
        found = reporting.tills(session, now=visit.now)
        places = _places(session)
    return visit.show(
        "staff/office/tills.html",
        422 if wrong or wrong_place else 200,
        tills=found,
        presences=PRESENCES,
        places=places,
        wrong=wrong,
        wrong_place=wrong_place,
        name=name,
        silent=[each for each in found if each.presence == Presence.SILENT and each.waiting],
        may_change=visit.may(Permission.CHANGE_TILLS),
    )


def _places(session: Session) -> list[Location]:
    return list(session.scalars(select(Location).order_by(Location.name)))


def _code(visit: Visit, name: str, code: str) -> tuple[str, int]:
    """The code is shown this once: by its hash alone the service knows it again."""
    url = visit.context.config.url
    command = f"counterfoil-scan enrol --service {shlex.quote(url)} --code {code}"
    return visit.show(
        "staff/office/till_code.html",
        name=name,
        code=code,
        command=command,
        picture=qr(f"counterfoil-till {url} {code}"),
        minutes=int(access.CODE_LIFE.total_seconds() // 60),
    )
