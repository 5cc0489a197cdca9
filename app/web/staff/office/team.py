"""The people of the programme: invited, given a role and a PIN, signed out, and gone."""

from typing import Any

from flask import request
from sqlalchemy.orm import Session

from app.errors import Conflict, Invalid
from app.languages import _, lazy
from app.staff import addresses, links, sessions
from app.staff.models import Role, Staff
from app.staff.permissions import Permission
from app.staff.roster import Entry, roster
from app.staff.service import (
    add_staff,
    keep_an_owner,
    leave,
    make_pin,
    person_by_id,
    set_pin,
    set_role,
)
from app.web.staff.account import forgotten
from app.web.staff.door import StaffPages, Visit
from app.web.staff.navigation import NavItem
from app.web.staff.office.headings import SHOP

pages = StaffPages("team", __name__)
NAV = (NavItem(710, lazy("Staff"), "team.index", Permission.SEE_STAFF, SHOP),)

ROLES = {
    Role.OWNER: (lazy("Owner"), lazy("everything, and who else may")),
    Role.MARKETER: (lazy("Marketer"), lazy("programme, design, campaigns, figures")),
    Role.MANAGER: (lazy("Manager"), lazy("members, points, tills, approving")),
    Role.CASHIER: (lazy("Cashier"), lazy("the till; members with contacts masked")),
    Role.AUDITOR: (lazy("Auditor"), lazy("sees, and changes nothing")),
}


@pages.get("/", Permission.SEE_STAFF)
def index(visit: Visit) -> Any:
    """Everybody, and how they sign in."""
    if request.args.get("as") == "csv":
        with visit.read() as session:
            found = roster(session, now=visit.now)
        head = [_("Name"), _("Role"), _("Signs in with"), _("Last seen"), _("Has left")]
        return visit.csv("staff", head, [_row(each) for each in found])
    return _page(visit)


@pages.post("/", Permission.CHANGE_STAFF)
def add(visit: Visit) -> Any:
    """Add somebody; the link to set a password and the PIN are shown this once."""
    form = visit.form
    pin = make_pin()
    try:
        with visit.write() as session:
            person = add_staff(
                session,
                visit.programme.id,
                name=form.get("name", "").strip(),
                role=form.get("role", ""),
                pin=pin,
                now=visit.now,
            )
            token = links.make_link(session, person, now=visit.now)
            visit.note(session, "staff.add", person.id, {"role": person.role})
    except (Invalid, Conflict) as error:
        return _page(visit, wrong=error.message, name=form.get("name", ""))
    return _once(visit, person, token=token, pin=pin)


@pages.get("/<staff_id>", Permission.SEE_STAFF)
def show(visit: Visit, staff_id: str) -> Any:
    """One person."""
    return _show(visit, staff_id)


@pages.post("/<staff_id>/role", Permission.CHANGE_STAFF)
def role(visit: Visit, staff_id: str) -> Any:
    """Another role; they sign in again."""
    try:
        with visit.write() as session:
            person = _working(session, staff_id)
            before, chosen = person.role, visit.form.get("role", "")
            set_role(session, person, chosen)
            sessions.end_all(session, person.id, now=visit.now)
            visit.note(session, "staff.role", person.id, {"from": before, "to": chosen})
    except (Invalid, Conflict) as error:
        return _show(visit, staff_id, wrong=error.message)
    said = _("%(name)s is %(role)s from now on.", name=person.name, role=ROLES[Role(chosen)][0])
    return visit.go("team.show", staff_id=staff_id, said=said)


@pages.post("/<staff_id>/link", Permission.CHANGE_STAFF)
def link(visit: Visit, staff_id: str) -> Any:
    """A link to set a password, shown this once; for a lost phone it forgets the second factor."""
    forgets = visit.form.get("second_factor") == "yes"
    with visit.write() as session:
        person = _working(session, staff_id)
        token = links.make_link(session, person, now=visit.now, forgets_second_factor=forgets)
        visit.note(session, "staff.link", person.id, {"forgets_second_factor": forgets})
    return _once(visit, person, token=token)


@pages.post("/<staff_id>/email", Permission.CHANGE_STAFF)
def email(visit: Visit, staff_id: str) -> Any:
    """Keep where a link to another password goes."""
    try:
        with visit.write() as session:
            person = _working(session, staff_id)
            addresses.keep(session, visit.context.keys, person, visit.form.get("email", ""))
            visit.note(session, "staff.email", person.id)
    except Invalid as error:
        return _show(visit, staff_id, wrong=error.message)
    return visit.go("team.show", staff_id=staff_id, said=_("Kept."))


