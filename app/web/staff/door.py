"""The one way into the staff pages: who is signed in, what they may do, and forms of our own.

A page is a function of a `Visit`; it is reached only by somebody who is signed in at its programme
and has the permission that the page names.
"""

import hmac
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from apiflask import APIBlueprint
from flask import (
    Response,
    after_this_request,
    g,
    redirect,
    render_template,
    request,
    url_for,
)
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from app import audit
from app.context import Context, current_context
from app.errors import Forbidden, Invalid, NotFound
from app.languages import _, current_language, speak
from app.programmes.models import Programme
from app.programmes.service import programme_by_slug
from app.staff import sessions
from app.staff.models import Staff, StaffSession
from app.staff.permissions import SECOND_FACTOR, Permission, may
from app.transfer.writing import csv_bytes
from app.web.formats import speak_zone

COOKIE = "counterfoil_staff"
#: What happened, told by the page that a form leads to.
SAID_COOKIE = "counterfoil_said"
SAID_SECONDS = 60
_LONGEST_SAID = 500
#: The form field and the header that carry the session's form token.
FORM_FIELD, FORM_HEADER = "form_token", "X-Form-Token"
LONGEST_VALUE = 20_000
#: Addresses below /staff/<slug>/ that are reached before the second factor is given.
BEFORE_SECOND_FACTOR = frozenset({"account"})

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_CARD_ID = re.compile(r"[0-9a-f]{16}")

