"""The customer's pages: the join page that posters lead to, and the card's own page."""

from datetime import timedelta
from typing import Any

from apiflask import APIBlueprint
from flask import Response, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from app.attempts import count_attempt
from app.benefits import service as benefits
from app.cards import service as cards
from app.cards.models import Card
from app.context import Context, current_context
from app.db import enter
from app.delivery.wallets import current_wallets
from app.errors import Invalid, NotFound
from app.members import service as members
from app.members.service import LANGUAGES
from app.programmes import wording
from app.programmes.faces import coupon_shown, face_of
from app.programmes.models import Programme
from app.programmes.service import location_by_slug, programme_by_id, programme_by_slug
from app.web.joining import join as join_programme
from app.web.poster import poster_svg
from passes import totp
from passes.card import CardFace, CardKind
from passes.code import Kind, rotating_text
from passes.image import code_svg
from passes.text import Text, said

blueprint = APIBlueprint("customer", __name__, enable_openapi=False)

#: Many customers join from one address: the shop's own Wi-Fi.
JOIN_TRIES = 60
JOIN_WINDOW = timedelta(minutes=10)
PKPASS = "application/vnd.apple.pkpass"


@blueprint.get("/")
def front() -> str:
    """Says what answers here; programmes are not listed to strangers."""
    return render_template("front.html")


@blueprint.get("/join/<slug>")
def join_page(slug: str) -> str:
    """What the programme gives, and one button."""
    with current_context().database.read_all() as session:
        programme = programme_by_slug(session, slug)
    return _join_page(programme, {}, {})


@blueprint.post("/join/<slug>")
def join(slug: str) -> AnyResponse | str | tuple[str, int]:
    """Issue a card and lead to its page."""
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
        try:
            contact = members.read_contact(
                request.form.get("name", ""), request.form.get("email", "")
            )
        except Invalid as invalid:
            return _join_page(programme, dict(request.form), invalid.fields), 422
        joined = join_programme(
            session,
            context.keys,
            programme,
            contact,
            language=_language(),
            source=_source(session, programme),
            consents=frozenset(request.form.getlist("consent")),
            referral_code=request.form.get("from", "")[:40],
            now=now,
        )
    return redirect(url_for("customer.card_page", token=joined.link_token), 303)


@blueprint.get("/join/<slug>/poster.svg")
def poster(slug: str) -> Response:
    """The poster to print; its QR code leads to the join page and names the location."""
    with current_context().database.read_all() as session:
        programme = programme_by_slug(session, slug)
        enter(session, programme.id)
        at = request.args.get("at")
        if at:
            location_by_slug(session, programme.id, at)
    address = f"{current_context().config.url}/join/{programme.slug}" + (f"?at={at}" if at else "")
    return Response(poster_svg(programme, address), mimetype="image/svg+xml")


@blueprint.get("/card/<token>")
def card_page(token: str) -> str:
    """The card in the browser, and the ways into a wallet."""
    context = current_context()
    with context.database.read_all() as session:
        card, programme, face = _card(session, context, token)
        consented = members.has_consented(session, card.member_id)
        number, label = _headline(programme, face)
        held = []
        if card.kind != Kind.COUPON:
            held = [
                (each.id, said(coupon_shown(each.offer, None).offer, card.language))
                for each in benefits.coupons(session, card.account_id, now=context.clock())
            ]
    wallets = current_wallets()
    offered = {"apple": wallets.apple.available, "google": wallets.google.available}
    first = "google" if "Android" in request.headers.get("User-Agent", "") else "apple"
    return render_template(
        "card.html",
        programme=programme,
        face=face,
        number=number,
        label=label,
        coupons=held,
        consented=consented,
        token=token,
        wallets=[name for name in sorted(offered, key=lambda name: name != first) if offered[name]],
        brand=_brand(programme),
    )


def _headline(programme: Programme, face: CardFace) -> tuple[str, str]:
    """The large figure on the card and what it is called: points, stamps, or a coupon's offer."""
    found = face.field({CardKind.STAMPS: "stamps", CardKind.COUPON: "offer"}.get(face.kind, ""))
    if found is None:
        return str(face.balance), wording.points_label(
            programme.points_names, face.balance, face.language
        )
    value = found.value
    shown = said(value, face.language) if isinstance(value, str | Text) else str(value)
    return shown, found.label_in(face.language)