@pages.post("/<staff_id>/letter", Permission.CHANGE_STAFF)
def letter(visit: Visit, staff_id: str) -> Any:
    """Send the link by e-mail instead of showing it."""
    forgets = visit.form.get("second_factor") == "yes"
    with visit.write() as session:
        person = _working(session, staff_id)
        what = forgotten.FORGETS if forgets else forgotten.KEEPS
        if not forgotten.send_link(
            session, visit.context, visit.programme, person, what, visit.now
        ):
            raise Conflict(
                _(
                    "No letter can be sent: there is no address, no mail server, or it was the "
                    "third today. Make a link and hand it over."
                )
            )
        detail = {"forgets_second_factor": forgets, "by": "e-mail"}
        visit.note(session, "staff.link", person.id, detail)
    said = _("A letter with a link is on its way to %(name)s.", name=person.name)
    return visit.go("team.show", staff_id=staff_id, said=said)


@pages.post("/<staff_id>/pin", Permission.CHANGE_STAFF)
def pin(visit: Visit, staff_id: str) -> Any:
    """A new PIN for the till, shown this once; a lock is lifted."""
    made = make_pin()
    with visit.write() as session:
        person = _working(session, staff_id)
        set_pin(session, person.name, made, now=visit.now)
        visit.note(session, "staff.pin", person.id)
    return _once(visit, person, pin=made)


@pages.post("/<staff_id>/sign-out", Permission.CHANGE_STAFF)
def sign_out(visit: Visit, staff_id: str) -> Any:
    """Sign somebody out of every browser."""
    with visit.write() as session:
        person = person_by_id(session, staff_id)
        sessions.end_all(session, person.id, now=visit.now)
        links.end_links(session, person, now=visit.now)
        visit.note(session, "staff.sign_out_everywhere", person.id)
    said = _("%(name)s is signed out everywhere.", name=person.name)
    return visit.go("team.show", staff_id=staff_id, said=said)


@pages.post("/<staff_id>/leave", Permission.CHANGE_STAFF)
def let_go(visit: Visit, staff_id: str) -> Any:
    """Somebody leaves: PIN, password, links and sessions end; what they posted stays theirs."""
    try:
        with visit.write() as session:
            person = _working(session, staff_id)
            keep_an_owner(session, person)
            leave(session, person.name, now=visit.now)
            sessions.end_all(session, person.id, now=visit.now)
            links.end_links(session, person, now=visit.now)
            visit.note(session, "staff.leave", person.id)
    except Conflict as error:
        return _show(visit, staff_id, wrong=error.message)
    said = _("%(name)s has left, and signs in nowhere any more.", name=person.name)
    return visit.go("team.show", staff_id=staff_id, said=said)


@pages.post("/<staff_id>/come-back", Permission.CHANGE_STAFF)
def come_back(visit: Visit, staff_id: str) -> Any:
    """Undo a leaving: they sign in as before."""
    with visit.write() as session:
        person = person_by_id(session, staff_id)
        person.left_at = None
        visit.note(session, "staff.come_back", person.id)
    said = _("%(name)s works here again.", name=person.name)
    return visit.go("team.show", staff_id=staff_id, said=said)


def _page(visit: Visit, *, wrong: str = "", name: str = "") -> tuple[str, int]:
    with visit.read() as session:
        found = roster(session, now=visit.now)
    return visit.show(
        "staff/office/team.html",
        422 if wrong else 200,
        entries=found,
        roles=ROLES,
        wrong=wrong,
        name=name,
        may_change=visit.may(Permission.CHANGE_STAFF),
    )


def _show(visit: Visit, staff_id: str, *, wrong: str = "") -> tuple[str, int]:
    with visit.read() as session:
        person_by_id(session, staff_id)
        kept = addresses.address_of(session, visit.context.keys, person_by_id(session, staff_id))
        [entry] = [each for each in roster(session, now=visit.now) if each.person.id == staff_id]
    return visit.show(
        "staff/office/person.html",
        422 if wrong else 200,
        entry=entry,
        email=kept,
        sends_letters=forgotten.can_send(visit.context),
        person=entry.person,
        roles=ROLES,
        wrong=wrong,
        may_change=visit.may(Permission.CHANGE_STAFF),
    )


def _once(visit: Visit, person: Staff, *, token: str = "", pin: str = "") -> tuple[str, int]:
    address = links.address(visit.context.config.url, visit.programme.slug, token) if token else ""
    return visit.show("staff/office/person_once.html", person=person, address=address, pin=pin)


def _working(session: Session, staff_id: str) -> Staff:
    person = person_by_id(session, staff_id)
    if person.left_at is not None:
        raise Conflict(_("%(name)s does not work here any more.", name=person.name))
    return person


def _row(entry: Entry) -> tuple[str, ...]:
    ways = [_("PIN")]
    ways += [_("password")] if entry.has_password else []
    ways += [_("second factor")] if entry.has_second_factor else []
    return (
        entry.person.name,
        str(ROLES[Role(entry.person.role)][0]),
        ", ".join(ways),
        entry.seen_at.isoformat() if entry.seen_at else "",
        entry.person.left_at.isoformat() if entry.person.left_at else "",
    )
