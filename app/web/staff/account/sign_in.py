"""Signing in: `/staff/<slug>/sign-in`, and what follows where a second factor is owed."""

import base64
from http import HTTPStatus
from typing import Any

from apiflask import APIBlueprint
from flask import redirect, request
from werkzeug.wrappers import Response as AnyResponse

from app import audit
from app.context import current_context
from app.errors import CounterfoilError, Invalid, TooMany
from app.languages import _
from app.programmes.models import Programme
from app.staff import second_factor, signing_in
from app.staff.errors import SignInOver, WrongPassword
from app.staff.models import Staff
from app.staff.second_factor import SetUp
from app.staff.signing_in import Half, Owed
from app.web.staff.account import threshold
from passes.image import code_png

blueprint = APIBlueprint("sign_in", __name__, enable_openapi=False, url_prefix="/staff/<slug>")

_NEXT_PAGE = {
    Owed.CODE: "sign-in/code",
    Owed.SET_UP: "sign-in/second-factor",
}


@blueprint.get("/sign-in")
def page(slug: str) -> Any:
    """Name and password."""
    return threshold.show(threshold.programme_at(slug), "staff/account/sign_in.html", name="")


@blueprint.post("/sign-in")
def sign_in(slug: str) -> Any:
    """Check them; what is wrong is said without saying which of the two."""
    programme = threshold.programme_at(slug)
    threshold.check_guest_form()
    context = current_context()
    name = request.form.get("name", "")[:200]
    try:
        half = signing_in.check_password(
            context.database,
            programme.id,
            name,
            request.form.get("password", "")[:1000],
            address=request.remote_addr or "",
            now=context.clock(),
        )
    except (WrongPassword, TooMany) as error:
        return _again(programme, "staff/account/sign_in.html", error, name=name)
    return go_on(programme, half)


def go_on(programme: Programme, half: Half) -> AnyResponse:
    """Lead to what is owed after a right password, or in."""
    if half.owed != Owed.NOTHING:
        response = threshold.go(programme, _NEXT_PAGE[half.owed])
        return threshold.hold_half(response, programme, half.token)
    context = current_context()
    now = context.clock()
    with context.database.write(programme.id) as session:
        person = signing_in.finish(session, half.token, now=now)
        token = threshold.start_session(session, person, second_factor=False, now=now)
        _note(session, "staff.sign_in", person, now)
    wanted = threshold.safe_next(programme, request.values.get("next", ""))
    return threshold.let_in(context, redirect(wanted, 303), programme, token)


@blueprint.get("/sign-in/code")
def code_page(slug: str) -> Any:
    """The second factor's code."""
    return threshold.show(threshold.programme_at(slug), "staff/account/code.html")


@blueprint.post("/sign-in/code")
def code(slug: str) -> Any:
    """Check it, and let in whose it is."""
    programme = threshold.programme_at(slug)
    threshold.check_guest_form()
    context = current_context()
    now = context.clock()
    try:
        with context.database.write(programme.id) as session:
            person, by_recovery = signing_in.check_code(
                session,
                context.keys,
                threshold.half_token(),
                request.form.get("code", "")[:100],
                now=now,
            )
            token = threshold.start_session(session, person, second_factor=True, now=now)
            by = {"by": "recovery code"} if by_recovery else {}
            _note(session, "staff.sign_in", person, now, by)
    except SignInOver:
        return threshold.go(programme, "sign-in")
    except (Invalid, TooMany) as error:
        return _again(programme, "staff/account/code.html", error)
    wanted = threshold.safe_next(programme, request.values.get("next", ""))
    return threshold.let_in(context, redirect(wanted, 303), programme, token)


@blueprint.get("/sign-in/second-factor")
def set_up_page(slug: str) -> Any:
    """The second factor that a role needs is set up before anything else is seen."""
    programme = threshold.programme_at(slug)
    try:
        return _set_up(programme, _pending(programme))
    except SignInOver:
        return threshold.go(programme, "sign-in")


@blueprint.post("/sign-in/second-factor")
def set_up(slug: str) -> Any:
    """Take the app into use with its first code, show the recovery codes once, and let in."""
    programme = threshold.programme_at(slug)
    threshold.check_guest_form()
    context = current_context()
    now = context.clock()
    try:
        with context.database.write(programme.id) as session:
            person, codes = signing_in.confirm_set_up(
                session,
                context.keys,
                threshold.half_token(),
                request.form.get("code", "")[:100],
                now=now,
            )
            token = threshold.start_session(session, person, second_factor=True, now=now)
            _note(session, "staff.second_factor", person, now)
            _note(session, "staff.sign_in", person, now)
    except SignInOver:
        return threshold.go(programme, "sign-in")
    except (Invalid, TooMany) as error:
        return _set_up(programme, _pending(programme), error)
    response = threshold.show(programme, "staff/account/recovery.html", codes=codes)
    return threshold.let_in(context, response, programme, token)


def qr(text: str) -> str:
    """A QR code as the address of a picture."""
    return "data:image/png;base64," + base64.b64encode(code_png(text, module_px=5)).decode()


def _pending(programme: Programme) -> SetUp:
    """The secret that is being set up; made when the page is first seen, the same ever after."""
    context = current_context()
    with context.database.write(programme.id) as session:
        found_half = signing_in.half_of(session, threshold.half_token(), now=context.clock())
        _half, person, login = found_half
        if signing_in.owed(person, login) != Owed.SET_UP:
            raise SignInOver(_("There is a second factor already."))
        name, issuer = person.name, programme.name
        found = second_factor.pending(context.keys, login, name=name, issuer=issuer)
        return found or second_factor.begin(context.keys, login, name=name, issuer=issuer)


def _set_up(programme: Programme, made: SetUp, error: CounterfoilError | None = None) -> Any:
    facts: dict[str, Any] = {"set_up": made, "picture": qr(made.uri)}
    if error is None:
        return threshold.show(programme, "staff/account/set_up.html", **facts)
    return _again(programme, "staff/account/set_up.html", error, **facts)


def _again(
    programme: Programme, template: str, error: CounterfoilError, **facts: Any
) -> AnyResponse:
    """The form once more, with what was wrong."""
    late = isinstance(error, TooMany)
    status = HTTPStatus.TOO_MANY_REQUESTS if late else HTTPStatus.UNPROCESSABLE_ENTITY
    response: AnyResponse = threshold.show(
        programme, template, int(status), wrong=error.message, **facts
    )
    if isinstance(error, TooMany):
        response.headers["Retry-After"] = str(error.retry_after_seconds)
    return response


def _note(session: Any, action: str, person: Staff, now: Any, detail: Any = None) -> None:
    audit.note(session, action, person.id, detail, actor=person.name, actor_id=person.id, now=now)
