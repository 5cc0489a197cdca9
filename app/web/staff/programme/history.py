"""Versions and pilots: who made which and when, what each changed; widening, rolling back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import request
from sqlalchemy import select

from app.errors import Conflict, NotFound
from app.languages import _, lazy
from app.programmes import pilots, service
from app.programmes.drafts import service as drafts
from app.programmes.drafts.models import Did, ProgrammePublication
from app.programmes.pilots import Changed
from app.programmes.settings import settings_from_json
from app.staff.models import Staff
from app.staff.permissions import Permission
from app.web.staff.door import Answer, Visit
from app.web.staff.programme.around import around_of
from app.web.staff.programme.differing import Difference, differences
from app.web.staff.programme.forms.kernel import Around
from app.web.staff.programme.pages import pages
from app.web.staff.programme.publishing import begin_of

#: Versions on the page; `counterfoil programme versions` lists all of them.
MOST_SHOWN = 100
PLANNED, NOW, OVER, NEVER = "planned", "now", "over", "never"
STATE_WORDS = {
    PLANNED: (lazy("planned"), "warn"),
    NOW: (lazy("holds now"), "good"),
    OVER: (lazy("over"), "quiet"),
    NEVER: (lazy("never held"), "quiet"),
}
DID_WORDS = {
    Did.PUBLISHED: lazy("published"),
    Did.TRIED: lazy("put on trial"),
    Did.WIDENED: lazy("widened"),
    Did.ADOPTED: lazy("made to hold everywhere"),
    Did.ROLLED_BACK: lazy("rolled back"),
}


@dataclass(frozen=True)
class Listed:
    """A version or a pilot as the page lists it."""

    changed: Changed
    state: str
    changes: list[Difference]
    said: list[tuple[str, str, Any]]

    @property
    def words(self) -> tuple[Any, str]:
        """Its state in words, and how loud."""
        return STATE_WORDS[self.state]


@pages.get("/versions", Permission.SEE_PROGRAMME)
def versions(visit: Visit) -> Answer:
    """All versions and pilots, the newest first."""
    with visit.read() as session:
        settings = service.version_at(session, visit.programme.id, visit.now).settings
        around = around_of(visit, session, settings)
        people = {
            staff_id: name for staff_id, name in session.execute(select(Staff.id, Staff.name))
        }
        noted = drafts.publications(session)
        found = pilots.history(session, visit.programme.id)
        kept = {"points": "1", "per_amount": "1"}
        newest = found[-MOST_SHOWN:]
        listed = [_listed(each, visit, noted, people, around, kept) for each in newest]
        return visit.show(
            "staff/programme/versions.html", listed=listed[::-1], around=around, settings=settings
        )


def _listed(
    each: Changed,
    visit: Visit,
    noted: list[ProgrammePublication],
    people: Mapping[str, str],
    around: Around,
    kept: Mapping[str, Any],
) -> Listed:
    if each.until is not None and each.until <= each.valid_from:
        state = NEVER
    elif each.until is not None and each.until <= visit.now:
        state = OVER
    else:
        state = NOW if each.valid_from <= visit.now else PLANNED
    said = [
        (people.get(row.staff_id or "", ""), str(DID_WORDS[Did(row.did)]), row.at)
        for row in noted
        if each.number in (row.number, row.about)
    ]
    return Listed(each, state, _changes(each, around, kept), said)


def _changes(each: Changed, around: Around, kept: Mapping[str, Any]) -> list[Difference]:
    """What it changed: rules and segments are told one by one, the rest whole."""
    base = settings_from_json(kept).as_json()
    before, after = dict(base), dict(base)
    for name, (old, new) in each.changes.items():
        setting, mark, which = name.partition(": ")
        if not mark:
            before[setting], after[setting] = _value(base, setting, old), _value(base, setting, new)
            continue
        for side, value in ((before, old), (after, new)):
            if value is None:
                continue
            if isinstance(base[setting], dict):
                side[setting] = {**side[setting], which: value}
            else:
                side[setting] = [*side[setting], value]
    return differences(before, after, around)


def _value(base: Mapping[str, Any], setting: str, value: Any) -> Any:
    """A list of names says only their order: the things are not told."""
    if isinstance(value, list) and any(isinstance(each, str) for each in value):
        return value if setting == "excluded_categories" else base[setting]
    return value


@pages.post("/versions/<int:number>/widen", Permission.CHANGE_PROGRAMME)
def widen(visit: Visit, number: int) -> Answer:
    """Let a pilot hold in more places or for more, or everywhere."""
    form = visit.form
    with visit.write() as session:
        at = begin_of(form, visit)
        if form.get("where") == "everywhere":
            _refuse_planned(session, visit, at)
            made = pilots.adopt_pilot(session, visit.programme.id, number, at=at)
            told, did = made.number, Did.ADOPTED
            said = _("Version %(number)s holds everywhere.", number=made.number)
        else:
            pilot = pilots.widen_pilot(
                session,
                visit.programme.id,
                number,
                locations=request.form.getlist("locations"),
                segments=request.form.getlist("segments"),
                at=at,
                now=visit.now,
            )
            told, did = pilot.number, Did.WIDENED
            said = _("Pilot %(number)s takes its place.", number=pilot.number)
        drafts.note(session, did, told, about=number, by=visit.person.id, now=visit.now)
        visit.note(session, f"programme.{did}", str(number), {"made": told})
    return visit.go("programme.versions", said=said)


def _refuse_planned(session: Any, visit: Visit, at: Any) -> None:
    later = service.versions_after(session, visit.programme.id, at)
    if later:
        words = _(
            "Version %(number)s is planned for later and would not have it: undo that first.",
            number=later[0][0],
        )
        raise Conflict(words)


@pages.post("/versions/<int:number>/back", Permission.CHANGE_PROGRAMME)
def roll_back(visit: Visit, number: int) -> Answer:
    """End a pilot, undo a planned version, or let the version before hold again."""
    with visit.write() as session:
        found = next(
            (each for each in pilots.history(session, visit.programme.id) if each.number == number),
            None,
        )
        if found is None:
            raise NotFound(_("There is no version of that number."))
        made = pilots.roll_back(session, visit.programme.id, number, at=visit.now)
        told = number if found.is_pilot else made.number
        drafts.note(session, Did.ROLLED_BACK, told, about=number, by=visit.person.id, now=visit.now)
        visit.note(session, "programme.rolled_back", str(number), {"holds": made.number})
    said = _("Undone: what was before holds again.")
    if found.valid_from > visit.now:
        said = _("Undone: it never holds.")
    return visit.go("programme.versions", said=said)
