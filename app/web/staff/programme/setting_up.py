"""Set-up: three questions, a template, the look, a place, and a test card on the owner's phone."""

import base64
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from flask import request
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.cards.models import Card
from app.errors import CounterfoilError, Invalid, NotFound
from app.languages import Lazy, _, lazy
from app.ledger.models import Entry
from app.programmes import benefit, designs, service
from app.programmes.drafts import purpose, templates
from app.programmes.drafts import service as drafts
from app.programmes.drafts.models import ProgrammePurpose
from app.programmes.drafts.purpose import STEPS, Benefit, Goal
from app.programmes.drafts.templates import Proposal
from app.programmes.models import Location
from app.staff.permissions import Permission
from app.web.staff.door import Answer, Visit
from app.web.staff.programme import baskets
from app.web.staff.programme.around import around_of, places_by_slug
from app.web.staff.programme.forms.scalars import code_of
from app.web.staff.programme.naming import change_about
from app.web.staff.programme.pages import pages
from app.web.staff.programme.telling import sentences
from passes.code import Kind
from passes.image import code_png

STEP_WORDS: Mapping[str, Lazy] = {
    "goal": lazy("Goal"),
    "benefit": lazy("Key benefit"),
    "margin": lazy("Margin"),
    "template": lazy("Template"),
    "look": lazy("Name and look"),
    "location": lazy("Location"),
    "card": lazy("Test card"),
}
GOAL_WORDS: Mapping[str, tuple[Lazy, Lazy]] = {
    Goal.COME_BACK: (lazy("They come more often"), lazy("A streak of weeks is rewarded.")),
    Goal.SPEND_MORE: (lazy("They buy more at once"), lazy("A large basket is rewarded.")),
    Goal.STAY: (lazy("They stay for years"), lazy("A birthday is remembered.")),
    Goal.RECOMMEND: (lazy("They bring others"), lazy("Both sides of a referral get something.")),
    Goal.KNOW: (lazy("We get to know them"), lazy("The first receipt is welcomed.")),
}
BENEFIT_WORDS: Mapping[str, tuple[Lazy, Lazy]] = {
    Benefit.FREE_ITEM: (lazy("One is free"), lazy("The tenth coffee, the tenth haircut.")),
    Benefit.POINTS: (lazy("Points to spend"), lazy("For money off, gifts and goods.")),
    Benefit.DISCOUNT: (lazy("Lower prices"), lazy("A discount that rises with what was spent.")),
    Benefit.MEMBERSHIP: (lazy("A club"), lazy("A membership that is paid for and gives more.")),
}
TEMPLATE_WORDS: Mapping[str, tuple[Lazy, Lazy]] = {
    "stamps": (lazy("Stamp card"), lazy("A stamp for a visit; a full card is one free.")),
    "points": (lazy("Points"), lazy("A point for money, spent as money off.")),
    "tiers": (lazy("Points with silver and gold"), lazy("Whoever comes more earns more.")),
    "discount": (lazy("Rising discount"), lazy("The more was spent, the more comes off.")),
    "club": (lazy("Paid club"), lazy("Members pay once a year and always pay less.")),
    "cafe": (lazy("Example: a café"), lazy("Beans for money, double mornings, a coffee card.")),
    "bookshop": (lazy("Example: a bookshop"), lazy("Points without tax, tiers, coupons.")),
    "builders-merchant": (
        lazy("Example: a builders' merchant"),
        lazy("Company discounts, member prices, a bonus for volume."),
    ),
}
_CHOICES = {"goal": GOAL_WORDS, "benefit": BENEFIT_WORDS}
_WHITE, _BLACK = "#ffffff", "#000000"


@pages.get("/setup", Permission.SEE_PROGRAMME)
def setup(visit: Visit) -> Answer:
    """Where the set-up stands; it goes on where it was left."""
    with visit.read() as session:
        row = purpose.look(session)
        if row is not None and row.finished_at is not None:
            return _show(visit, session, "done", row)
        return _show(visit, session, purpose.next_step(row), row)


@pages.get("/setup/<step>", Permission.SEE_PROGRAMME)
def setup_step(visit: Visit, step: str) -> Answer:
    """One step of the set-up; each can be gone back to."""
    if step not in STEPS:
        raise NotFound(_("There is no such step."))
    with visit.read() as session:
        return _show(visit, session, step, purpose.look(session))


@pages.post("/setup/<step>", Permission.CHANGE_PROGRAMME)
def take_step(visit: Visit, step: str) -> Answer:
    """Take a step of the set-up, and go on to the next one."""
    if step not in STEPS:
        raise NotFound(_("There is no such step."))
    # Pictures take a moment: they are looked through before anything is written.
    picture, wrong_picture = _read_picture() if step == "look" else ({}, "")
    try:
        with visit.write() as session:
            if step == "look":
                said = _take_look(visit, session, picture, wrong_picture)
            else:
                said = _TAKERS[step](visit, session)
            row = purpose.done(session, step, by=visit.person.id, now=visit.now)
            visit.note(session, "programme.setup", step)
            following = next((each for each in STEPS if each not in row.steps), None)
    except CounterfoilError as error:
        wrong = getattr(error, "fields", {}) or {"": [error.message]}
        with visit.read() as session:
            return _show(visit, session, step, purpose.look(session), wrong)
    if following is None:
        return visit.go("programme.setup", said=said)
    return visit.go("programme.setup_step", said=said, step=following)


