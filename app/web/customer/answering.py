"""What links in letters lead to: the address is mine, no more letters (RFC 8058).

Looking alone changes nothing: mail programs look at links before people do.
"""

from flask import redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from app.cards import links
from app.context import current_context
from app.db import enter
from app.errors import NotFound
from app.keys import KeyRing
from app.languages import _
from app.mail import tokens
from app.mail.confirming import confirm, member_to_confirm
from app.members import service as members
from app.members.models import Member
from app.programmes import welcoming
from app.programmes.models import Programme
from app.programmes.service import programme_by_id
from app.web.correspondence import good_cards
from app.web.customer.door import blueprint, page

_ONE_CLICK = ("List-Unsubscribe", "One-Click")


@blueprint.get("/confirm/<token>")
def ask_to_confirm(token: str) -> str:
    """One button."""
    context = current_context()
    with context.database.read_all() as session:
        member = member_to_confirm(session, context.keys, token[:200])
        enter(session, member.programme_id)
        programme = programme_by_id(session, member.programme_id)
    return page("confirm", programme, token=token)


@blueprint.post("/confirm/<token>")
def confirm_address(token: str) -> AnyResponse:
    """Note that the address is the member's, give the welcome once, and open the card."""
    context = current_context()
    now = context.clock()
    with context.database.write_all() as session:
        member = member_to_confirm(session, context.keys, token[:200])
        enter(session, member.programme_id)
        _lock(session, context.keys, member)
        found = good_cards(session, [member.id])
        confirm(session, member.id, now=now)
        if not found:
            raise NotFound(_("This card is over. Get a new one in the shop."))
        card = found[0]
        welcoming.give(session, context.keys, card, now=now)
        # Pressed again, it is the same link.
        secret = tokens.secret_of(context.keys, "confirmed", card.id)[: links.LINK_BYTES]
        link = links.keep_link(session, card, secret, now=now)
    return redirect(url_for("customer.card_page", token=link, said="confirmed"), 303)


@blueprint.get("/unsubscribe/<purpose>/<token>")
def ask_to_unsubscribe(purpose: str, token: str) -> str:
    """One button."""
    return page("unsubscribe", _programme(purpose, token), done=False)


@blueprint.post("/unsubscribe/<purpose>/<token>")
def unsubscribe(purpose: str, token: str) -> str:
    """Withdraw the consent: from the button, or from the mail program itself with one click."""
    programme = _programme(purpose, token)
    name, value = _ONE_CLICK
    if request.form.get(name) != value:
        return page("unsubscribe", programme, done=False)
    context = current_context()
    with context.database.write(programme.id) as session:
        member_id = tokens.subject_of(token)
        members.withdraw_consents(session, member_id, now=context.clock(), purpose=purpose)
    return page("unsubscribe", programme, done=True)


def _lock(session: Session, keys: KeyRing, member: Member) -> None:
    """Hold everybody with this address: of two that confirm in one moment, one is the first."""
    email = members.contact_of(session, keys, member.id).email
    if email is not None:
        same = members.members_by_email(session, keys, member.programme_id, email)
        members.lock(session, same)


def _programme(purpose: str, token: str) -> Programme:
    """The programme of the member that the link was made for. Raises `NotFound`."""
    context = current_context()
    member_id = tokens.check(context.keys, token, f"unsubscribe {purpose[:32]}")
    with context.database.read_all() as session:
        member = session.get(Member, member_id)
        if member is None:
            raise NotFound(_("You are not in this programme any more: nothing is sent to you."))
        enter(session, member.programme_id)
        return programme_by_id(session, member.programme_id)
