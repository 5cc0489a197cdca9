"""What the programme and its points are called, with every plural; and its locations."""

from collections.abc import Mapping
from typing import Any

from flask import request
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import CounterfoilError, Invalid
from app.languages import LANGUAGES, _
from app.programmes import benefit, designs, service, wording
from app.programmes.file import applying
from app.programmes.file.reading import Described
from app.programmes.models import Location, Programme
from app.programmes.terms import rulebook_of
from app.staff.permissions import Permission
from app.web.staff.door import Answer, Visit
from app.web.staff.programme.forms.compound import LANGUAGE_WORDS
from app.web.staff.programme.forms.scalars import code_of
from app.web.staff.programme.pages import pages

#: The plurals of each language (CLDR), with numbers that show which one is meant.
PLURALS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "en": (("one", "1"), ("other", "0, 2, 5")),
    "de": (("one", "1"), ("other", "0, 2, 5")),
    "lv": (("zero", "0, 10, 11"), ("one", "1, 21"), ("other", "2, 5")),
    "ru": (("one", "1, 21"), ("few", "2, 23"), ("many", "0, 5, 11"), ("other", "1,5")),
}
#: Numbers whose names are shown as they come out.
SHOWN = (1, 2, 5, 11, 21)


@pages.get("/names", Permission.SEE_PROGRAMME)
def names(visit: Visit) -> Answer:
    """What customers read: name, benefit, and what points are called."""
    with visit.read() as session:
        programme = service.programme_by_id(session, visit.programme.id)
        fields = {
            "name": programme.name,
            "benefit": benefit.line(programme, visit.language, visit.now),
        }
        for language, forms in programme.points_names.items():
            fields |= {f"points.{language}.{plural}": form for plural, form in forms.items()}
        return _names(visit, programme, fields)


def _names(
    visit: Visit,
    programme: Programme,
    fields: Mapping[str, str],
    wrong: Mapping[str, list[str]] | None = None,
) -> Answer:
    named = points_names_of(fields)
    shown = []
    for language in LANGUAGES:
        there = named.get(language, {}).get("other")
        told = [f"{n} {wording.points_label(named, n, language)}" for n in SHOWN] if there else []
        shown.append((language, LANGUAGE_WORDS[language], PLURALS[language], ", ".join(told)))
    return visit.show(
        "staff/programme/names.html",
        422 if wrong else 200,
        fields=fields,
        wrong=wrong or {},
        languages=shown,
        programme=programme,
    )


