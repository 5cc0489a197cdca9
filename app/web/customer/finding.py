"""Somebody who has lost the way to their card: the link goes to the address it was joined with."""

import secrets
from datetime import timedelta

from flask import request

from app.attempts import count_attempt
from app.context import current_context
from app.db import enter
from app.errors import Invalid
from app.languages import _
from app.members import service as members
from app.programmes.service import programme_by_slug
from app.web.correspondence import send_link
from app.web.customer.door import blueprint, page

#: A family at home has one address; whoever tries out others' soon has enough.
FIND_TRIES = 10
FIND_WINDOW = timedelta(minutes=10)


@blueprint.get("/find/<slug>")
def find_page(slug: str) -> str:
    """One field."""
    with current_context().database.read_all() as session:
        programme = programme_by_slug(session, slug)
    return page("find", programme, done=False, typed="", wrong=None)


@blueprint.post("/find/<slug>")
def find(slug: str) -> str | tuple[str, int]:
    """The same answer for everybody: a card with that address, or none, is told by letter alone."""
    context = current_context()
    now = context.clock()
    typed = request.form.get("email", "")[:500]
    with context.database.write_all() as session:
        count_attempt(
            session,
            "find",
            request.remote_addr or "",
            now=now,
            limit=FIND_TRIES,
            window=FIND_WINDOW,
        )
        programme = programme_by_slug(session, slug)
        enter(session, programme.id)
        try:
            contact = members.read_contact("", typed)
        except Invalid as invalid:
            wrong = invalid.fields.get("email", [invalid.message])[0]
            return page("find", programme, done=False, typed=typed, wrong=wrong), 422
        if not contact.email:
            wrong = _("Write the address that you gave when you joined.")
            return page("find", programme, done=False, typed="", wrong=wrong), 422
        key = f"find/{secrets.token_hex(16)}"
        send_link(session, context.keys, programme, contact.email, key, now=now)
    return page("find", programme, done=True, typed="", wrong=None)
