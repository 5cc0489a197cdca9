"""The draft: every mechanic in a form, with what it means for baskets beside it while typing."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import request
from sqlalchemy.orm import Session

from app.errors import Conflict, Invalid, NotFound
from app.languages import _
from app.programmes.drafts import purpose
from app.programmes.drafts import service as drafts
from app.programmes.drafts.service import Draft
from app.programmes.settings import Settings, settings_from_json
from app.staff.permissions import Permission
from app.web.staff.door import Answer, Visit
from app.web.staff.programme import baskets, editing
from app.web.staff.programme.around import around_of
from app.web.staff.programme.editing import Form, open_form
from app.web.staff.programme.forms.kernel import Around, Fields, Sent
from app.web.staff.programme.forms.section import Many, One, Section
from app.web.staff.programme.pages import pages
from app.web.staff.programme.sections import GROUPS, SECTION_OF, SECTIONS
from app.web.staff.programme.telling import sentences

#: Rows of a list on one page; a price list may have two thousand.
ROWS_A_PAGE = 100


@pages.get("/draft", Permission.SEE_PROGRAMME)
def draft(visit: Visit) -> Answer:
    """All mechanics, with what each says and which of them the draft changes."""
    with visit.read() as session:
        found = drafts.look(session, visit.now)
        around = around_of(visit, session, found.settings)
        kept = found.settings.as_json()
        changed = {SECTION_OF[name].code for name in found.changes}
        return visit.show(
            "staff/programme/draft.html",
            draft=found,
            groups=[
                (
                    title,
                    [
                        (section, told_of(section, kept, visit, found.settings, around))
                        for section in listed
                    ],
                )
                for title, listed in GROUPS
            ],
            changed=changed,
            **panel(visit, session, found, around, "earning"),
        )


def told_of(
    section: Section, kept: Mapping[str, Any], visit: Visit, settings: Settings, around: Around
) -> list[str]:
    """What a mechanic is now, in a few lines."""
    if isinstance(section, Many):
        things = editing.things_of(section, kept)
        return [
            f"{section.name(each, around)}: {section.summary(each, around)}" for each in things[:3]
        ] + ([_("and %(count)s more", count=len(things) - 3)] if len(things) > 3 else [])
    if isinstance(section, One) and kept[section.code] is None:
        return []
    return sentences(section.code, visit, settings, around)[:3]


@pages.get("/draft/<code>", Permission.SEE_PROGRAMME)
def section(visit: Visit, code: str) -> Answer:
    """One mechanic: its form, or the list of its things."""
    found = _section(code)
    with visit.read() as session:
        looked = drafts.look(session, visit.now)
        if isinstance(found, Many):
            return _list(visit, session, looked, found)
        around = around_of(visit, session, looked.settings)
        form = open_form(found, looked.settings.as_json())
        fields = form.fields(looked.settings.as_json(), around)
        return _page(visit, session, looked, form, around, fields)


def _list(visit: Visit, session: Session, looked: Draft, found: Many) -> Answer:
    around = around_of(visit, session, looked.settings)
    things = editing.things_of(found, looked.settings.as_json())
    before = editing.things_of(found, looked.version.settings.as_json())
    start = max(0, request.args.get("from", 0, type=int) or 0)
    rows = [
        {
            "place": place,
            "key": str(each.get(found.key, "")),
            "name": found.name(each, around),
            "summary": found.summary(each, around),
            "is_changed": each not in before,
        }
        for place, each in enumerate(things)
    ]
    return visit.show(
        "staff/programme/list.html",
        section=found,
        rows=rows[start : start + ROWS_A_PAGE],
        total=len(rows),
        start=start,
        following=start + ROWS_A_PAGE if start + ROWS_A_PAGE < len(rows) else None,
        draft=looked,
        **panel(visit, session, looked, around, found.code),
    )


@pages.get("/draft/<code>/new", Permission.CHANGE_PROGRAMME)
def new_thing(visit: Visit, code: str) -> Answer:
    """An empty form for another thing; first of which kind, where there are kinds."""
    found = _many(code)
    kind = request.args.get("kind", "")
    with visit.read() as session:
        looked = drafts.look(session, visit.now)
        around = around_of(visit, session, looked.settings)
        if found.kinds and not kind:
            return visit.show(
                "staff/programme/kinds.html",
                section=found,
                draft=looked,
                **panel(visit, session, looked, around, code),
            )
        form = open_form(found, looked.settings.as_json(), None, kind)
        return _page(visit, session, looked, form, around, {})


@pages.get("/draft/<code>/<int:place>", Permission.SEE_PROGRAMME)
def thing(visit: Visit, code: str, place: int) -> Answer:
    """The form of one thing."""
    found = _many(code)
    with visit.read() as session:
        looked = drafts.look(session, visit.now)
        kept = looked.settings.as_json()
        around = around_of(visit, session, looked.settings)
        form = open_form(found, kept, place)
        return _page(visit, session, looked, form, around, form.fields(kept, around))


@pages.post("/draft/<code>", Permission.CHANGE_PROGRAMME)
def save(visit: Visit, code: str) -> Answer:
    """Keep a form in the draft, or show it again with what is wrong beside its fields."""
    found = _section(code)
    sent = _sent(visit)
    place = request.form.get("place", type=int)
    # Looked through before anything is written: tills wait for whoever writes.
    with visit.read() as session:
        looked = drafts.look(session, visit.now)
        kept = looked.settings.as_json()
        around = around_of(visit, session, looked.settings)
        form = open_form(found, kept, place, request.form.get("kind_of", ""))
        others = _refuse_moved(form, kept)
        changes = form.changes(sent, kept, around) if not others else {}
        wrong = dict(sent.wrong)
        if not wrong and not others:
            try:
                settings_from_json(kept | changes)
            except Invalid as error:
                wrong, others = editing.misplaced(form, error, _things(form, changes))
        if wrong or others or "look" in request.form:
            status = 422 if wrong or others else 200
            return _page(visit, session, looked, form, around, sent.fields, wrong, others, status)
    try:
        with visit.write() as session:
            return _saved(visit, session, found, changes, sent, around)
    except Conflict:
        others = [_("Somebody else has changed the draft meanwhile: look, and save again.")]
    with visit.read() as session:
        looked = drafts.look(session, visit.now)
        return _page(visit, session, looked, form, around, sent.fields, wrong, others, 422)


def _saved(
    visit: Visit,
    session: Session,
    found: Section,
    changes: Mapping[str, Any],
    sent: Sent,
    around: Around,
) -> Answer:
    revision = request.form.get("revision", type=int)
    changed = drafts.change(session, changes, revision=revision, by=visit.person.id, now=visit.now)
    drafts.keep_baskets(session, baskets.read_baskets(sent, around), now=visit.now)
    visit.note(session, "programme.draft", found.code, {"changes": sorted(changed.changes)})
    said = _("%(section)s: kept in the draft. Nobody is touched yet.", section=str(found.title))
    said = " ".join([said, *baskets.wrong_baskets(sent, around)])
    return visit.go("programme.section", said=said, code=found.code)


def _refuse_moved(form: Form, kept: Mapping[str, Any]) -> list[str]:
    """What is said where the thing is not where it was when the form was opened."""
    if form.place is None or not isinstance(form.section, Many):
        return []
    there = editing.things_of(form.section, kept)[form.place]
    if str(there.get(form.section.key, "")) == request.form.get("was", ""):
        return []
    return [_("Somebody else has changed the list meanwhile. Look at it again.")]


def _things(form: Form, changes: Mapping[str, Any]) -> list[dict[str, Any]]:
    if not isinstance(form.section, Many):
        return []
    return editing.things_of(form.section, changes)


@pages.post("/draft/<code>/remove", Permission.CHANGE_PROGRAMME)
def remove(visit: Visit, code: str) -> Answer:
    """Take a thing out of the draft; one that is one of its kind goes altogether."""
    found = _section(code)
    place = request.form.get("place", 0, type=int)
    with visit.write() as session:
        kept = drafts.look(session, visit.now).settings.as_json()
        changes: dict[str, Any] = {code: None}
        if isinstance(found, Many):
            changes = editing.without(found, kept, place, visit.form.get("was", ""))
        elif not isinstance(found, One):
            raise NotFound(_("There is no such thing in the draft any more."))
        try:
            drafts.change(session, changes, by=visit.person.id, now=visit.now)
        except Invalid as error:
            told = [editing.told(*each) for each in error.fields.items()]
            raise Conflict(_("It is still needed: ") + " ".join(told)) from error
        visit.note(session, "programme.draft", code, {"removed": visit.form.get("was", "")[:60]})
    said = _("Taken out of the draft. Nobody is touched yet.")
    return visit.go("programme.section", said=said, code=code)


@pages.post("/draft/<code>/up", Permission.CHANGE_PROGRAMME)
def move_up(visit: Visit, code: str) -> Answer:
    """Move a thing one place up: the order decides between equals, and on cards."""
    found = _many(code)
    place = request.form.get("place", 0, type=int)
    with visit.write() as session:
        kept = drafts.look(session, visit.now).settings.as_json()
        changes = editing.moved_up(found, kept, place, visit.form.get("was", ""))
        drafts.change(session, changes, by=visit.person.id, now=visit.now)
        visit.note(session, "programme.draft", code, {"moved": visit.form.get("was", "")[:60]})
    return visit.go("programme.section", code=code)


@pages.post("/draft/discard", Permission.CHANGE_PROGRAMME)
def discard(visit: Visit) -> Answer:
    """Throw the draft away, or one mechanic of it."""
    code = visit.form.get("section", "")
    with visit.write() as session:
        names = _section(code).settings if code else None
        drafts.discard(session, names, now=visit.now)
        visit.note(session, "programme.discard", code)
    said = _("Thrown away: the draft is what is in force again.")
    if code:
        return visit.go("programme.section", said=said, code=code)
    return visit.go("programme.draft", said=said)


@pages.post("/draft/take-over", Permission.CHANGE_PROGRAMME)
def take_over(visit: Visit) -> Answer:
    """Say that the others' changes were seen, and that the draft counts."""
    with visit.write() as session:
        drafts.take_over(session, by=visit.person.id, now=visit.now)
        visit.note(session, "programme.take_over")
    return visit.go("programme.compare", said=_("The draft counts now. Compare once more."))


