"""From a form to the draft and back: where a thing stands in the terms, and what is wrong where."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.errors import Conflict, Invalid, NotFound
from app.languages import _
from app.programmes.settings import Settings
from app.web.staff.programme.forms.kernel import (
    Around,
    Fields,
    Input,
    Sent,
    read_parts,
    show_parts,
    write_parts,
)
from app.web.staff.programme.forms.section import Fieldset, Many, One, Plain, Section, parts_of
from app.web.staff.programme.said import in_language

#: A list of things in the terms is written by name where the settings keep it so.
_BY_NAME = ("segments",)
_NUMBERED = re.compile(r"(?:[A-Z][a-z]+(?: [a-z]+)? )(?P<number>[0-9]{1,4}): ")
_NAMED = re.compile(r"(?:[A-Z][a-z]+ )(?P<quote>['\"])(?P<name>.{1,80}?)(?P=quote): ")
_KEYED = re.compile(r"(?P<key>[a-z_]\w*)(?:\.(?P<rest>[\w.]+))?: ")
_MISSING = re.compile(r"(?P<key>[a-z_]\w*) is missing\b")
_STEP = re.compile(r"(?:step|Tier) (?P<number>[0-9]{1,3}): ")


def things_of(section: Many, kept: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The things of a list, as forms have them."""
    value = kept[section.code]
    if section.code in _BY_NAME:
        return [{section.key: name, **thing} for name, thing in value.items()]
    return [dict(each) for each in value]


def as_kept(section: Many, things: Sequence[Mapping[str, Any]]) -> Any:
    """The same, as the settings have them."""
    if section.code in _BY_NAME:
        return {
            str(each.get(section.key, "")): {k: v for k, v in each.items() if k != section.key}
            for each in things
        }
    return [dict(each) for each in things]


@dataclass(frozen=True)
class Form:
    """A form that is open: of a section, or of one of its things (*place*; None: a new one)."""

    section: Section
    fieldsets: tuple[Fieldset, ...]
    place: int | None = None
    kind: str = ""

    def fields(self, kept: Mapping[str, Any], around: Around) -> Fields:
        """What stands in it at first."""
        section = self.section
        parts = parts_of(self.fieldsets)
        if isinstance(section, Plain):
            return write_parts(parts, kept)
        if isinstance(section, One):
            return write_parts(parts, section.into(kept[section.code] or {}, around))
        if self.place is None or not isinstance(section, Many):
            return {}
        return write_parts(parts, things_of(section, kept)[self.place])

    def changes(self, sent: Sent, kept: Mapping[str, Any], around: Around) -> dict[str, Any]:
        """The settings that it makes; what could not be read is in *sent*."""
        section = self.section
        terms = read_parts(parts_of(self.fieldsets), sent, "", around)
        if isinstance(section, Plain):
            return {name: terms[name] for name in section.settings if name in terms}
        if isinstance(section, One):
            return {section.code: section.out_of(terms, around)}
        if not isinstance(section, Many):
            raise TypeError(section)
        if self.kind:
            terms["kind"] = self.kind
        things = things_of(section, kept)
        if section.code in _BY_NAME:
            self._refuse_same_name(section, things, terms, sent)
        if self.place is None:
            things.append(terms)
        else:
            things[self.place] = terms
        return {section.code: as_kept(section, things)}

    def _refuse_same_name(
        self, section: Many, things: Sequence[Mapping[str, Any]], terms: Any, sent: Sent
    ) -> None:
        """What is kept by name would silently take the other's place."""
        for place, each in enumerate(things):
            if place != self.place and each[section.key] == terms.get(section.key):
                sent.say(section.key, _("Another one has this name: give each its own."))

    def show(
        self, fields: Fields, wrong: Mapping[str, list[str]], around: Around
    ) -> list[tuple[Fieldset, list[Input], bool]]:
        """Its parts as a template shows them; a closed fieldset opens where something is in it."""
        found = []
        wrong = self._where_it_shows(fields, wrong, around)
        for fieldset in self.fieldsets:
            inputs = show_parts(fieldset.parts, fields, wrong, around)
            names = tuple(part.name for part in fieldset.parts)
            is_filled = any(
                name.split(".", 1)[0] in names and any(each.strip() for each in values)
                for name, values in fields.items()
                if not name.endswith(".there") and name != "role"
            )
            is_wrong = any(name.split(".", 1)[0] in names for name in wrong)
            found.append((fieldset, inputs, fieldset.is_open or is_filled or is_wrong))
        return found

    def _where_it_shows(
        self, fields: Fields, wrong: Mapping[str, list[str]], around: Around
    ) -> dict[str, list[str]]:
        """What is wrong, at the nearest field that there is."""
        there = set(_fields_of(show_parts(parts_of(self.fieldsets), fields, {}, around)))
        found: dict[str, list[str]] = {}
        for at, words in wrong.items():
            while at not in there and "." in at:
                at = at.rpartition(".")[0]
            found.setdefault(at, []).extend(words)
        return found


