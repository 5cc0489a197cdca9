"""What one person may do alone: contact, consents, notes, cards; and points below the limit."""

from typing import Any

from flask import request

from app.approvals import service as approvals
from app.approvals.models import Kind
from app.cards import pins
from app.cards import service as cards
from app.cards.models import Card
from app.errors import Conflict
from app.languages import _
from app.members import changing, notes
from app.members import service as members
from app.members.service import Contact, add_member, read_contact
from app.staff.permissions import Permission
from app.web.staff.door import Visit
from app.web.staff.members.area import Subject, pages, read_subject, subject_of
from app.web.staff.members.deeds import do_or_ask, read_points
from app.web.staff.members.profile import deed
from passes.card import CardStatus
from passes.image import code_svg


@pages.post("/<card_id>/contact", Permission.CHANGE_MEMBERS)
@deed("contact")
def contact(visit: Visit, card_id: str) -> Any:
    """Put right what the member told us, as the member asks."""
    form = visit.form
    told = read_contact(
        form.get("name", ""),
        form.get("email", ""),
        form.get("phone", ""),
        form.get("birthday", ""),
        nickname=form.get("nickname", ""),
    )
    language = form.get("language", "")
    subject = read_subject(visit, card_id, "show")
    with visit.write() as session:
        member_id = _member_of(visit, session, subject)
        changed = changing.set_contact(
            session, visit.context.keys, member_id, told, language=language
        )
        if changed:
            visit.note(session, "member.contact", card_id, {"fields": changed})
            for card in subject.person.cards:
                fresh = cards.card_by_id(session, card.id)
                if fresh.status == CardStatus.ACTIVE:
                    fresh.language = language
                    cards.touch(session, fresh, now=visit.now)
    said = _("Changed. The passes follow.") if changed else _("Nothing was different.")
    return visit.go("members.show", said=said, card_id=card_id)


@pages.post("/<card_id>/consents", Permission.CHANGE_MEMBERS)
@deed("consents")
def consents(visit: Visit, card_id: str) -> Any:
    """Write down what the member consents to, as the member says."""
    subject = read_subject(visit, card_id, "show")
    with visit.write() as session:
        member_id = _member_of(visit, session, subject)
        changed = []
        for each in changing.consents_of(session, member_id):
            is_given = each.purpose in request.form.getlist("consent")
            if changing.set_consent(
                session, member_id, each.purpose, is_given=is_given, now=visit.now
            ):
                changed.append(each.purpose)
        if changed:
            visit.note(session, "member.consents", card_id, {"purposes": changed})
    said = _("The consents are kept.") if changed else _("Nothing was different.")
    return visit.go("members.show", said=said, card_id=card_id)


@pages.post("/<card_id>/note", Permission.CHANGE_MEMBERS)
@deed("note")
def note(visit: Visit, card_id: str) -> Any:
    """Keep a note."""
    subject = read_subject(visit, card_id, "show")
    with visit.write() as session:
        member_id = _member_of(visit, session, subject)
        notes.write(
            session,
            visit.context.keys,
            member_id,
            visit.form.get("text", ""),
            staff_id=visit.person.id,
            now=visit.now,
        )
        visit.note(session, "member.note", card_id)
    return visit.go("members.show", said=_("The note is kept."), card_id=card_id)


@pages.post("/<card_id>/note/<uuid:note_id>/remove", Permission.CHANGE_MEMBERS)
def remove_note(visit: Visit, card_id: str, note_id: Any) -> Any:
    """Take a note away."""
    with visit.write() as session:
        subject = subject_of(session, visit, card_id)
        notes.remove(session, str(subject.member_id), str(note_id))
        visit.note(session, "member.note.remove", card_id)
    return visit.go("members.show", said=_("The note is gone."), card_id=card_id)


@pages.post("/<card_id>/counter", Permission.CHANGE_MEMBERS)
@deed("counter")
def counter(visit: Visit, card_id: str) -> Any:
    """Say what the cashier is to be told."""
    subject = read_subject(visit, card_id, "show")
    is_vip = visit.form.get("vip") == "yes"
    with visit.write() as session:
        notes.tell_counter(
            session,
            visit.context.keys,
            _member_of(visit, session, subject),
            is_vip=is_vip,
            note=visit.form.get("note", ""),
        )
        visit.note(session, "member.counter", card_id, {"vip": is_vip})
    said = _("The cashier is told when the card is read next.")
    return visit.go("members.show", said=said, card_id=card_id)


