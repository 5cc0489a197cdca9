"""Every page that somebody can open: of the staff, of customers and of whoever is not signed in.

Pages of the staff are found by their links in a café that has one of everything; those that only
letters and codes lead to are made here. What a test looks at on all pages is looked at on these.
"""

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask import Flask
from playwright.sync_api import Browser, Page
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.routing import Rule

from app import create_app
from app.campaigns.models import Campaign
from app.cards import links as card_links
from app.cards.models import Card
from app.designer import drafts
from app.designer import trials as test_passes
from app.insight import folding
from app.mail import tokens
from app.mail.confirming import confirm_token
from app.programmes.drafts import service as rule_drafts
from app.programmes.file.examples import example
from app.programmes.file.reading import read
from app.programmes.models import Programme
from app.programmes.service import change_settings, create_programme, set_operator
from app.staff import links, second_factor, signing_in
from app.staff.login_models import Login
from app.staff.service import add_staff
from app.web.staff.account.threshold import HALF_COOKIE
from passes.totp import totp
from tests.app.office import sign_in
from tests.app.web.staff.furnishing import fill
from tests.app.web.staff.world import pages_of
from tests.browser.people import furnish
from tests.browser.staff_office import Office

#: What is no page: files and pictures, JSON, parts of pages, and addresses that lead on.
NO_PAGES = frozenset(
    """
    apple.changed apple.fetch openapi.spec metrics.metrics static staff_home
    customer.apple_pass customer.brand_css customer.code customer.data_json customer.data_text
    customer.google_pass customer.icon customer.live customer.manifest customer.poster
    customer.poster_pdf customer.still draws.file trials.file trials.picture
    google.hero google.logo google.stamp_picture google.wide_logo
    pos.coupon pos.coupons pos.document pos.entries pos.member pos.webhook_log pos.webhooks
    till.keys till.refused_cards
    campaigns.live campaigns.result_csv certificates.download designer.checks designer.picture
    designer.progress_now insight.csv members.export programme.card_state programme.download
    programme.draw_file programme.prices_csv programme.trial today.live
    """.split()
)
#: What the service needs so that all of its pages are there: a mail server is named.
SERVICE = {"smtp_server": "127.0.0.1:9", "smtp_tls": "none", "smtp_from": "cards@example.com"}
#: Who opens pages: signed in, a stranger, and who gave a password and owes what follows.
VISITORS = ("owner", "guest", "code", "set-up")
_IDS = re.compile(r"[0-9a-f]{16}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Place:
    """A page: its endpoint, its address below the service's, and who opens it."""

    endpoint: str
    path: str
    #: One of `VISITORS`.
    visitor: str = "guest"

    @property
    def name(self) -> str:
        """For a file name: the endpoint, with what tells it from others of the same."""
        parts = re.sub(r"[0-9a-f-]{16,}", "N", self.path.partition("?")[0]).split("/")
        tail = " ".join(parts[-2:])
        return re.sub(r"[^a-z0-9]+", "-", f"{self.endpoint} {tail}".lower()).strip("-")


@dataclass(frozen=True, slots=True)
class World:
    """The café with everything in it, and all its pages."""

    office: Office
    places: tuple[Place, ...]
    #: Cookies of who is half signed in, by visitor.
    halves: dict[str, str]

    def sit_down(self, browser: Browser, visitor: str, **options: Any) -> Page:
        """A page of a browser of that visitor's."""
        if visitor == "owner":
            return self.office.sit_down(browser, "owner", **options)
        context = browser.new_context(
            viewport=options.get("size"), locale="en-GB", reduced_motion="reduce"
        )
        if visitor in self.halves:
            cookie: Any = {
                "name": HALF_COOKIE,
                "value": self.halves[visitor],
                "url": self.office.address(),
                "httpOnly": True,
            }
            context.add_cookies([cookie])
        return context.new_page()


def get_rules(app: Flask) -> dict[str, Rule]:
    """Every address that can be opened, by endpoint."""
    return {rule.endpoint: rule for rule in app.url_map.iter_rules() if "GET" in rule.methods}  # type: ignore[operator]


def furnish_all(office: Office) -> World:
    """Fill the café of *office* with one of everything, and find its pages."""
    context, programme_id = office.context, office.programme_id
    now = context.clock()
    wanted = read(example("cafe")).settings.as_json()
    with context.database.write(programme_id) as session:
        change_settings(session, programme_id, wanted, valid_from=now)
        set_operator(
            session,
            programme_id,
            name="SIA Kaffa",
            address="Brīvības iela 1, Rīga",
            contact="hello@kaffa.example",
        )
    furnish(office)
    with context.database.write_all() as session:
        create_programme(session, slug="other", name="Other", benefit="Points.", now=now)
    app = create_app(context)
    who = sign_in(context, app.test_client(), office.slug, programme_id, "owner")
    with context.database.read(programme_id) as session:
        card = session.scalars(select(Card).order_by(Card.issued_at)).all()[0]
    fill(context, programme_id, who.person, card.id, "Summer in the yard")
    with context.database.write(programme_id) as session:
        rule_drafts.change(session, {"points": "3"}, by=who.person.id, now=now)
    for _ in range(3):
        while True:
            with context.database.write_all() as session:
                if not folding.step(session, now):
                    break
    halves, made = _made(office, card)
    places = {*made, *_found(app, who, office)}
    return World(office, tuple(sorted(places, key=lambda place: place.path)), halves)


def _found(app: Flask, who: Any, office: Office) -> Iterator[Place]:
    """Pages of the staff that links lead to; of those that differ in an id alone, one."""
    seen: set[str] = set()
    adapter = app.url_map.bind("localhost")
    for address, answer in pages_of(who):
        path = address.partition("?")[0]
        kind = _IDS.sub("N", path)
        if not is_whole_page(answer) or kind in seen:
            continue
        seen.add(kind)
        endpoint, _ = adapter.match(path)
        yield Place(str(endpoint), path, "owner")
        if endpoint == "campaigns.index":
            yield from _of_campaigns(office)
        if endpoint == "members.index":
            cards = re.findall(r"/members/([0-9a-f]{16})\b", answer.text)
            one, other = cards[:2]
            under = f"/staff/{office.slug}/members"
            yield Place("members.erasure", f"{under}/{one}/erase", "owner")
            yield Place("members.preview", f"{under}/{one}/merge?with={other}", "owner")
            later = "before=2100-01-01T00:00:00%2B00:00"
            yield Place("members.happenings", f"{under}/{one}/timeline?{later}", "owner")


def _of_campaigns(office: Office) -> Iterator[Place]:
    """What buttons of a draft lead to."""
    with office.context.database.read(office.programme_id) as session:
        draft = session.scalar(select(Campaign.id).where(Campaign.state == "draft"))
    for page in ("edit", "try"):
        path = f"/staff/{office.slug}/campaigns/{draft}/{page}"
        yield Place(f"campaigns.{'try_out' if page == 'try' else page}", path, "owner")


def is_whole_page(answer: Any) -> bool:
    """Whether an answer is a page for people, and no part of one."""
    is_page = answer.status_code == 200 and answer.mimetype == "text/html"
    return is_page and "<html" in answer.text[:500]


def _made(office: Office, card: Card) -> tuple[dict[str, str], list[Place]]:
    """Pages that secrets lead to, and those before the sign-in."""
    context, now, slug = office.context, office.context.clock(), office.slug
    keys = context.keys
    with context.database.write(office.programme_id) as session:
        token = card_links.create_link(session, session.get_one(Card, card.id), now=now)
        confirming = confirm_token(session, keys, str(card.member_id))
        leaving = tokens.make(keys, "unsubscribe messages", str(card.member_id))
        halves = {}
        for visitor in ("code", "set-up"):
            person = add_staff(
                session, office.programme_id, name=f"Half {visitor}", role="owner", pin="472910",
                now=now,
            )  # fmt: skip
            invitation = links.make_link(session, person, now=now)
            if visitor == "code":
                _set_up_an_app(office, session, links.login_of(session, person))
            halves[visitor] = signing_in.begin(session, person, now=now).token
        programme = session.get_one(Programme, office.programme_id)
        draft = drafts.current(session, programme)
        trial = test_passes.make_link(session, programme, draft, language="en", now=now)
    staff, own = f"/staff/{slug}", f"/card/{token}"
    pages = {
        "customer.front": "/",
        "customer.join_page": f"/join/{slug}?at=old-town",
        "customer.find_page": f"/find/{slug}",
        "customer.privacy": f"/privacy/{slug}",
        "customer.card_page": own,
        "customer.history": f"{own}/history",
        "customer.settings": f"{own}/settings",
        "customer.lost": f"{own}/lost",
        "customer.ask_to_erase": f"{own}/erase",
        "customer.muting": f"{own}/mute",
        "customer.ask_to_confirm": f"/confirm/{confirming}",
        "customer.ask_to_unsubscribe": f"/unsubscribe/messages/{leaving}",
        "draws.page": f"/draws/{slug}/summer",
        "trials.offer": f"/try/{trial}",
        "staff": "/staff",
        "sign_in.page": f"{staff}/sign-in",
        "forgotten.page": f"{staff}/forgotten",
        "password_link.page": f"{staff}/link/{invitation}",
    }
    places = [Place(endpoint, path) for endpoint, path in pages.items()]
    places.append(Place("sign_in.code_page", f"{staff}/sign-in/code", "code"))
    places.append(Place("sign_in.set_up_page", f"{staff}/sign-in/second-factor", "set-up"))
    return halves, places


def _set_up_an_app(office: Office, session: Session, login: Login) -> None:
    keys, now = office.context.keys, office.context.clock()
    made = second_factor.begin(keys, login, name="Half", issuer="Kaffa")
    secret = base64.b32decode(made.secret.replace(" ", ""))
    code = totp(secret, int(now.timestamp()), digits=6)
    second_factor.confirm(session, keys, login, code, now=now)
