"""A link to another password by e-mail, for who forgot the present one.

Whoever asks is told the same, whether anybody has that name, an address, or neither. The letter is
written in the background; the link in it is made as it is sent, and is nowhere kept.
"""

from datetime import datetime, timedelta
from typing import Any

from apiflask import APIBlueprint
from flask import request
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import audit
from app.attempts import count_attempt, note_attempt, refuse_if_too_many
from app.context import Context, current_context
from app.errors import NotFound, TooMany
from app.languages import _, current_language, speaking
from app.mail.service import queue_for_staff
from app.programmes.models import Programme
from app.staff.addresses import address_of
from app.staff.login_models import Login
from app.staff.models import Staff
from app.staff.signing_in import neighbourhood, typed_name
from app.web.staff.account import threshold

blueprint = APIBlueprint(
    "forgotten", __name__, enable_openapi=False, url_prefix="/staff/<slug>/forgotten"
)
_TEMPLATE = "staff/account/forgotten.html"
#: Letters that may be asked for from one address, and those that one person gets.
TRIES, TRIES_WINDOW = 10, timedelta(minutes=15)
LETTERS, LETTERS_WINDOW = 3, timedelta(days=1)
#: Keeps the second factor, or forgets it: what the letter's link does besides.
KEEPS, FORGETS = "keeps", "forgets"


@blueprint.get("")
def page(slug: str) -> Any:
    """Asks for the name one signs in with. Raises `NotFound` where no letter can be sent."""
    return _show(_programme(slug))


@blueprint.post("")
def ask(slug: str) -> Any:
    """Send the letter where there is somebody to send it to; the answer is the same for all."""
    programme = _programme(slug)
    threshold.check_guest_form()
    context = current_context()
    now = context.clock()
    place = neighbourhood(request.remote_addr or "")
    try:
        with context.database.write(programme.id) as session:
            count_attempt(
                session, "staff_forgotten", place, now=now, limit=TRIES, window=TRIES_WINDOW
            )
            name = typed_name(request.form.get("name", ""))
            person = session.scalar(
                select(Staff)
                .join(Login, Login.staff_id == Staff.id)
                .where(Staff.name == name, Staff.left_at.is_(None), Login.email.is_not(None))
            )
            if person is not None and send_link(session, context, programme, person, KEEPS, now):
                audit.note(
                    session,
                    "staff.link",
                    person.id,
                    {"by": "e-mail"},
                    actor=person.name,
                    actor_id=person.id,
                    now=now,
                )
    except TooMany as error:
        response = _show(programme, 429, wrong=error.message)
        response.headers["Retry-After"] = str(error.retry_after_seconds)
        return response
    return _show(programme, is_asked=True)


def can_send(context: Context) -> bool:
    """Whether letters leave this installation at all."""
    return context.config.smtp_server is not None


def send_link(
    session: Session,
    context: Context,
    programme: Programme,
    person: Staff,
    what: str,
    now: datetime,
) -> bool:
    """Queue a letter with a link to another password; False where none may or can be sent."""
    if not can_send(context) or address_of(session, context.keys, person) is None:
        return False
    about = ("staff_letter", person.id)
    try:
        refuse_if_too_many(session, *about, now=now, limit=LETTERS, window=LETTERS_WINDOW)
    except TooMany:
        return False
    note_attempt(session, *about, now=now)
    with speaking(person.language or current_language()):
        queue_for_staff(
            session,
            staff_id=person.id,
            subject=_("Your password at %(programme)s", programme=programme.name),
            text=_(
                "Somebody, presumably you, asked for a link to set another password for the staff "
                "pages of %(programme)s. It works once, within an hour:\n\n%(link)s\n\n"
                "If it was not you, do nothing: your password stays what it is.\n",
                programme=programme.name,
                link="[[staff_link]]",
            ),
            fills={"staff_link": what},
            now=now,
        )
    return True


def _programme(slug: str) -> Programme:
    if not can_send(current_context()):
        raise NotFound(_("No letters can be sent from here. Ask an owner for a link."))
    return threshold.programme_at(slug)


def _show(
    programme: Programme, status: int = 200, *, is_asked: bool = False, wrong: str = ""
) -> Any:
    return threshold.show(programme, _TEMPLATE, status, is_asked=is_asked, wrong=wrong)
