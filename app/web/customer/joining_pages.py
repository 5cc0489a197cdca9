"""Joining: what a programme gives and asks in three lines, and the button of the phone at hand."""

import secrets
from datetime import timedelta
from typing import Any

from flask import redirect, render_template, request, url_for
from sqlalchemy import exists, select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from app.attempts import count_attempt
from app.cards import links
from app.context import current_context
from app.db import enter
from app.delivery.wallets import current_wallets
from app.errors import Conflict, Invalid, NotFound
from app.languages import _, current_language
from app.mail import tokens
from app.members import consents
from app.members import service as members
from app.members.consents import Wording
from app.programmes import designs, wording
from app.programmes.mechanics.occasions import BIRTHDAY
from app.programmes.models import Partner, Programme
from app.programmes.service import location_by_slug, programme_by_slug
from app.programmes.settings import Settings
from app.programmes.terms import rulebook_of
from app.web.customer.door import blueprint, page
from app.web.joining import Joined
from app.web.joining import join as join_programme
from passes import words
from passes.card import CardKind

#: Many customers join from one address: the shop's own Wi-Fi.
JOIN_TRIES = 60
JOIN_WINDOW = timedelta(minutes=10)
_ONCE_BYTES = 16
WALLETS = ("apple", "google", "web")


@blueprint.get("/")
def front() -> str:
    """Says what answers here; programmes are not listed to strangers."""
    return render_template("front.html")


@blueprint.get("/join/<slug>")
def join_page(slug: str) -> str:
    """What the programme gives, and one button."""
    with current_context().database.read_all() as session:
        programme = programme_by_slug(session, slug)
        enter(session, programme.id)
        return _join_page(session, programme, {}, {})


@blueprint.post("/join/<slug>")
def join(slug: str) -> AnyResponse | str | tuple[str, int]:
    """Issue a card and lead to its page, and from there into the wallet that was chosen."""
    context = current_context()
    now = context.clock()
    with context.database.write_all() as session:
        count_attempt(
            session,
            "join",
            request.remote_addr or "",
            now=now,
            limit=JOIN_TRIES,
            window=JOIN_WINDOW,
        )
        programme = programme_by_slug(session, slug)
        enter(session, programme.id)
        secret = _secret(programme)
        again = links.known_link(session, secret)
        if again is not None:
            # The button was pressed twice, or the answer was lost: it is the same card.
            return _to_card(again)
        try:
            contact = members.read_contact(
                request.form.get("name", ""),
                request.form.get("email", ""),
                birthday=request.form.get("birthday", ""),
            )
            agreed = _agreed(session, programme)
        except Invalid as invalid:
            typed = {key: value[:500] for key, value in request.form.items()}
            return _join_page(session, programme, typed, invalid.fields), 422
        joined: Joined = join_programme(
            session,
            context.keys,
            programme,
            contact,
            language=current_language(),
            source=_source(session, programme),
            agreed=agreed,
            referral_code=request.form.get("from", "")[:40],
            secret=secret,
            by_letter=True,
            now=now,
        )
    return _to_card(joined.link_token)


def _to_card(token: str) -> AnyResponse:
    wanted = request.form.get("to", "")
    to = wanted if wanted in {"apple", "google"} else None
    return redirect(url_for("customer.card_page", token=token, to=to), 303)


def _secret(programme: Programme) -> bytes:
    """What the link of the new card is made of: the same for one showing of the join page."""
    once = request.form.get("once", "")
    if len(once) != 2 * _ONCE_BYTES or not once.isalnum():
        return secrets.token_bytes(links.LINK_BYTES)
    keys = current_context().keys
    return tokens.secret_of(keys, "join", f"{programme.id} {once}")[: links.LINK_BYTES]


def _agreed(session: Session, programme: Programme) -> list[Wording]:
    """The texts whose boxes were ticked, in the versions that were on the page."""
    agreed = []
    for asked in asked_consents(session, programme):
        if asked.purpose in request.form.getlist("consent"):
            version = request.form.get(f"version-{asked.purpose}", asked.version)[:32]
            try:
                read = consents.check_version(session, programme.id, asked.purpose, version)
            except Conflict as error:
                raise Invalid(error.message, {"consent": [_("Please read it again.")]}) from error
            agreed.append(read)
    return agreed


def asked_consents(session: Session, programme: Programme) -> list[Wording]:
    """What a member of the programme is asked to consent to."""
    purposes = ["messages"]
    if session.scalar(select(exists().where(Partner.programme_id == programme.id))):
        purposes.append("partners")
    return [consents.current(session, programme.id, purpose) for purpose in purposes]


def wallet_order(agent: str) -> list[str]:
    """The wallets that can be had here, that of the phone at hand first."""
    wallets = current_wallets()
    there = {"apple": wallets.apple.available, "google": wallets.google.available, "web": True}
    if "Android" in agent:
        first = "google"
    elif any(each in agent for each in ("iPhone", "iPad", "iPod")):
        first = "apple"
    else:
        first = "web"
    return sorted((name for name in WALLETS if there[name]), key=lambda name: name != first)


def _join_page(
    session: Session, programme: Programme, typed: dict[str, Any], wrong: dict[str, list[str]]
) -> str:
    language = current_language()
    settings = _settings(session, programme)
    at = request.values.get("at", "")[:40]
    return page(
        "join",
        programme,
        card_name=designs.card_name(session, programme, language),
        typed=typed,
        wrong=wrong,
        at=at,
        location=at,
        brought_by=request.values.get("from", "")[:40],
        once=typed.get("once") or secrets.token_hex(_ONCE_BYTES),
        wallets=wallet_order(request.headers.get("User-Agent", "")),
        begins=_begins(session, programme, settings),
        welcome=settings.welcome_points
        and wording.told(programme.points_names, settings.welcome_points, language),
        asks_birthday=any(each.on == BIRTHDAY for each in settings.occasions),
        consents=[
            (
                each.purpose,
                each.version,
                each.text(language, programme.name),
                each.language(language),
            )
            for each in asked_consents(session, programme)
        ],
    )


def _begins(session: Session, programme: Programme, settings: Settings) -> tuple[str, str]:
    """What a fresh card shows large, and what it is called: no points, or no stamps of so many."""
    language = current_language()
    if designs.current(session, programme.id).kind is CardKind.STAMPS and settings.stamps:
        return f"0/{settings.stamps[0].size}", words.STAMPS.said(language)
    return "0", wording.points_label(programme.points_names, 0, language)


def _settings(session: Session, programme: Programme) -> Settings:
    now = current_context().clock()
    return rulebook_of(session, programme.id, now).at(now).settings


def _source(session: Session, programme: Programme) -> str:
    """The poster that brought them; an unknown one counts as the open web."""
    try:
        return location_by_slug(session, programme.id, request.form.get("at", "")).slug
    except NotFound:
        return "web"
