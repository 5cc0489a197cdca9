"""What links in letters lead to: no more letters (RFC 8058)."""

from apiflask import APIBlueprint
from flask import render_template, request

from app.context import current_context
from app.db import enter
from app.errors import NotFound
from app.mail import tokens
from app.members import service as members
from app.members.models import Member
from app.programmes.models import Programme
from app.programmes.service import programme_by_id

blueprint = APIBlueprint("letters", __name__, enable_openapi=False)


@blueprint.get("/unsubscribe/<purpose>/<token>")
def ask(purpose: str, token: str) -> str:
    """One button. Looking alone changes nothing: mail programs look at links before people do."""
    programme = _programme(purpose, token)
    return render_template("unsubscribe.html", programme=programme, done=False)


@blueprint.post("/unsubscribe/<purpose>/<token>")
def unsubscribe(purpose: str, token: str) -> str:
    """Withdraw the consent: from the button, or from the mail program itself with one click."""
    programme = _programme(purpose, token)
    if request.form.get("List-Unsubscribe") != "One-Click":
        return render_template("unsubscribe.html", programme=programme, done=False)
    context = current_context()
    with context.database.write(programme.id) as session:
        member_id = tokens.subject_of(token)
        members.withdraw_consents(session, member_id, now=context.clock(), purpose=purpose)
    return render_template("unsubscribe.html", programme=programme, done=True)


def _programme(purpose: str, token: str) -> Programme:
    """The programme of the member that the link was made for. Raises `NotFound`."""
    context = current_context()
    member_id = tokens.check(context.keys, token, f"unsubscribe {purpose[:32]}")
    with context.database.read_all() as session:
        member = session.get(Member, member_id)
        if member is None:
            raise NotFound("You are not in this programme any more: nothing is sent to you.")
        enter(session, member.programme_id)
        return programme_by_id(session, member.programme_id)
