"""What a member told us: put right, agreed to or not any more, and taken home."""

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Response, request
from werkzeug.wrappers import Response as AnyResponse

from app.cards.models import Card
from app.cards.service import touch
from app.delivery import leaving
from app.delivery.leaving import Person
from app.errors import Invalid
from app.languages import _, current_language
from app.members import changing as contacts
from app.members import consents
from app.members import service as members
from app.members.reads import Reader, note_read
from app.members.service import Contact
from app.web.correspondence import ask_to_confirm, may_write
from app.web.customer.door import Opened, blueprint, opened
from app.web.customer.readable import readable
from app.web.customer.settings_page import show_again, to_settings
from app.web.disclosing import as_text, disclose

READER = Reader("member", "card page")


@blueprint.post("/card/<token>/contact")
def contact(token: str) -> AnyResponse | tuple[str, int]:
    """Keep another name or address; a new address is asked whether it is theirs."""
    typed = {name: request.form.get(name, "")[:500] for name in ("name", "email")}
    try:
        read = members.read_contact(typed["name"], typed["email"])
        with opened(token, writing=True) as door:
            is_new = _keep_contact(door, read)
            if is_new:
                _ask(door)
    except Invalid as invalid:
        return show_again(token, typed, invalid.fields)
    return to_settings(token, "asked" if is_new else "changed", "contact")


@blueprint.post("/card/<token>/confirm-again")
def confirm_again(token: str) -> AnyResponse:
    """Send the question once more."""
    with opened(token, writing=True) as door:
        _ask(door)
    return to_settings(token, "asked", "contact")


def _ask(door: Opened) -> None:
    card = door.card
    email = members.contact_of(door.session, door.keys, card.member_id).email
    if email and may_write(door.session, door.keys, door.programme, email, door.now):
        key = f"confirm/{card.id}/{secrets.token_hex(8)}"
        ask_to_confirm(door.session, door.programme, card, key, now=door.now)


def _keep_contact(door: Opened, read: Contact) -> bool:
    """Write it down; whether the address is another one."""
    session, card = door.session, door.card
    before = members.contact_of(session, door.keys, card.member_id)
    if card.member_id is None:
        _become_member(door, card, read)
    else:
        kept = Contact(
            read.name, read.email, before.phone, before.number, before.birthday, before.nickname
        )
        contacts.set_contact(session, door.keys, card.member_id, kept, language=current_language())
        if read.email is None:
            members.withdraw_consents(session, card.member_id, now=door.now)
    touch(session, card, now=door.now)
    return read.email is not None and read.email != before.email


def _become_member(door: Opened, card: Card, read: Contact) -> None:
    added = members.add_member(
        door.session,
        door.keys,
        door.programme.id,
        read,
        language=current_language(),
        now=door.now,
    )
    card.member_id = added.id
    door.session.flush()


@blueprint.post("/card/<token>/consents/<purpose>")
def consent(token: str, purpose: str) -> AnyResponse | tuple[str, int]:
    """Agree to a text that was read, or withdraw: one is as easy as the other."""
    giving = request.form.get("do") == "give"
    try:
        with opened(token, writing=True) as door:
            session, card = door.session, door.card
            version = request.form.get("version", "")[:32]
            if giving:
                read = consents.check_version(session, door.programme.id, purpose, version)
                _check_reachable(door)
                assert card.member_id is not None  # noqa: S101 - checked by the line above
                consents.give(
                    session, door.programme.id, card.member_id, read, current_language(), door.now
                )
            elif card.member_id is not None:
                members.withdraw_consents(session, card.member_id, now=door.now, purpose=purpose)
    except Invalid as invalid:
        return show_again(token, {}, invalid.fields)
    return to_settings(token, "agreed" if giving else "withdrawn", "consents")


def _check_reachable(door: Opened) -> None:
    email = members.contact_of(door.session, door.keys, door.card.member_id).email
    if email is None:
        text = _("Write your e-mail address first: it is what this is about.")
        raise Invalid(text, {"email": [text]})


@blueprint.get("/card/<token>/data.json")
def data_json(token: str) -> Response:
    """All that is held of the member, for programs."""
    with _taken_home(token) as (door, person):
        found = disclose(door.session, door.keys, person, now=door.now)
    text = json.dumps(found, indent=2, ensure_ascii=False)
    return _file(text, "application/json", "my-data.json")


@blueprint.get("/card/<token>/data.txt")
def data_text(token: str) -> Response:
    """The same for people: first in their words, then row by row."""
    with _taken_home(token) as (door, person):
        found = disclose(door.session, door.keys, person, now=door.now)
        text = readable(door, person)
    return _file(f"{text}\n\n{as_text(found)}", "text/plain", "my-data.txt")


@contextmanager
def _taken_home(token: str) -> Iterator[tuple[Opened, Person]]:
    """Who is behind a link; that their data was read is on record."""
    with opened(token, writing=True) as door:
        person = leaving.find_person(door.session, door.keys, door.programme.id, door.card.id)
        for member_id in person.member_ids:
            note_read(door.session, member_id, READER, "export", now=door.now)
        yield door, person


def _file(text: str, mimetype: str, name: str) -> Response:
    response = Response(text, mimetype=mimetype)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
