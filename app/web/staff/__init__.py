"""The staff pages: one module (or package) an area, each with `pages` and what it has in the menu.

Whoever comes in comes through `door`; what they may do stands in `app.staff.permissions`.
"""

from types import ModuleType

from flask import Flask, g, redirect, render_template, request
from markupsafe import Markup
from werkzeug.wrappers import Response as AnyResponse

from app.context import current_context
from app.languages import Lazy, lazy
from app.programmes.service import only_slug
from app.staff import sessions
from app.staff.models import Role
from app.web.staff import (
    campaigns,
    designer,
    insight,
    members,
    office,
    programme,
    public,
    today,
)
from app.web.staff.account import forgotten, link, own, sign_in
from app.web.staff.door import FORM_FIELD, Visit
from app.web.staff.navigation import NavItem

#: The modules of the areas: `pages` (a `StaffPages`) and `NAV` (entries of the menu).
AREAS: tuple[ModuleType, ...] = (
    today,
    members,
    campaigns,
    insight,
    programme,
    designer,
    public,
    *office.AREAS,
    own,
)
#: What is reached by who is not signed in.
THRESHOLD: tuple[ModuleType, ...] = (sign_in, forgotten, link)


ROLE_WORDS: dict[str, Lazy] = {
    Role.OWNER: lazy("Owner"),
    Role.MARKETER: lazy("Marketer"),
    Role.MANAGER: lazy("Manager"),
    Role.CASHIER: lazy("Cashier"),
    Role.AUDITOR: lazy("Auditor"),
}


def install(app: Flask) -> None:
    """Add all staff pages to the service."""
    items: list[NavItem] = []
    for area in AREAS:
        app.register_blueprint(area.pages.blueprint)
        items.extend(getattr(area, "NAV", ()))
    for part in THRESHOLD:
        app.register_blueprint(part.blueprint)
    items.sort(key=lambda item: item.place)
    app.jinja_env.globals.update(
        navigation=items,
        form_token=_form_token,
        csrf=_csrf,
        role_word=lambda role: ROLE_WORDS.get(role, role),
    )
    app.jinja_env.tests["allowed"] = lambda permission, visit: visit.may(permission)
    app.add_url_rule("/staff", "staff", _which)
    app.add_url_rule("/staff/<slug>/", "staff_home", _home)


def _which() -> AnyResponse | str:
    """Which programme? Only the short name is asked: programmes are not listed to strangers."""
    slug = request.args.get("programme", "").strip().lower()
    if not slug:
        with current_context().database.read_all() as session:
            slug = only_slug(session) or ""
    if slug and slug.replace("-", "").isalnum():
        return redirect(f"/staff/{slug}/", 303)
    return render_template("staff/which.html")


def _home(slug: str) -> AnyResponse:
    """Where everybody begins."""
    return redirect(f"/staff/{slug}/today", 303)


def _form_token() -> str:
    visit: Visit = g.visit
    return sessions.form_token(visit.token)


def _csrf() -> Markup:
    """The field that makes a form ours; each form has it."""
    return Markup('<input type="hidden" name="{}" value="{}">').format(FORM_FIELD, _form_token())
