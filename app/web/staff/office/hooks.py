"""Webhooks: whom a shop system's address is told of what happens, and how that went."""

from typing import Any

from flask import request
from sqlalchemy.orm import Session

from app.errors import Conflict, Invalid
from app.languages import _, lazy
from app.staff.permissions import Permission
from app.web.staff.door import StaffPages, Visit
from app.web.staff.navigation import NavItem
from app.web.staff.office.headings import INSTALLATION
from app.webhooks import events, service
from app.webhooks.models import Endpoint

pages = StaffPages("webhooks", __name__)
NAV = (NavItem(830, lazy("Webhooks"), "webhooks.index", Permission.SEE_INSTALLATION, INSTALLATION),)
ON_A_PAGE = 25
LONGEST_SHOWN = 2000


@pages.get("/", Permission.SEE_INSTALLATION)
def index(visit: Visit) -> Any:
    """Every address, what it wants and what waits for it."""
    return _page(visit)


@pages.post("/", Permission.CHANGE_INSTALLATION)
def add(visit: Visit) -> Any:
    """Tell an address from now on; its secret is shown this once."""
    url = visit.form.get("url", "").strip()
    wanted = request.form.getlist("events") or [events.ALL]
    try:
        # The name is looked up, which may take a while: before anything is locked.
        service.check_address(url, visit.context.config)
        with visit.write() as session:
            made, secret = service.add_endpoint(
                session,
                visit.context.keys,
                visit.programme.id,
                url=url,
                wanted=wanted[:100],
                now=visit.now,
            )
            visit.note(session, "webhook.add", made.id)
    except (Invalid, Conflict) as error:
        return _page(visit, wrong=error.message, url=url)
    return _secret(visit, made, secret)


@pages.get("/<endpoint_id>", Permission.SEE_INSTALLATION)
def show(visit: Visit, endpoint_id: str) -> Any:
    """One address: its state and its deliveries with every try."""
    before = request.args.get("before", "")
    older = int(before) if before.isascii() and before.isdigit() and len(before) < 18 else None
    with visit.write() as session:
        found = _endpoint(session, endpoint_id)
        log = service.log_of(session, found, limit=ON_A_PAGE + 1, before=older)
    return visit.show(
        "staff/office/webhook.html",
        endpoint=found,
        log=log[:ON_A_PAGE],
        older=log[ON_A_PAGE - 1][0].sequence if len(log) > ON_A_PAGE else None,
        longest=LONGEST_SHOWN,
        may_change=visit.may(Permission.CHANGE_INSTALLATION),
    )


@pages.post("/<endpoint_id>/test", Permission.CHANGE_INSTALLATION)
def test(visit: Visit, endpoint_id: str) -> Any:
    """Put a message of no meaning at the end of the queue."""
    with visit.write() as session:
        found = _endpoint(session, endpoint_id)
        service.queue_test(session, found, now=visit.now)
        visit.note(session, "webhook.test", found.id)
    return visit.go("webhooks.show", endpoint_id=endpoint_id, said=_("A test is on its way."))


@pages.post("/<endpoint_id>/resend", Permission.CHANGE_INSTALLATION)
def resend(visit: Visit, endpoint_id: str) -> Any:
    """Send a message once more: the same, with the same id."""
    with visit.write() as session:
        found = _endpoint(session, endpoint_id)
        service.resend(session, found, visit.form.get("event", ""), now=visit.now)
        visit.note(session, "webhook.resend", found.id, {"event": visit.form.get("event", "")[:40]})
    return visit.go("webhooks.show", endpoint_id=endpoint_id, said=_("It is sent once more."))


@pages.post("/<endpoint_id>/rotate", Permission.CHANGE_INSTALLATION)
def rotate(visit: Visit, endpoint_id: str) -> Any:
    """Another secret, shown this once; for a day both sign."""
    with visit.write() as session:
        found = _endpoint(session, endpoint_id)
        secret = service.rotate_secret(session, visit.context.keys, found, now=visit.now)
        visit.note(session, "webhook.rotate", found.id)
    return _secret(visit, found, secret)


@pages.post("/<endpoint_id>/disable", Permission.CHANGE_INSTALLATION)
def disable(visit: Visit, endpoint_id: str) -> Any:
    """Send nothing for now; what happens meanwhile waits."""
    with visit.write() as session:
        found = _endpoint(session, endpoint_id)
        service.disable(session, found, _("by %(name)s", name=visit.person.name), now=visit.now)
        visit.note(session, "webhook.disable", found.id)
    said = _("Nothing is sent there for now; what happens meanwhile waits.")
    return visit.go("webhooks.show", endpoint_id=endpoint_id, said=said)


@pages.post("/<endpoint_id>/enable", Permission.CHANGE_INSTALLATION)
def enable(visit: Visit, endpoint_id: str) -> Any:
    """Go on, with what waits first."""
    with visit.write() as session:
        found = _endpoint(session, endpoint_id)
        service.enable(session, found)
        visit.note(session, "webhook.enable", found.id)
    said = _("It goes on, with what waited first.")
    return visit.go("webhooks.show", endpoint_id=endpoint_id, said=said)


@pages.post("/<endpoint_id>/remove", Permission.CHANGE_INSTALLATION)
def remove(visit: Visit, endpoint_id: str) -> Any:
    """Tell the address nothing any more; what waits, and the log, go with it."""
    with visit.write() as session:
        found = _endpoint(session, endpoint_id)
        service.remove(session, found)
        visit.note(session, "webhook.remove", endpoint_id)
    return visit.go("webhooks.index", said=_("This address is told nothing any more."))


def _endpoint(session: Session, endpoint_id: str) -> Endpoint:
    return service.endpoint_by(session, endpoint_id)


def _page(visit: Visit, *, wrong: str = "", url: str = "") -> tuple[str, int]:
    with visit.read() as session:
        found = service.endpoints(session)
    return visit.show(
        "staff/office/webhooks.html",
        422 if wrong else 200,
        endpoints=found,
        types=events.TYPES,
        wrong=wrong,
        url=url,
        may_change=visit.may(Permission.CHANGE_INSTALLATION),
    )


def _secret(visit: Visit, endpoint: Endpoint, secret: str) -> tuple[str, int]:
    return visit.show("staff/office/webhook_secret.html", endpoint=endpoint, secret=secret)