def _fields_of(inputs: Sequence[Input]) -> list[str]:
    found = []
    for each in inputs:
        found.append(each.at)
        found += _fields_of(each.inside)
        for row in each.rows:
            found += _fields_of(row)
    return found


def open_form(
    section: Section, kept: Mapping[str, Any], place: int | None = None, kind: str = ""
) -> Form:
    """The form of a section or of a thing in it. Raises `NotFound`."""
    if isinstance(section, Plain | One):
        return Form(section, section.fieldsets)
    if not isinstance(section, Many):
        raise TypeError(section)
    if place is not None:
        things = things_of(section, kept)
        if not 0 <= place < len(things):
            raise NotFound(_("There is no such thing in the draft any more."))
        kind = section.kind_of(things[place])
    try:
        return Form(section, section.form(kind), place, kind)
    except KeyError:
        raise NotFound(_("There is no form of that kind.")) from None


def without(section: Many, kept: Mapping[str, Any], place: int, name: str) -> dict[str, Any]:
    """The settings without the thing at *place*, which is called *name*. Raises `Conflict`."""
    things = things_of(section, kept)
    if not 0 <= place < len(things) or str(things[place].get(section.key, "")) != name:
        raise Conflict(_("Somebody else has changed the list meanwhile. Look at it again."))
    del things[place]
    return {section.code: as_kept(section, things)}


def moved_up(section: Many, kept: Mapping[str, Any], place: int, name: str) -> dict[str, Any]:
    """The settings with the thing at *place* one place earlier. Raises `Conflict`."""
    things = things_of(section, kept)
    if not 0 < place < len(things) or str(things[place].get(section.key, "")) != name:
        raise Conflict(_("Somebody else has changed the list meanwhile. Look at it again."))
    things[place - 1], things[place] = things[place], things[place - 1]
    return {section.code: as_kept(section, things)}


def misplaced(
    form: Form, error: Invalid, things: Sequence[Mapping[str, Any]]
) -> tuple[dict[str, list[str]], list[str]]:
    """The words of the reading functions: by the field they are about, and those about no field."""
    wrong: dict[str, list[str]] = {}
    others: list[str] = []
    names = {part.name for part in parts_of(form.fieldsets)}
    for setting, texts in error.fields.items():
        for text in texts:
            at, words = _place(form, setting, text, names, things)
            if at is None:
                others.append(words)
            else:
                wrong.setdefault(at, []).append(words)
    return wrong, others


def _place(
    form: Form, setting: str, text: str, names: set[str], things: Sequence[Mapping[str, Any]]
) -> tuple[str | None, str]:
    section = form.section
    if isinstance(section, Plain):
        return (setting, in_language(text)) if setting in names else (None, _about(setting, text))
    if setting != section.code:
        return None, _about(setting, text)
    if isinstance(section, Many):
        rest = _mine(form, section, text, things)
        if rest is None:
            return None, in_language(text)
        text = rest
    at = ""
    while True:
        if match := _STEP.match(text):
            rows = next((name for name in ("scale", "levels") if name in names), None)
            if rows is None:
                break
            at = f"{rows}.{int(match['number']) - 1}"
            text = text[match.end() :]
            continue
        match = _KEYED.match(text)
        if match is None or (not at and match["key"] not in names):
            break
        at = f"{at}.{match['key']}" if at else match["key"]
        if match["rest"]:
            # "levels.2.at_least": numbers are counted from 1 there, from 0 here.
            steps = match["rest"].split(".")
            at += "." + ".".join(str(int(x) - 1) if x.isdigit() else x for x in steps)
        text = text[match.end() :]
    if (match := _MISSING.match(text)) and (at or match["key"] in names):
        at = f"{at}.{match['key']}" if at else match["key"]
    return at or None, in_language(text)


def _mine(form: Form, section: Many, text: str, things: Sequence[Mapping[str, Any]]) -> str | None:
    """What is said of the thing whose form is open; None where it is about another one."""
    place = len(things) - 1 if form.place is None else form.place
    if match := _NUMBERED.match(text):
        return text[match.end() :] if int(match["number"]) - 1 == place else None
    if match := _NAMED.match(text):
        mine = str(things[place].get(section.key, "")) if 0 <= place < len(things) else ""
        return text[match.end() :] if match["name"] == mine else None
    return text


def _about(setting: str, text: str) -> str:
    from app.web.staff.programme.sections import SECTION_OF

    section = SECTION_OF.get(setting)
    return f"{section.title}: {in_language(text)}" if section else in_language(text)


def told(setting: str, texts: Sequence[str]) -> str:
    """What is wrong with a setting, with the name of its mechanic before it."""
    return " ".join(_about(setting, text) for text in texts)


def names_of(things: Sequence[Any], language: str) -> dict[str, str]:
    """What things are called, by their codes."""
    return {each.code: each.name(language) for each in things}


def tier_names(settings: Settings, language: str) -> dict[str, str]:
    """What tiers are called, by their codes."""
    if settings.tiers is None:
        return {}
    found = {}
    for level in settings.tiers.scheme.levels:
        names = settings.tiers.names.get(level.code, {})
        found[level.code] = names.get(language) or names.get("en") or level.code
    return found