# --- points -----------------------------------------------------------------------------------


@pages.post("/<card_id>/adjust", Permission.ADJUST_POINTS)
@deed("adjust")
def adjust(visit: Visit, card_id: str) -> Any:
    """Give points or take them; from the programme's limit on a second person has to agree."""
    points = read_points(visit.form.get("points", ""))
    reason = approvals.check_reason(visit.form.get("reason", ""))
    deed_id = approvals.check_id(visit.form.get("deed_id", ""))
    with visit.read() as session:
        card = subject_of(session, visit, card_id).card
    _check_not_over(card)
    body = {"account_id": card.account_id, "points": points}
    if do_or_ask(visit, Kind.ADJUSTMENT, deed_id, card.id, body, reason):
        said = _("The points are given.") if points > 0 else _("The points are taken.")
    else:
        said = _("Nothing is changed yet: somebody else has to agree.")
    return visit.go("members.show", said=said, card_id=card_id)


# --- cards ------------------------------------------------------------------------------------


@pages.post("/<card_id>/block", Permission.CHANGE_MEMBERS)
@deed("card")
def block(visit: Visit, card_id: str) -> Any:
    """Have every till refuse the card; its points stay."""
    reason = approvals.check_reason(visit.form.get("reason", ""))
    _set_status(visit, card_id, CardStatus.BLOCKED, reason)
    said = _("Blocked. Tills without a network learn of it when they next reach the service.")
    return visit.go("members.show", said=said, card_id=card_id)


@pages.post("/<card_id>/unblock", Permission.CHANGE_MEMBERS)
@deed("card")
def unblock(visit: Visit, card_id: str) -> Any:
    """Have the card accepted again."""
    _set_status(visit, card_id, CardStatus.ACTIVE, None)
    return visit.go("members.show", said=_("The card is good again."), card_id=card_id)


@pages.post("/<card_id>/unlock", Permission.CHANGE_MEMBERS)
@deed("card")
def unlock(visit: Visit, card_id: str) -> Any:
    """Let the card's PIN be tried again."""
    with visit.write() as session:
        subject = subject_of(session, visit, card_id)
        if not pins.unlock(session, subject.card.id):
            raise Conflict(_("The PIN of this card is not locked."))
        visit.note(session, "card.pin.unlock", card_id)
    return visit.go("members.show", said=_("The PIN can be tried again."), card_id=card_id)


@pages.post("/<card_id>/replace", Permission.CHANGE_MEMBERS)
@deed("card")
def replace(visit: Visit, card_id: str) -> Any:
    """Issue a new card in place of this one; its link is shown this once."""
    reason = approvals.check_reason(visit.form.get("reason", ""))
    with visit.write() as session:
        old = subject_of(session, visit, card_id).card
        new = cards.replace_card(session, visit.context.keys, old.id, now=visit.now, reason=reason)
        link = cards.create_link(session, new, now=visit.now)
        visit.note(session, "card.replace", card_id, {"new": new.id})
    address = f"{visit.context.config.url}/card/{link}"
    return visit.show(
        "staff/members/replaced.html", card=new, address=address, picture=code_svg(address)
    )


def _set_status(visit: Visit, card_id: str, status: CardStatus, reason: str | None) -> None:
    with visit.write() as session:
        card = subject_of(session, visit, card_id).card
        cards.set_status(session, card.id, status, now=visit.now, reason=reason)
        visit.note(session, f"card.{status}", card_id)


def _check_not_over(card: Card) -> None:
    if card.status not in {CardStatus.ACTIVE, CardStatus.BLOCKED}:
        raise Conflict(_("This card is over. Change the card that took its place."))


def _member_of(visit: Visit, session: Any, subject: Subject) -> str:
    """The member's row; one is made for a card of whose holder nothing was known."""
    _check_not_over(subject.card)
    if subject.member_id is not None:
        return subject.member_id
    member = add_member(
        session,
        visit.context.keys,
        visit.programme.id,
        Contact(),
        language=subject.card.language
        if subject.card.language in members.LANGUAGES
        else members.LANGUAGES[0],
        now=visit.now,
    )
    for card in subject.person.cards:
        cards.card_by_id(session, card.id).member_id = member.id
    session.flush()
    return member.id
