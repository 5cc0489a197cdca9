"""The card in the browser: its code while it is open, what it is worth, the ways into a wallet."""

from datetime import datetime
from functools import partial
from typing import Any

from flask import Response, jsonify, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from app.benefits import service as benefits
from app.campaigns import mutes
from app.cards import service as cards
from app.cards.models import Card
from app.delivery import erasures
from app.delivery.wallets import current_wallets
from app.errors import NotFound
from app.keys import KeyRing
from app.languages import _, current_language
from app.ledger import service as ledger
from app.ledger import writing
from app.ledger.models import Account
from app.ledger.reports.rules import after
from app.ledger.reports.statement import statement
from app.programmes import designs, wording
from app.programmes.faces import coupon_shown, face_of
from app.programmes.models import Programme
from app.programmes.terms import rulebook_of
from app.till import benefits as counter
from app.web.customer.door import Opened, blueprint, opened, page
from app.web.customer.joining_pages import wallet_order
from passes import totp
from passes.card import CardFace, CardKind
from passes.code import Kind, rotating_text
from passes.image import code_svg
from passes.text import Text, said

PKPASS = "application/vnd.apple.pkpass"
#: The ends of points that stand on the page; there may be many more.
MOST_ENDS = 5


@blueprint.get("/card/<token>")
def card_page(token: str) -> str:
    """The card, what can be had for it, what ends when."""
    with opened(token, coupons_too=True) as door:
        facts = _facts(door)
        if door.card.kind != Kind.COUPON:
            facts |= _worth(door)
            asked = erasures.asked(door.session, door.card.id)
            facts["is_muted"] = mutes.is_muted(door.session, door.card.account_id)
            facts["erased_at"] = asked.due_at if asked else None
    wallets = [name for name in wallet_order(_agent()) if name != "web"]
    wanted = request.args.get("to", "")
    return page(
        "card",
        door.programme,
        token=token,
        wallets=wallets,
        to=wanted if wanted in wallets and facts["face"].is_active else None,
        is_coupon=door.card.kind == Kind.COUPON,
        frozen_at=door.card.frozen_at,
        **facts,
    )


def _agent() -> str:
    return request.headers.get("User-Agent", "")


def _facts(door: Opened) -> dict[str, Any]:
    face = _face(door)
    number, label = headline(door.programme, face)
    name = designs.card_name(door.session, door.programme, current_language())
    return {"face": face, "number": number, "label": label, "card_name": name}


def _face(door: Opened) -> CardFace:
    return face_of(door.session, door.keys, door.card, now=door.now, programme=door.programme)


def headline(programme: Programme, face: CardFace) -> tuple[str, str]:
    """The large figure on the card and what it is called: points, stamps, or a coupon's offer."""
    language = current_language()
    found = face.field({CardKind.STAMPS: "stamps", CardKind.COUPON: "offer"}.get(face.kind, ""))
    if found is None:
        return (
            writing.number(face.balance, language),
            wording.points_label(programme.points_names, face.balance, language),
        )
    value = found.value
    shown = said(value, language) if isinstance(value, str | Text) else str(value)
    return shown, found.label_in(language)


def _worth(door: Opened) -> dict[str, Any]:
    """What the account has besides the figure on the card, and what becomes of it."""
    session, card, now = door.session, door.card, door.now
    language = current_language()
    book = rulebook_of(session, card.programme_id, now)
    standing = ledger.standing(session, card.account_id, now=now)
    tier = session.get_one(Account, card.account_id).tier
    shown = counter.Shown(book, book.at(now).settings, language, standing.available, tier, now)
    part = counter.page_part(session, card, shown)
    told = partial(wording.told, door.programme.points_names, language=language)
    for reward in part["rewards"]:
        if counter.lacks_points_alone(reward):
            # Here they are called what the programme calls them.
            reward["why_not"] = _("%(points)s to go", points=told(reward["missing_points"]))
    return {
        "pending": standing.pending and told(standing.pending),
        "debt": standing.debt and told(standing.debt),
        "stamps": part["stamps"],
        "rewards": part["rewards"],
        "coupons": [
            (each.id, said(coupon_shown(each.offer, None).offer, language), each.expires_at)
            for each in benefits.coupons(session, card.account_id, now=now)
        ],
        "ends": _ends(session, card, door.programme, now),
    }


