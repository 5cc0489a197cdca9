"""One's own account: language, password, second factor, recovery codes, sessions."""

from typing import Any

from flask import redirect, request
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from app.attempts import count_attempt, forgive
from app.context import current_context
from app.errors import Forbidden, Invalid, NotFound
from app.languages import LANGUAGES, _, lazy, speak
from app.staff import addresses, links, passwords, second_factor, sessions
from app.staff.login_models import Login
from app.staff.models import Staff, StaffSession
from app.staff.permissions import Permission
from app.staff.service import person_by_id
from app.staff.signing_in import CODE_TRIES, WINDOW
from app.web.staff.account import threshold
from app.web.staff.account.devices import device_name
from app.web.staff.account.forgotten import can_send
from app.web.staff.account.sign_in import qr
from app.web.staff.door import COOKIE, SAID_COOKIE, StaffPages, Visit
from app.web.staff.navigation import NavItem

pages = StaffPages("account", __name__)
NAV = (NavItem(990, lazy("My account"), "account.index", Permission.OWN_ACCOUNT),)
LANGUAGE_NAMES = {"en": "English", "de": "Deutsch", "lv": "Latviešu", "ru": "Русский"}


@pages.get("/", Permission.OWN_ACCOUNT)
def index(visit: Visit) -> Any:
    """What one is here, and what one signs in with."""
    return _page(visit)


@pages.post("/language", Permission.OWN_ACCOUNT)
def language(visit: Visit) -> Any:
    """Choose the language of the staff pages; empty: as the browser asks."""
    chosen = visit.form.get("language", "")
    if chosen and chosen not in LANGUAGES:
        raise Invalid(_("This language is not there yet."), {"language": [_("choose one")]})
    with visit.write() as session:
        person_by_id(session, visit.person.id).language = chosen or None
    speak(chosen or request.accept_languages.best_match(LANGUAGES, LANGUAGES[0]) or "en")
    return visit.go("account.index", said=_("The pages speak your language from now on."))


@pages.post("/password", Permission.OWN_ACCOUNT)
def password(visit: Visit) -> Any:
    """Set another password; every other browser is signed out, and this one gets a new session."""
    form = visit.form
    try:
        if form.get("password", "") != form.get("again", ""):
            raise Invalid(
                _("The two are not the same. Type it once more."),
                {"again": [_("not the same as above")]},
            )
        _check_own_password(visit)
        with visit.write() as session:
            person = person_by_id(session, visit.person.id)
            links.set_password(
                session,
                person,
                form.get("password", ""),
                programme_name=visit.programme.name,
                now=visit.now,
            )
            visit.note(session, "staff.password", person.id, {"by": "self"})
            token = _fresh_session(visit, session, person)
    except Invalid as error:
        return _page(visit, wrong=error, part="password")
    said = _("The password is set. Every other browser of yours is signed out.")
    return threshold.let_in(
        visit.context, visit.go("account.index", said=said), visit.programme, token
    )


@pages.post("/email", Permission.OWN_ACCOUNT)
def email(visit: Visit) -> Any:
    """Keep an address for a link to another password; without one the earlier one goes."""
    try:
        _check_own_password(visit)
        with visit.write() as session:
            person = person_by_id(session, visit.person.id)
            addresses.keep(session, visit.context.keys, person, visit.form.get("email", ""))
            visit.note(session, "staff.email", person.id, {"by": "self"})
    except Invalid as error:
        return _page(visit, wrong=error, part="email")
    return visit.go("account.index", said=_("Kept."))


@pages.get("/second-factor", Permission.OWN_ACCOUNT)
def second_factor_page(visit: Visit) -> Any:
    """Set up an authenticator app, or another one."""
    with visit.write() as session:
        login = links.login_of(session, visit.person)
        _check_came_in_with_it(visit, login)
        keys, name, issuer = visit.context.keys, visit.person.name, visit.programme.name
        made = second_factor.pending(keys, login, name=name, issuer=issuer)
        made = made or second_factor.begin(keys, login, name=name, issuer=issuer)
        has_one = login.totp_secret is not None
    return visit.show(
        "staff/account/second_factor.html", set_up=made, picture=qr(made.uri), has_one=has_one
    )


@pages.post("/second-factor", Permission.OWN_ACCOUNT)
def confirm_second_factor(visit: Visit) -> Any:
    """Take the app into use; the recovery codes are shown this once."""
    _check_own_password(visit)
    with visit.write() as session:
        count_attempt(
            session, "staff_code", visit.person.id, now=visit.now, limit=CODE_TRIES, window=WINDOW
        )
        login = _login(session, visit)
        _check_came_in_with_it(visit, login)
        second_factor.confirm(
            session, visit.context.keys, login, visit.form.get("code", ""), now=visit.now
        )
        forgive(session, "staff_code", visit.person.id)
        codes = second_factor.make_recovery_codes(session, login)
        visit.note(session, "staff.second_factor", visit.person.id)
        person = person_by_id(session, visit.person.id)
        token = _fresh_session(visit, session, person, second_factor=True)
    return _show_codes(visit, codes, token)


@pages.post("/recovery-codes", Permission.OWN_ACCOUNT)
def recovery_codes(visit: Visit) -> Any:
    """Make fresh recovery codes; the earlier ones end."""
    _check_own_password(visit)
    with visit.write() as session:
        login = _login(session, visit)
        if login.totp_secret is None:
            raise Invalid(_("Recovery codes stand in for a second factor: set one up first."))
        codes = second_factor.make_recovery_codes(session, login)
        visit.note(session, "staff.recovery_codes", visit.person.id)
    return _show_codes(visit, codes, None)


