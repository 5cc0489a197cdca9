"""What customers read of the shop itself: who runs it, what they are asked to consent to."""

from typing import Any

from flask import request
from sqlalchemy.orm import Session

from app.context import current_context
from app.errors import Invalid
from app.languages import LANGUAGES, Lazy, _, lazy
from app.mail.service import counts
from app.members import consents
from app.programmes.service import programme_by_id, set_operator
from app.staff.permissions import Permission
from app.web.staff.door import StaffPages, Visit
from app.web.staff.navigation import NavItem

pages = StaffPages("public", __name__)
NAV = (
    NavItem(37, lazy("Public pages"), "public.index", Permission.SEE_PROGRAMME, lazy("Programme")),
)

PURPOSES: dict[str, Lazy] = {
    "messages": lazy("News by e-mail"),
    "partners": lazy("Sharing with partner brands"),
}
LANGUAGE_NAMES = {"en": "English", "de": "Deutsch", "lv": "Latviešu", "ru": "Русский"}


@pages.get("/", Permission.SEE_PROGRAMME)
def index(visit: Visit) -> Any:
    """The operator, the texts, and how letters go out."""
    return _page(visit)


@pages.post("/operator", Permission.CHANGE_PROGRAMME)
def operator(visit: Visit) -> Any:
    """Say who runs the programme."""
    given = {name: visit.form.get(name, "").strip() for name in ("name", "address", "contact")}
    try:
        with visit.write() as session:
            set_operator(session, visit.programme.id, **given)
            visit.note(session, "programme.operator", visit.programme.id)
    except Invalid as error:
        return _page(visit, wrong=error.fields, of="operator")
    return visit.go("public.index", said=_("Kept: it stands on every public page."))


@pages.post("/consents/<purpose>", Permission.CHANGE_PROGRAMME)
def text(visit: Visit, purpose: str) -> Any:
    """Ask in other words from now on."""
    typed = {code: " ".join(visit.form.get(code, "").split()) for code in LANGUAGES}
    given = {code: words for code, words in typed.items() if words}
    try:
        with visit.write() as session:
            made = consents.change_text(session, visit.programme.id, purpose, given, now=visit.now)
            visit.note(session, "consent.text", purpose, {"version": made.version})
    except Invalid as error:
        return _page(visit, wrong=error.fields or {"en": [error.message]}, of=purpose)
    return visit.go(
        "public.index",
        said=_("Asked so from now on. Who agreed before did so to the earlier words."),
    )


def _page(visit: Visit, wrong: Any = None, of: str = "") -> Any:
    with visit.read() as session:
        programme = programme_by_id(session, visit.programme.id)
        found = [_wording(session, visit, purpose) for purpose in PURPOSES]
        letters = counts(session)
    return visit.show(
        "staff/public/index.html",
        422 if wrong else 200,
        shown=programme,
        texts=found,
        letters=letters,
        mail_server=current_context().config.smtp_server,
        language_names=LANGUAGE_NAMES,
        longest=consents.LONGEST_TEXT,
        wrong=wrong or {},
        of=of,
        typed=request.form if wrong else {},
        url=current_context().config.url,
    )


def _wording(session: Session, visit: Visit, purpose: str) -> tuple[str, Lazy, consents.Wording]:
    return purpose, PURPOSES[purpose], consents.current(session, visit.programme.id, purpose)