@pages.get("/setup/card/state", Permission.SEE_PROGRAMME)
def card_state(visit: Visit) -> Answer:
    """Whether the test card is there: asked again and again until it is."""
    with visit.read() as session:
        row = purpose.look(session)
        return visit.show("staff/programme/_test_card.html", card=_card(session, row), row=row)


def _show(
    visit: Visit,
    session: Session,
    step: str,
    row: ProgrammePurpose | None,
    wrong: Mapping[str, list[str]] | None = None,
) -> Answer:
    facts: dict[str, Any] = {}
    if step == "template":
        facts = {"proposals": _proposals(visit, session, row), "has_entries": _has_entries(session)}
    elif step == "look":
        programme = service.programme_by_id(session, visit.programme.id)
        line = benefit.line(programme, visit.language, visit.now)
        facts = {"programme": programme, "line": line}
    elif step == "location":
        facts = {"places": places_by_slug(session)}
    elif step in ("card", "done"):
        facts = {"card": _card(session, row), **_join(visit, session)}
    minutes = None
    if row is not None:
        until = row.finished_at or visit.now
        minutes = max(1, round((until - row.began_at).total_seconds() / 60))
    return visit.show(
        "staff/programme/setup.html",
        422 if wrong else 200,
        step=step,
        steps=[(each, STEP_WORDS[each]) for each in STEPS],
        row=row,
        choices=_CHOICES.get(step, {}),
        words=TEMPLATE_WORDS,
        goals=GOAL_WORDS,
        benefits=BENEFIT_WORDS,
        wrong=wrong or {},
        minutes=minutes,
        **facts,
    )


# --- steps ------------------------------------------------------------------------------------


def _say(name: str) -> Callable[[Visit, Session], str]:
    def take(visit: Visit, session: Session) -> str:
        typed = visit.form.get(name, "").strip()
        if name == "margin":
            typed = typed.replace(",", ".").removesuffix("%").strip()
        purpose.say(session, {name: typed}, by=visit.person.id, now=visit.now)
        return ""

    return take


def _asked(row: ProgrammePurpose | None) -> tuple[Goal, Benefit, Decimal]:
    """What was answered so far; the rest as most would answer."""
    goal = Goal(row.goal) if row is not None and row.goal else Goal.COME_BACK
    chosen = Benefit(row.benefit) if row is not None and row.benefit else Benefit.POINTS
    return goal, chosen, purpose.margin_of(row) or Decimal(30)


def _proposals(
    visit: Visit, session: Session, row: ProgrammePurpose | None
) -> list[dict[str, Any]]:
    found: list[Proposal] = list(templates.proposals(*_asked(row), visit.programme.currency))
    found += [templates.example(name) for name in templates.EXAMPLES]
    looked = drafts.look(session, visit.now)
    told = []
    for each in found:
        around = around_of(visit, session, each.settings)
        terms = baskets.to_begin_with(visit, each.settings, around)[:1]
        said = [
            sentence
            for code in ("earning", "stamps", "discounts", "clubs", "tiers", "referral")
            if code not in ("tiers", "referral") or getattr(each.settings, code) is not None
            for sentence in sentences(code, visit, each.settings, around)
        ]
        if not each.settings.points and not each.settings.rules:
            said = said[1:]
        reckoned = baskets.reckoned(visit, looked, each.settings, terms, around)
        told.append({"proposal": each, "said": said[:4], "reckoned": reckoned})
    return told


def _has_entries(session: Session) -> bool:
    return session.scalar(select(Entry.sequence).limit(1)) is not None


def _take_template(visit: Visit, session: Session) -> str:
    """A programme that nobody has used yet becomes it at once; else it goes into the draft."""
    row = purpose.look(session)
    code = visit.form.get("template", "")
    chosen = templates.find(code, *_asked(row), visit.programme.currency)
    purpose.say(session, {"template": code}, by=visit.person.id, now=visit.now)
    drafts.discard(session, now=visit.now)
    kept = chosen.settings.as_json()
    there = drafts.look(session, visit.now).settings.as_json()
    changes = {name: value for name, value in kept.items() if value != there[name]}
    if not changes:
        return ""
    drafts.change(session, changes, by=visit.person.id, now=visit.now)
    if _has_entries(session):
        return _(
            "The template is in the draft: members have points already. Compare, then publish."
        )
    version = drafts.publish(session, valid_from=visit.now, by=visit.person.id, now=visit.now)
    programme = service.programme_by_id(session, visit.programme.id)
    # Nobody has a card yet: a line about other rules would be read by the first who joins.
    lines = benefit.proposed(programme, version.settings)
    if lines:
        benefit.take_over(programme, lines, number=version.number, valid_from=version.valid_from)
    kind = {"stamps": "stamps", "discount": "discount", "club": "club"}.get(code, "points")
    designs.change(session, visit.programme.id, designs.read_changes({"kind": kind}), now=visit.now)
    return _("The rules hold now. Everything can be changed later.")


