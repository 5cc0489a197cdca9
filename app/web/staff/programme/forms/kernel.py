"""What every part of a form is: read from what was sent, written from terms, shown, told."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, ClassVar

from babel.numbers import format_currency

from app.languages import Lazy, _, current_language, lazy

#: Fields as a browser sends them: each name with its values.
Fields = Mapping[str, Sequence[str]]
#: Rows of one list that are looked at; nobody fills more by hand.
MOST_ROWS = 60
_INDEX = re.compile(r"[0-9]{1,3}", re.ASCII)


class _Absent:
    """Nothing was filled in: the term is left out, and is as it is by default."""


ABSENT = _Absent()


@dataclass(frozen=True, slots=True)
class Around:
    """What a form has to know of its programme: what may be chosen, by its code, with its name."""

    currency: str = "EUR"
    exponent: int = 2
    language: str = "en"
    time_zone: str = "UTC"
    locations: Mapping[str, str] = field(default_factory=dict)
    tiers: Mapping[str, str] = field(default_factory=dict)
    groups: Mapping[str, str] = field(default_factory=dict)
    segments: Mapping[str, str] = field(default_factory=dict)
    stamps: Mapping[str, str] = field(default_factory=dict)
    coupons: Mapping[str, str] = field(default_factory=dict)
    draws: Mapping[str, str] = field(default_factory=dict)

    def money(self, major: object) -> str:
        """An amount of money that is kept in major units, as one reads it."""
        amount = Decimal(str(major))
        is_finer = amount != round(amount, self.exponent)
        return str(
            format_currency(
                amount,
                self.currency,
                locale=current_language(),
                decimal_quantization=not is_finer,
            )
        )

    def chosen(self, source: str) -> Mapping[str, str]:
        """What may be chosen of *source*, such as "tiers"."""
        found: Mapping[str, str] = getattr(self, source)
        return found


class Sent:
    """What was sent with a form, and what is wrong with it, by field."""

    def __init__(self, fields: Fields) -> None:
        self.fields = fields
        self.wrong: dict[str, list[str]] = {}

    def text(self, at: str) -> str:
        """The one value of a field, without blanks around it."""
        return next(iter(self.fields.get(at, ())), "").strip()

    def texts(self, at: str) -> list[str]:
        """All values of a field."""
        return [each for each in self.fields.get(at, ()) if each]

    def rows(self, at: str) -> list[int]:
        """The numbers of the rows of a list in which anything is filled in, in their order."""
        return rows_of(self.fields, at, filled=True)

    def say(self, at: str, words: str) -> None:
        """Say what is wrong with a field."""
        self.wrong.setdefault(at, []).append(words)


def rows_of(fields: Fields, at: str, *, filled: bool) -> list[int]:
    """The rows of a list that stand in *fields*; if *filled*, those with something in them."""
    start = f"{at}."
    found = set()
    for name, values in fields.items():
        if name.startswith(start) and (not filled or any(each.strip() for each in values)):
            number = name[len(start) :].split(".", 1)[0]
            if _INDEX.fullmatch(number):
                found.add(int(number))
    return sorted(found)[:MOST_ROWS]


@dataclass(slots=True)
class Input:
    """A part as a template shows it. *at* is its name in the form."""

    kind: str
    at: str
    label: str
    hint: str = ""
    value: str = ""
    values: Sequence[str] = ()
    options: Sequence[tuple[str, str]] = ()
    unit: str = ""
    wrong: Sequence[str] = ()
    #: It only counts while another field is one of these: "kind=goods,gift".
    when: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    inside: Sequence["Input"] = ()
    rows: Sequence[Sequence["Input"]] = ()


@dataclass(frozen=True)
class Part:
    """One part of a form: the term *name*. *usual* is what counts where nothing was said.

    *when*: (name, values): it only counts while the field of that name has one of these values.
    """

    name: str
    label: Lazy
    hint: Lazy | None = None
    usual: Any = None
    when: tuple[str, tuple[str, ...]] | None = None
    kind: ClassVar[str] = "text"

    def at(self, prefix: str) -> str:
        """Its name in the form."""
        return f"{prefix}.{self.name}" if prefix else self.name

    def read(self, sent: Sent, at: str, around: Around) -> Any:
        """The term; `ABSENT` where nothing was filled in."""
        raise NotImplementedError

    def write(self, value: Any, at: str) -> Iterator[tuple[str, list[str]]]:
        """The fields of a term."""
        raise NotImplementedError

    def words(self, value: Any, around: Around) -> str:
        """A term as people read it."""
        raise NotImplementedError

    def show(
        self, fields: Fields, at: str, wrong: Mapping[str, list[str]], around: Around
    ) -> Input:
        """It as a template shows it, with what is in *fields*."""
        return self.plain(fields, at, wrong)

    def plain(self, fields: Fields, at: str, wrong: Mapping[str, list[str]], **more: Any) -> Input:
        """What all parts are shown with."""
        values = list(fields.get(at, ()))
        if not values and at not in fields and self.usual is not None:
            values = next((values for name, values in self.write(self.usual, at) if name == at), [])
        prefix = at.rpartition(".")[0]
        condition = ""
        if self.when is not None:
            name, wanted = self.when
            condition = f"{f'{prefix}.{name}' if prefix else name}={','.join(wanted)}"
        shown = Input(
            self.kind,
            at,
            str(self.label),
            str(self.hint or ""),
            value=values[0] if values else "",
            values=values,
            wrong=wrong.get(at, ()),
            when=condition,
        )
        return replace(shown, **more)


def read_parts(parts: Sequence[Part], sent: Sent, prefix: str, around: Around) -> dict[str, Any]:
    """The terms of several parts; what does not count just now is left out."""
    found: dict[str, Any] = {}
    for part in parts:
        if part.when is not None:
            other = f"{prefix}.{part.when[0]}" if prefix else part.when[0]
            # A field that was not sent says nothing against it.
            if other in sent.fields and sent.text(other) not in part.when[1]:
                continue
        value = part.read(sent, part.at(prefix), around)
        if not isinstance(value, _Absent):
            found[part.name] = value
    return found


def write_parts(parts: Sequence[Part], terms: Mapping[str, Any], prefix: str = "") -> Fields:
    """The fields of several parts' terms."""
    fields: dict[str, list[str]] = {}
    for part in parts:
        if terms.get(part.name) is not None:
            fields.update(part.write(terms[part.name], part.at(prefix)))
    return fields


def show_parts(
    parts: Sequence[Part],
    fields: Fields,
    wrong: Mapping[str, list[str]],
    around: Around,
    prefix: str = "",
) -> list[Input]:
    """Several parts as a template shows them."""
    return [part.show(fields, part.at(prefix), wrong, around) for part in parts]


def part_words(
    parts: Sequence[Part], terms: Mapping[str, Any], around: Around
) -> list[tuple[str, str]]:
    """Each part that says something: its label, and its term in words."""
    return [
        (str(part.label), part.words(terms[part.name], around))
        for part in parts
        if terms.get(part.name) not in (None, [], {}, "", False)
    ]


def yes_no(value: bool) -> str:
    """A truth value as people read it."""
    return _("yes") if value else _("no")


Summary = Callable[[Mapping[str, Any], Around], str]
NOTHING = lazy("nothing")
