"""The designer's page, and what is typed into it."""

from __future__ import annotations

from typing import Any

from flask import Response, request
from sqlalchemy.orm import Session

from app.delivery.wallets import current_wallets
from app.designer import checking, drafts, showing, trials, uploads
from app.designer.drafts import ChangedMeanwhile, Draft
from app.designer.form import COLOURS
from app.errors import Invalid
from app.languages import LANGUAGES, Lazy, _, lazy
from app.programmes import design_releases
from app.staff.permissions import Permission
from app.web.pages import PICTURE_POLICY
from app.web.staff.designer.area import pages
from app.web.staff.designer.easel import Easel, choices, easel
from app.web.staff.door import Answer, Visit
from passes.artwork.upload import MAX_BYTES
from passes.card import MAX_ACTIONS, MAX_BEACONS, MAX_LINKS
from passes.extras import ActionKind
from passes.image import code_svg

ACTION_WORDS: dict[str, Lazy] = {
    ActionKind.CALL: lazy("Call"),
    ActionKind.ORDER: lazy("Order online"),
    ActionKind.SHOP: lazy("Shop online"),
    ActionKind.BENEFITS: lazy("Benefits"),
    ActionKind.OFFERS: lazy("Offers and rewards"),
    ActionKind.TOP_UP: lazy("Top up"),
    ActionKind.APPOINTMENT: lazy("Book an appointment"),
    ActionKind.SCHEDULE: lazy("See the schedule"),
}
PICTURE_WORDS: dict[str, tuple[Lazy, Lazy]] = {
    "logo": (
        lazy("Logo"),
        lazy("660×660 pixels, or a wide one of 1320×413. PNG without a ground."),
    ),
    "hero": (lazy("Picture across the card"), lazy("A photo of 1920×800 pixels.")),
    "icon": (lazy("Icon"), lazy("A square of 660×660 pixels, for the lock screen and Google.")),
    "poster": (lazy("Poster"), lazy("A photo held upright, of 1400×1750 pixels (iOS 27).")),
}
_LANGUAGE_WORDS = {"en": "English", "de": "Deutsch", "lv": "Latviešu", "ru": "Русский"}
#: A picture never changes: its address is made of it.
_FOR_EVER = "private, max-age=31536000, immutable"
_BLANK_ROWS = 2


@pages.get("/", Permission.SEE_DESIGN)
def index(visit: Visit) -> Answer:
    """Fields on the left, phones on the right."""
    # A member whose data are shown is recorded as looked at.
    with visit.write() if request.args.get("show_who") else visit.read() as session:
        shown = easel(visit, session, request.args)
        return _page(visit, session, shown)


@pages.post("/draft", Permission.CHANGE_DESIGN)
def save(visit: Visit) -> Answer:
    """Keep what was typed, and show what phones make of it."""
    typed = dict(visit.form) | _taken(visit.form.get("take", ""))
    with visit.write() as session:
        before = drafts.current(session, visit.programme)
        edit = typed.get("edit", "")
        try:
            draft = drafts.save(
                session,
                visit.programme,
                _whole(typed),
                edit=int(edit) if edit.isdecimal() and len(edit) < 10 else None,
                by=visit.person.name,
                now=visit.now,
            )
        except ChangedMeanwhile as error:
            if not request.headers.get("HX-Request"):
                raise
            return visit.show("staff/designer/_meanwhile.html", problem=error.message)
        reload = _needs_reload(before, draft, typed)
        return _answer(visit, session, draft, reload=reload, before=before.typed.get("kind"))


@pages.post("/pictures/<name>", Permission.CHANGE_DESIGN)
def upload(visit: Visit, name: str) -> Answer:
    """Take a picture, or with `remove` take it away."""
    typed = visit.form
    problem: dict[str, list[str]] = {}
    kept = None
    if not typed.get("remove"):
        data = _file(name)
        try:
            if not data:
                raise Invalid("", {name: [_("Choose a file first.")]})
            # Pictures take a moment: no transaction is open meanwhile.
            kept = uploads.kept_picture(name, data)
        except Invalid as invalid:
            problem = invalid.fields
    with visit.write() as session:
        if "kind" in typed:
            # Who has no script sends all fields with the file.
            drafts.save(
                session,
                visit.programme,
                _whole(dict(typed)),
                edit=None,
                by=visit.person.name,
                now=visit.now,
            )
        if problem:
            draft = drafts.current(session, visit.programme)
        else:
            draft = drafts.put_picture(
                session, visit.programme, name, kept, by=visit.person.name, now=visit.now
            )
            visit.note(session, "design.picture", name, {"removed": kept is None})
        return _answer(visit, session, draft, problem=problem)


@pages.get("/pictures/<digest>", Permission.SEE_DESIGN)
def picture(visit: Visit, digest: str) -> Answer:
    """A picture of the draft or of a release, as it is kept."""
    with visit.read() as session:
        data = design_releases.picture(session, visit.programme.id, digest[:64])
    kind = "png" if data.startswith(b"\x89PNG") else "webp" if data[8:12] == b"WEBP" else "jpeg"
    response = Response(data, mimetype=f"image/{kind}")
    response.headers["Cache-Control"] = _FOR_EVER
    # Opened by itself, a picture stands in a page that the browser makes, with styles of its own.
    response.headers["Content-Security-Policy"] = f"{PICTURE_POLICY}; sandbox"
    return response


