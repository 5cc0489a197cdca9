"""Prize draws: terms, publishing them, closing the list, drawing, and the files to publish."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response, request
from sqlalchemy.orm import Session

from app.draws import service as draws
from app.draws.models import PrizeDraw
from app.errors import Conflict, CounterfoilError, Invalid
from app.languages import _, lazy
from app.staff.permissions import Permission
from app.web.staff.door import Answer, Visit
from app.web.staff.programme.forms.compound import Rows
from app.web.staff.programme.forms.kernel import (
    Around,
    Fields,
    Sent,
    read_parts,
    show_parts,
    write_parts,
)
from app.web.staff.programme.forms.scalars import Code, Moment, Text, Tick, Whole, code_of
from app.web.staff.programme.pages import pages

PARTS = (
    Text("title", lazy("Title"), longest=120),
    Code("code", lazy("Code"), lazy("Rules give tickets of it. It never changes.")),
    Rows(
        "prizes",
        lazy("Prizes, the first to be drawn first"),
        parts=(
            Text("name", lazy("Prize"), longest=120),
            Code("code", lazy("Its code"), lazy("Left empty, it is made from the name.")),
            Whole("count", lazy("How many"), low=1, high=10_000, usual=1),
        ),
        most=50,
    ),
    Tick("one_prize_each", lazy("Nobody wins twice"), usual=True),
    Moment("closes_at", lazy("Tickets are given until")),
    Text(
        "public_value",
        lazy("The public value that decides"),
        lazy("Unknown until after closing, published once by somebody else: a lottery's numbers."),
        longest=400,
    ),
    Moment("public_value_known_from", lazy("Nobody can know it before")),
)
_MOMENTS = ("closes_at", "public_value_known_from")


@pages.get("/draws", Permission.SEE_PROGRAMME)
def draws_list(visit: Visit) -> Answer:
    """All draws of the programme, the newest first."""
    with visit.read() as session:
        listed = [(each, draws.terms_of(each), state(each)) for each in draws.draws(session)]
        return visit.show("staff/programme/draws.html", listed=listed)


def state(found: PrizeDraw) -> str:
    """Where a draw stands, in a word."""
    if found.drawn_at is not None:
        return _("drawn")
    if found.closed_at is not None:
        return _("closed")
    return _("not published yet") if found.published_at is None else _("open: tickets are given")


@pages.get("/draws/new", Permission.CHANGE_PROGRAMME)
def new_draw(visit: Visit) -> Answer:
    """An empty form for a draw."""
    return _form(visit, None, {})


@pages.get("/draws/<code>", Permission.SEE_PROGRAMME)
def draw(visit: Visit, code: str) -> Answer:
    """One draw: its terms until they are published, then what was published of it."""
    with visit.read() as session:
        found = draws.by_code(session, code)
        if found.published_at is None and request.args.get("edit"):
            return _form(visit, found, write_parts(PARTS, _local(found.terms, visit)))
        return _show(visit, session, found)


def _show(visit: Visit, session: Session, found: PrizeDraw, said: str = "") -> Answer:
    terms = draws.terms_of(found)
    names = {prize.code: prize.name for prize in terms.prizes}
    winners = [
        (row.place, names[row.prize], row.pseudonym, card_id)
        for row, card_id in draws.winning_cards(session, found)
    ]
    return visit.show(
        "staff/programme/draw.html",
        422 if said else 200,
        found=found,
        terms=terms,
        state=state(found),
        winners=winners,
        refused=said,
        may_close=terms.closes_at <= visit.now,
        may_draw=terms.value_from <= visit.now,
    )


def _form(
    visit: Visit,
    found: PrizeDraw | None,
    fields: Fields,
    wrong: Mapping[str, list[str]] | None = None,
    said: str = "",
) -> Answer:
    around = Around(time_zone=visit.programme.time_zone)
    return visit.show(
        "staff/programme/draw_form.html",
        422 if wrong or said else 200,
        found=found,
        inputs=show_parts(PARTS, fields, wrong or {}, around),
        refused=said,
    )


def _local(terms: Mapping[str, Any], visit: Visit) -> dict[str, Any]:
    """Terms with local times, as people read and write them."""
    zone = ZoneInfo(visit.programme.time_zone)
    told = dict(terms)
    for name in _MOMENTS:
        local = datetime.fromisoformat(str(terms[name])).astimezone(zone)
        told[name] = local.replace(tzinfo=None).isoformat(timespec="minutes")
    return told


@pages.post("/draws", Permission.CHANGE_PROGRAMME)
def save_draw(visit: Visit) -> Answer:
    """Write the terms of a draw down; they can be changed until they are published."""
    form = visit.form
    sent = Sent(request.form.to_dict(flat=False))
    terms = read_parts(PARTS, sent, "", Around(time_zone=visit.programme.time_zone))
    for place, prize in enumerate(terms.get("prizes", [])):
        _complete(prize, place)
    if "code" not in terms and terms.get("title"):
        terms["code"] = code_of(terms["title"])
    for name in _MOMENTS:
        if name in terms:
            terms[name] = _moment(terms[name], visit, name, sent)
    wrong = dict(sent.wrong)
    said = ""
    if not wrong:
        try:
            with visit.write() as session:
                if form.get("is_new") and any(
                    each.code == terms.get("code") for each in draws.draws(session)
                ):
                    words = _("Another one has this name: give each its own.")
                    raise Invalid(words, {"code": [words]})
                made = draws.add(session, terms, now=visit.now)
                visit.note(session, "draw.add", made.code)
                code = made.code
        except CounterfoilError as error:
            wrong, said = dict(getattr(error, "fields", {})), error.message
        else:
            return visit.go("programme.draw", said=_("The terms are kept."), code=code)
    return _form(visit, None, sent.fields, wrong, said)


def _complete(prize: dict[str, Any], place: int) -> None:
    prize.setdefault("count", 1)
    prize.setdefault("code", code_of(prize.get("name", "")) or f"prize-{place + 1}")


def _moment(text: str, visit: Visit, name: str, sent: Sent) -> str:
    try:
        local = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(visit.programme.time_zone))
        if not 2000 <= local.year <= 2200:
            raise ValueError(text)
    except ValueError:
        sent.say(name, _("Give a day and a time."))
        return text
    return local.isoformat()


@pages.post("/draws/<code>/publish", Permission.CHANGE_PROGRAMME)
def publish_draw(visit: Visit, code: str) -> Answer:
    """Make the seed, commit to it, and open the draw."""
    return _step(visit, code, "publish", _("Published: put the file where everybody can read it."))


@pages.post("/draws/<code>/close", Permission.CHANGE_PROGRAMME)
def close_draw(visit: Visit, code: str) -> Answer:
    """Close the list of tickets and commit to it."""
    return _step(visit, code, "close", _("Closed: put the file where everybody can read it."))


@pages.post("/draws/<code>/draw", Permission.CHANGE_PROGRAMME)
def hold_draw(visit: Visit, code: str) -> Answer:
    """Draw the winners with the public value, once."""
    return _step(visit, code, "draw", _("Drawn. Anybody can check it with the file."))


def _step(visit: Visit, code: str, step: str, said: str) -> Answer:
    keys = visit.context.keys
    try:
        with visit.write() as session:
            if step == "publish":
                draws.publish(session, keys, code, now=visit.now)
            elif step == "close":
                draws.close(session, keys, code, now=visit.now)
            else:
                draws.hold(session, keys, code, visit.form.get("value", ""), now=visit.now)
            visit.note(session, f"draw.{step}", code)
    except (Conflict, Invalid) as error:
        with visit.read() as session:
            return _show(visit, session, draws.by_code(session, code), error.message)
    return visit.go("programme.draw", said=said, code=code)


@pages.get("/draws/<code>/file", Permission.SEE_PROGRAMME)
def draw_file(visit: Visit, code: str) -> Answer:
    """What is published of a draw so far."""
    with visit.read() as session:
        told = draws.document(session, draws.by_code(session, code))
    response = Response(json.dumps(told, ensure_ascii=False, indent=1), mimetype="application/json")
    response.headers["Content-Disposition"] = f'attachment; filename="{told["terms"]["code"]}.json"'
    return response
