"""Parts of a form that are one field: text, numbers, choices, days."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar

from babel.numbers import format_decimal

from app.languages import Lazy, _, current_language
from app.web.formats import day, local_moment
from app.web.staff.programme.forms.kernel import ABSENT, Around, Fields, Input, Part, Sent, yes_no

_BLANKS = re.compile(r"[\s\u00a0\u202f]+")
_WITH_COMMA = re.compile(r"[0-9]+,[0-9]+", re.ASCII)
_WITH_DOT = re.compile(r"[0-9]+\.[0-9]+", re.ASCII)
_DIGITS = re.compile(r"[0-9]{1,15}", re.ASCII)
_EXACT = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,12})?", re.ASCII)


@dataclass(frozen=True)
class Text(Part):
    """A line of text; *lines*: several of them."""

    longest: int = 60
    kind: ClassVar[str] = "text"

    def read(self, sent: Sent, at: str, around: Around) -> Any:
        return sent.text(at) or ABSENT

    def write(self, value: Any, at: str) -> Iterator[tuple[str, list[str]]]:
        yield at, [str(value)]

    def words(self, value: Any, around: Around) -> str:
        return str(value)

    def show(
        self, fields: Fields, at: str, wrong: Mapping[str, list[str]], around: Around
    ) -> Input:
        return self.plain(fields, at, wrong, attributes={"maxlength": str(self.longest)})


@dataclass(frozen=True)
class Code(Text):
    """The code of a thing. Left empty it is made from the first name; later it never changes."""

    longest: int = 40
    kind: ClassVar[str] = "code"

    def read(self, sent: Sent, at: str, around: Around) -> Any:
        typed = sent.text(at)
        if typed:
            return typed
        prefix = at.removesuffix(self.name)
        named = [sent.text(f"{prefix}names.{language}") for language in ("en", "de", "lv", "ru")]
        made = code_of(next((each for each in named if each), ""))
        return made or ABSENT


def code_of(name: str) -> str:
    """A code made of a name: small letters, digits and hyphens."""
    plain = name.casefold().translate(_PLAIN)
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40].strip("-")


_PLAIN = str.maketrans(
    {
        **dict(zip("äöüßāčēģīķļņšūžõ", ("ae", "oe", "ue", "ss", *"acegiklnsuzo"), strict=True)),
        **dict(
            zip(
                "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
                "a b v g d e e zh z i j k l m n o p r s t u f h c ch sh shch _ y _ e ju ja".replace(
                    "_", "-"
                ).split(),
                strict=True,
            )
        ),
    }
)


@dataclass(frozen=True)
class Whole(Part):
    """A whole number from *low* to *high*."""

    low: int = 0
    high: int = 1_000_000_000
    unit: Lazy | str = ""
    kind: ClassVar[str] = "whole"

    def read(self, sent: Sent, at: str, around: Around) -> Any:
        typed = _BLANKS.sub("", sent.text(at))
        if not typed:
            return ABSENT
        if _DIGITS.fullmatch(typed) and self.low <= int(typed) <= self.high:
            return int(typed)
        if self.high >= 1_000_000_000:
            sent.say(at, _("Give a whole number of at least %(low)s.", low=f"{self.low}"))
        else:
            words = _("Give a whole number from %(low)s to %(high)s.", low=self.low, high=self.high)
            sent.say(at, words)
        return ABSENT

    def write(self, value: Any, at: str) -> Iterator[tuple[str, list[str]]]:
        yield at, [str(value)]

    def words(self, value: Any, around: Around) -> str:
        told = str(format_decimal(value, locale=current_language()))
        return f"{told} {self.unit}" if self.unit else told

    def show(
        self, fields: Fields, at: str, wrong: Mapping[str, list[str]], around: Around
    ) -> Input:
        return self.plain(fields, at, wrong, unit=str(self.unit))


@dataclass(frozen=True)
class Number(Part):
    """An exact decimal, kept as text. *unit* is written beside it; "money": the currency."""

    high: int = 1_000_000_000
    unit: Lazy | str = ""
    zero: bool = False
    kind: ClassVar[str] = "number"

    def read(self, sent: Sent, at: str, around: Around) -> Any:
        typed = _BLANKS.sub("", sent.text(at))
        if not typed:
            return ABSENT
        if _WITH_COMMA.fullmatch(typed):
            typed = typed.replace(",", ".")
        if _EXACT.fullmatch(typed):
            number = Decimal(typed)
            if number <= self.high and (number > 0 or self.zero):
                return typed
        if self.zero:
            sent.say(at, _("Give a number from 0 to %(high)s, such as 2 or 0.5.", high=self.high))
        else:
            words = _("Give a number above 0, at most %(high)s, such as 2 or 0.5.", high=self.high)
            sent.say(at, words)
        return ABSENT

    def write(self, value: Any, at: str) -> Iterator[tuple[str, list[str]]]:
        yield at, [str(value)]

    def words(self, value: Any, around: Around) -> str:
        if self.unit == "money":
            return around.money(value)
        text = str(value)
        decimals = len(text.partition(".")[2])
        form = "#,##0" + ("." + "0" * decimals if decimals else "")
        told = str(format_decimal(Decimal(text), form, locale=current_language()))
        return f"{told}\u00a0{self.unit}" if self.unit else told

    def show(
        self, fields: Fields, at: str, wrong: Mapping[str, list[str]], around: Around
    ) -> Input:
        shown = self.plain(fields, at, wrong, unit=self._unit(around))
        if _WITH_DOT.fullmatch(shown.value) and current_language() != "en":
            shown.value = shown.value.replace(".", ",")
        return shown

    def _unit(self, around: Around) -> str:
        return around.currency if self.unit == "money" else str(self.unit)


@dataclass(frozen=True)
class Choice(Part):
    """One of a few. *options* are (value, words)."""

    options: Sequence[tuple[str, Lazy]] = ()
    kind: ClassVar[str] = "choice"

    def read(self, sent: Sent, at: str, around: Around) -> Any:
        return sent.text(at) or ABSENT

    def write(self, value: Any, at: str) -> Iterator[tuple[str, list[str]]]:
        yield at, [str(value)]

    def words(self, value: Any, around: Around) -> str:
        return str(dict(self.options).get(str(value), value))

    def show(
        self, fields: Fields, at: str, wrong: Mapping[str, list[str]], around: Around
    ) -> Input:
        options = [(value, str(words)) for value, words in self.options]
        return self.plain(fields, at, wrong, options=options)


@dataclass(frozen=True)
class Pick(Part):
    """One of what the programme has, or none: *source* is a part of `Around`."""

    source: str = ""
    kind: ClassVar[str] = "choice"

    def read(self, sent: Sent, at: str, around: Around) -> Any:
        return sent.text(at) or ABSENT

    def write(self, value: Any, at: str) -> Iterator[tuple[str, list[str]]]:
        yield at, [str(value)]

    def words(self, value: Any, around: Around) -> str:
        return around.chosen(self.source).get(str(value), str(value))

    def show(
        self, fields: Fields, at: str, wrong: Mapping[str, list[str]], around: Around
    ) -> Input:
        shown = self.plain(fields, at, wrong)
        shown.options = [("", _("none")), *known(around.chosen(self.source), shown.values)]
        return shown


def known(chosen: Mapping[str, str], there: Sequence[str]) -> list[tuple[str, str]]:
    """What may be chosen, and what is chosen although it is no more."""
    return [*chosen.items(), *((each, each) for each in there if each and each not in chosen)]


@dataclass(frozen=True)
class Picks(Part):
    """Several of what the programme has (*source*) or of *options*; none of them means any."""

    source: str = ""
    options: Sequence[tuple[str, Lazy]] = ()
    kind: ClassVar[str] = "picks"

    def read(self, sent: Sent, at: str, around: Around) -> Any:
        return list(dict.fromkeys(sent.texts(at))) or ABSENT

    def write(self, value: Any, at: str) -> Iterator[tuple[str, list[str]]]:
        yield at, [str(each) for each in value]

    def words(self, value: Any, around: Around) -> str:
        names = dict(self._options(around, ()))
        return ", ".join(names.get(str(each), str(each)) for each in value)

    def show(
        self, fields: Fields, at: str, wrong: Mapping[str, list[str]], around: Around
    ) -> Input:
        shown = self.plain(fields, at, wrong)
        shown.options = self._options(around, shown.values)
        return shown

    def _options(self, around: Around, there: Sequence[str]) -> list[tuple[str, str]]:
        if self.source:
            return known(around.chosen(self.source), there)
        return [(value, str(words)) for value, words in self.options]


@dataclass(frozen=True)
class Tick(Part):
    """A box to tick. A hidden field says that it was there: an empty box is not sent at all."""

    kind: ClassVar[str] = "tick"

    def read(self, sent: Sent, at: str, around: Around) -> Any:
        return "yes" in sent.texts(at) or (False if f"{at}.there" in sent.fields else ABSENT)

    def write(self, value: Any, at: str) -> Iterator[tuple[str, list[str]]]:
        yield f"{at}.there", ["yes"]
        yield at, ["yes"] if value else []

    def words(self, value: Any, around: Around) -> str:
        return yes_no(bool(value))


@dataclass(frozen=True)
class Words(Part):
    """Several words or names, one a line."""

    kind: ClassVar[str] = "lines"

    def read(self, sent: Sent, at: str, around: Around) -> Any:
        lines = [each.strip() for each in sent.text(at).splitlines()]
        return [each for each in lines if each] or ABSENT

    def write(self, value: Any, at: str) -> Iterator[tuple[str, list[str]]]:
        yield at, ["\n".join(str(each) for each in value)]

    def words(self, value: Any, around: Around) -> str:
        return ", ".join(str(each) for each in value)


@dataclass(frozen=True)
class Percents(Words):
    """Whole percents, with commas between them."""

    kind: ClassVar[str] = "text"

    def read(self, sent: Sent, at: str, around: Around) -> Any:
        typed = [each for each in re.split(r"[,;\s%]+", sent.text(at)) if each]
        if not typed:
            return ABSENT
        if all(_DIGITS.fullmatch(each) and int(each) <= 100 for each in typed):
            return [int(each) for each in typed]
        sent.say(at, _("Give whole percents with commas between them, such as 100, 50, 25."))
        return ABSENT

    def write(self, value: Any, at: str) -> Iterator[tuple[str, list[str]]]:
        yield at, [", ".join(str(each) for each in value)]


@dataclass(frozen=True)
class Day(Part):
    """A local day."""

    kind: ClassVar[str] = "date"

    def read(self, sent: Sent, at: str, around: Around) -> Any:
        return sent.text(at) or ABSENT

    def write(self, value: Any, at: str) -> Iterator[tuple[str, list[str]]]:
        yield at, [str(value)]

    def words(self, value: Any, around: Around) -> str:
        try:
            told = date.fromisoformat(str(value))
        except ValueError:
            return str(value)
        return day(told)


@dataclass(frozen=True)
class Moment(Part):
    """A local day and time."""

    kind: ClassVar[str] = "datetime-local"

    def read(self, sent: Sent, at: str, around: Around) -> Any:
        return sent.text(at) or ABSENT

    def write(self, value: Any, at: str) -> Iterator[tuple[str, list[str]]]:
        yield at, [str(value)]

    def words(self, value: Any, around: Around) -> str:
        try:
            told = datetime.fromisoformat(str(value))
        except ValueError:
            return str(value)
        return local_moment(told)
