"""What the customer's pages share: the card behind a link, and the language of the reader."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from apiflask import APIBlueprint
from flask import Response, render_template, request, url_for
from sqlalchemy.orm import Session

from app.attempts import count_attempt
from app.cards import service as cards
from app.cards.models import Card
from app.context import Context, current_context
from app.db import enter
from app.errors import NotFound
from app.keys import KeyRing
from app.languages import LANGUAGES, _, current_language, speak
from app.programmes import benefit
from app.programmes.models import Programme
from app.programmes.service import programme_by_id
from app.web.formats import speak_zone
from passes.code import Kind

blueprint = APIBlueprint("customer", __name__, enable_openapi=False)

#: Links that lead nowhere, from one address: whoever guesses is slowed down, who has one is not.
WRONG_LINKS = 60
WRONG_LINKS_WINDOW = timedelta(minutes=10)
_LONGEST_TOKEN = 200
_LANGUAGE = "lang"
_YEAR_SECONDS = 365 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Opened:
    """A card's page, opened by its link: the session is inside the programme's walls."""

    session: Session
    card: Card
    programme: Programme
    context: Context
    now: datetime

    @property
    def keys(self) -> KeyRing:
        """The installation's keys."""
        return self.context.keys


@contextmanager
def opened(token: str, *, writing: bool = False, coupons_too: bool = False) -> Iterator[Opened]:
    """The card behind a link. Raises `NotFound`; `TooMany` for who tries one after the other.

    Whoever was handed a coupon has no right to the account it came from: such a link opens only
    what is for *coupons_too*.
    """
    context = current_context()
    now = context.clock()
    database = context.database
    try:
        with database.write_all() if writing else database.read_all() as session:
            card = cards.card_by_link(session, context.keys, token[:_LONGEST_TOKEN])
            if card.kind == Kind.COUPON and not coupons_too:
                raise NotFound(_("This is a coupon: open the page of your own card for that."))
            enter(session, card.programme_id)
            programme = programme_by_id(session, card.programme_id)
            speak_zone(programme.time_zone)
            yield Opened(session, card, programme, context, now)
    except NotFound:
        with database.write_all() as session:
            count_attempt(
                session,
                "card-link",
                request.remote_addr or "",
                now=now,
                limit=WRONG_LINKS,
                window=WRONG_LINKS_WINDOW,
            )
        raise


def page(template: str, programme: Programme, *, location: str = "", **facts: Any) -> str:
    """A page of a programme, with its colours and who runs it; read in *location*, a slug, where
    that is known."""
    speak_zone(programme.time_zone)
    return render_template(
        f"customer/{template}.html",
        programme=programme,
        benefit_line=benefit.line(
            programme, current_language(), current_context().clock(), location
        ),
        brand=url_for("customer.brand_css", slug=programme.slug),
        languages=LANGUAGES,
        said=request.args.get("said", ""),
        **facts,
    )


@blueprint.before_request
def remember_language() -> None:
    """Speak the language that was chosen on another page, unless the address asks for one."""
    chosen = request.cookies.get(_LANGUAGE, "")
    if request.args.get(_LANGUAGE) not in LANGUAGES and chosen in LANGUAGES:
        speak(chosen)


@blueprint.after_request
def keep_language(response: Response) -> Response:
    """Keep the language that somebody chose; it is all that is ever kept in a browser."""
    chosen = request.args.get(_LANGUAGE, "")
    if chosen in LANGUAGES:
        response.set_cookie(
            _LANGUAGE,
            chosen,
            max_age=_YEAR_SECONDS,
            secure=current_context().config.url.startswith("https:"),
            httponly=True,
            samesite="Lax",
        )
    return response