@pages.post("/second-factor/remove", Permission.OWN_ACCOUNT)
def remove_second_factor(visit: Visit) -> Any:
    """Sign in with the password alone, where the role allows it."""
    if second_factor.is_needed(visit.person.role):
        raise Forbidden(_("Your role needs a second factor. You can set up another app instead."))
    _check_own_password(visit)
    with visit.write() as session:
        second_factor.remove(session, _login(session, visit))
        visit.note(session, "staff.second_factor_removed", visit.person.id)
        person = person_by_id(session, visit.person.id)
        token = _fresh_session(visit, session, person, second_factor=False)
    said = _("You sign in with your password alone from now on.")
    return threshold.let_in(
        visit.context, visit.go("account.index", said=said), visit.programme, token
    )


@pages.post("/sessions/<session_id>/end", Permission.OWN_ACCOUNT)
def end_session(visit: Visit, session_id: str) -> Any:
    """Sign one browser out."""
    with visit.write() as session:
        if session_id not in {each.id for each in _sessions(session, visit)}:
            raise NotFound(_("This session is over already."))
        sessions.end(session, session_id, now=visit.now)
    return visit.go("account.index", said=_("Signed out there."))


@pages.post("/sign-out-everywhere", Permission.OWN_ACCOUNT)
def sign_out_everywhere(visit: Visit) -> Any:
    """Sign out every browser, this one too."""
    with visit.write() as session:
        sessions.end_all(session, visit.person.id, now=visit.now)
        visit.note(session, "staff.sign_out_everywhere", visit.person.id)
    return _signed_out(visit)


@pages.post("/sign-out", Permission.OWN_ACCOUNT)
def sign_out(visit: Visit) -> Any:
    """Sign out here."""
    with visit.write() as session:
        sessions.end(session, visit.session.id, now=visit.now)
    return _signed_out(visit)


def _signed_out(visit: Visit) -> AnyResponse:
    response = redirect(f"/staff/{visit.programme.slug}/sign-in", 303)
    for name in (COOKIE, SAID_COOKIE):
        response.delete_cookie(name, path=f"/staff/{visit.programme.slug}")
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


def _page(visit: Visit, *, wrong: Invalid | None = None, part: str = "") -> Any:
    with visit.write() as session:
        login = links.login_of(session, visit.person)
        left = second_factor.recovery_codes_left(session, visit.person.id)
        own = _sessions(session, visit)
        kept = addresses.address_of(session, visit.context.keys, visit.person)
    return visit.show(
        "staff/account/index.html",
        422 if wrong else 200,
        login=login,
        codes_left=left,
        own_sessions=own,
        email=kept,
        sends_letters=can_send(visit.context),
        languages=[("", _("As the browser asks")), *LANGUAGE_NAMES.items()],
        needs_two=second_factor.is_needed(visit.person.role),
        wrong=wrong.message if wrong and part else "",
        fields=wrong.fields if wrong else {},
    )


def _show_codes(visit: Visit, codes: list[str], token: str | None) -> Any:
    page, status = visit.show("staff/account/codes.html", codes=codes)
    response = AnyResponse(page, status, mimetype="text/html")
    if token is None:
        return response
    return threshold.let_in(visit.context, response, visit.programme, token)


def _check_own_password(visit: Visit) -> None:
    """Whoever sits at a screen that was left open has the session, but not the password."""
    context = current_context()
    with visit.write() as session:
        count_attempt(
            session, "staff_own", visit.person.id, now=visit.now, limit=CODE_TRIES, window=WINDOW
        )
        kept = links.login_of(session, visit.person).password_hash
    if not passwords.is_password(visit.form.get("current", "")[:1000], kept):
        raise Invalid(_("This is not your password."), {"current": [_("not your password")]})
    with context.database.write(visit.programme.id) as session:
        forgive(session, "staff_own", visit.person.id)


def _check_came_in_with_it(visit: Visit, login: Login) -> None:
    """Another app is set up only by who came in with the present one."""
    if login.totp_secret is not None and visit.session.second_factor_at is None:
        raise Forbidden(_("Please sign in with your second factor."))


def _fresh_session(
    visit: Visit, session: Session, person: Staff, *, second_factor: bool | None = None
) -> str:
    """End every session of the person and start another: who was signed in by the old ways is not
    by the new."""
    has = visit.session.second_factor_at is not None if second_factor is None else second_factor
    sessions.end_all(session, person.id, now=visit.now)
    return sessions.start(
        session,
        person,
        second_factor=has,
        now=visit.now,
        device=device_name(request.headers.get("User-Agent", "")),
    )


def _login(session: Session, visit: Visit) -> Login:
    return links.login_of(session, visit.person, locked=True)


def _sessions(session: Session, visit: Visit) -> list[StaffSession]:
    return list(
        session.scalars(
            select(StaffSession)
            .where(
                StaffSession.staff_id == visit.person.id,
                StaffSession.ended_at.is_(None),
                StaffSession.seen_at > visit.now - sessions.IDLE,
                StaffSession.started_at > visit.now - sessions.LONGEST,
            )
            .order_by(StaffSession.seen_at.desc())
        )
    )
