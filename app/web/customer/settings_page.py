"""The page on which members change whatever they may: each part is a form of its own."""

from dataclasses import dataclass
from datetime import datetime

from flask import redirect, url_for
from werkzeug.wrappers import Response as AnyResponse

from app.cards import pins
from app.delivery import erasures
from app.languages import current_language
from app.members import consents
from app.members import service as members
from app.members.models import Member
from app.web.customer.door import Opened, blueprint, opened, page
from app.web.customer.joining_pages import asked_consents
from passes.card import CardStatus


@dataclass(frozen=True, slots=True)
class Agreement:
    """A purpose, the text that stands for it, and since when it is agreed to (or not)."""

    purpose: str
    version: str
    text: str
    language: str
    since: datetime | None


def agreements(door: Opened) -> list[Agreement]:
    """What is asked now, and what was agreed to: each in the words that were read."""
    language, name = current_language(), door.programme.name
    standing = {each.purpose: each for each in consents.standing(door.session, door.card.member_id)}
    asked = {each.purpose: each for each in asked_consents(door.session, door.programme)}
    found = []
    for purpose in [*asked, *(each for each in standing if each not in asked)]:
        given = standing.get(purpose)
        read = asked.get(purpose)
        spoken = language
        if given is not None:
            read = consents.wording(door.session, door.programme.id, purpose, given.text_version)
            spoken = given.language or language
        if read is not None:
            found.append(
                Agreement(
                    purpose,
                    read.version,
                    read.text(spoken, name),
                    read.language(spoken),
                    given.given_at if given else None,
                )
            )
    return found


@blueprint.get("/card/<token>/settings")
def settings(token: str) -> str:
    """Everything that a member may change, on one page."""
    with opened(token) as door:
        return _settings(door, token, {}, {})


def _settings(door: Opened, token: str, typed: dict[str, str], wrong: dict[str, list[str]]) -> str:
    session, card = door.session, door.card
    member = session.get(Member, card.member_id) if card.member_id else None
    return page(
        "settings",
        door.programme,
        token=token,
        card=card,
        is_frozen=card.frozen_at is not None,
        is_active=card.status == CardStatus.ACTIVE,
        has_pin=pins.has_pin(session, card.id),
        contact=members.contact_of(session, door.keys, card.member_id),
        confirmed_at=member.email_confirmed_at if member else None,
        agreements=agreements(door),
        erasure=erasures.asked(session, card.id),
        typed=typed,
        wrong=wrong,
    )


def show_again(token: str, typed: dict[str, str], wrong: dict[str, list[str]]) -> tuple[str, int]:
    """The page once more, with what is wrong beside its field."""
    with opened(token) as door:
        return _settings(door, token, typed, wrong), 422


def to_settings(token: str, said: str, anchor: str = "") -> AnyResponse:
    """Back to the page, which says what was done."""
    address = url_for("customer.settings", token=token, said=said, _anchor=anchor or None)
    return redirect(address, 303)