def points_names_of(fields: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """What points are called, by language and plural, as a form has it."""
    found: dict[str, dict[str, str]] = {}
    for language in LANGUAGES:
        for plural, _numbers in PLURALS[language]:
            if form := fields.get(f"points.{language}.{plural}", "").strip():
                found.setdefault(language, {})[plural] = form
    return found


@pages.post("/names", Permission.CHANGE_PROGRAMME)
def save_names(visit: Visit) -> Answer:
    """Change what customers read, at once: cards are brought up to date."""
    form = visit.form
    named = points_names_of(form)
    wrong: dict[str, list[str]] = {}
    if not 1 <= len(form.get("name", "").strip()) <= 80:
        wrong["name"] = [_("Write 1 to %(count)s characters.", count=80)]
    if len(form.get("benefit", "")) > 200:
        wrong["benefit"] = [_("Write 1 to %(count)s characters.", count=200)]
    for language, forms in named.items():
        if "other" not in forms:
            wrong[f"points.{language}.other"] = [_("This is missing: fill it in.")]
        for plural, word in forms.items():
            if len(word) > wording.LONGEST_NAME:
                words = _("Write 1 to %(count)s characters.", count=wording.LONGEST_NAME)
                wrong[f"points.{language}.{plural}"] = [words]
    if not named:
        wrong["points.en.other"] = [_("Say what points are called, in one language at least.")]
    if not wrong:
        try:
            with visit.write() as session:
                programme = service.programme_by_id(session, visit.programme.id)
                others = {k: v for k, v in programme.points_names.items() if k not in LANGUAGES}
                about = {
                    "name": form["name"].strip(),
                    "points_names": others | named,
                }
                line = form.get("benefit", "").strip()
                if line != benefit.line(programme, visit.language, visit.now):
                    about["benefit"] = line
                change_about(session, visit, about)
                visit.note(session, "programme.names", programme.slug)
        except Invalid as error:
            wrong = {"name": [error.message]}
        else:
            said = _("Changed. Cards are being brought up to date.")
            return visit.go("programme.names", said=said)
    with visit.read() as session:
        programme = service.programme_by_id(session, visit.programme.id)
        return _names(visit, programme, form, wrong)


def change_about(session: Session, visit: Visit, about: Mapping[str, Any]) -> None:
    """Change what the programme is called or looks like, and nothing of its rules."""
    programme = service.programme_by_id(session, visit.programme.id)
    settings = rulebook_of(session, programme.id, visit.now).everywhere(visit.now).settings
    wanted = Described(dict(about), settings, None)
    applying.apply(session, programme, wanted, valid_from=visit.now, now=visit.now)


# --- locations --------------------------------------------------------------------------------


@pages.get("/places", Permission.SEE_PROGRAMME)
def places(visit: Visit) -> Answer:
    """The locations, each with its poster."""
    with visit.read() as session:
        return _places(visit, session)


def _places(
    visit: Visit, session: Session, wrong: Mapping[str, list[str]] | None = None, of: str = ""
) -> Answer:
    rows = session.scalars(select(Location).order_by(Location.slug)).all()
    listed = [
        {
            "slug": row.slug,
            "name": row.name,
            "latitude": _degrees(row.latitude_micro),
            "longitude": _degrees(row.longitude_micro),
        }
        for row in rows
    ]
    if of:
        sent = {name: request.form.get(name, "") for name in ("name", "latitude", "longitude")}
        listed = [each | sent if each["slug"] == of else each for each in listed]
    status = 422 if wrong else 200
    url = visit.context.config.url
    return visit.show(
        "staff/programme/places.html", status, listed=listed, wrong=wrong or {}, of=of, url=url
    )


def _degrees(micro: int | None) -> str:
    return "" if micro is None else f"{micro / designs.MICRO:.6f}".rstrip("0").rstrip(".")


@pages.post("/places", Permission.CHANGE_PROGRAMME)
def save_place(visit: Visit) -> Answer:
    """Add a location, or change the name and the place of one."""
    form = visit.form
    slug, is_new = form.get("slug", "").strip(), form.get("is_new") == "yes"
    name = form.get("name", "").strip()
    try:
        with visit.write() as session:
            degrees = _read_degrees(form)
            if is_new:
                slug = slug or code_of(name)
                service.add_location(
                    session, visit.programme.id, slug=slug, name=name, now=visit.now
                )
            else:
                found = service.location_by_slug(session, visit.programme.id, slug)
                if not 1 <= len(name) <= 80:
                    words = _("Write 1 to %(count)s characters.", count=80)
                    raise Invalid(words, {"name": [words]})
                found.name = name
            designs.change(session, visit.programme.id, {}, places={slug: degrees}, now=visit.now)
            visit.note(session, "programme.place", slug, {"new": is_new})
    except CounterfoilError as error:
        wrong = getattr(error, "fields", {}) or {"slug" if is_new else "name": [error.message]}
        with visit.read() as session:
            return _places(visit, session, wrong, "" if is_new else slug)
    return visit.go("programme.places", said=_("%(name)s is kept.", name=name))


def _read_degrees(form: Mapping[str, str]) -> tuple[float, float] | None:
    typed = [form.get(name, "").strip().replace(",", ".") for name in ("latitude", "longitude")]
    if typed == ["", ""]:
        return None
    try:
        latitude, longitude = (float(each) for each in typed)
        if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
            raise ValueError(typed)
    except ValueError:
        words = _("Give both in degrees, such as 56.9496 and 24.1064, or none of them.")
        raise Invalid(words, {"latitude": [words]}) from None
    return latitude, longitude