@pages.post("/draft/baskets", Permission.CHANGE_PROGRAMME)
def keep_baskets(visit: Visit) -> Answer:
    """Keep the baskets that one looks at."""
    sent = _sent(visit)
    with visit.write() as session:
        looked = drafts.look(session, visit.now)
        around = around_of(visit, session, looked.settings)
        drafts.keep_baskets(session, baskets.read_baskets(sent, around), now=visit.now)
        visit.note(session, "programme.baskets")
        wrong = baskets.wrong_baskets(sent, around)
    return visit.go("programme.draft", said=" ".join([_("The baskets are kept."), *wrong]))


@pages.post("/draft/<code>/consequences", Permission.SEE_PROGRAMME)
def consequences(visit: Visit, code: str) -> Answer:
    """What the form as it stands would mean, while somebody types. Nothing is kept."""
    sent = _sent(visit)
    with visit.read() as session:
        looked = drafts.look(session, visit.now)
        kept = looked.settings.as_json()
        around = around_of(visit, session, looked.settings)
        changes: Mapping[str, Any] | None = {}
        if code in SECTIONS and request.form.get("edits"):
            place, kind = request.form.get("place", type=int), request.form.get("kind_of", "")
            form = open_form(_section(code), kept, place, kind)
            changes = form.changes(sent, kept, around)
            changes = None if sent.wrong else changes
        told = panel(visit, session, looked, around, code, sent, changes)
    return visit.show("staff/programme/_consequences.html", **told)


