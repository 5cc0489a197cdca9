"""The draft beside what is in force: what differs, what it would have cost, and publishing it."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from flask import request
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import CounterfoilError, Invalid
from app.languages import LANGUAGES, _, ngettext
from app.ledger.rules import start_of_day
from app.programmes import benefit, pilots, service
from app.programmes.drafts import purpose, trials
from app.programmes.drafts import service as drafts
from app.programmes.drafts.models import ProgrammeTrial, TrialState
from app.programmes.drafts.service import Draft
from app.programmes.models import ProgrammePilot
from app.programmes.simulation.tally import bounds
from app.programmes.wording import currency_exponent
from app.staff.models import Staff
from app.staff.permissions import Permission
from app.web.formats import number
from app.web.staff.door import Answer, Visit
from app.web.staff.programme import baskets
from app.web.staff.programme.around import around_of
from app.web.staff.programme.differing import differences
from app.web.staff.programme.forms.compound import LANGUAGE_WORDS
from app.web.staff.programme.forms.kernel import Around
from app.web.staff.programme.pages import pages
from app.web.staff.programme.sections import SECTION_OF

#: How far back a trial looks, where nobody says.
_USUAL_DAYS = 90


@pages.get("/compare", Permission.SEE_PROGRAMME)
def compare(visit: Visit) -> Answer:
    """What the draft changes, by field; what it does to baskets; how to try and publish it."""
    with visit.read() as session:
        return _compare(visit, session)


def _compare(
    visit: Visit, session: Session, wrong: dict[str, list[str]] | None = None, said: str = ""
) -> Answer:
    found = drafts.look(session, visit.now)
    around = around_of(visit, session, found.settings)
    kept = found.version.settings.as_json()
    listed = found.row.baskets if found.row is not None else []
    listed = listed or baskets.to_begin_with(visit, found.settings, around)
    today = _today(visit)
    programme = service.programme_by_id(session, visit.programme.id)
    later = service.versions_after(session, visit.programme.id, visit.now)
    return visit.show(
        "staff/programme/compare.html",
        422 if wrong or said else 200,
        draft=found,
        around=around,
        differences=differences(kept, found.settings.as_json(), around),
        overtaken=[str(SECTION_OF[name].title) for name in found.overtaken],
        reckoned=baskets.reckoned(visit, found, found.settings, listed, around),
        only_everywhere=[
            str(SECTION_OF[name].title) for name in found.changes if name not in pilots.PILOTABLE
        ],
        trial=_trial(visit, session, trials.latest(session), around, found),
        since=today - timedelta(days=_USUAL_DAYS),
        today=today,
        later=later,
        lines=benefit.offer(programme, found.version.settings, found.settings),
        line_now=benefit.line(programme, visit.language, visit.now),
        language_words=LANGUAGE_WORDS,
        changed_by=_name_of(session, found.row.changed_by if found.row else None),
        wrong=wrong or {},
        refused=said,
    )


def _today(visit: Visit) -> date:
    return visit.now.astimezone(ZoneInfo(visit.programme.time_zone)).date()


def _name_of(session: Session, staff_id: str | None) -> str:
    if staff_id is None:
        return ""
    return session.scalar(select(Staff.name).where(Staff.id == staff_id)) or ""


# --- a trial over history ---------------------------------------------------------------------


@pages.post("/trials", Permission.CHANGE_PROGRAMME)
def start_trial(visit: Visit) -> Answer:
    """Replay real receipts under the draft, in the background."""
    try:
        with visit.write() as session:
            found = drafts.look(session, visit.now)
            made = trials.ask(
                session,
                found.changes,
                since=day_of(visit.form.get("since", ""), visit, "since"),
                locations=request.form.getlist("locations"),
                segments=request.form.getlist("segments"),
                by=visit.person.id,
                now=visit.now,
            )
            visit.note(session, "programme.trial", made.id)
    except Invalid as error:
        with visit.read() as session:
            return _compare(visit, session, error.fields, error.message)
    return visit.go("programme.compare", _anchor="trial")


@pages.get("/trials/<trial_id>", Permission.SEE_PROGRAMME)
def trial(visit: Visit, trial_id: str) -> Answer:
    """How far a trial is, and what it found: asked again and again while it runs."""
    with visit.read() as session:
        found = drafts.look(session, visit.now)
        around = around_of(visit, session, found.settings)
        told = _trial(visit, session, trials.by_id(session, trial_id[:36]), around, found)
    return visit.show("staff/programme/_trial.html", trial=told, around=around)


@pages.post("/trials/<trial_id>/stop", Permission.CHANGE_PROGRAMME)
def stop_trial(visit: Visit, trial_id: str) -> Answer:
    """Stop a trial."""
    with visit.write() as session:
        trials.stop(session, trial_id[:36], now=visit.now)
        visit.note(session, "programme.trial_stop", trial_id[:36])
    return visit.go("programme.compare", said=_("The trial is stopped."), _anchor="trial")


def _trial(
    visit: Visit,
    session: Session,
    row: ProgrammeTrial | None,
    around: Around,
    draft: Draft,
) -> dict[str, Any] | None:
    if row is None:
        return None
    told: dict[str, Any] = {
        "row": row,
        "is_open": row.state in (TrialState.WAITING, TrialState.RUNNING),
        "is_of_draft": dict(row.changes) == dict(draft.changes),
        "words": _state_words(row, visit.now),
        "by": _name_of(session, row.asked_by),
        "found": row.found,
    }
    if row.found is None:
        return told
    value = draft.settings.point_value.scaleb(currency_exponent(around.currency))
    cost = int(row.found["points_change"] * value)
    spend = row.found["spend_minor"]
    margin = purpose.margin_of(purpose.look(session))
    told |= {
        "cost_minor": cost,
        "share": number((Decimal(cost) * 100 / spend).quantize(Decimal("0.01"))) if spend else "",
        "margin": None if not margin else margin,
        "gains": _steps(row.found["winners"]),
        "losses": _steps(row.found["losers"]),
        "things": [
            {**each, "name": _thing_name(each, around)}
            for each in row.found["given"]
            if each["before"] != each["after"]
        ],
    }
    return told


def _thing_name(each: dict[str, Any], around: Around) -> str:
    names = {"stamps": around.stamps, "coupon": around.coupons, "tickets": around.draws}
    return str(names.get(each["kind"], {}).get(each["what"], each["what"]))


def _steps(people: dict[str, Any]) -> list[tuple[str, int]]:
    """Members by how much they gain or lose."""
    found = []
    for each in people["distribution"]:
        least, most = bounds(each["at_least"])
        if most is None:
            words = _("%(least)s points or more", least=number(least))
        elif most == least:
            words = ngettext("%(num)d point", "%(num)d points", least)
        else:
            words = _("%(least)s to %(most)s points", least=number(least), most=number(most))
        found.append((words, each["members"]))
    return found


def _state_words(row: ProgrammeTrial, now: datetime) -> str:
    if row.state == TrialState.WAITING:
        return _("It begins in a moment.")
    if row.state == TrialState.STOPPED:
        return _("Stopped. Nothing was changed.")
    if row.state == TrialState.FAILED:
        return _("It could not be done: %(why)s", why=row.said or "")
    done = _("%(done)s of %(total)s receipts", done=number(row.done), total=number(row.total))
    left = trials.remaining_seconds(row, now)
    if left is None:
        return done
    return f"{done}, " + ngettext("%(num)d second left", "%(num)d seconds left", left)


# --- publishing -------------------------------------------------------------------------------


@pages.post("/publish", Permission.CHANGE_PROGRAMME)
def publish(visit: Visit) -> Answer:
    """Publish the draft from a date on: everywhere, or on trial in some places or for some."""
    form = visit.form
    try:
        with visit.write() as session:
            begins = begin_of(form, visit)
            if form.get("where") == "some":
                made = drafts.try_out(
                    session,
                    locations=request.form.getlist("locations"),
                    segments=request.form.getlist("segments"),
                    valid_from=begins,
                    by=visit.person.id,
                    now=visit.now,
                )
                said = _("Pilot %(number)s is planned.", number=made.number)
                detail = {"locations": made.locations, "segments": made.segments}
                _take_line(visit, session, made.number, begins, made)
                visit.note(session, "programme.pilot", str(made.number), detail)
            else:
                version = drafts.publish(
                    session, valid_from=begins, by=visit.person.id, now=visit.now
                )
                said = _("Version %(number)s is published.", number=version.number)
                detail = {"from": [begins.isoformat()]}
                _take_line(visit, session, version.number, version.valid_from)
                visit.note(session, "programme.publish", str(version.number), detail)
    except CounterfoilError as error:
        fields = getattr(error, "fields", {})
        told = [text for texts in fields.values() for text in texts if text != error.message]
        words = " ".join([error.message, *told])
        with visit.read() as session:
            return _compare(visit, session, fields, words)
    return visit.go("programme.versions", said=said)


def _take_line(
    visit: Visit,
    session: Session,
    number: int,
    begins: datetime,
    pilot: ProgrammePilot | None = None,
) -> None:
    """Say another line of what members get, where the form asks for it. Raises `Invalid`."""
    form = visit.form
    if form.get("take_line") != "yes":
        return
    if pilot is not None and pilot.segments:
        words = _("A poster is read by everybody: for members of a segment the line stays.")
        raise Invalid(words, {"take_line": [words]})
    benefit.take_over(
        service.programme_by_id(session, visit.programme.id),
        {each: form.get(f"line.{each}", "") for each in LANGUAGES},
        number=number,
        valid_from=begins,
        locations=() if pilot is None else pilot.locations,
    )


def day_of(text: str, visit: Visit, field: str) -> datetime:
    """The beginning of a local day, in UTC. Raises `Invalid`."""
    try:
        day = date.fromisoformat(text)
        if not 2000 <= day.year <= 2200:
            raise ValueError(day)
    except ValueError:
        words = _("Give a day, such as 2026-06-01.")
        raise Invalid(words, {field: [words]}) from None
    return start_of_day(day, visit.programme.time_zone)


def begin_of(form: Any, visit: Visit) -> datetime:
    """From when on something holds: now, or the beginning of a day to come. Raises `Invalid`."""
    text = form.get("from", "").strip()
    if not text or form.get("when") == "now":
        return visit.now
    begins = day_of(text, visit, "from")
    if begins <= visit.now:
        if text == _today(visit).isoformat():
            return visit.now
        words = _("Rules change from today on or later: what was earned is earned.")
        raise Invalid(words, {"from": [words]})
    return begins