@pages.get("/checks", Permission.SEE_DESIGN)
def checks(visit: Visit) -> Answer:
    """Build a pass of the draft, and say what both preflights find."""
    with visit.read() as session:
        problems = found_by_preflight(visit, session, drafts.current(session, visit.programme))
    return visit.show("staff/designer/_checks.html", problems=problems)


@pages.post("/discard", Permission.CHANGE_DESIGN)
def discard(visit: Visit) -> Answer:
    """Forget the draft."""
    with visit.write() as session:
        drafts.discard(session, visit.programme)
        visit.note(session, "design.discard")
    return visit.go("designer.index", said=_("The draft is gone: this is what is published."))


@pages.post("/trial", Permission.CHANGE_DESIGN)
def trial(visit: Visit) -> Answer:
    """A test pass of the draft: a QR code that leads one phone to it."""
    with visit.write() as session:
        draft = drafts.current(session, visit.programme)
        token = trials.make_link(
            session, visit.programme, draft, language=visit.language, now=visit.now
        )
        visit.note(session, "design.trial")
    address = f"{visit.context.config.url}/try/{token}"
    return visit.show(
        "staff/designer/trial.html",
        address=address,
        code=code_svg(address),
        minutes=trials.LINK_LASTS.seconds // 60,
        has_apple=current_wallets().apple.available,
    )


def found_by_preflight(visit: Visit, session: Session, draft: Draft) -> list[checking.Problem]:
    """What both preflights say of a draft, built with its pictures."""
    drafted = drafts.read(session, visit.programme, draft)
    pictures = drafts.picture_bytes(session, visit.programme, draft)
    shaped, design = drafts.designed(session, visit.programme, drafted, pictures)
    face = showing.made_up(
        session, shaped, design, drafted.kind, language=visit.language, now=visit.now
    )
    return checking.preflight(
        visit.context, current_wallets().apple, visit.programme, face, now=visit.now
    )


def _file(name: str) -> bytes:
    """What was uploaded under *name*, one byte more than may be at most; nothing for no file."""
    data = b""
    for each, given in request.files.items(multi=True):
        if each == name:
            data = given.stream.read(MAX_BYTES + 1)
        # Large ones lie in a file of their own, which is gone once it is closed.
        given.close()
    return data


def _answer(
    visit: Visit,
    session: Session,
    draft: Draft,
    *,
    problem: dict[str, list[str]] | None = None,
    reload: bool = False,
    before: str | None = None,
) -> Answer:
    """What is new on the page, or the page anew with *reload*, where cards were of the kind
    *before*; the whole page for who has no script."""
    shown = easel(visit, session, visit.form, draft)
    if request.headers.get("HX-Request"):
        if reload:
            again = visit.address("designer.index", **_still_looking(shown, before))
            return Response(status=204, headers={"HX-Redirect": again})
        return visit.show(
            "staff/designer/_saved.html",
            shown=shown,
            told=shown.told | (problem or {}),
            pictures=PICTURE_WORDS,
            **choices(),
        )
    if problem:
        return _page(visit, session, shown, problem=problem, status=422)
    said = _("The draft is saved.")
    return visit.go("designer.index", said=said, **shown.looking.as_query())


def _page(
    visit: Visit,
    session: Session,
    shown: Easel,
    *,
    problem: dict[str, list[str]] | None = None,
    status: int = 200,
) -> Answer:
    return visit.show(
        "staff/designer/index.html",
        status,
        shown=shown,
        told=shown.told | (problem or {}),
        places=drafts.locations(session),
        languages=[(each, _LANGUAGE_WORDS[each]) for each in LANGUAGES],
        actions=[("", _("None")), *ACTION_WORDS.items()],
        pictures=PICTURE_WORDS,
        rows=_row_counts(shown.draft),
        has_nfc=visit.context.config.apple_nfc,
        may_change=visit.may(Permission.CHANGE_DESIGN),
        may_see_people=visit.may(Permission.SEE_CONTACTS),
        **choices(),
    )


def _row_counts(draft: Draft) -> dict[str, int]:
    """How many rows of each list the page shows: those that are filled, and some to fill."""
    counts = {}
    for name, most in (("link", MAX_LINKS), ("beacon", MAX_BEACONS), ("time", 10)):
        used = [
            int(each.split("_")[1])
            for each in draft.typed
            if each.startswith(f"{name}_") and each.split("_")[1].isdecimal()
        ]
        counts[name] = min(max(used, default=-1) + 1 + _BLANK_ROWS, most)
    return counts | {"action": MAX_ACTIONS}


def _whole(typed: dict[str, Any]) -> dict[str, str]:
    """What was typed; of a box and its empty twin, the box."""
    return {name: request.form.getlist(name)[-1] for name in typed if name in request.form} | {
        name: value for name, value in typed.items() if name in COLOURS
    }


def _taken(take: str) -> dict[str, str]:
    """A colour that was offered and taken: "label:#123456"."""
    name, _mark, value = take.partition(":")
    return {name: value[:7]} if name in COLOURS else {}


def _still_looking(shown: Easel, before: str | None) -> dict[str, str]:
    """How somebody looked, for the page anew; no address or number of a member goes into a link."""
    asked = shown.looking.as_query()
    if shown.looking.who == "card":
        asked |= {"show_who": "", "show_card": ""}
    if before != shown.draft.typed.get("kind"):
        asked["show_kind"] = ""
    return {name: value for name, value in asked.items() if value}


def _needs_reload(before: Draft, after: Draft, typed: dict[str, Any]) -> bool:
    """Whether other fields are to be shown now, or a field has a value that nobody typed."""
    return bool(typed.get("take")) or before.typed.get("kind") != after.typed.get("kind")