# --- what pages are made of -------------------------------------------------------------------


def panel(
    visit: Visit,
    session: Session,
    looked: Draft,
    around: Around,
    code: str,
    sent: Sent | None = None,
    changes: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """What stands beside a form: the baskets, what becomes of them, and sentences.

    With *sent* the baskets are those of the form; *changes* are what it makes of the settings, and
    None what cannot be read yet.
    """
    settings, is_whole = looked.settings, changes is not None or sent is None
    if changes:
        try:
            settings = settings_from_json(looked.settings.as_json() | dict(changes))
        except Invalid:
            is_whole = False
    found: Sequence[Mapping[str, Any]] = looked.row.baskets if looked.row is not None else ()
    wrong: Sequence[str] = ()
    if sent is not None:
        wrong = baskets.wrong_baskets(sent, around)
        found = baskets.read_baskets(sent, around)
    found = found or baskets.to_begin_with(visit, settings, around)
    fields = baskets.basket_fields(found)
    margin = purpose.margin_of(purpose.look(session))
    return {
        "code": code,
        "baskets": baskets.show_baskets(fields, {}, around),
        "wrong_baskets": wrong,
        "reckoned": baskets.reckoned(visit, looked, settings, found, around),
        "sentences": sentences(code, visit, settings, around, margin),
        "is_whole": is_whole,
        "groups_of_sections": GROUPS,
    }


def _page(
    visit: Visit,
    session: Session,
    looked: Draft,
    form: Form,
    around: Around,
    fields: Fields,
    wrong: Mapping[str, list[str]] | None = None,
    others: Sequence[str] = (),
    status: int = 200,
) -> Answer:
    found = form.section
    kept = looked.settings.as_json()
    name = was = ""
    if isinstance(found, Many) and form.place is not None:
        there = editing.things_of(found, kept)[form.place]
        name, was = found.name(there, around), str(there.get(found.key, ""))
    sent = Sent(fields) if request.method == "POST" else None
    changes: Mapping[str, Any] | None = {}
    if sent is not None:
        changes = form.changes(sent, kept, around) if not others else {}
        changes = None if sent.wrong else changes
    return visit.show(
        "staff/programme/edit.html",
        status,
        section=found,
        form=form,
        name=name,
        was=was,
        fieldsets=form.show(fields, wrong or {}, around),
        others=others,
        is_wrong=bool(wrong or others),
        is_there=isinstance(found, One) and kept[found.code] is not None,
        draft=looked,
        **panel(visit, session, looked, around, found.code, sent, changes),
    )


def _sent(visit: Visit) -> Sent:
    if visit.form is None:  # Reading it checks how much was sent.
        raise AssertionError
    return Sent(request.form.to_dict(flat=False))


def _section(code: str) -> Section:
    if code not in SECTIONS:
        raise NotFound(_("There is no such mechanic."))
    return SECTIONS[code]


def _many(code: str) -> Many:
    found = _section(code)
    if not isinstance(found, Many):
        raise NotFound(_("There is no such mechanic."))
    return found
