"""Parts of a form that are several fields: names by language, rows, groups, what is given."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from app.languages import LANGUAGES, Lazy, _, lazy
from app.web.staff.programme.forms.kernel import (
    ABSENT,
    Around,
    Fields,
    Input,
    Part,
    Sent,
    part_words,
    read_parts,
    rows_of,
    show_parts,
    write_parts,
)

LANGUAGE_WORDS: Mapping[str, Lazy] = {
    "en": lazy("English"),
    "de": lazy("German"),
    "lv": lazy("Latvian"),
    "ru": lazy("Russian"),
}
_LANGUAGE = re.compile(r"[a-z]{2}", re.ASCII)
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d|24:00", re.ASCII)
_DIGITS = re.compile(r"[0-9]{1,12}", re.ASCII)


@dataclass(frozen=True)
class Names(Part):
    """What a thing is called, by language: the four that we speak, and others that are there."""

    longest: int = 60
    kind: ClassVar[str] = "names"

    def read(self, sent: Sent, at: str, around: Around) -> Any:
        found = {}
        for language in self._languages(sent.fields, at):
            if name := sent.text(f"{at}.{language}"):
                found[language] = name
        return found or ABSENT

    def write(self, value: Any, at: str) -> Iterator[tuple[str, list[str]]]:
        for language, name in value.items():
            yield f"{at}.{language}", [str(name)]

    def words(self, value: Any, around: Around) -> str:
        return " · ".join(f"{language}: {name}" for language, name in value.items())

    def show(
        self, fields: Fields, at: str, wrong: Mapping[str, list[str]], around: Around
    ) -> Input:
        shown = self.plain(fields, at, wrong)
        shown.inside = [
            Input(
                "text",
                f"{at}.{language}",
                str(LANGUAGE_WORDS.get(language, language)),
                value=next(iter(fields.get(f"{at}.{language}", ())), ""),
                wrong=wrong.get(f"{at}.{language}", ()),
                attributes={"maxlength": str(self.longest), "lang": language},
            )
            for language in self._languages(fields, at)
        ]
        return shown

    @staticmethod
    def _languages(fields: Fields, at: str) -> list[str]:
        there = {name.removeprefix(f"{at}.") for name in fields if name.startswith(f"{at}.")}
        others = {each for each in there if _LANGUAGE.fullmatch(each)} - set(LANGUAGES)
        return [*LANGUAGES, *sorted(others)[:16]]


@dataclass(frozen=True)
class Group(Part):
    """A term that is an object of its own."""

    parts: Sequence[Part] = ()
    kind: ClassVar[str] = "group"

    def read(self, sent: Sent, at: str, around: Around) -> Any:
        return read_parts(self.parts, sent, at, around) or ABSENT

    def write(self, value: Any, at: str) -> Iterator[tuple[str, list[str]]]:
        yield from write_parts(self.parts, value, at).items()  # type: ignore[misc]

    def words(self, value: Any, around: Around) -> str:
        told = part_words(self.parts, value, around)
        return "; ".join(f"{label}: {words}" for label, words in told)

    def show(
        self, fields: Fields, at: str, wrong: Mapping[str, list[str]], around: Around
    ) -> Input:
        shown = self.plain(fields, at, wrong)
        shown.inside = show_parts(self.parts, fields, wrong, around, at)
        return shown


@dataclass(frozen=True)
class Rows(Part):
    """A list of objects, a row each. There is always an empty row to fill in.

    *keep_empty*: a list without rows is said (it means none) and not left out.
    """

    parts: Sequence[Part] = ()
    most: int = 20
    keep_empty: bool = False
    kind: ClassVar[str] = "rows"

    def read(self, sent: Sent, at: str, around: Around) -> Any:
        found = []
        for number in self._filled(sent, at):
            found.append(read_parts(self.parts, sent, f"{at}.{number}", around))
        return found if found or self.keep_empty else ABSENT

    def _filled(self, sent: Sent, at: str) -> list[int]:
        """A row in which only what is usual stands is an empty one."""
        usual = {part.name for part in self.parts if part.usual is not None or part.kind == "tick"}
        filled = []
        for number in sent.rows(at):
            start = f"{at}.{number}."
            for name, values in sent.fields.items():
                own = name.removeprefix(start).split(".", 1)[0]
                if name.startswith(start) and own not in usual and any(x.strip() for x in values):
                    filled.append(number)
                    break
        return filled

    def write(self, value: Any, at: str) -> Iterator[tuple[str, list[str]]]:
        for number, each in enumerate(value):
            yield from write_parts(self.parts, each, f"{at}.{number}").items()  # type: ignore[misc]

    def words(self, value: Any, around: Around) -> str:
        told = []
        for each in value:
            said = part_words(self.parts, each, around)
            told.append(", ".join(f"{label} {words}" for label, words in said))
        return " · ".join(told)

    def show(
        self, fields: Fields, at: str, wrong: Mapping[str, list[str]], around: Around
    ) -> Input:
        shown = self.plain(fields, at, wrong)
        there = rows_of(fields, at, filled=False)
        # More than the last one only where somebody asks for them: a page without scripts works.
        if len(there) < self.most:
            there.append(max(there, default=-1) + 1)
        shown.rows = [
            show_parts(self.parts, fields, wrong, around, f"{at}.{number}") for number in there
        ]
        return shown


#: What may be given beside points, and of which of the programme's things.
THING_WORDS: Mapping[str, Lazy] = {
    "stamps": lazy("Stamps of a card"),
    "coupon": lazy("Coupon"),
    "gift": lazy("Gift, handed over"),
    "tickets": lazy("Tickets of a prize draw"),
    "visits": lazy("Visits counted"),
}
_SOURCES = {"stamps": "stamps", "coupon": "coupons", "tickets": "draws"}


@dataclass(frozen=True)
class Things(Part):
    """What is given: points, and things by kind, name and count. Without *points* only things."""

    points: bool = True
    kinds: tuple[str, ...] = ("stamps", "coupon", "gift", "tickets", "visits")
    kind: ClassVar[str] = "things"

    def read(self, sent: Sent, at: str, around: Around) -> Any:
        found: dict[str, Any] = {}
        typed = sent.text(f"{at}.points")
        if self.points and typed:
            if _DIGITS.fullmatch(typed) and int(typed) > 0:
                found["points"] = int(typed)
            else:
                sent.say(f"{at}.points", _("Give a whole number of at least %(low)s.", low="1"))
        for number in rows_of(sent.fields, at, filled=True):
            row = f"{at}.{number}"
            thing, what = sent.text(f"{row}.kind"), sent.text(f"{row}.what")
            if not what:
                continue
            if thing not in self.kinds:
                sent.say(f"{row}.kind", _("Choose what kind of thing it is."))
                continue
            count = sent.text(f"{row}.count") or "1"
            if not _DIGITS.fullmatch(count):
                sent.say(f"{row}.count", _("Give a whole number of at least %(low)s.", low="1"))
                continue
            found.setdefault(thing, {})[what] = int(count)
        return found or ABSENT

    def write(self, value: Any, at: str) -> Iterator[tuple[str, list[str]]]:
        if value.get("points"):
            yield f"{at}.points", [str(value["points"])]
        number = 0
        for thing, named in value.items():
            for what, count in named.items() if thing in self.kinds else ():
                yield f"{at}.{number}.kind", [thing]
                yield f"{at}.{number}.what", [str(what)]
                yield f"{at}.{number}.count", [str(count)]
                number += 1

    def words(self, value: Any, around: Around) -> str:
        told = [_("points: %(count)s", count=value["points"])] if value.get("points") else []
        for thing in self.kinds:
            names = around.chosen(_SOURCES[thing]) if thing in _SOURCES else {}
            told += [
                f"{THING_WORDS[thing]}: {count} × {names.get(what, what)}"
                for what, count in value.get(thing, {}).items()
            ]
        return ", ".join(told)

    def show(
        self, fields: Fields, at: str, wrong: Mapping[str, list[str]], around: Around
    ) -> Input:
        shown = self.plain(fields, at, wrong)

        def cell(name: str, label: Lazy, kind: str, **more: Any) -> Input:
            value = next(iter(fields.get(name, ())), "")
            return Input(kind, name, str(label), value=value, wrong=wrong.get(name, ()), **more)

        if self.points:
            shown.inside = [cell(f"{at}.points", lazy("Points"), "whole")]
        there = rows_of(fields, at, filled=False)
        there.append(max(there, default=-1) + 1)
        kinds = [("", _("nothing more")), *((each, str(THING_WORDS[each])) for each in self.kinds)]
        listed = [
            (code, f"{name} ({code})")
            for source in ("stamps", "coupons", "draws")
            for code, name in around.chosen(source).items()
        ]
        shown.rows = [
            [
                cell(f"{at}.{number}.kind", lazy("Kind of thing"), "choice", options=kinds),
                cell(
                    f"{at}.{number}.what", lazy("Which: its code or name"), "known", options=listed
                ),
                cell(f"{at}.{number}.count", lazy("How many"), "whole"),
            ]
            for number in there
        ]
        return shown


@dataclass(frozen=True)
class Hours(Part):
    """Hours of the day, from and to; past midnight too."""

    kind: ClassVar[str] = "hours"

    def read(self, sent: Sent, at: str, around: Around) -> Any:
        found = []
        for number in sent.rows(at):
            start, end = (sent.text(f"{at}.{number}.{name}") for name in ("from", "to"))
            if _TIME.fullmatch(start) and _TIME.fullmatch(end):
                # A browser cannot say 24:00: until midnight is until 00:00.
                found.append(f"{start}-{'24:00' if end == '00:00' else end}")
            else:
                sent.say(f"{at}.{number}.to", _("Give both: from when, and until when."))
        return found or ABSENT

    def write(self, value: Any, at: str) -> Iterator[tuple[str, list[str]]]:
        for number, each in enumerate(value):
            start, _mark, end = str(each).partition("-")
            yield f"{at}.{number}.from", [start]
            yield f"{at}.{number}.to", ["00:00" if end == "24:00" else end]

    def words(self, value: Any, around: Around) -> str:
        return ", ".join(str(each).replace("-", "–") for each in value)

    def show(
        self, fields: Fields, at: str, wrong: Mapping[str, list[str]], around: Around
    ) -> Input:
        shown = self.plain(fields, at, wrong)
        there = rows_of(fields, at, filled=False)
        there.append(max(there, default=-1) + 1)
        shown.rows = [
            [
                Input(
                    "time",
                    f"{at}.{number}.{name}",
                    str(label),
                    value=next(iter(fields.get(f"{at}.{number}.{name}", ())), ""),
                    wrong=wrong.get(f"{at}.{number}.{name}", ()),
                )
                for name, label in (("from", lazy("From, o'clock")), ("to", lazy("Until, o'clock")))
            ]
            for number in there
        ]
        return shown


UNIT_WORDS: Mapping[str, Lazy] = {
    "days": lazy("days in a row"),
    "weeks": lazy("weeks in a row"),
    "months": lazy("months in a row"),
}


@dataclass(frozen=True)
class Streak(Part):
    """A visit in each of so many days, weeks or months."""

    kind: ClassVar[str] = "streak"

    def read(self, sent: Sent, at: str, around: Around) -> Any:
        count, unit = sent.text(f"{at}.count"), sent.text(f"{at}.unit") or "weeks"
        if not count:
            return ABSENT
        if _DIGITS.fullmatch(count):
            return {unit: int(count)}
        sent.say(f"{at}.count", _("Give a whole number of at least %(low)s.", low="2"))
        return ABSENT

    def write(self, value: Any, at: str) -> Iterator[tuple[str, list[str]]]:
        for unit, count in value.items():
            yield f"{at}.count", [str(count)]
            yield f"{at}.unit", [str(unit)]

    def words(self, value: Any, around: Around) -> str:
        return ", ".join(f"{count} {UNIT_WORDS.get(unit, unit)}" for unit, count in value.items())

    def show(
        self, fields: Fields, at: str, wrong: Mapping[str, list[str]], around: Around
    ) -> Input:
        shown = self.plain(fields, at, wrong)

        def first(name: str, usual: str) -> str:
            return next(iter(fields.get(name, ())), usual)

        options = [(unit, str(words)) for unit, words in UNIT_WORDS.items()]
        shown.inside = [
            Input(
                "whole",
                f"{at}.count",
                _("How many"),
                value=first(f"{at}.count", ""),
                wrong=wrong.get(f"{at}.count", ()),
            ),
            Input(
                "choice",
                f"{at}.unit",
                _("Of what"),
                value=first(f"{at}.unit", "weeks"),
                options=options,
                wrong=wrong.get(f"{at}.unit", ()),
            ),
        ]
        return shown