def _ends(
    session: Session, card: Card, programme: Programme, now: datetime
) -> list[tuple[str, str]]:
    """How many points end after which day, the first ones first."""
    language = current_language()
    by_day: dict[str, int] = {}
    for lot in statement(session, card.account_id, since=None, before=after(now)).lots():
        if lot.expires_at is not None:
            day = writing.last_day(lot.expires_at, programme.time_zone, language)
            by_day[day] = by_day.get(day, 0) + lot.left
    return [
        (
            wording.told(programme.points_names, points, language),
            day,
        )
        for day, points in list(by_day.items())[:MOST_ENDS]
    ]


@blueprint.get("/card/<token>/live")
def live(token: str) -> Response:
    """What changes while the page is open, for its script."""
    with opened(token, coupons_too=True) as door:
        facts = _facts(door)
        svg = _code(door.keys, door.card, door.now)
    return jsonify(
        code=svg,
        number=facts["number"],
        label=facts["label"],
        status=str(facts["face"].status),
    )


@blueprint.get("/card/<token>/code.svg")
def code(token: str) -> Response:
    """The card's code with a one-time value that is good for about a minute."""
    with opened(token, coupons_too=True) as door:
        svg = _code(door.keys, door.card, door.now)
    return Response(svg, mimetype="image/svg+xml")


@blueprint.get("/card/<token>/still.svg")
def still(token: str) -> Response:
    """The card's code without one: it collects when the phone has no network."""
    with opened(token, coupons_too=True) as door:
        svg = code_svg(door.card.code)
    return Response(svg, mimetype="image/svg+xml")


def _code(keys: KeyRing, card: Card, now: datetime) -> str:
    seconds = int(now.timestamp())
    value = totp.totp(cards.totp_keys(keys, card.id)[0], seconds)
    return code_svg(rotating_text(card.code, seconds, value))


@blueprint.post("/card/<token>/coupons/<coupon_id>")
def coupon_page(token: str, coupon_id: str) -> AnyResponse:
    """Make the pass of one of the card's coupons, and lead to its own page."""
    with opened(token, writing=True) as door:
        session, card, now = door.session, door.card, door.now
        found = {each.id for each in benefits.coupons(session, card.account_id, now=now)}
        if coupon_id not in found:
            raise NotFound(_("This coupon is over, or was used already."))
        made = benefits.issue_card(
            session,
            door.keys,
            coupon_id,
            now=now,
            language=card.language,
            member_id=card.member_id,
        )
        link = cards.create_link(session, made, now=now)
    return redirect(url_for("customer.card_page", token=link), 303)


@blueprint.get("/card/<token>/pass.pkpass")
def apple_pass(token: str) -> Response:
    """The signed pass for Apple Wallet."""
    wallets = current_wallets()
    if not wallets.apple.available:
        raise NotFound(
            _("Apple Wallet is not set up here yet; the card on this page works as well.")
        )
    with opened(token, coupons_too=True) as door:
        built = wallets.apple.build(door.session, door.card, now=door.now)
    response = Response(built, mimetype=PKPASS)
    response.headers["Content-Disposition"] = 'attachment; filename="card.pkpass"'
    return response


@blueprint.get("/card/<token>/google")
def google_pass(token: str) -> AnyResponse:
    """The button's own address: makes the object at Google, then sends the browser on."""
    with opened(token, coupons_too=True) as door:
        card, now = door.card, door.now
    return redirect(current_wallets().google.save_link(card.id, now=now), 303)
