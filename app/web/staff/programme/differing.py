"""What differs between two versions of the settings, by mechanic, thing and field, in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.languages import Lazy, _, lazy
from app.web.staff.programme.editing import things_of
from app.web.staff.programme.forms.kernel import Around, Part
from app.web.staff.programme.forms.section import Fieldset, Many, One, Plain, Section, parts_of
from app.web.staff.programme.sections import SECTIONS

NEW, GONE, CHANGED, MOVED = "new", "gone", "changed", "moved"
STATE_WORDS: Mapping[str, Lazy] = {
    NEW: lazy("new"),
    GONE: lazy("goes"),
    CHANGED: lazy("changes"),
    MOVED: lazy("another order"),
}


@dataclass(frozen=True)
class FieldDifference:
    """One field: what it says now and what it will say; empty: nothing."""

    label: str
    before: str
    after: str


@dataclass(frozen=True)
class Difference:
    """One thing that is new, goes or changes; *name* is empty where the mechanic is one thing."""

    section: Section
    name: str
    state: str
    fields: tuple[FieldDifference, ...] = ()

    @property
    def words(self) -> str:
        """What becomes of it."""
        return str(STATE_WORDS[self.state])


def differences(
    before: Mapping[str, Any], after: Mapping[str, Any], around: Around
) -> list[Difference]:
    """All that differs, in the order in which mechanics are shown."""
    found: list[Difference] = []
    for section in SECTIONS.values():
        if all(before.get(name) == after.get(name) for name in section.settings):
            continue
        if isinstance(section, Plain):
            changed = _fields(section.fieldsets, before, after, around)
            found.append(Difference(section, "", CHANGED, changed))
        elif isinstance(section, One):
            found.append(_one(section, before.get(section.code), after.get(section.code), around))
        elif isinstance(section, Many):
            found += _many(section, before, after, around)
    return found


def _one(section: One, before: Any, after: Any, around: Around) -> Difference:
    state = NEW if before is None else GONE if after is None else CHANGED
    old, new = (section.into(each or {}, around) for each in (before, after))
    return Difference(section, "", state, _fields(section.fieldsets, old, new, around))


def _many(
    section: Many, before: Mapping[str, Any], after: Mapping[str, Any], around: Around
) -> list[Difference]:
    old, new = things_of(section, before), things_of(section, after)
    olds, news = _by_key(section, old), _by_key(section, new)
    found = []
    for key in [*olds, *(key for key in news if key not in olds)]:
        was, will = olds.get(key), news.get(key)
        if was == will:
            continue
        state = NEW if was is None else GONE if will is None else CHANGED
        there = will or was or {}
        form = section.form(section.kind_of(there))
        fields = _fields(form, was or {}, will or {}, around)
        found.append(Difference(section, section.name(there, around), state, fields))
    if not found:
        names = [" → ".join(section.name(each, around) for each in things) for things in (old, new)]
        order = FieldDifference(_("Order"), *names)
        found.append(Difference(section, "", MOVED, (order,)))
    return found


def _by_key(section: Many, things: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Things by what tells them apart; prices may name an item several times."""
    found: dict[str, Mapping[str, Any]] = {}
    for each in things:
        key = name = str(each.get(section.key, ""))
        number = 1
        while key in found:
            number += 1
            key = f"{name} {number}"
        found[key] = each
    return found


def _fields(
    fieldsets: Sequence[Fieldset],
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    around: Around,
) -> tuple[FieldDifference, ...]:
    found = []
    for part in parts_of(fieldsets):
        old, new = before.get(part.name), after.get(part.name)
        if old != new:
            told = (_words(part, each, around) for each in (old, new))
            found.append(FieldDifference(str(part.label), *told))
    return tuple(found)


def _words(part: Part, value: Any, around: Around) -> str:
    return "" if value in (None, [], {}, "") else part.words(value, around)
