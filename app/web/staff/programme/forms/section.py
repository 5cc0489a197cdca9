"""A mechanic as pages show it: what it is, which settings it is, and the parts of its form."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.languages import Lazy
from app.web.staff.programme.forms.kernel import Around, Part

Terms = dict[str, Any]


@dataclass(frozen=True)
class Fieldset:
    """Parts that belong together, under a heading; *open* at first where something is in them."""

    title: Lazy | None
    parts: tuple[Part, ...]
    hint: Lazy | None = None
    is_open: bool = True


def parts_of(fieldsets: Sequence[Fieldset]) -> list[Part]:
    """All parts of a form, in their order."""
    return [part for each in fieldsets for part in each.parts]


@dataclass(frozen=True)
class Section:
    """One mechanic. *code* stands in addresses."""

    code: str
    title: Lazy
    what: Lazy

    @property
    def settings(self) -> tuple[str, ...]:
        """The settings that it is about."""
        return (self.code,)


@dataclass(frozen=True)
class Plain(Section):
    """Settings that stand by themselves."""

    fieldsets: tuple[Fieldset, ...] = ()

    @property
    def settings(self) -> tuple[str, ...]:
        return tuple(part.name for part in parts_of(self.fieldsets))


@dataclass(frozen=True)
class One(Section):
    """A setting that is one thing, or none. *into* turns the terms as they are kept into those of
    the form, *out_of* turns them back."""

    fieldsets: tuple[Fieldset, ...] = ()
    into: Callable[[Terms, Around], Terms] = lambda terms, around: terms
    out_of: Callable[[Terms, Around], Terms] = lambda terms, around: terms


@dataclass(frozen=True)
class Many(Section):
    """A setting that is a list of things, each with a *key* of its own.

    *forms* are by kind; a thing of one kind only has the kind "". *summary* says a thing in a line.
    """

    key: str = "code"
    one: Lazy | None = None
    forms: Mapping[str, tuple[Fieldset, ...]] | None = None
    kinds: Mapping[str, tuple[Lazy, Lazy]] | None = None
    summary: Callable[[Mapping[str, Any], Around], str] = lambda thing, around: ""

    def kind_of(self, thing: Mapping[str, Any]) -> str:
        """Which form a thing has."""
        return str(thing.get("kind", "")) if self.kinds else ""

    def form(self, kind: str) -> tuple[Fieldset, ...]:
        """The form of a kind. Raises `KeyError`."""
        return (self.forms or {})[kind]

    def name(self, thing: Mapping[str, Any], around: Around) -> str:
        """What a thing is called."""
        names = thing.get("names")
        if isinstance(names, Mapping) and names:
            found = names.get(around.language) or names.get("en") or next(iter(names.values()))
            return str(found)
        return str(thing.get(self.key, ""))
