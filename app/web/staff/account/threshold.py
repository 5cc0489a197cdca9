"""What the pages before the sign-in share: their cookies, their forms, and where they lead to."""

import hmac
import re
import secrets
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

from flask import redirect, render_template, request
from markupsafe import Markup
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from app.context import Context, current_context
from app.errors import Forbidden
from app.languages import _
from app.programmes.models import Programme
from app.programmes.service import programme_by_slug
from app.staff import sessions
from app.staff.models import Staff
from app.web.staff.account.devices import device_name
from app.web.staff.door import COOKIE, FORM_FIELD, set_cookie

#: The token of half a sign-in, and the secret that the forms before a sign-in are bound to.
HALF_COOKIE, GUEST_COOKIE = "counterfoil_half", "counterfoil_guest"
HALF_SECONDS, GUEST_SECONDS = 600, 7200
_LONGEST_NEXT = 500
_PATH = re.compile(r"/[A-Za-z0-9/_.~%-]*(\?[A-Za-z0-9/_.~%&=+:,;@!*'()\[\]-]*)?\Z")


def programme_at(slug: str) -> Programme:
    """The programme whose door this is. Raises `NotFound`."""
    with current_context().database.read_all() as session:
        return programme_by_slug(session, slug)


def safe_next(programme: Programme, asked: str) -> str:
    """Where to go after the sign-in: a page of this programme's staff, whatever was asked for."""
    home = f"/staff/{programme.slug}/"
    path = asked.partition("?")[0]
    fits = len(asked) <= _LONGEST_NEXT and asked.startswith(home) and _PATH.match(asked)
    climbs = any(part in {"", ".", ".."} for part in path.split("/")[1:-1])
    lowered = path.lower()
    if not fits or climbs or "%2f" in lowered or "%5c" in lowered or "%2e" in lowered:
        return home
    return asked


def address(programme: Programme, page: str) -> str:
    """The address of a page before the sign-in, on the way to the page that was asked for."""
    wanted = safe_next(programme, request.values.get("next", ""))
    more = "?" + urlencode({"next": wanted}) if wanted != f"/staff/{programme.slug}/" else ""
    return f"/staff/{quote(programme.slug)}/{page}{more}"


def go(programme: Programme, page: str) -> AnyResponse:
    """Lead to another page before the sign-in."""
    return redirect(address(programme, page), 303)


def show(programme: Programme, template: str, status: int = 200, **facts: Any) -> Any:
    """A page for somebody who is not signed in; its forms are bound to this browser."""
    given = request.cookies.get(GUEST_COOKIE, "")
    guest = given if re.fullmatch(r"[A-Za-z0-9_-]{43}", given) else secrets.token_urlsafe(32)
    field = Markup('<input type="hidden" name="{}" value="{}">').format(
        FORM_FIELD, sessions.form_token(guest)
    )
    wanted = safe_next(programme, request.values.get("next", ""))
    page = render_template(
        template,
        programme=programme,
        guest_form=field,
        next_page=wanted,
        address=address,
        sends_letters=current_context().config.smtp_server is not None,
        **facts,
    )
    response = AnyResponse(page, status, mimetype="text/html")
    set_cookie(current_context(), response, programme.slug, GUEST_COOKIE, guest, GUEST_SECONDS)
    return response


def check_guest_form() -> None:
    """Refuse a form that another page sent, also one that would sign somebody in as another."""
    guest = request.cookies.get(GUEST_COOKIE, "")
    given = request.form.get(FORM_FIELD, "")
    elsewhere = request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}
    right = hmac.compare_digest(given.encode(), sessions.form_token(guest).encode())
    if elsewhere or not guest or not right:
        raise Forbidden(
            _("This form is no longer good: nothing was changed. Load the page again and repeat.")
        )


def half_token() -> str:
    """The token of the half sign-in that this browser holds."""
    return request.cookies.get(HALF_COOKIE, "")[:200]


def hold_half(response: AnyResponse, programme: Programme, token: str) -> AnyResponse:
    """Have the browser hold half a sign-in while the second factor is owed."""
    set_cookie(current_context(), response, programme.slug, HALF_COOKIE, token, HALF_SECONDS)
    return response


def start_session(session: Session, person: Staff, *, second_factor: bool, now: datetime) -> str:
    """A fresh session's token. One that this browser had before ends: none is ever taken on."""
    before = request.cookies.get(COOKIE, "")[:100]
    found = sessions.signed_in(session, person.programme_id, before, now=now) if before else None
    if found is not None:
        sessions.end(session, found[0].id, now=now)
    device = device_name(request.headers.get("User-Agent", ""))
    return sessions.start(session, person, second_factor=second_factor, now=now, device=device)


def let_in(
    context: Context, response: AnyResponse, programme: Programme, token: str
) -> AnyResponse:
    """Hand the browser its session; what it held before the sign-in is forgotten."""
    seconds = int(sessions.LONGEST.total_seconds())
    set_cookie(context, response, programme.slug, COOKIE, token, seconds)
    for name in (HALF_COOKIE, GUEST_COOKIE):
        response.delete_cookie(name, path=f"/staff/{programme.slug}")
    return response
