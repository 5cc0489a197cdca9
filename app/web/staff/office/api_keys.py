"""API keys: what shop systems ask with."""

from typing import Any

from flask import request
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import Conflict, Invalid, NotFound
from app.languages import Lazy, _, lazy
from app.pos import keys
from app.pos.models import ApiKey
from app.pos.rules import Scope
from app.programmes.models import Location
from app.staff.permissions import Permission
from app.web.staff.door import StaffPages, Visit
from app.web.staff.navigation import NavItem
from app.web.staff.office.headings import INSTALLATION

pages = StaffPages("api-keys", __name__)
NAV = (NavItem(820, lazy("API keys"), "api-keys.index", Permission.SEE_INSTALLATION, INSTALLATION),)

SCOPES: dict[Scope, Lazy] = {
    Scope.QUOTE: lazy("ask what a basket would earn"),
    Scope.ACCRUE: lazy("give points for receipts"),
    Scope.REDEEM: lazy("reserve and spend points"),
    Scope.RETURN: lazy("take receipts back"),
    Scope.MEMBERS_READ: lazy("read members with their names and contacts"),
    Scope.COUPONS: lazy("issue and use coupons"),
    Scope.WEBHOOKS: lazy("see and change webhooks"),
}


@pages.get("/", Permission.SEE_INSTALLATION)
def index(visit: Visit) -> Any:
    """Every key, never its text."""
    return _page(visit)


@pages.post("/", Permission.CHANGE_INSTALLATION)
def add(visit: Visit) -> Any:
    """Make a key; its text is shown this once."""
    form = visit.form
    scopes = request.form.getlist("scopes")[:20]
    try:
        with visit.write() as session:
            made, text = keys.add_key(
                session,
                visit.programme.id,
                name=form.get("name", "").strip(),
                scopes=scopes,
                location=form.get("location") or None,
                now=visit.now,
            )
            visit.note(session, "api_key.add", made.id, {"scopes": list(made.scopes)})
    except (Invalid, Conflict) as error:
        return _page(visit, wrong=error.message, name=form.get("name", ""), chosen=scopes)
    return _once(visit, made, text)


@pages.post("/<key_id>/rotate", Permission.CHANGE_INSTALLATION)
def rotate(visit: Visit, key_id: str) -> Any:
    """Another text for the same key, shown this once; the old one is refused at once."""
    with visit.write() as session:
        found = _key(session, key_id)
        text = keys.rotate(session, found)
        visit.note(session, "api_key.rotate", found.id)
    return _once(visit, found, text)


@pages.post("/<key_id>/revoke", Permission.CHANGE_INSTALLATION)
def revoke(visit: Visit, key_id: str) -> Any:
    """Refuse a key from now on, for good."""
    with visit.write() as session:
        found = _key(session, key_id)
        keys.revoke(session, found, now=visit.now)
        visit.note(session, "api_key.revoke", found.id)
    said = _("The key %(name)s is refused from now on.", name=found.name)
    return visit.go("api-keys.index", said=said)


def _key(session: Session, key_id: str) -> ApiKey:
    found = session.scalar(
        select(ApiKey).where(ApiKey.id == key_id, ApiKey.revoked_at.is_(None)).with_for_update()
    )
    if found is None:
        raise NotFound(_("There is no such key, or it was revoked."))
    return found


def _page(
    visit: Visit, *, wrong: str = "", name: str = "", chosen: list[str] | None = None
) -> tuple[str, int]:
    with visit.read() as session:
        found = keys.keys(session)
        places = {each.id: each for each in session.scalars(select(Location))}
    return visit.show(
        "staff/office/api_keys.html",
        422 if wrong else 200,
        keys=found,
        places=places,
        scopes=SCOPES,
        wrong=wrong,
        name=name,
        chosen=chosen or [],
        may_change=visit.may(Permission.CHANGE_INSTALLATION),
    )


def _once(visit: Visit, key: ApiKey, text: str) -> tuple[str, int]:
    return visit.show("staff/office/api_key_once.html", key=key, text=text)
