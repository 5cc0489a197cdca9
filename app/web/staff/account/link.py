"""The page of a link that sets a password: an invitation, or a reset."""

from typing import Any

from apiflask import APIBlueprint
from flask import request

from app import audit
from app.context import current_context
from app.errors import Invalid
from app.languages import _
from app.staff import links, sessions, signing_in
from app.web.staff.account import threshold
from app.web.staff.account.sign_in import go_on

blueprint = APIBlueprint(
    "password_link", __name__, enable_openapi=False, url_prefix="/staff/<slug>/link"
)
_TEMPLATE = "staff/account/link.html"


@blueprint.get("/<token>")
def page(slug: str, token: str) -> Any:
    """Whose link it is, and a form. Looking uses nothing up."""
    programme = threshold.programme_at(slug)
    context = current_context()
    with context.database.write(programme.id) as session:
        link, person = links.person_of_link(session, token, now=context.clock())
    return threshold.show(programme, _TEMPLATE, link=link, person=person)


@blueprint.post("/<token>")
def use(slug: str, token: str) -> Any:
    """Set the password, end whatever sessions there were, and go on as after a sign-in."""
    programme = threshold.programme_at(slug)
    threshold.check_guest_form()
    context = current_context()
    now = context.clock()
    password = request.form.get("password", "")[:1000]
    try:
        if password != request.form.get("again", "")[:1000]:
            raise Invalid(
                _("The two are not the same. Type it once more."),
                {"again": [_("not the same as above")]},
            )
        with context.database.write(programme.id) as session:
            link, person = links.person_of_link(session, token, now=now)
            links.use_link(session, token, password, programme_name=programme.name, now=now)
            sessions.end_all(session, person.id, now=now)
            audit.note(
                session,
                "staff.password",
                person.id,
                {"by": link.kind},
                actor=person.name,
                actor_id=person.id,
                now=now,
            )
            half = signing_in.begin(session, person, now=now)
    except Invalid as error:
        with context.database.write(programme.id) as session:
            link, person = links.person_of_link(session, token, now=now)
        return threshold.show(
            programme,
            _TEMPLATE,
            422,
            link=link,
            person=person,
            wrong=error.message,
            fields=error.fields,
        )
    return go_on(programme, half)