Answer = str | AnyResponse | tuple[str, int]
View = Callable[..., Answer]


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody of the staff asks for a page: who, of which programme, and when."""

    context: Context
    now: datetime
    programme: Programme
    person: Staff
    session: StaffSession
    token: str

    @property
    def language(self) -> str:
        """In which the page speaks."""
        return current_language()

    @property
    def form(self) -> Mapping[str, str]:
        """What was sent with the form. Raises `Invalid` where a value is out of all proportion."""
        for name, value in request.form.items(multi=True):
            if len(value) > LONGEST_VALUE:
                raise Invalid(_("This is too long: at most 20,000 characters."), {name: ["long"]})
        return request.form

    def may(self, permission: Permission) -> bool:
        """Whether this person is allowed to."""
        return may(self.person.role, permission)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that sees the programme's rows."""
        with self.context.database.read(self.programme.id) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session that may change them; commits at the end."""
        with self.context.database.write(self.programme.id) as session:
            yield session

    def note(
        self, session: Session, action: str, subject: str = "", detail: dict[str, Any] | None = None
    ) -> None:
        """Record in the audit log what this person changes, in the same transaction."""
        audit.note(
            session,
            action,
            subject,
            detail,
            actor=self.person.name,
            actor_id=self.person.id,
            now=self.now,
        )

    def show(self, template: str, status: int = 200, /, **facts: Any) -> tuple[str, int]:
        """A page, or with an htmx request whatever part of it the template is."""
        return render_template(template, visit=self, said=self._said(), **facts), status

    def address(self, endpoint: str, **values: Any) -> str:
        """The address of another staff page of this programme."""
        return url_for(endpoint, slug=self.programme.slug, **values)

    def go(self, endpoint: str, said: str = "", **values: Any) -> AnyResponse:
        """Lead on after a form was done, and say what happened."""
        response = redirect(self.address(endpoint, **values), 303)
        if said:
            told = quote(said[:_LONGEST_SAID])
            set_cookie(self.context, response, self.programme.slug, SAID_COOKIE, told, SAID_SECONDS)
        return response

    def csv(self, name: str, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> AnyResponse:
        """A table to take away; text that a spreadsheet would run is made plain text."""
        response = Response(csv_bytes(header, rows), mimetype="text/csv")
        response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name)}.csv"
        return response

    def _said(self) -> str:
        told = unquote(request.cookies.get(SAID_COOKIE, ""))[:_LONGEST_SAID]
        if told and not request.headers.get("HX-Request"):

            @after_this_request
            def forget(response: AnyResponse) -> AnyResponse:
                response.delete_cookie(SAID_COOKIE, path=f"/staff/{self.programme.slug}")
                return response

        return told


def set_cookie(
    context: Context, response: AnyResponse, slug: str, name: str, value: str, seconds: int
) -> None:
    """A cookie of the staff pages of one programme, out of reach of scripts and other sites."""
    response.set_cookie(
        name,
        value,
        max_age=seconds,
        path=f"/staff/{slug}",
        secure=context.config.url.startswith("https:"),
        httponly=True,
        samesite="Lax",
    )


class StaffPages:
    """The pages of one area, below ``/staff/<slug>/<area>``. Each names who may see it."""

    def __init__(self, area: str, import_name: str) -> None:
        self.area = area
        self.blueprint = APIBlueprint(
            area, import_name, url_prefix=f"/staff/<slug>/{area}", enable_openapi=False
        )

    def get(self, rule: str, permission: Permission) -> Callable[[View], View]:
        """A page that shows something."""
        return self._route(rule, permission, "GET")

    def post(
        self, rule: str, permission: Permission, *, largest: int | None = None
    ) -> Callable[[View], View]:
        """A form that changes something; *largest*: bytes of one that brings a file with it."""
        return self._route(rule, permission, "POST", largest)

    def _route(
        self, rule: str, permission: Permission, method: str, largest: int | None = None
    ) -> Callable[[View], View]:
        def install(view: View) -> View:
            @wraps(view)
            def guarded(slug: str, **values: Any) -> Answer:
                if largest is not None:
                    request.max_content_length = largest

                def reached(visit: Visit) -> Answer:
                    _check_ids(values)
                    return view(visit, **values)

                return enter(slug, permission, reached)

            guarded.permission = permission  # type: ignore[attr-defined]
            self.blueprint.add_url_rule(
                "" if rule == "/" else rule, view.__name__, guarded, methods=[method]
            )
            return view

        return install


def enter(slug: str, permission: Permission, view: Callable[[Visit], Answer]) -> Answer:
    """Answer a request of the staff pages, or lead to the sign-in."""
    visit = _visit(slug)
    if visit is None:
        return _lead_to(slug, "sign-in", back=True)
    speak_zone(visit.programme.time_zone)
    if visit.person.language:
        speak(visit.person.language)
    lacks = visit.person.role in SECOND_FACTOR and visit.session.second_factor_at is None
    if lacks and request.blueprint not in BEFORE_SECOND_FACTOR:
        return _lead_to(slug, "account/second-factor", back=True)
    if not visit.may(permission):
        raise Forbidden(_("Your role does not include this. Ask the owner of the programme."))
    if request.method != "GET":
        _check_form(visit)
    g.visit = visit
    return view(visit)


def _check_ids(values: Mapping[str, Any]) -> None:
    """Answer 404 for what is no id at all: PostgreSQL would call it a mistake of ours."""
    for name, value in values.items():
        form = _CARD_ID if name == "card_id" else _ID if name.endswith("_id") else None
        if form is not None and not form.fullmatch(str(value)):
            raise NotFound(_("There is nothing at this address."))


def _visit(slug: str) -> Visit | None:
    context = current_context()
    now = context.clock()
    token = request.cookies.get(COOKIE, "")[:100]
    with context.database.read_all() as session:
        programme = programme_by_slug(session, slug)
        found = sessions.signed_in(session, programme.id, token, now=now) if token else None
    if found is None:
        return None
    row, person = found
    if now - row.seen_at > sessions.SEEN_EVERY:
        with context.database.write(programme.id) as session:
            sessions.note_seen(session, row.id, now=now)
    return Visit(context, now, programme, person, row, token)


def _check_form(visit: Visit) -> None:
    """Refuse a form that another page sent."""
    given = request.headers.get(FORM_HEADER) or request.form.get(FORM_FIELD, "")
    elsewhere = request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}
    wanted = sessions.form_token(visit.token)
    if elsewhere or not hmac.compare_digest(given.encode(), wanted.encode()):
        raise Forbidden(
            _("This form is no longer good: nothing was changed. Load the page again and repeat.")
        )
    for name, value in request.form.items(multi=True):
        if "\0" in name or "\0" in value:
            raise Invalid(_("There is a sign in this text that is none: type it anew."))


def _lead_to(slug: str, page: str, *, back: bool) -> AnyResponse:
    address = f"/staff/{quote(slug)}/{page}"
    if back and request.method == "GET" and not request.headers.get("HX-Request"):
        asked = urlsplit(request.full_path.removesuffix("?"))
        address += f"?next={quote(asked.path + ('?' + asked.query if asked.query else ''))}"
    if request.headers.get("HX-Request"):
        # A part of a page must not become the sign-in: the whole page goes there.
        return Response(status=204, headers={"HX-Redirect": address})
    return redirect(address, 303)