@blueprint.post("/card/<token>/coupons/<coupon_id>")
def coupon_page(token: str, coupon_id: str) -> AnyResponse:
    """Make the pass of one of the card's coupons, and lead to its own page."""
    context = current_context()
    with context.database.write_all() as session:
        card = cards.card_by_link(session, token[:200])
        enter(session, card.programme_id)
        now = context.clock()
        found = {each.id: each for each in benefits.coupons(session, card.account_id, now=now)}
        if coupon_id not in found or card.kind == Kind.COUPON:
            raise NotFound("This coupon is over, or was used already.")
        made = benefits.issue_card(
            session,
            context.keys,
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
    context = current_context()
    wallets = current_wallets()
    if not wallets.apple.available:
        raise NotFound("Apple Wallet is not set up here yet; the card on this page works as well.")
    with context.database.read_all() as session:
        card, _, _ = _card(session, context, token)
        built = wallets.apple.build(session, card, now=context.clock())
    response = Response(built, mimetype=PKPASS)
    response.headers["Content-Disposition"] = 'attachment; filename="card.pkpass"'
    return response


@blueprint.get("/card/<token>/google")
def google_pass(token: str) -> AnyResponse:
    """The button's own address: makes the object at Google, then sends the browser on."""
    context = current_context()
    with context.database.read_all() as session:
        card, _, _ = _card(session, context, token)
    return redirect(current_wallets().google.save_link(card.id, now=context.clock()), 303)


@blueprint.post("/card/<token>/stop-messages")
def stop_messages(token: str) -> AnyResponse:
    """Withdraw the consent to messages, as easily as it was given."""
    context = current_context()
    with context.database.write_all() as session:
        card = cards.card_by_link(session, token[:200])
        enter(session, card.programme_id)
        if card.member_id is not None:
            members.withdraw_consents(session, card.member_id, now=context.clock())
    return redirect(url_for("customer.card_page", token=token), 303)


@blueprint.get("/card/<token>/code.svg")
def code(token: str) -> Response:
    """The card's code with a one-time value that is good for about a minute."""
    context = current_context()
    with context.database.read_all() as session:
        card, _, _ = _card(session, context, token)
    seconds = int(context.clock().timestamp())
    value = totp.totp(cards.totp_keys(context.keys, card.id)[0], seconds)
    return Response(code_svg(rotating_text(card.code, seconds, value)), mimetype="image/svg+xml")


@blueprint.get("/brand/<slug>.css")
def brand_css(slug: str) -> Response:
    """The programme's colours as custom properties: pages carry no inline style."""
    with current_context().database.read_all() as session:
        colours = programme_by_slug(session, slug).colours
    rules_text = "".join(f"--brand-{name}:{value};" for name, value in sorted(colours.items()))
    response = Response(f":root{{{rules_text}}}", mimetype="text/css")
    response.headers["Cache-Control"] = "max-age=300"
    return response


def _card(session: Session, context: Context, token: str) -> tuple[Card, Programme, CardFace]:
    card = cards.card_by_link(session, token[:200])
    enter(session, card.programme_id)
    programme = programme_by_id(session, card.programme_id)
    face = face_of(session, context.keys, card, now=context.clock(), programme=programme)
    return card, programme, face


def _brand(programme: Programme) -> str:
    return url_for("customer.brand_css", slug=programme.slug)


def _join_page(programme: Programme, typed: dict[str, Any], wrong: dict[str, list[str]]) -> str:
    return render_template(
        "join.html",
        programme=programme,
        typed=typed,
        wrong=wrong,
        at=request.values.get("at", "")[:40],
        brought_by=request.values.get("from", "")[:40],
        brand=_brand(programme),
        label=wording.points_label(programme.points_names, 0, "en"),
    )


def _source(session: Session, programme: Programme) -> str:
    """The poster that brought them; an unknown one counts as the open web."""
    try:
        return location_by_slug(session, programme.id, request.form.get("at", "")).slug
    except NotFound:
        return "web"


def _language() -> str:
    return request.accept_languages.best_match(LANGUAGES, "en") or "en"