def _read_picture() -> tuple[dict[str, Any], str]:
    """The logo that was sent, as it is kept; or what is wrong with it."""
    logo = request.files.get("logo")
    if logo is None or not logo.filename:
        return {}, ""
    try:
        return designs.read_changes({"logo": logo.read()}), ""
    except Invalid as error:
        return {}, error.message


def _take_look(
    visit: Visit, session: Session, picture: Mapping[str, Any], wrong_picture: str
) -> str:
    form = visit.form
    about: dict[str, Any] = {}
    wrong: dict[str, list[str]] = {}
    programme = service.programme_by_id(session, visit.programme.id)
    name, line = form.get("name", "").strip(), form.get("benefit", "").strip()
    if not 1 <= len(name) <= 80:
        wrong["name"] = [_("Write 1 to %(count)s characters.", count=80)]
    if not 1 <= len(line) <= 200:
        wrong["benefit"] = [_("Write 1 to %(count)s characters.", count=200)]
    about["name"] = name
    # Left as it was it stays what it is: in each language, where it was made of a template.
    if line != benefit.line(programme, visit.language, visit.now):
        about["benefit"] = line
    colour = form.get("colour", "").strip().lower()
    if len(colour) != 7 or colour[0] != "#" or set(colour[1:]) - set("0123456789abcdef"):
        wrong["colour"] = [_("Choose a colour, such as #3b2a20.")]
    elif colour != programme.colours["background"]:
        ink = ink_on(colour)
        about["colours"] = {"background": colour, "foreground": ink, "label": ink}
    one, many = form.get("one", "").strip(), form.get("other", "").strip()
    for field, word in (("one", one), ("other", many)):
        if not 1 <= len(word) <= 30:
            wrong[field] = [_("Write 1 to %(count)s characters.", count=30)]
    english = dict(programme.points_names.get("en", {})) | {"one": one, "other": many}
    about["points_names"] = programme.points_names | {"en": english}
    if wrong_picture:
        wrong["logo"] = [wrong_picture]
    if wrong:
        raise Invalid(_("Something is still missing."), wrong)
    change_about(session, visit, about)
    if picture:
        designs.change(session, visit.programme.id, picture, now=visit.now)
    return _("That is how the card looks. The pass designer can do more.")


def ink_on(colour: str) -> str:
    """Black or white, whichever is read more easily on *colour* ("#rrggbb").

    Source: relative luminance and contrast of WCAG 2.2; one of the two has at least 4.5:1 on any.
    """
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return _BLACK if luminance > 0.179 else _WHITE


def _take_location(visit: Visit, session: Session) -> str:
    name = visit.form.get("name", "").strip()
    if not name:
        if not places_by_slug(session):
            words = _("Write 1 to %(count)s characters.", count=80)
            raise Invalid(words, {"name": [words]})
        return ""
    slug = code_of(name) or "shop"
    service.add_location(session, visit.programme.id, slug=slug, name=name, now=visit.now)
    return _("%(name)s is kept.", name=name)


def _take_card(visit: Visit, session: Session) -> str:
    if _card(session, purpose.look(session)) is None:
        words = _("There is no new card yet: scan the code with your phone first.")
        raise Invalid(words, {"": [words]})
    return _("It is set up. Print the poster, put a till at the counter, and open.")


_TAKERS: Mapping[str, Callable[[Visit, Session], str]] = {
    "goal": _say("goal"),
    "benefit": _say("benefit"),
    "margin": _say("margin"),
    "template": _take_template,
    "location": _take_location,
    "card": _take_card,
}


def _join(visit: Visit, session: Session) -> dict[str, str]:
    """The address of the join page, and its code as a picture."""
    slug = session.scalar(select(func.min(Location.slug)))
    address = f"{visit.context.config.url}/join/{visit.programme.slug}"
    address += f"?at={slug}" if slug else ""
    picture = base64.b64encode(code_png(address)).decode()
    return {"address": address, "picture": f"data:image/png;base64,{picture}"}


def _card(session: Session, row: ProgrammePurpose | None) -> Card | None:
    """The first card that was issued since the set-up began."""
    if row is None:
        return None
    return session.scalars(
        select(Card)
        .where(Card.kind != Kind.COUPON, Card.issued_at >= row.began_at)
        .order_by(Card.issued_at.desc(), Card.id.desc())
        .limit(1)
    ).first()
